//! Swapping and renaming indexes, several at once and all or none.
//!
//! An index keeps its number, and with it its documents, settings and events; only the name
//! that leads to it changes. The writer looks up the numbers when the write is accepted,
//! because the writes behind it already go by the new names.

use crate::EngineError;
use crate::apply::{Applier, Group};
use crate::outcome::{Failure, Outcome, Refused};
use crate::record::{Entry, IndexNo, RenameBody, SwapBody};
use std::collections::BTreeMap;

/// Fills in the numbers, and exchanges the names if every swap can be made.
pub(crate) fn resolve(swaps: &mut [SwapBody], indexes: &mut BTreeMap<String, IndexNo>) {
    let number = |name: &String| indexes.get(name).copied().unwrap_or(IndexNo::NONE);
    for swap in &mut *swaps {
        swap.numbers = (number(&swap.names.0), number(&swap.names.1));
    }
    if check(swaps).is_err() {
        return;
    }
    for swap in swaps {
        indexes.insert(swap.names.1.clone(), swap.numbers.0);
        if swap.rename {
            indexes.remove(&swap.names.0);
        } else {
            indexes.insert(swap.names.0.clone(), swap.numbers.1);
        }
    }
}

/// Notes which index has the new name, and gives it to this one if none has.
pub(crate) fn resolve_rename(rename: &mut RenameBody, indexes: &mut BTreeMap<String, IndexNo>) {
    let (before, after) = &rename.names;
    let Some(no) = indexes.get(before).copied() else {
        return;
    };
    let taken_by = indexes.get(after).copied();
    rename.taken_by = taken_by.filter(|other| *other != no);
    if rename.taken_by.is_none() {
        indexes.remove(before);
        indexes.insert(after.clone(), no);
    }
}

/// Whether all of them can be made: both must exist, or for a new name only the first.
fn check(swaps: &[SwapBody]) -> Result<(), Refused> {
    let mut missing = Vec::new();
    for swap in swaps {
        let (first, second) = (&swap.names.0, &swap.names.1);
        if swap.numbers.0 == IndexNo::NONE {
            missing.push(format!("`{first}`"));
        }
        match (swap.rename, swap.numbers.1 == IndexNo::NONE) {
            (true, false) => {
                let message = format!(
                    "Cannot rename `{first}` to `{second}` as the index already exists. Hint: You can remove `{second}` first and then do your remove."
                );
                return Err(Refused::new("index_already_exists", message));
            }
            (false, true) => missing.push(format!("`{second}`")),
            _ => (),
        }
    }
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err(Refused::new(
            "index_not_found",
            format!("Index {one} not found."),
        )),
        more => {
            let message = format!("Indexes {} not found.", more.join(", "));
            Err(Refused::new("index_not_found", message))
        }
    }
}

impl Applier {
    pub(crate) fn swap_indexes(
        &mut self,
        entry: &Entry,
        swaps: &[SwapBody],
        group: &mut Group,
    ) -> Result<Outcome, Failure> {
        check(swaps)?;
        for swap in swaps {
            self.call(swap.numbers.0, &swap.names.1, group)?;
            if !swap.rename {
                self.call(swap.numbers.1, &swap.names.0, group)?;
            }
        }
        Ok(Outcome::of(entry))
    }

    /// An update of an index that changes its name. The name counts from when the write was
    /// accepted, so it changes also where the primary key cannot.
    pub(crate) fn rename_index(
        &mut self,
        entry: &Entry,
        rename: &RenameBody,
        group: &mut Group,
    ) -> Result<Outcome, Failure> {
        self.existing(entry)?;
        if rename.taken_by.is_some() {
            let message = format!("Index `{}` already exists.", rename.names.1);
            return Err(Refused::new("index_already_exists", message).into());
        }
        self.call(entry.index, &rename.names.1, group)?;
        self.set_primary_key(entry, rename.primary_key.as_deref())?;
        group.touch(entry.index);
        Ok(Outcome::of(entry))
    }

    /// Gives an index another name. Its folder keeps the first one.
    fn call(&mut self, no: IndexNo, name: &str, group: &mut Group) -> Result<(), EngineError> {
        // The task that would have made the index may have been canceled.
        let Some(index) = self.open.get_mut(&no) else {
            return Ok(());
        };
        let before = std::mem::replace(&mut index.meta.uid, name.to_owned());
        index.meta.folder.get_or_insert(before);
        index.meta.put(group.batch(&self.shared))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(first: &str, second: &str, rename: bool) -> SwapBody {
        SwapBody {
            names: (first.to_owned(), second.to_owned()),
            rename,
            numbers: (IndexNo::NONE, IndexNo::NONE),
        }
    }

    #[track_caller]
    fn check_names(mut swaps: Vec<SwapBody>, expected: &[(&str, u64)]) {
        let mut indexes = BTreeMap::from([
            ("a".to_owned(), IndexNo(1)),
            ("b".to_owned(), IndexNo(2)),
            ("c".to_owned(), IndexNo(3)),
        ]);
        resolve(&mut swaps, &mut indexes);
        let names: Vec<(&str, u64)> = indexes
            .iter()
            .map(|(name, no)| (name.as_str(), no.0))
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn a_name_is_taken_only_where_it_is_free() {
        let mut indexes =
            BTreeMap::from([("a".to_owned(), IndexNo(1)), ("b".to_owned(), IndexNo(2))]);
        for (name, taken_by, names) in [
            ("b", Some(IndexNo(2)), ["a", "b"]),
            ("a", None, ["a", "b"]),
            ("c", None, ["b", "c"]),
        ] {
            let mut rename = RenameBody {
                names: ("a".to_owned(), name.to_owned()),
                primary_key: None,
                taken_by: None,
            };
            resolve_rename(&mut rename, &mut indexes);
            assert_eq!(rename.taken_by, taken_by, "{name}");
            assert!(indexes.keys().eq(&names), "{name}");
        }
    }

    #[test]
    fn all_names_change_or_none() {
        check_names(vec![swap("a", "b", false)], &[("a", 2), ("b", 1), ("c", 3)]);
        check_names(vec![swap("a", "d", true)], &[("b", 2), ("c", 3), ("d", 1)]);
        let unchanged = [("a", 1), ("b", 2), ("c", 3)];
        check_names(
            vec![swap("a", "b", false), swap("c", "x", false)],
            &unchanged,
        );
        check_names(vec![swap("a", "b", true)], &unchanged);
        check_names(vec![swap("x", "d", true)], &unchanged);
    }
}

//! Files of sequences: one user a line, `user item item …`, the oldest item first.
//!
//! Item tokens get dense numbers in their own order (by number when all are
//! numbers, else by text), so that "ties by ascending item id" means the same
//! for the numbers as for the ids.

use rustc_hash::{FxHashMap, FxHashSet};
use std::io::{self, BufRead};

/// Why a file of sequences could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequencesError {
    #[error("cannot read line {line} of the sequences")]
    Read {
        line: usize,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of the sequences has the user `{user}` but no item")]
    NoItem { line: usize, user: String },
    #[error("line {line} of the sequences repeats the user `{user}`")]
    RepeatedUser { line: usize, user: String },
    #[error("the sequences have no line with a user and an item")]
    Empty,
}

/// Users with their items in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
    /// Users in the order of the file.
    pub users: Vec<String>,
    /// Item tokens by dense number.
    pub items: Vec<String>,
    /// Items of each user, the oldest first.
    pub sequences: Vec<Vec<u32>>,
}

impl Sequences {
    /// Reads a file of sequences; empty lines are passed over.
    pub fn read(mut reader: impl BufRead) -> Result<Self, SequencesError> {
        let mut users = Vec::new();
        let mut known = FxHashSet::default();
        let mut tokens = Tokens::default();
        let mut sequences = Vec::new();
        let mut text = String::new();
        for line in 1.. {
            text.clear();
            let length = reader
                .read_line(&mut text)
                .map_err(|source| SequencesError::Read { line, source })?;
            if length == 0 {
                break;
            }
            let mut words = text.split_whitespace();
            let Some(user) = words.next() else { continue };
            let sequence: Vec<u32> = words.map(|word| tokens.number(word)).collect();
            if sequence.is_empty() {
                return Err(SequencesError::NoItem {
                    line,
                    user: excerpt(user),
                });
            }
            if !known.insert(user.to_owned()) {
                return Err(SequencesError::RepeatedUser {
                    line,
                    user: excerpt(user),
                });
            }
            users.push(user.to_owned());
            sequences.push(sequence);
        }
        if users.is_empty() {
            return Err(SequencesError::Empty);
        }
        Ok(Self::numbered(users, tokens, sequences))
    }

    /// What was known before everybody's last item: without it, and without the items that stand nowhere else. The
    /// others are numbered anew, so that nothing here depends on a last item. Nobody is left out.
    pub fn without_last(&self) -> Self {
        let mut tokens = Tokens::default();
        let known = |sequence: &Vec<u32>| sequence.len().saturating_sub(1);
        let sequences = self
            .sequences
            .iter()
            .map(|sequence| {
                let items = sequence[..known(sequence)].iter();
                items
                    .map(|&item| tokens.number(&self.items[item as usize]))
                    .collect()
            })
            .collect();
        Self::numbered(self.users.clone(), tokens, sequences)
    }

    /// Gives the items, which are numbered as they came, the numbers of their own order.
    fn numbered(users: Vec<String>, tokens: Tokens, mut sequences: Vec<Vec<u32>>) -> Self {
        let (items, order) = tokens.sorted();
        for item in sequences.iter_mut().flatten() {
            *item = order[*item as usize];
        }
        Self {
            users,
            items,
            sequences,
        }
    }
}

/// Item tokens, numbered as they come.
#[derive(Default)]
struct Tokens {
    numbers: FxHashMap<String, u32>,
}

impl Tokens {
    fn number(&mut self, token: &str) -> u32 {
        if let Some(&number) = self.numbers.get(token) {
            return number;
        }
        let number = u32::try_from(self.numbers.len())
            .expect("a file in memory holds fewer than 2^32 items");
        self.numbers.insert(token.to_owned(), number);
        number
    }

    /// The tokens in their own order, and for each number given so far its place in that order.
    fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut tokens: Vec<(String, u32)> = self.numbers.into_iter().collect();
        // "7" and "07" are different items of the same number, so the text decides between equal numbers.
        if tokens.iter().all(|(token, _)| token.parse::<u64>().is_ok()) {
            tokens.sort_by_cached_key(|(token, _)| (token.parse::<u64>().ok(), token.clone()));
        } else {
            tokens.sort_unstable();
        }
        let mut order = vec![0; tokens.len()];
        for (place, (_, number)) in (0..).zip(&tokens) {
            order[*number as usize] = place;
        }
        (tokens.into_iter().map(|(token, _)| token).collect(), order)
    }
}

/// Shortens a token for an error message.
fn excerpt(token: &str) -> String {
    token.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, items: &[&str], sequences: &[&[u32]]) {
        let read = Sequences::read(text.as_bytes()).unwrap();
        assert_eq!(read.items, items);
        assert_eq!(read.sequences, sequences);
    }

    #[test]
    fn items_are_numbered_in_their_own_order() {
        check(
            "a 10 9 2\n\nb 9 07 7\r\n",
            &["2", "07", "7", "9", "10"],
            &[&[4, 3, 0], &[3, 1, 2]],
        );
        check("a 10 9 x\n", &["10", "9", "x"], &[&[0, 1, 2]]);
        check("a\tgift  card", &["card", "gift"], &[&[1, 0]]);
    }

    #[test]
    fn nothing_is_left_of_a_last_item() {
        let read = |text: &str| Sequences::read(text.as_bytes()).unwrap().without_last();
        let known = read("a 10 9 x\nb 9 7\nc 3\n");
        // By number, because the only item that is no number is gone.
        assert_eq!(known.items, ["9", "10"]);
        assert_eq!(known.sequences, [vec![1, 0], vec![0], vec![]]);
        assert_eq!(known.users, ["a", "b", "c"]);
        assert_eq!(known, read("a 10 9 8\nb 9 y\nc 10\n"));
    }

    #[test]
    fn a_bad_line_is_named() {
        for (text, message) in [
            (
                "a 1\nb\n",
                "line 2 of the sequences has the user `b` but no item",
            ),
            (
                "a 1\n\na 2\n",
                "line 3 of the sequences repeats the user `a`",
            ),
            (" \n", "the sequences have no line with a user and an item"),
        ] {
            assert_eq!(
                Sequences::read(text.as_bytes()).unwrap_err().to_string(),
                message
            );
        }
        let wrong = Sequences::read(&b"a 1\n\xff\xfe 3\n"[..]).unwrap_err();
        assert_eq!(wrong.to_string(), "cannot read line 2 of the sequences");
    }
}

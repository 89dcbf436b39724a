//! Profiles as entries of a key-value view.
//!
//! Key `m` holds the format and the totals, `i` + number an item, `s` + number
//! a shopper. The changes of one call belong into one atomic batch; loading
//! checks that the entries belong together and point only at one another.

use crate::fold::{Profiles, next_number};
use crate::item::ItemStats;
use crate::shopper::Shopper;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const MAGIC: &[u8; 4] = b"VPRF";
/// Raise it when any persisted structure or formula changes; older views are rebuilt from the log.
const VERSION: u32 = 2;
const META: &[u8] = b"m";
const ITEM: u8 = b'i';
const SHOPPER: u8 = b's';

/// Why persisted profiles could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfilesError {
    #[error("the profiles have entries but no header; rebuild them from the log")]
    NoHeader,
    #[error(
        "the header of the profiles does not start with the mark of their format; rebuild them from the log"
    )]
    Mark,
    #[error(
        "the profiles have format {found}, this build reads format {expected}; rebuild them from the log"
    )]
    Version { found: u32, expected: u32 },
    #[error("the profile entry {key} cannot be decoded; rebuild the profiles from the log")]
    Decode {
        key: String,
        #[source]
        source: postcard::Error,
    },
    #[error("the profile entry {key} {what}; rebuild the profiles from the log")]
    Damaged { key: String, what: &'static str },
    #[error("{found} of {expected} {what} are there; rebuild the profiles from the log")]
    Incomplete {
        what: &'static str,
        found: usize,
        expected: u64,
    },
}

#[derive(Serialize, Deserialize)]
struct Meta {
    items: u64,
    shoppers: u64,
    events: u64,
    newest: Option<Timestamp>,
}

impl Profiles {
    /// The entries that changed since the last call, in the order of their keys; empty when nothing did.
    ///
    /// A value replaces the entry of its key. Write all entries of one call in one atomic batch, at checkpoints
    /// rather than after each event: one purchase touches every item of its basket.
    pub fn take_changes(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let items = self.changes.items.take();
        let shoppers = self.changes.shoppers.take();
        if items.is_empty() && shoppers.is_empty() {
            return Vec::new();
        }
        let mut entries = Vec::with_capacity(items.len() + shoppers.len() + 1);
        for number in items {
            let id: &str = &self.item_ids[number as usize];
            entries.push((
                key(ITEM, number),
                encode(&(id, &self.items[number as usize])),
            ));
        }
        entries.push((META.to_vec(), self.header()));
        for number in shoppers {
            entries.push((
                key(SHOPPER, number),
                encode(&self.shoppers[number as usize]),
            ));
        }
        entries
    }

    fn header(&self) -> Vec<u8> {
        let mut header = MAGIC.to_vec();
        header.extend(VERSION.to_le_bytes());
        header.extend(encode(&Meta {
            items: self.items.len() as u64,
            shoppers: self.shoppers.len() as u64,
            events: self.events,
            newest: self.newest,
        }));
        header
    }

    /// Reads profiles back from all entries ever taken, each with its newest value, in any order.
    pub fn load<K, V>(entries: impl Iterator<Item = (K, V)>) -> Result<Self, ProfilesError>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut meta = None;
        let mut items: Vec<(u32, Arc<str>, ItemStats)> = Vec::new();
        let mut shoppers: Vec<(u32, Shopper)> = Vec::new();
        for (key, value) in entries {
            let (key, value) = (key.as_ref(), value.as_ref());
            if key == META {
                meta = Some(read_header(key, value)?);
                continue;
            }
            match numbered(key) {
                Some((ITEM, number)) => {
                    let (id, stats): (String, ItemStats) = decode(key, value)?;
                    items.push((number, id.into(), stats));
                }
                Some((SHOPPER, number)) => shoppers.push((number, decode(key, value)?)),
                _ => return Err(damaged(key, "has a key of no known form")),
            }
        }
        let Some(meta) = meta else {
            return if items.is_empty() && shoppers.is_empty() {
                Ok(Self::new())
            } else {
                Err(ProfilesError::NoHeader)
            };
        };
        items.sort_unstable_by_key(|item| item.0);
        shoppers.sort_unstable_by_key(|shopper| shopper.0);
        dense("items", items.iter().map(|item| item.0), meta.items)?;
        dense(
            "shoppers",
            shoppers.iter().map(|shopper| shopper.0),
            meta.shoppers,
        )?;
        assemble(meta, items, shoppers)
    }
}

fn assemble(
    meta: Meta,
    items: Vec<(u32, Arc<str>, ItemStats)>,
    shoppers: Vec<(u32, Shopper)>,
) -> Result<Profiles, ProfilesError> {
    let mut profiles = Profiles {
        events: meta.events,
        newest: meta.newest,
        ..Profiles::new()
    };
    let end = next_number(items.len());
    let reaches = |number: Option<u32>| number.is_some_and(|number| number >= end);
    for (number, id, stats) in items {
        if reaches(stats.neighbours.largest_number()) || reaches(stats.viewed.largest_number()) {
            return Err(damaged(
                &key(ITEM, number),
                "names an item that does not exist",
            ));
        }
        if profiles
            .item_numbers
            .insert(Arc::clone(&id), number)
            .is_some()
        {
            return Err(damaged(&key(ITEM, number), "has the id of another item"));
        }
        profiles.item_ids.push(id);
        profiles.items.push(stats);
    }
    for (number, shopper) in shoppers {
        if reaches(shopper.largest_number()) {
            return Err(damaged(
                &key(SHOPPER, number),
                "names an item that does not exist",
            ));
        }
        if profiles
            .shopper_numbers
            .insert(shopper.user().as_str().into(), number)
            .is_some()
        {
            return Err(damaged(
                &key(SHOPPER, number),
                "has the id of another shopper",
            ));
        }
        profiles.shoppers.push(shopper);
    }
    Ok(profiles)
}

/// Checks that sorted numbers are 0, 1, 2, … up to the promised count.
fn dense(
    what: &'static str,
    numbers: impl ExactSizeIterator<Item = u32>,
    expected: u64,
) -> Result<(), ProfilesError> {
    let found = numbers.len();
    if found as u64 == expected
        && numbers
            .zip(0..)
            .all(|(number, position)| number == position)
    {
        Ok(())
    } else {
        Err(ProfilesError::Incomplete {
            what,
            found,
            expected,
        })
    }
}

fn read_header(key: &[u8], value: &[u8]) -> Result<Meta, ProfilesError> {
    let (mark, rest) = value.split_first_chunk::<4>().ok_or(ProfilesError::Mark)?;
    if mark != MAGIC {
        return Err(ProfilesError::Mark);
    }
    let (version, body) = rest.split_first_chunk::<4>().ok_or(ProfilesError::Mark)?;
    let found = u32::from_le_bytes(*version);
    if found != VERSION {
        return Err(ProfilesError::Version {
            found,
            expected: VERSION,
        });
    }
    decode(key, body)
}

fn key(kind: u8, number: u32) -> Vec<u8> {
    let mut key = vec![kind];
    // Big-endian, so that the view keeps numbers in order.
    key.extend(number.to_be_bytes());
    key
}

fn numbered(key: &[u8]) -> Option<(u8, u32)> {
    let (&kind, number) = key.split_first()?;
    Some((kind, u32::from_be_bytes(number.try_into().ok()?)))
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).expect("profiles hold nothing that cannot be encoded")
}

fn decode<T: for<'de> Deserialize<'de>>(key: &[u8], value: &[u8]) -> Result<T, ProfilesError> {
    match postcard::take_from_bytes(value) {
        Ok((decoded, [])) => Ok(decoded),
        Ok(_) => Err(damaged(key, "is longer than what it holds")),
        Err(source) => Err(ProfilesError::Decode {
            key: printed(key),
            source,
        }),
    }
}

fn damaged(key: &[u8], what: &'static str) -> ProfilesError {
    ProfilesError::Damaged {
        key: printed(key),
        what,
    }
}

fn printed(key: &[u8]) -> String {
    match numbered(key) {
        Some((ITEM, number)) => format!("of item {number}"),
        Some((SHOPPER, number)) => format!("of shopper {number}"),
        _ => key.escape_ascii().to_string(),
    }
}

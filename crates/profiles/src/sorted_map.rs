//! Hash maps written in the order of their keys.
//!
//! The order inside a hash map depends on its past, so equal maps would be
//! written as different bytes. With this, equal state is equal bytes.

use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<V, S>(map: &FxHashMap<u32, V>, serializer: S) -> Result<S::Ok, S::Error>
where
    V: Serialize,
    S: Serializer,
{
    let mut entries: Vec<(u32, &V)> = map.iter().map(|(&key, value)| (key, value)).collect();
    entries.sort_unstable_by_key(|&(key, _)| key);
    entries.serialize(serializer)
}

pub(crate) fn deserialize<'de, V, D>(deserializer: D) -> Result<FxHashMap<u32, V>, D::Error>
where
    V: DeserializeOwned,
    D: Deserializer<'de>,
{
    let entries: Vec<(u32, V)> = Vec::deserialize(deserializer)?;
    Ok(entries.into_iter().collect())
}

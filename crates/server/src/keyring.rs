//! The keys that are in force, found by their value or uid.
//!
//! Values are derived from the master key when the registry changes, never stored. A
//! search for a value compares with every key, so that its time tells nothing.

use crate::actions;
use crate::metadata::unique_id;
use crate::secret::{is_same, key_value};
use domain::{IndexPattern, Timestamp};
use engine::{ApiKey, Engine, EngineError, Registry, RegistryChange, Write};
use std::sync::{Arc, PoisonError, RwLock};

/// Keys there may be: each request with a key compares with all of them.
pub(crate) const MOST_KEYS: usize = 1000;

/// Keys with their values, as of one state of the registry.
pub(crate) struct Keyring {
    master_key: String,
    derived: RwLock<Option<Arc<Derived>>>,
}

/// A key that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) uid: String,
    pub(crate) value: String,
    pub(crate) key: ApiKey,
}

struct Derived {
    registry: Arc<Registry>,
    keys: Vec<Found>,
}

impl Keyring {
    pub(crate) fn new(master_key: &str) -> Self {
        Self {
            master_key: master_key.to_owned(),
            derived: RwLock::new(None),
        }
    }

    /// Whether this is the master key.
    pub(crate) fn is_master(&self, token: &str) -> bool {
        is_same(token.as_bytes(), self.master_key.as_bytes())
    }

    /// The key with this value.
    pub(crate) fn by_value(&self, registry: &Arc<Registry>, value: &str) -> Option<Found> {
        let derived = self.derived(registry);
        let mut found = None;
        for key in &derived.keys {
            if is_same(value.as_bytes(), key.value.as_bytes()) {
                found = Some(key);
            }
        }
        found.cloned()
    }

    /// The key with this uid.
    pub(crate) fn by_uid(&self, registry: &Arc<Registry>, uid: &str) -> Option<Found> {
        let derived = self.derived(registry);
        derived.keys.iter().find(|key| key.uid == uid).cloned()
    }

    /// All keys, newest first.
    pub(crate) fn all(&self, registry: &Arc<Registry>) -> Vec<Found> {
        let mut keys = self.derived(registry).keys.clone();
        keys.sort_by(|a, b| {
            let by_age = b.key.created_at.cmp(&a.key.created_at);
            by_age.then_with(|| a.uid.cmp(&b.uid))
        });
        keys
    }

    /// A key with its value.
    pub(crate) fn with_value(&self, uid: String, key: ApiKey) -> Found {
        Found {
            value: key_value(&self.master_key, &uid),
            uid,
            key,
        }
    }

    fn derived(&self, registry: &Arc<Registry>) -> Arc<Derived> {
        let known = self.derived.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(derived) = known.as_ref()
            && Arc::ptr_eq(&derived.registry, registry)
        {
            return derived.clone();
        }
        drop(known);
        let keys = registry.keys.iter();
        let derived = Arc::new(Derived {
            keys: keys
                .map(|(uid, key)| self.with_value(uid.clone(), key.clone()))
                .collect(),
            registry: registry.clone(),
        });
        *self.derived.write().unwrap_or_else(PoisonError::into_inner) = Some(derived.clone());
        derived
    }
}

/// Whether a key holds at this moment.
pub(crate) fn is_current(key: &ApiKey, now: Timestamp) -> bool {
    key.expires_at.is_none_or(|until| now < until)
}

/// Whether the first key may do all that the second may.
pub(crate) fn includes(holder: &ApiKey, other: &ApiKey) -> bool {
    let may = |wanted: &String| {
        holder
            .actions
            .iter()
            .any(|granted| actions::covers(granted, wanted))
    };
    let sees = |wanted: &IndexPattern| {
        let beginning = wanted.as_str().trim_end_matches('*');
        holder.indexes.iter().any(|granted| {
            // A pattern is covered by one whose beginning is a beginning of its own.
            granted == wanted || (granted.as_str().ends_with('*') && granted.covers(beginning))
        })
    };
    other.actions.iter().all(may) && other.indexes.iter().all(sees)
}

/// Makes the keys of the convention in a folder that has none.
pub(crate) fn make_default_keys(engine: &Engine, now: Timestamp) -> Result<(), EngineError> {
    if !engine.registry().keys.is_empty() {
        return Ok(());
    }
    for (name, description, actions) in DEFAULTS {
        let key = ApiKey {
            name: Some((*name).to_owned()),
            description: Some((*description).to_owned()),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            indexes: vec![IndexPattern::every()],
            expires_at: None,
            created_at: now,
            updated_at: now,
        };
        engine.write(Write::Registry(RegistryChange::Key {
            uid: unique_id(),
            key: Some(key),
        }))?;
    }
    Ok(())
}

type DefaultKey = (&'static str, &'static str, &'static [&'static str]);

const DEFAULTS: &[DefaultKey] = &[
    (
        "Default Search API Key",
        "Use it to search from the frontend",
        &["search"],
    ),
    (
        "Default Admin API Key",
        "Use it for anything that is not a search operation. Caution! Do not expose it on a public frontend",
        &["*"],
    ),
    (
        "Default Read-Only Admin API Key",
        "Use it to read information across the whole database. Caution! Do not expose this key on a public frontend",
        &["*.get", "keys.get"],
    ),
    (
        "Default Chat API Key",
        "Use it to chat and search from the frontend",
        &["chatCompletions", "search"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn key(actions: &[&str], indexes: &[&str]) -> ApiKey {
        let now = Timestamp::from_millis(0);
        let pattern = |name: &&str| IndexPattern::new(*name).expect("a good pattern");
        ApiKey {
            name: None,
            description: None,
            actions: actions.iter().map(|name| (*name).to_owned()).collect(),
            indexes: indexes.iter().map(pattern).collect(),
            expires_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn nobody_can_hand_on_more_than_they_have() {
        let admin = key(&["*"], &["*"]);
        let shop = key(&["documents.*", "search"], &["shop*"]);
        assert!(includes(&admin, &shop));
        assert!(!includes(&shop, &admin));
        assert!(includes(
            &shop,
            &key(&["documents.add"], &["shop_en", "shop_*"])
        ));
        assert!(!includes(&shop, &key(&["documents.add"], &["sho*"])));
        assert!(!includes(&shop, &key(&["settings.get"], &["shop"])));
        assert!(!includes(&key(&["search"], &["shop"]), &shop));
    }

    #[test]
    fn what_the_default_keys_allow_exists() {
        for (_, _, actions) in DEFAULTS {
            for action in *actions {
                assert!(actions::names().any(|name| name == *action), "{action}");
            }
        }
    }
}

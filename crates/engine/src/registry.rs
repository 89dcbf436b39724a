//! What is set up for the whole folder and for no single index: API keys, webhooks, features.
//!
//! A change is a record of the log like every other, so backups carry it and a restart
//! knows it. It is in force when it is answered. Here a key is what it may do: what its
//! secret is, and what the names of actions and features mean, is the server's business.

use crate::{EngineError, tables};
use domain::{IndexPattern, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that is set up, by uid or name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Registry {
    pub keys: BTreeMap<String, ApiKey>,
    pub webhooks: BTreeMap<String, Webhook>,
    pub features: BTreeMap<String, bool>,
}

/// Who may do what, on which indexes, until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub name: Option<String>,
    pub description: Option<String>,
    pub actions: Vec<String>,
    pub indexes: Vec<IndexPattern>,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Where finished tasks are reported.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    pub url: String,
    /// They may hold secrets.
    pub headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.headers.keys().collect();
        f.debug_struct("Webhook")
            .field("url", &self.url)
            .field("headers", &names)
            .finish()
    }
}

/// One change. `None` takes the entry out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RegistryChange {
    Key { uid: String, key: Option<ApiKey> },
    Webhook { uid: String, hook: Option<Webhook> },
    Features { switched: BTreeMap<String, bool> },
}

impl Registry {
    /// Folds one change. Twice the same change is as good as once.
    pub(crate) fn apply(&mut self, change: RegistryChange) {
        match change {
            RegistryChange::Key { uid, key } => put(&mut self.keys, uid, key),
            RegistryChange::Webhook { uid, hook } => put(&mut self.webhooks, uid, hook),
            RegistryChange::Features { switched } => self.features.extend(switched),
        }
    }
}

fn put<T>(entries: &mut BTreeMap<String, T>, uid: String, entry: Option<T>) {
    match entry {
        Some(entry) => entries.insert(uid, entry),
        None => entries.remove(&uid),
    };
}

impl RegistryChange {
    /// As the log keeps it.
    pub(crate) fn to_json(&self) -> Result<String, EngineError> {
        tables::to_text(self)
    }
}

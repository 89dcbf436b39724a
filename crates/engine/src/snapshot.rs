//! What readers see: everything published, immutable, exchanged as a whole.
//!
//! A request takes one [`IndexReader`] and keeps it to its end, so that totals,
//! documents and settings agree with one another. Only the profiles are live.

use crate::behaviour::Behaviour;
use crate::meaning::{Meaning, MeaningStats};
use crate::profile::FactsCache;
use crate::record::IndexNo;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::tables::IndexMeta;
use crate::{EngineError, plan};
use domain::{IndexUid, Timestamp};
use intake::{RoleReason, Roles};
use lexical::{ItemSet, Words, WordsIndex};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use store::ViewSnapshot;
use text::Analyzer;

/// The state of all indexes at one moment.
pub(crate) struct Published {
    pub views: ViewSnapshot,
    pub indexes: BTreeMap<String, Arc<IndexState>>,
    pub as_of: Timestamp,
}

impl Published {
    pub(crate) fn empty(views: ViewSnapshot) -> Self {
        Self {
            views,
            indexes: BTreeMap::new(),
            as_of: crate::shared::now(),
        }
    }

    /// Documents of all indexes together.
    pub(crate) fn documents(&self) -> u64 {
        self.indexes.values().map(|state| state.words.count()).sum()
    }

    pub(crate) fn by_no(&self, no: IndexNo) -> Option<&Arc<IndexState>> {
        self.indexes.values().find(|state| state.meta.no == no)
    }
}

/// One index at one moment.
pub(crate) struct IndexState {
    pub meta: IndexMeta,
    /// Set or guessed: the roles in force.
    pub roles: Roles,
    pub words: Words,
    pub analyzer: Analyzer,
    pub behaviour: Arc<Behaviour>,
    /// What profiles have read of its documents.
    pub facts: FactsCache,
    /// Items without stock, once somebody has asked.
    pub sold_out: OnceLock<ItemSet>,
    /// The ids of the items that came last, once somebody has asked.
    pub last_come: OnceLock<Vec<String>>,
}

impl IndexState {
    pub(crate) fn new(meta: IndexMeta, index: &WordsIndex, behaviour: Arc<Behaviour>) -> Self {
        let words = index.words(&plan::query_plan(&meta));
        let analyzer = index.plan().analyzer.analyzer();
        Self {
            roles: roles_in_force(&meta),
            words,
            analyzer,
            behaviour,
            facts: FactsCache::default(),
            sold_out: OnceLock::new(),
            last_come: OnceLock::new(),
            meta,
        }
    }
}

/// The shop's own roles where it has set them, else the guessed ones.
pub(crate) fn roles_in_force(meta: &IndexMeta) -> Roles {
    meta.settings
        .roles
        .clone()
        .unwrap_or_else(|| meta.guessed.clone())
}

/// One index as one request sees it.
#[derive(Clone)]
pub struct IndexReader {
    pub(crate) state: Arc<IndexState>,
    pub(crate) published: Arc<Published>,
    pub(crate) meaning: Arc<Meaning>,
    pub(crate) shared: Arc<Shared>,
}

/// Name, key and dates of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexInfo {
    pub uid: IndexUid,
    pub primary_key: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Counts of an index.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexStats {
    pub documents: u64,
    pub is_indexing: bool,
    /// In how many documents each top-level attribute occurs.
    pub field_distribution: BTreeMap<String, u64>,
    /// Bytes of the words index on disk.
    pub bytes: u64,
    pub events: u64,
    pub shoppers: u64,
    pub items_with_events: u64,
    /// Items that events name and the catalogue does not hold.
    pub unknown_items: u64,
    /// How far the vectors are.
    #[serde(skip)]
    pub meaning: MeaningStats,
}

impl IndexReader {
    /// The index by its uid, as published last.
    pub(crate) fn new(shared: &Arc<Shared>, uid: &str) -> Result<Self, EngineError> {
        let published = shared.published.load_full();
        let state = published
            .indexes
            .get(uid)
            .cloned()
            .ok_or_else(|| EngineError::IndexNotFound(uid.to_owned()))?;
        Ok(Self {
            meaning: shared.meaning(state.meta.no),
            state,
            published,
            shared: shared.clone(),
        })
    }

    /// Name, primary key and dates.
    pub fn info(&self) -> Result<IndexInfo, EngineError> {
        info(&self.state.meta)
    }

    /// What the shop has set.
    pub fn settings(&self) -> &Settings {
        &self.state.meta.settings
    }

    /// The roles in force, and why those that were guessed were guessed.
    pub fn roles(&self) -> (&Roles, &[RoleReason]) {
        (&self.state.roles, &self.state.meta.reasons)
    }

    /// How far the vectors are.
    pub fn meaning_stats(&self) -> MeaningStats {
        self.meaning.now().stats()
    }

    /// Counts of documents, events and shoppers.
    pub fn stats(&self) -> Result<IndexStats, EngineError> {
        let profiles = self.state.behaviour.profiles();
        let mut unknown = 0;
        for (no, _) in profiles.iter_items() {
            unknown += u64::from(!self.state.words.contains(profiles.item_id(no))?);
        }
        Ok(IndexStats {
            documents: self.state.words.count(),
            is_indexing: self.shared.waiting.is_indexing(&self.state.meta.uid),
            field_distribution: self.state.meta.fields.clone(),
            bytes: crate::folder::size(&crate::folder::words(&self.shared.dir, &self.state.meta)),
            events: profiles.events(),
            shoppers: profiles.shoppers() as u64,
            items_with_events: profiles.items() as u64,
            unknown_items: unknown,
            meaning: self.meaning_stats(),
        })
    }
}

pub(crate) fn info(meta: &IndexMeta) -> Result<IndexInfo, EngineError> {
    Ok(IndexInfo {
        uid: IndexUid::new(meta.uid.clone())?,
        primary_key: meta.primary_key.clone(),
        created_at: meta.created_at,
        updated_at: meta.updated_at,
    })
}

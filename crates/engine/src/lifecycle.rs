//! An index as a whole: created, opened, given settings, built anew, deleted.

use crate::apply::{Applier, Group, OpenIndex};
use crate::outcome::{Failure, Outcome, Refused, object};
use crate::record::{Entry, IndexNo};
use crate::settings::SettingsPatch;
use crate::snapshot::roles_in_force;
use crate::tables::{self, IndexMeta};
use crate::{EngineError, folder, plan, shoppers};
use lexical::WordsIndex;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;

impl Applier {
    /// Creates an index, unless there is one already.
    pub(crate) fn create_index(
        &mut self,
        seq: u64,
        entry: &Entry,
        primary_key: Option<&str>,
    ) -> Result<(), Failure> {
        if self.open.contains_key(&entry.index) {
            let message = format!("Index `{}` already exists.", entry.uid);
            return Err(Refused::new("index_already_exists", message).into());
        }
        Ok(self.create(seq, entry, primary_key.map(str::to_owned))?)
    }

    /// Sets the primary key, which documents that are there already hold fast.
    pub(crate) fn set_primary_key(
        &mut self,
        entry: &Entry,
        primary_key: Option<&str>,
    ) -> Result<(), Failure> {
        let index = self.existing(entry)?;
        let Some(key) = primary_key else {
            return Ok(());
        };
        let other = index
            .meta
            .primary_key
            .as_ref()
            .is_some_and(|known| known != key);
        if other && index.documents() > 0 {
            let message = format!(
                "Index `{}`: The primary key cannot be changed while the index holds documents.",
                entry.uid
            );
            return Err(Refused::new("index_primary_key_already_exists", message).into());
        }
        index.meta.primary_key = Some(key.to_owned());
        Ok(())
    }

    /// Deletes an index with everything folded from it.
    pub(crate) fn delete_index(
        &mut self,
        entry: &Entry,
        group: &mut Group,
    ) -> Result<Outcome, Failure> {
        let count = self.existing(entry)?.documents();
        self.delete(entry.index, group)?;
        let details = object(json!({ "deletedDocuments": count }));
        Ok(Outcome {
            details,
            notes: Vec::new(),
        })
    }

    pub(crate) fn existing(&mut self, entry: &Entry) -> Result<&mut OpenIndex, Refused> {
        self.open.get_mut(&entry.index).ok_or_else(|| {
            Refused::new(
                "index_not_found",
                format!("Index `{}` not found.", entry.uid),
            )
        })
    }

    pub(crate) fn open_or_create(&mut self, seq: u64, entry: &Entry) -> Result<(), Failure> {
        if self.open.contains_key(&entry.index) {
            return Ok(());
        }
        self.create(seq, entry, None)?;
        Ok(())
    }

    fn create(
        &mut self,
        seq: u64,
        entry: &Entry,
        primary_key: Option<String>,
    ) -> Result<(), EngineError> {
        let meta = IndexMeta {
            no: entry.index,
            uid: entry.uid.clone(),
            folder: None,
            primary_key,
            created_at: entry.at,
            updated_at: entry.at,
            settings: Default::default(),
            guessed: Default::default(),
            reasons: Vec::new(),
            identifiers: Vec::new(),
            guessed_at: 0,
            cleaned_with: Default::default(),
            fields: BTreeMap::new(),
            words: format!("words-{seq}"),
            next_order: 0,
            last_seq: seq,
        };
        let words = self.new_words(&meta)?;
        self.open.insert(entry.index, OpenIndex { meta, words });
        Ok(())
    }

    /// An empty words index for these settings; whatever a crash left there is removed.
    fn new_words(&self, meta: &IndexMeta) -> Result<WordsIndex, EngineError> {
        let dir = folder::words(&self.shared.dir, meta);
        let io = |source| EngineError::Folder {
            path: dir.clone(),
            source,
        };
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(io)?;
        }
        fs::create_dir_all(&dir).map_err(io)?;
        Ok(WordsIndex::create(&dir, plan::index_plan(meta))?)
    }

    fn delete(&mut self, no: IndexNo, group: &mut Group) -> Result<(), EngineError> {
        if let Some(index) = self.open.remove(&no) {
            group.remove_after = Some(folder::index(&self.shared.dir, &index.meta));
        }
        self.shared.behaviours.write().remove(&no);
        self.shared.meanings.write().remove(&no);
        // First: when it comes to nothing more, the record of the deletion is read again.
        shoppers::delete_index(&self.shared.shoppers.load(), no)?;
        tables::delete_index(&self.shared.views.snapshot(), group.batch(&self.shared), no)?;
        Ok(())
    }

    pub(crate) fn change_settings(
        &mut self,
        seq: u64,
        entry: &Entry,
        text: &str,
    ) -> Result<Outcome, Failure> {
        let wrong = |reason: String| Refused::new("bad_request", reason);
        let changes: Map<String, Value> =
            serde_json::from_str(text).map_err(|err| wrong(err.to_string()))?;
        let patch = SettingsPatch::new(changes).map_err(|err| wrong(err.to_string()))?;
        let index = self.existing(entry)?;
        index.meta.settings = index
            .meta
            .settings
            .patched(&patch)
            .map_err(|err| wrong(err.to_string()))?;
        self.rebuild_if_planned_otherwise(seq, entry.index)?;
        Ok(Outcome::of(entry))
    }

    /// Builds the words index anew from the documents when its plan or the roles have changed.
    pub(crate) fn rebuild_if_planned_otherwise(
        &mut self,
        seq: u64,
        no: IndexNo,
    ) -> Result<(), EngineError> {
        let Some(index) = self.open.get(&no) else {
            return Ok(());
        };
        let roles = roles_in_force(&index.meta);
        let planned = plan::index_plan(&index.meta);
        if *index.words.plan() == planned && index.meta.cleaned_with == roles {
            return Ok(());
        }
        let mut name = format!("words-{seq}");
        if index.meta.words == name {
            name.push('b');
        }
        let meta = IndexMeta {
            words: name,
            cleaned_with: roles,
            ..index.meta.clone()
        };
        self.rebuild(meta)
    }

    /// Replaces the words index of this index by a new one from the documents view.
    pub(crate) fn rebuild(&mut self, meta: IndexMeta) -> Result<(), EngineError> {
        let mut words = self.new_words(&meta)?;
        crate::documents::index_all(&self.shared.views.snapshot(), &meta, &mut words)?;
        words.commit(meta.last_seq + 1)?;
        let old = self.open.insert(
            meta.no,
            OpenIndex {
                words,
                meta: meta.clone(),
            },
        );
        if let Some(old) = old
            && old.meta.words != meta.words
        {
            // Readers may still map the files; on Unix they stay until the last one is gone.
            let _ = fs::remove_dir_all(folder::words(&self.shared.dir, &old.meta));
        }
        Ok(())
    }
}

//! The writer side: one folder, one writer, snapshots for readers.
//!
//! Changes are collected by tantivy and become durable and visible with
//! [`WordsIndex::commit`]. Should an operation fail, everything since the last
//! commit is dropped; [`WordsIndex::applied`] says from where to repeat it.

use crate::error::LexicalError;
use crate::flatten::Flattener;
use crate::format;
use crate::plan::{IndexPlan, QueryPlan};
use crate::query_plan::CompiledPlan;
use crate::schema::{Fields, Separated, TOKENIZER};
use crate::snapshot::Core;
use crate::words::Words;
use rustc_hash::FxHashSet;
use serde_json::{Map, Value};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::query::AllQuery;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};
use text::Analyzer;

/// Memory for documents that are not yet written to a segment.
const WRITER_BYTES: usize = 64 << 20;
/// The longest document id.
const LONGEST_ID: usize = 4_096;

/// The words of one index, opened for writing. Reading goes through [`Words`].
pub struct WordsIndex {
    dir: PathBuf,
    plan: Arc<IndexPlan>,
    fields: Arc<Fields>,
    analyzer: Analyzer,
    index: Index,
    reader: IndexReader,
    writer: Option<IndexWriter>,
    core: Arc<Core>,
    applied: u64,
    /// The numbers that were put since the last commit.
    pending: FxHashSet<u64>,
    cleared: bool,
    dirty: bool,
}

impl WordsIndex {
    /// Makes a new index in an empty or missing folder.
    pub fn create(dir: &Path, plan: IndexPlan) -> Result<Self, LexicalError> {
        if dir.join(format::FILE).exists() || dir.join("meta.json").exists() {
            return Err(LexicalError::Exists {
                path: dir.to_owned(),
            });
        }
        fs::create_dir_all(dir).map_err(|source| LexicalError::Io {
            path: dir.to_owned(),
            source,
        })?;
        let fields = Fields::of(&plan);
        let index = Index::create_in_dir(dir, fields.schema.clone())
            .map_err(|source| LexicalError::from_tantivy(dir, source))?;
        // Last, so that a folder with a plan always has an index.
        format::write(dir, &plan)?;
        Self::with_index(dir, plan, fields, index)
    }

    /// Opens an index that [`create`](Self::create) made. No writer is started.
    pub fn open(dir: &Path) -> Result<Self, LexicalError> {
        let plan = format::read(dir)?;
        let fields = Fields::of(&plan);
        if !dir.join("meta.json").exists() {
            return Err(LexicalError::Missing {
                path: dir.to_owned(),
                missing: "meta.json",
            });
        }
        let index =
            Index::open_in_dir(dir).map_err(|source| LexicalError::from_tantivy(dir, source))?;
        if index.schema() != fields.schema {
            return Err(LexicalError::Damaged {
                path: dir.to_owned(),
                what: "its fields are not those of its plan".to_owned(),
            });
        }
        Self::with_index(dir, plan, fields, index)
    }

    fn with_index(
        dir: &Path,
        plan: IndexPlan,
        fields: Fields,
        index: Index,
    ) -> Result<Self, LexicalError> {
        let fail = |source| LexicalError::from_tantivy(dir, source);
        index.tokenizers().register(TOKENIZER, Separated);
        let payload = index.load_metas().map_err(fail)?.payload;
        let applied = match payload.as_deref().map(str::parse) {
            None => 0,
            Some(Ok(applied)) => applied,
            Some(Err(_)) => {
                return Err(LexicalError::Damaged {
                    path: dir.to_owned(),
                    what: "its last commit does not say what it has applied".to_owned(),
                });
            }
        };
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(fail)?;
        let analyzer = plan.analyzer.analyzer();
        let (plan, fields) = (Arc::new(plan), Arc::new(fields));
        let core = Core::open(
            reader.searcher(),
            Arc::clone(&plan),
            Arc::clone(&fields),
            analyzer.clone(),
        );
        let core = Arc::new(core.map_err(fail)?);
        Ok(Self {
            dir: dir.to_owned(),
            plan,
            fields,
            analyzer,
            index,
            reader,
            writer: None,
            core,
            applied,
            pending: FxHashSet::default(),
            cleared: false,
            dirty: false,
        })
    }

    /// The plan the index was made with.
    pub fn plan(&self) -> &IndexPlan {
        &self.plan
    }

    /// The sequence number that came with the last commit.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Adds a document, or replaces the one with the same id.
    ///
    /// The number is the item's place in insertion order. The caller gives an item the same one
    /// each time it is put, and never that of another item.
    pub fn put(
        &mut self,
        id: &str,
        number: u64,
        document: &Map<String, Value>,
    ) -> Result<(), LexicalError> {
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(LexicalError::Id {
                bytes: id.len(),
                most: LONGEST_ID,
            });
        }
        let known = self.pending.contains(&number)
            || !self.cleared && self.core.place_of_number(number).is_some();
        let flattener = Flattener {
            plan: &self.plan,
            fields: &self.fields,
            analyzer: &self.analyzer,
        };
        let row = flattener.document(id, number, document);
        let term = Term::from_field_text(self.fields.id, id);
        self.write(|writer| {
            // An item that was never seen needs no deletion, which makes a first load cheap.
            if known {
                writer.delete_term(term);
            }
            writer.add_document(row).map(drop)
        })?;
        self.pending.insert(number);
        Ok(())
    }

    /// Removes a document. An unknown id is fine.
    pub fn delete(&mut self, id: &str) -> Result<(), LexicalError> {
        let term = Term::from_field_text(self.fields.id, id);
        self.write(|writer| {
            writer.delete_term(term);
            Ok(())
        })
    }

    /// Removes every document.
    pub fn clear(&mut self) -> Result<(), LexicalError> {
        // Deleting by query keeps its place among the writes of this batch, which
        // tantivy's own `delete_all_documents` does not.
        self.write(|writer| writer.delete_query(Box::new(AllQuery)).map(drop))?;
        self.pending.clear();
        self.cleared = true;
        Ok(())
    }

    /// Makes everything so far durable and visible. `applied` is kept with it.
    pub fn commit(&mut self, applied: u64) -> Result<(), LexicalError> {
        if !self.dirty && applied == self.applied {
            return Ok(());
        }
        self.write(|writer| {
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(&applied.to_string());
            prepared.commit().map(drop)
        })?;
        self.applied = applied;
        self.forget_pending();
        self.refresh()
    }

    /// What can be searched now: the state of the last commit.
    pub fn words(&self, plan: &QueryPlan) -> Words {
        let compiled = CompiledPlan::new(plan, &self.analyzer);
        Words::new(Arc::clone(&self.core), Arc::new(compiled))
    }

    /// Gives back the writer's memory and lock, after waiting for merges in progress.
    /// Changes since the last commit are lost. The next change starts a writer anew.
    pub fn release_writer(&mut self) {
        let Some(writer) = self.writer.take() else {
            return;
        };
        self.forget_pending();
        if let Err(error) = writer.wait_merging_threads() {
            tracing::warn!(path = %self.dir.display(), %error, "a merge of the words index failed");
        }
        if let Err(error) = self.refresh() {
            tracing::warn!(path = %self.dir.display(), %error, "the merged words index was not reopened");
        }
    }

    fn forget_pending(&mut self) {
        self.pending.clear();
        self.cleared = false;
        self.dirty = false;
    }

    fn refresh(&mut self) -> Result<(), LexicalError> {
        let fail = |source| LexicalError::from_tantivy(&self.dir, source);
        self.reader.reload().map_err(fail)?;
        let core = self.core.reopened(self.reader.searcher());
        self.core = Arc::new(core.map_err(fail)?);
        Ok(())
    }

    /// A writer that is safe after a crash.
    fn new_writer(&self) -> Result<IndexWriter, TantivyError> {
        let writer: IndexWriter = self.index.writer_with_num_threads(1, WRITER_BYTES)?;
        // A commit that a crash cut short may have left a file of deletions behind. The same
        // writes get the same stamps again, and tantivy refuses to write that file twice.
        writer.garbage_collect_files().wait()?;
        // The first stamp of a writer is that of the last commit. Were it a deletion's, a merge
        // that starts before the next commit could take it for done in a segment where it is not,
        // and the replaced document would be there twice. So nothing gets that stamp.
        writer.run(std::iter::empty())?;
        Ok(writer)
    }

    /// Runs one change, starting the writer if need be. After a failure the writer is gone.
    fn write(
        &mut self,
        change: impl FnOnce(&mut IndexWriter) -> Result<(), TantivyError>,
    ) -> Result<(), LexicalError> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self
                .new_writer()
                .map_err(|source| LexicalError::from_tantivy(&self.dir, source))?,
        };
        match change(&mut writer) {
            Ok(()) => {
                self.writer = Some(writer);
                self.dirty = true;
                Ok(())
            }
            Err(source) => {
                self.forget_pending();
                let source = cause(&mut writer, source);
                Err(LexicalError::from_tantivy(&self.dir, source))
            }
        }
    }
}

/// A writer whose thread has failed says only that it has; the thread itself knows why.
fn cause(writer: &mut IndexWriter, error: TantivyError) -> TantivyError {
    if !matches!(error, TantivyError::ErrorInThread(_)) {
        return error;
    }
    match writer.prepare_commit() {
        Err(cause) => cause,
        Ok(_) => error,
    }
}

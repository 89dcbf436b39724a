//! Whole documents as they were given: nothing is cut, and their vectors are among them.

use crate::EngineError;
use crate::snapshot::IndexReader;
use crate::tables::{self, DOCUMENTS, Document};
use serde_json::{Map, Value};

/// A whole document.
type Object = Map<String, Value>;

impl IndexReader {
    /// Whether there is a document with this id.
    pub fn contains(&self, id: &str) -> Result<bool, EngineError> {
        Ok(self.state.words.contains(id)?)
    }

    /// The whole document as it was given, its vectors included; `None` when there is none.
    pub fn object(&self, id: &str) -> Result<Option<Object>, EngineError> {
        match self.json(id)? {
            Some(json) => tables::from_json(json.as_bytes()).map(Some),
            None => Ok(None),
        }
    }

    /// Whole documents behind an id, in the order of their ids, at most so many.
    pub fn objects_after(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Object)>, EngineError> {
        let no = self.state.meta.no;
        let views = &self.published.views;
        let prefix = no.0.to_be_bytes();
        let entries = match after {
            Some(id) => views.prefix_after(DOCUMENTS, &prefix, &Document::key(no, id))?,
            None => views.prefix(DOCUMENTS, &prefix)?,
        };
        let mut documents = Vec::new();
        for entry in entries.take(most) {
            let (key, value) = entry?;
            let document = Document::decode(&value)?;
            let object = tables::from_json(document.json.as_bytes())?;
            documents.push((Document::id_of(&key)?.to_owned(), object));
        }
        Ok(documents)
    }
}

//! Vectors in the documents that are shown: left out unless they are asked for, and then those
//! in use, whoever made them.

use crate::EngineError;
use crate::snapshot::IndexReader;
use crate::tables::{from_json, to_text};
use domain::VECTORS;
use serde_json::{Map, Value, json};

impl IndexReader {
    /// The JSON of a document as it is shown.
    pub(crate) fn shown(
        &self,
        id: &str,
        with_vectors: bool,
    ) -> Result<Option<String>, EngineError> {
        let Some(text) = self.json(id)? else {
            return Ok(None);
        };
        if !with_vectors && !text.contains(VECTORS) {
            return Ok(Some(text));
        }
        let mut document: Map<String, Value> = from_json(text.as_bytes())?;
        document.shift_remove(VECTORS);
        if with_vectors {
            document.insert(VECTORS.to_owned(), Value::Object(self.vectors(id)?));
        }
        to_text(&document).map(Some)
    }

    /// By embedder: the vector of a document, and whether an encoder makes it.
    fn vectors(&self, id: &str) -> Result<Map<String, Value>, EngineError> {
        let mut vectors = Map::new();
        let Some(number) = self.state.words.number_of(id)? else {
            return Ok(vectors);
        };
        for (name, space) in self.meaning.now().spaces() {
            if let Some(slot) = space.slots.slot(number) {
                let shown = json!({
                    "embeddings": [space.vectors.vector(slot)],
                    "regenerate": space.encoder.is_some(),
                });
                vectors.insert(name.to_owned(), shown);
            }
        }
        Ok(vectors)
    }
}

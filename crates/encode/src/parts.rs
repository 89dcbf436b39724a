//! A model taken apart, for whoever trains it further: its sizes, its numbers in one row, its
//! tokens; and the way back, to a folder of the same layout. Reader and writer agree on the
//! names of the tensors because both ask the same table.

use crate::ModelError;
use crate::encoder::Prefix;
use crate::folder::{Model, Pooling};
use crate::hugging_face;
use crate::safetensors;
use crate::weights::{Shape, Tensor};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What a folder may hold beside its weights. What says how long a text is, how vectors are
/// pooled or what stands before a text must not be lost, or the model would be another one.
const DESCRIPTIONS: [&str; 9] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
];

/// The words before a query and a passage.
const PROMPTS: &str = "config_sentence_transformers.json";

/// A model folder, opened to be trained further.
#[derive(Debug)]
pub struct Parts {
    folder: PathBuf,
    model: Model,
}

impl Parts {
    /// Opens a folder as Hugging Face lays it. The packed file of four bits a weight is no
    /// such folder: its steps are coarser than what training changes.
    ///
    /// # Errors
    /// When the files are missing, damaged, or of a model that this crate cannot run.
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        Ok(Self {
            folder: folder.to_owned(),
            model: hugging_face::open(folder)?,
        })
    }

    /// The sizes of the network.
    pub fn shape(&self) -> &Shape {
        self.model.weights.shape()
    }

    /// How the vectors of a text's tokens become one.
    pub fn pooling(&self) -> Pooling {
        self.model.pooling
    }

    /// Most tokens of a text, the two special ones included.
    pub fn max_tokens(&self) -> usize {
        self.model.max_tokens
    }

    /// The tensors by name and shape, in the order of [`Parts::numbers`]: the words first,
    /// and behind every weight its bias.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let shape = self.shape();
        let words = (
            safetensors::WORDS.to_owned(),
            vec![shape.vocabulary, shape.hidden],
        );
        let others = Tensor::all(shape.layers)
            .map(|tensor| (safetensors::names(tensor).0, tensor.dimensions(shape)));
        [words].into_iter().chain(others).collect()
    }

    /// All numbers of the model, one tensor behind the other.
    pub fn numbers(&self) -> Vec<f32> {
        let weights = &*self.model.weights;
        let Shape {
            hidden,
            vocabulary,
            layers,
            ..
        } = *weights.shape();
        let mut numbers = vec![0.0; vocabulary * hidden];
        for (row, token) in numbers.chunks_exact_mut(hidden).zip(0..) {
            weights.word(token, row);
        }
        for tensor in Tensor::all(layers) {
            numbers.extend(weights.read(tensor));
        }
        numbers
    }

    /// The tokens of a text with the two special ones, at most `most` and what the model takes.
    ///
    /// # Errors
    /// When the text cannot be cut into tokens.
    pub fn tokens(&self, text: &str, prefix: Prefix, most: usize) -> Result<Vec<u32>, ModelError> {
        let Model {
            tokenizer,
            query_prefix,
            passage_prefix,
            max_tokens,
            ..
        } = &self.model;
        let before = match prefix {
            Prefix::None => "",
            Prefix::Query => query_prefix,
            Prefix::Passage => passage_prefix,
        };
        let content = tokenizer.content(&format!("{before}{text}"))?;
        let most = most.min(*max_tokens).saturating_sub(2).max(1);
        let kept = content.into_iter().take(most);
        Ok([tokenizer.start]
            .into_iter()
            .chain(kept)
            .chain([tokenizer.end])
            .collect())
    }

    /// Writes a folder of the same model with other numbers, which takes the place of one that
    /// is there only when it is whole.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    ///
    /// # Panics
    /// When there are not as many numbers as the model has.
    pub fn write(&self, numbers: &[f32], to: &Path) -> Result<(), ModelError> {
        let beside = to.with_extension("new");
        let written = remove(&beside)
            .and_then(|()| self.fill(numbers, &beside))
            .and_then(|()| remove(to))
            .and_then(|()| {
                fs::rename(&beside, to).map_err(|source| ModelError::Write {
                    path: to.to_owned(),
                    source,
                })
            });
        if written.is_err() {
            // What is left of a full disk's half model would only take more of it.
            let _ = fs::remove_dir_all(&beside);
        }
        written
    }

    fn fill(&self, numbers: &[f32], to: &Path) -> Result<(), ModelError> {
        for name in DESCRIPTIONS {
            let from = self.folder.join(name);
            if !from.is_file() {
                continue;
            }
            let bytes = fs::read(&from).map_err(|source| ModelError::Read {
                path: from.clone(),
                source,
            })?;
            write(&to.join(name), |file| file.write_all(&bytes))?;
        }
        self.keep_prompts(to)?;
        let header = self.header();
        write(&to.join("model.safetensors"), |file| {
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(header.as_bytes())?;
            for number in numbers {
                file.write_all(&number.to_le_bytes())?;
            }
            Ok(())
        })
    }

    /// Some models have their prompts by name only, and the new folder has another name.
    fn keep_prompts(&self, to: &Path) -> Result<(), ModelError> {
        let Model {
            query_prefix,
            passage_prefix,
            ..
        } = &self.model;
        if query_prefix.is_empty() && passage_prefix.is_empty() {
            return Ok(());
        }
        let path = to.join(PROMPTS);
        let mut description: serde_json::Map<String, serde_json::Value> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| ModelError::Json {
                path: path.clone(),
                source,
            })?,
            Err(_) => serde_json::Map::new(),
        };
        let prompts = serde_json::json!({"query": query_prefix, "passage": passage_prefix});
        description.insert("prompts".to_owned(), prompts);
        let text = serde_json::Value::Object(description).to_string();
        write(&path, |file| file.write_all(text.as_bytes()))
    }

    /// Where each tensor lies, as JSON, filled up with spaces to a multiple of eight.
    fn header(&self) -> String {
        let mut entries = serde_json::Map::new();
        entries.insert(
            "__metadata__".to_owned(),
            serde_json::json!({"format": "pt"}),
        );
        let mut start = 0;
        for (name, shape) in self.tensors() {
            let end = start + 4 * shape.iter().product::<usize>();
            let entry =
                serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]});
            entries.insert(name, entry);
            start = end;
        }
        let mut header = serde_json::Value::Object(entries).to_string();
        header.extend(std::iter::repeat_n(
            ' ',
            header.len().next_multiple_of(8) - header.len(),
        ));
        header
    }
}

fn remove(folder: &Path) -> Result<(), ModelError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ModelError::Write {
            path: folder.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ModelError> {
    let made = match path.parent() {
        Some(folder) => fs::create_dir_all(folder),
        None => Ok(()),
    };
    made.and_then(|()| {
        let mut file = BufWriter::new(File::create(path)?);
        fill(&mut file)?;
        file.into_inner()?.sync_all()
    })
    .map_err(|source| ModelError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoder, LongText, Options, Precision, tiny};

    fn encoder(folder: &Path) -> Encoder {
        let options = Options {
            precision: Precision::F32,
            threads: 1,
            long_text: LongText::Cut,
        };
        Encoder::open(folder, options).expect("a whole folder")
    }

    #[test]
    fn a_folder_that_is_written_encodes_as_the_one_it_came_from() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        // By its name alone a model of the E5 family, which has words before a text.
        let from = dir.path().join("tiny-e5");
        fs::create_dir(&from).expect("made");
        tiny::write_folder(&from);
        let parts = Parts::open(&from).expect("a whole folder");
        let to = dir.path().join("written");
        parts.write(&parts.numbers(), &to).expect("written");
        // Once more in the place of the first.
        parts.write(&parts.numbers(), &to).expect("written");
        let (old, new) = (encoder(&from), encoder(&to));
        for prefix in [Prefix::None, Prefix::Query, Prefix::Passage] {
            let texts = ["red shoes", "a, b!", ""];
            let vectors = |encoder: &Encoder| encoder.encode(&texts, prefix).expect("texts");
            assert_eq!(vectors(&new).vectors, vectors(&old).vectors, "{prefix:?}");
        }
        assert!(!dir.path().join("written.new").exists());
        assert_eq!(
            Parts::open(&to).expect("whole").numbers(),
            parts.numbers(),
            "every number is kept"
        );
    }

    #[test]
    fn tokens_are_cut_between_the_special_ones() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        tiny::write_folder(dir.path());
        let parts = Parts::open(dir.path()).expect("a whole folder");
        let tokens = |most| {
            parts
                .tokens("red shoes, a", Prefix::Query, most)
                .expect("a text")
        };
        assert_eq!(tokens(64), [2, 9, 10, 11, 12, 5, 3]);
        assert_eq!(tokens(4), [2, 9, 10, 3]);
        assert_eq!(tokens(0), [2, 9, 3]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let from = dir.path().join("tiny");
        fs::create_dir(&from).expect("made");
        tiny::write_folder(&from);
        let parts = Parts::open(&from).expect("a whole folder");
        fs::write(dir.path().join("file"), "in the way").expect("written");
        let to = dir.path().join("file").join("model");
        let error = parts.write(&parts.numbers(), &to).expect_err("no folder");
        assert!(matches!(error, ModelError::Write { .. }), "{error}");
    }
}

//! Text to token numbers, by whichever of three ways a model asks for: our own unigram
//! pieces, our own pipeline of plain BERT, or the `tokenizers` crate for every other
//! `tokenizer.json`.

use crate::ModelError;
use crate::unigram::Unigram;
use crate::word_piece::WordPiece;
use std::collections::HashMap;
use std::path::Path;

/// The tokens around a text, by the families of models.
const AROUND: [(&str, &str); 2] = [("[CLS]", "[SEP]"), ("<s>", "</s>")];

/// Text to token numbers.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    /// The token before every text (`[CLS]`, `<s>`) and the one after (`[SEP]`, `</s>`).
    pub start: u32,
    pub end: u32,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Unigram(Unigram),
    WordPiece(Box<WordPiece>),
    General(Box<tokenizers::Tokenizer>),
}

impl Tokenizer {
    pub fn unigram(start: u32, end: u32, unigram: Unigram) -> Self {
        Self {
            start,
            end,
            way: Way::Unigram(unigram),
        }
    }

    /// Reads a `tokenizer.json` for a model of `vocabulary` tokens; `path` is for messages.
    pub fn from_json(json: &[u8], path: &Path, vocabulary: usize) -> Result<Self, ModelError> {
        let (way, pieces) = match WordPiece::parse(json) {
            Some(mut own) => {
                let pieces = own.take_vocabulary();
                (Way::WordPiece(Box::new(own)), pieces)
            }
            None => {
                let general = general(json, path)?;
                let pieces = general.get_vocab(true);
                (Way::General(general), pieces)
            }
        };
        // Numbers may have gaps, so the highest counts, not how many there are.
        let size = pieces.values().max().map_or(0, |&id| id as usize + 1);
        if size > vocabulary {
            return Err(ModelError::Vocabulary {
                path: path.to_owned(),
                tokenizer: size,
                model: vocabulary,
            });
        }
        let (start, end) = around(&pieces).ok_or_else(|| ModelError::SpecialTokens {
            path: path.to_owned(),
        })?;
        Ok(Self { start, end, way })
    }

    /// The tokens of a text, without the special ones and without a limit.
    pub fn content(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        match &self.way {
            Way::Unigram(unigram) => Ok(unigram.tokens(text)),
            Way::WordPiece(own) => Ok(own.tokens(text)),
            Way::General(general) => general
                .encode_fast(text, false)
                .map(|encoding| encoding.get_ids().to_vec())
                .map_err(|source| ModelError::Tokenise { source }),
        }
    }
}

fn around(pieces: &HashMap<String, u32>) -> Option<(u32, u32)> {
    AROUND
        .iter()
        .find_map(|(start, end)| Some((*pieces.get(*start)?, *pieces.get(*end)?)))
}

/// The crate's tokeniser of a file, without its limit and its padding, which are ours to do.
fn general(json: &[u8], path: &Path) -> Result<Box<tokenizers::Tokenizer>, ModelError> {
    let fail = |source| ModelError::Tokenizer {
        path: path.to_owned(),
        source,
    };
    let mut general = tokenizers::Tokenizer::from_bytes(json).map_err(fail)?;
    general.with_padding(None);
    general.with_truncation(None).map_err(fail)?;
    Ok(Box::new(general))
}

#[cfg(test)]
mod tests;

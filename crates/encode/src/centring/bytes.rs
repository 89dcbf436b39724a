//! Means as bytes, to be kept beside an index. Everything is checked before it is used: a
//! checksum over the whole, and each length and number, because the checksum only shows what
//! was damaged by chance.
//!
//! `VTRNMEAN`, version u32, dimensions u32; for each of the three prefixes the number of
//! languages u32 and, unless that is 0, the mean for any language and then by language the
//! length of its code u32, the code, and its mean; CRC-32 of all that u32. Numbers are
//! little-endian, means are f32.

use super::{Centring, Means};
use std::collections::BTreeMap;

const MAGIC: &[u8; 8] = b"VTRNMEAN";
const VERSION: u32 = 1;

/// Why bytes are no means.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CentringError {
    #[error("these are not the means of an encoder")]
    Magic,
    #[error("the means are format {found}, but this build reads format {expected}")]
    Format { found: u32, expected: u32 },
    #[error("the means end inside their `{field}`")]
    Cut { field: &'static str },
    #[error("the means are damaged: their checksum is {found:08x}, not {expected:08x}")]
    Checksum { found: u32, expected: u32 },
    #[error("the means have {found} bytes behind their end")]
    Trailing { found: usize },
    #[error("the mean of language `{language}` has numbers that are not finite")]
    NotFinite { language: String },
    #[error("language `{language}` of the means is not in its place")]
    Order { language: String },
    #[error("the code of a language is not UTF-8")]
    Language {
        #[source]
        source: std::str::Utf8Error,
    },
}

impl Centring {
    /// The means as bytes, the same for equal means.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.dimensions as u32).to_le_bytes());
        for means in &self.means {
            let languages = means.as_ref().map_or(0, |means| means.languages.len());
            bytes.extend((languages as u32).to_le_bytes());
            let Some(means) = means else {
                continue;
            };
            write_mean(&mut bytes, &means.any);
            for (language, mean) in &means.languages {
                bytes.extend((language.len() as u32).to_le_bytes());
                bytes.extend(language.as_bytes());
                write_mean(&mut bytes, mean);
            }
        }
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads what [`Centring::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else, of a newer version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CentringError> {
        let mut cursor = Cursor { rest: bytes };
        if cursor.take(MAGIC.len(), "magic").ok() != Some(MAGIC) {
            return Err(CentringError::Magic);
        }
        let found = cursor.u32("version")?;
        if found != VERSION {
            let expected = VERSION;
            return Err(CentringError::Format { found, expected });
        }
        let Some((content, checksum)) = bytes.split_last_chunk() else {
            return Err(CentringError::Cut { field: "checksum" });
        };
        let (found, expected) = (crc32fast::hash(content), u32::from_le_bytes(*checksum));
        if found != expected {
            return Err(CentringError::Checksum { found, expected });
        }

        let dimensions = cursor.u32("dimensions")? as usize;
        let mut means = [None, None, None];
        for means in &mut means {
            *means = cursor.means(dimensions)?;
        }
        cursor.u32("checksum")?;
        match cursor.rest.len() {
            0 => Ok(Self { dimensions, means }),
            found => Err(CentringError::Trailing { found }),
        }
    }
}

fn write_mean(bytes: &mut Vec<u8>, mean: &[f32]) {
    bytes.extend(mean.iter().flat_map(|number| number.to_le_bytes()));
}

/// What was not read yet.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize, field: &'static str) -> Result<&'a [u8], CentringError> {
        let split = self.rest.split_at_checked(length);
        let (taken, rest) = split.ok_or(CentringError::Cut { field })?;
        self.rest = rest;
        Ok(taken)
    }

    fn u32(&mut self, field: &'static str) -> Result<u32, CentringError> {
        let split = self.rest.split_first_chunk();
        let (&taken, rest) = split.ok_or(CentringError::Cut { field })?;
        self.rest = rest;
        Ok(u32::from_le_bytes(taken))
    }

    /// The means of one prefix.
    fn means(&mut self, dimensions: usize) -> Result<Option<Means>, CentringError> {
        let count = self.u32("number of languages")?;
        if count == 0 {
            return Ok(None);
        }
        let any = self.mean(dimensions, "")?;
        let mut languages = BTreeMap::<String, _>::new();
        for _ in 0..count {
            let length = self.u32("code of a language")? as usize;
            let code = self.take(length, "code of a language")?;
            let language = std::str::from_utf8(code)
                .map_err(|source| CentringError::Language { source })?
                .to_owned();
            // The same means have the same bytes: codes rise, and none comes twice.
            let is_in_order = languages
                .last_key_value()
                .is_none_or(|(last, _)| *last < language);
            if !is_in_order {
                return Err(CentringError::Order { language });
            }
            let mean = self.mean(dimensions, &language)?;
            languages.insert(language, mean);
        }
        Ok(Some(Means { languages, any }))
    }

    fn mean(&mut self, dimensions: usize, language: &str) -> Result<Vec<f32>, CentringError> {
        let field = "mean of a language";
        let length = dimensions.checked_mul(4);
        let bytes = self.take(length.ok_or(CentringError::Cut { field })?, field)?;
        let numbers = bytes.as_chunks().0.iter().copied();
        let mean: Vec<f32> = numbers.map(f32::from_le_bytes).collect();
        if mean.iter().all(|number| number.is_finite()) {
            Ok(mean)
        } else {
            let language = language.to_owned();
            Err(CentringError::NotFinite { language })
        }
    }
}

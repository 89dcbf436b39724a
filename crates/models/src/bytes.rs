//! A model as bytes: a mark, a version, then the body.
//!
//! The body is checked after decoding, so damaged bytes are an error and never
//! a panic, and never more memory than a small multiple of their length.

use crate::model::ModelError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The start of one kind of model file.
pub(crate) struct Format {
    pub model: &'static str,
    pub mark: [u8; 8],
    pub version: u32,
}

impl Format {
    pub fn write<T: Serialize>(&self, body: &T) -> Vec<u8> {
        let mut bytes = self.mark.to_vec();
        bytes.extend(self.version.to_le_bytes());
        postcard::to_extend(body, bytes).expect("a model holds nothing that cannot be encoded")
    }

    pub fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, ModelError> {
        let missing = ModelError::Mark {
            expected: self.model,
        };
        let Some((mark, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(missing);
        };
        let Some((version, body)) = rest.split_first_chunk::<4>() else {
            return Err(missing);
        };
        if *mark != self.mark {
            return Err(missing);
        }
        let found = u32::from_le_bytes(*version);
        if found != self.version {
            return Err(ModelError::Version {
                model: self.model,
                found,
                expected: self.version,
            });
        }
        match postcard::take_from_bytes(body) {
            Ok((body, [])) => Ok(body),
            Ok(_) => Err(ModelError::Damaged("bytes follow its end")),
            Err(source) => Err(ModelError::Decode(source)),
        }
    }
}

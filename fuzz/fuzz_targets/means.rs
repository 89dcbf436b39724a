//! The means of languages: any bytes are means that are written again as they were and can be
//! subtracted from a vector, or are refused with a reason.
//!
//! A checksum is hard to guess, so the input is also read as what stands between the version
//! and the checksum, and as a recipe: where a whole file is cut, if it is, and then edits, each
//! the place and the change of one byte. Both get a checksum that is right.

#![no_main]

use encode::{Centring, CentringLearner, Prefix};
use libfuzzer_sys::fuzz_target;

/// More numbers than any vector of ours has.
const MOST: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut content = b"VTRNMEAN\x01\0\0\0".to_vec();
    content.extend(bytes);
    check(&checked(content));
    let Some((cut, edits)) = bytes.split_first_chunk() else {
        return;
    };
    let whole = whole();
    let mut edited = whole.clone();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % edited.len();
        edited[at] ^= edit[2];
    }
    edited.truncate(edited.len() - 4);
    edited.truncate(edited.len() - usize::from(u16::from_le_bytes(*cut)) % edited.len());
    let edited = checked(edited);
    let opened = check(&edited);
    assert!(opened || edited != whole, "the whole file was refused");
});

/// Means of three languages, of which one has a name that no language has.
fn whole() -> Vec<u8> {
    let mut learner = CentringLearner::new(3);
    for (prefix, language, vector) in [
        (Prefix::Query, "en", [0.6, 0.8, 0.0]),
        (Prefix::Passage, "en", [0.0, 0.6, 0.8]),
        (Prefix::Passage, "zh", [1.0, 0.0, 0.0]),
        (Prefix::Passage, "", [0.0, 0.0, -1.0]),
    ] {
        learner.add(prefix, language, &vector);
    }
    learner.finish().to_bytes()
}

fn checked(mut content: Vec<u8>) -> Vec<u8> {
    content.extend(crc32fast::hash(&content).to_le_bytes());
    content
}

fn check(bytes: &[u8]) -> bool {
    match Centring::from_bytes(bytes) {
        Ok(means) => {
            assert_eq!(means.to_bytes(), bytes, "means have one form only");
            if means.dimensions() <= MOST {
                let mut vector = vec![0.5; means.dimensions()];
                for prefix in [Prefix::None, Prefix::Query, Prefix::Passage] {
                    means.apply(prefix, "en", &mut vector);
                    assert!(vector.iter().all(|number| number.is_finite()), "{vector:?}");
                }
            }
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

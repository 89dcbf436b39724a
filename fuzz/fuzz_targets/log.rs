//! The log format: any bytes decode to records or to a named end, and damage never makes a
//! record that was not written.
//!
//! A checksum is hard to guess, so the input is read a second time as a recipe: payloads,
//! which are written as good frames, and then edits of single bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use store::{Ending, decode_frames, decode_segment};

const SALT: u32 = 0x5eed;
const FIRST: u64 = 7;

fuzz_target!(|bytes: &[u8]| {
    // Raw: must not panic, and what is good must fit into what was given.
    let raw = decode_frames(bytes, SALT, FIRST);
    let size: usize = raw
        .records
        .iter()
        .map(|record| 18 + record.payload.len())
        .sum();
    assert!(size <= bytes.len());
    let _ = decode_segment(bytes);

    let Some((&edits, rest)) = bytes.split_first() else {
        return;
    };
    let edits = usize::from(edits % 4);
    let Some((recipe, payload_bytes)) = rest.split_at_checked(edits * 3) else {
        return;
    };
    let payloads: Vec<&[u8]> = payload_bytes.split(|&byte| byte == b'\n').collect();
    let mut frames = Vec::new();
    for (seq, payload) in (FIRST..).zip(&payloads) {
        frames.extend(frame(seq, payload));
    }
    let whole = frames.clone();
    for edit in recipe.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % frames.len();
        frames[at] ^= edit[2];
    }

    let decoded = decode_frames(&frames, SALT, FIRST);
    for (record, (seq, payload)) in decoded.records.iter().zip((FIRST..).zip(&payloads)) {
        assert_eq!((record.seq, record.payload.as_slice()), (seq, *payload));
    }
    if frames == whole {
        assert_eq!(
            (decoded.records.len(), decoded.ending),
            (payloads.len(), Ending::Clean)
        );
    } else {
        assert!(decoded.records.len() < payloads.len());
        assert_ne!(decoded.ending, Ending::Clean);
    }
});

/// A frame as the format says, written without the code under test: length and checksum,
/// then sequence number, kind, version and payload, which both of them cover.
fn frame(seq: u64, payload: &[u8]) -> Vec<u8> {
    let mut body = seq.to_le_bytes().to_vec();
    body.extend([1, 1]);
    body.extend(payload);
    let mut hasher = crc32fast::Hasher::new_with_initial(SALT);
    hasher.update(&body);
    let mut bytes = (body.len() as u32).to_le_bytes().to_vec();
    bytes.extend(hasher.finalize().to_le_bytes());
    bytes.extend(body);
    bytes
}

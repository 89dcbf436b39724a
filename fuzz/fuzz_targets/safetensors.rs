//! The reader of `model.safetensors`: any bytes are the tensors of one small network, all of
//! which can be read, or are refused with a reason.
//!
//! A whole file is longer than an input, and its header must agree with its data to the byte.
//! So the input is also read as a recipe: where a tiny whole file is cut, if it is, and then
//! edits, each the place and the change of one byte.

#![no_main]

use encode::probe_safetensors;
use libfuzzer_sys::fuzz_target;

const TINY: &[u8] = include_bytes!("../models/tiny.safetensors");

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let Some((cut, edits)) = bytes.split_first_chunk() else {
        return;
    };
    let mut edited = TINY.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % edited.len();
        edited[at] ^= edit[2];
    }
    edited.truncate(edited.len() - usize::from(u16::from_le_bytes(*cut)) % edited.len());
    let opened = check(&edited);
    assert!(opened || edited != TINY, "the whole file was refused");
});

fn check(file: &[u8]) -> bool {
    match probe_safetensors(file) {
        Ok(()) => true,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

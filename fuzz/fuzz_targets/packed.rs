//! The packed model file: any bytes are a model, all of whose tensors can be read and whose
//! tokeniser cuts any text, or are refused with a reason.
//!
//! A whole model is longer than an input, and chance makes none. So the input is also read
//! as a recipe: a length and so many bytes of text, then edits of a tiny whole file, each
//! the place and the change of one byte.

#![no_main]

use encode::probe_packed;
use libfuzzer_sys::fuzz_target;

const TINY: &[u8] = include_bytes!("../models/tiny-packed.bin");

fuzz_target!(|bytes: &[u8]| {
    check(bytes, "red");
    let Some((&length, rest)) = bytes.split_first() else {
        return;
    };
    let Some((text, edits)) = rest.split_at_checked(usize::from(length)) else {
        return;
    };
    let mut edited = TINY.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % edited.len();
        edited[at] ^= edit[2];
    }
    let text = String::from_utf8_lossy(text);
    let opened = check(&edited, &text);
    assert!(opened || edited != TINY, "the whole file was refused");
});

fn check(file: &[u8], text: &str) -> bool {
    match probe_packed(file, text) {
        // NFKC makes 18 characters of one at most; a space may be a token of its own.
        Ok(tokens) => assert!(tokens.len() <= 2 * (18 * text.len() + 1), "{tokens:?}"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    }
    true
}

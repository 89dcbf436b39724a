//! Lines of UTF-8 in blocks, from a pipe that may be slow, endless, or not UTF-8.
//!
//! A block takes what has arrived and waits only for its first line. A line that is no text
//! ends the input, after the good lines before it.

use anyhow::anyhow;
use std::io::{BufRead, BufReader, Read};

/// Read at once.
const PIECE: usize = 1 << 18;
/// The longest line that is read; a model reads a few thousand bytes of it.
const LONGEST_LINE: usize = 16 << 20;

/// Numbered lines.
pub struct Lines<R> {
    input: BufReader<R>,
    /// Lines read so far.
    count: u64,
}

/// Some lines.
pub struct Block {
    pub texts: Vec<String>,
    /// Nothing comes after this block.
    pub is_last: bool,
    /// Why nothing comes after it, when that is no end of the input.
    pub error: Option<anyhow::Error>,
}

impl<R: Read> Lines<R> {
    /// The lines of a stream.
    pub fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(PIECE, input),
            count: 0,
        }
    }

    /// The next line, and those that have arrived behind it.
    pub fn block(&mut self, most_texts: usize, most_bytes: usize) -> Block {
        let mut block = Block {
            texts: Vec::new(),
            is_last: false,
            error: None,
        };
        let mut bytes = 0;
        while block.texts.len() < most_texts && bytes < most_bytes {
            let has_arrived = block.texts.is_empty() || self.input.buffer().contains(&b'\n');
            if !has_arrived {
                break;
            }
            match self.line() {
                Ok(Some(text)) => {
                    bytes += text.len();
                    block.texts.push(text);
                }
                Ok(None) => {
                    block.is_last = true;
                    break;
                }
                Err(error) => {
                    block.is_last = true;
                    block.error = Some(error);
                    break;
                }
            }
        }
        block
    }

    /// One line without its end; none at the end of the input.
    fn line(&mut self) -> anyhow::Result<Option<String>> {
        let mut line = Vec::new();
        let number = self.count + 1;
        let mut limited = (&mut self.input).take(LONGEST_LINE as u64 + 1);
        limited
            .read_until(b'\n', &mut line)
            .map_err(|error| anyhow!("line {number} of stdin cannot be read: {error}"))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() > LONGEST_LINE {
            return Err(anyhow!(
                "line {number} of stdin has more than {LONGEST_LINE} bytes; give one text a line"
            ));
        }
        self.count = number;
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        match String::from_utf8(line) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let before = error.as_bytes().get(..good).unwrap_or_default();
                let column = String::from_utf8_lossy(before).chars().count() + 1;
                Err(anyhow!(
                    "line {number} of stdin is no UTF-8 at column {column}; convert the texts, for example with `iconv -t UTF-8`"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece a call, as a pipe does.
    struct Pieces(Vec<&'static [u8]>);

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[track_caller]
    fn check(pieces: &[&'static [u8]], most: usize, expected: &[&[&str]], error: Option<&str>) {
        let mut lines = Lines::new(Pieces(pieces.to_vec()));
        let mut blocks = Vec::new();
        loop {
            let block = lines.block(most, usize::MAX);
            if !block.texts.is_empty() {
                blocks.push(block.texts);
            }
            if block.is_last {
                let message = block.error.map(|error| error.to_string());
                assert_eq!(message.is_some(), error.is_some(), "{message:?}");
                if let Some(words) = error {
                    assert!(
                        message.as_ref().is_some_and(|text| text.contains(words)),
                        "{message:?}"
                    );
                }
                break;
            }
        }
        assert_eq!(blocks, expected);
    }

    #[test]
    fn a_block_is_what_has_arrived() {
        check(
            &[b"a\nb\nc", b"d\n", b"e\n"],
            9,
            &[&["a", "b"], &["cd"], &["e"]],
            None,
        );
        check(&[b"a\nb\nc\n"], 2, &[&["a", "b"], &["c"]], None);
    }

    #[test]
    fn empty_lines_and_line_ends_of_all_kinds() {
        check(
            &[b"\n\r\n x \r\nend"],
            9,
            &[&["", "", " x "], &["end"]],
            None,
        );
        check(&[], 9, &[], None);
        check(&[b"a\rb\n"], 9, &[&["a\rb"]], None);
    }

    #[test]
    fn the_lines_before_a_bad_one_are_kept() {
        check(
            &[b"ok\n", "\u{e9}t\u{e9}".as_bytes(), b" \xff\n", b"never\n"],
            9,
            &[&["ok"]],
            Some("line 2 of stdin is no UTF-8 at column 5"),
        );
        check(
            &[b"one\ntwo\n\xe4\xbd"],
            9,
            &[&["one", "two"]],
            Some("line 3 of stdin is no UTF-8 at column 1"),
        );
    }

    #[test]
    fn a_line_has_a_limit() {
        let endless = std::io::repeat(b'x');
        let block = Lines::new(endless).block(9, usize::MAX);
        let message = block.error.map(|error| error.to_string());
        assert!(
            message.is_some_and(|text| text.contains("line 1 of stdin has more than")),
            "refused"
        );
        let mut long = vec![b'x'; 100_000];
        long.push(b'\n');
        let block = Lines::new(&long[..]).block(9, usize::MAX);
        assert_eq!(block.texts.first().map(String::len), Some(100_000));
    }
}

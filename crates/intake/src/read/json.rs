//! Cuts a JSON document into its elements without parsing it as a whole.
//!
//! Only brackets and strings are followed, which is enough to find where one
//! element ends. The element is then parsed by itself, so an error inside it
//! costs that row; a broken array costs everything behind the break.

use super::{Step, fill};
use crate::IntakeError;
use std::io::BufRead;

#[derive(Debug, Default)]
pub(super) struct Elements {
    element: Vec<u8>,
    place: Place,
    /// Bytes read so far, for messages.
    offset: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Start,
    /// Behind `[`, where `]` may follow too.
    First,
    /// Behind a comma.
    Element,
    /// Behind an element of the array.
    After,
    /// Behind `]`.
    Closed,
    /// Behind an object that stands by itself; more may follow.
    Sequence,
}

/// How far into an element the scan is.
#[derive(Default)]
struct Scan {
    depth: u64,
    in_string: bool,
    escaped: bool,
    too_long: bool,
}

impl Elements {
    /// Reads the next element of the array, or the next object of a sequence.
    pub(super) fn read(
        &mut self,
        reader: &mut dyn BufRead,
        limit: usize,
    ) -> Result<Step, IntakeError> {
        loop {
            let byte = self.skip_space(reader)?;
            match (self.place, byte) {
                (Place::Start | Place::Closed | Place::Sequence, None) => return Ok(Step::End),
                (_, None) => return self.broken("the array ends without `]`"),
                (Place::Start, Some(b'[')) => self.step_over(reader, Place::First),
                (Place::Start | Place::Sequence, Some(b'{')) => {
                    self.place = Place::Sequence;
                    return self.element(reader, limit);
                }
                (Place::Start, Some(_)) => {
                    return self.broken("expected an array of objects, or an object");
                }
                (Place::First | Place::After, Some(b']')) => self.step_over(reader, Place::Closed),
                (Place::After, Some(b',')) => self.step_over(reader, Place::Element),
                (Place::After, Some(_)) => {
                    return self.broken("expected `,` or `]` behind an element");
                }
                (Place::First | Place::Element, Some(b',' | b']' | b'}' | b':')) => {
                    return self.broken("expected an object");
                }
                (Place::First | Place::Element, Some(_)) => {
                    self.place = Place::After;
                    return self.element(reader, limit);
                }
                (Place::Closed | Place::Sequence, Some(_)) => {
                    return self.broken("there is text behind the end of the JSON");
                }
            }
        }
    }

    /// The element last read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.element
    }

    fn broken(&self, reason: &'static str) -> Result<Step, IntakeError> {
        Err(IntakeError::Json {
            offset: self.offset,
            reason,
        })
    }

    fn step_over(&mut self, reader: &mut dyn BufRead, place: Place) {
        reader.consume(1);
        self.offset += 1;
        self.place = place;
    }

    /// The next byte that is not white space; it is not consumed.
    fn skip_space(&mut self, reader: &mut dyn BufRead) -> Result<Option<u8>, IntakeError> {
        loop {
            let chunk = fill(reader)?;
            let found = chunk.iter().position(|byte| !byte.is_ascii_whitespace());
            let byte = found.and_then(|at| chunk.get(at).copied());
            let spaces = found.unwrap_or(chunk.len());
            reader.consume(spaces);
            self.offset += spaces as u64;
            if byte.is_some() || spaces == 0 {
                return Ok(byte);
            }
        }
    }

    fn element(&mut self, reader: &mut dyn BufRead, limit: usize) -> Result<Step, IntakeError> {
        self.element.clear();
        let mut scan = Scan::default();
        loop {
            let chunk = fill(reader)?;
            if chunk.is_empty() {
                return self.broken("the input ends in the middle of an element");
            }
            let end = scan.end_in(chunk);
            let piece = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            if self.element.len() + piece.len() > limit {
                scan.too_long = true;
                self.element.clear();
            }
            if !scan.too_long {
                self.element.extend_from_slice(piece);
            }
            let used = piece.len();
            reader.consume(used);
            self.offset += used as u64;
            if end.is_some() {
                return Ok(if scan.too_long {
                    Step::TooLong
                } else {
                    Step::Row
                });
            }
        }
    }
}

impl Scan {
    /// Where in this chunk the element ends, or `None` when it goes on.
    fn end_in(&mut self, chunk: &[u8]) -> Option<usize> {
        for (at, &byte) in chunk.iter().enumerate() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                } else if byte == b'\\' {
                    self.escaped = true;
                } else if byte == b'"' {
                    self.in_string = false;
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth == 0 => return Some(at),
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                // A number or word at the top ends before what follows it.
                b',' if self.depth == 0 => return Some(at),
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return Some(at),
                _ => {}
            }
        }
        None
    }
}

//! Lines of NDJSON, each within the limit.

use super::Step;
use crate::IntakeError;
use std::io::{BufRead, Read};

#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Reads the next line; one beyond the limit is passed over to its end, chunk by chunk.
    pub(super) fn read(
        &mut self,
        reader: &mut dyn BufRead,
        limit: usize,
    ) -> Result<Step, IntakeError> {
        self.line.clear();
        let bound = limit.saturating_add(1);
        let mut bounded = (&mut *reader).take(bound as u64);
        bounded
            .read_until(b'\n', &mut self.line)
            .map_err(IntakeError::from_read)?;
        if self.line.is_empty() {
            Ok(Step::End)
        } else if self.line.len() == bound && self.line.last() != Some(&b'\n') {
            reader.skip_until(b'\n').map_err(IntakeError::from_read)?;
            Ok(Step::TooLong)
        } else {
            Ok(Step::Row)
        }
    }

    /// The line last read.
    pub(super) fn bytes(&self) -> &[u8] {
        self.line.trim_ascii()
    }
}

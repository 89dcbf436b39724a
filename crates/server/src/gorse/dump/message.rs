//! Messages of protobuf: fields with a number and a kind, one behind another.
//!
//! Dumps have three small messages, so their fields are read and written here by hand; see
//! <https://protobuf.dev/programming-guides/encoding/>.

/// What a field holds, as far as the encoding knows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Held<'a> {
    Number(u64),
    Double(f64),
    /// Four bytes; no field of ours.
    Word,
    /// A text, bytes, or another message.
    Bytes(&'a [u8]),
}

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MessageError {
    #[error("it ends in the middle of a field")]
    Cut,
    #[error("a number in it has more than 64 bits")]
    Number,
    #[error("a field in it is of kind {0}, which protobuf does not have")]
    Kind(u64),
}

/// The fields of a message, in their order. It ends with the first error.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn field(&mut self) -> Result<(u64, Held<'a>), MessageError> {
        let tag = self.number()?;
        let held = match tag & 7 {
            0 => Held::Number(self.number()?),
            1 => Held::Double(f64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.number()?).map_err(|_| MessageError::Cut)?;
                Held::Bytes(self.bytes(length)?)
            }
            5 => {
                self.array::<4>()?;
                Held::Word
            }
            kind => return Err(MessageError::Kind(kind)),
        };
        Ok((tag >> 3, held))
    }

    /// Seven bits a byte, the lowest first; all bytes but the last have the highest bit.
    fn number(&mut self) -> Result<u64, MessageError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return Err(MessageError::Number);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(MessageError::Number)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MessageError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(MessageError::Cut)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], MessageError> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(MessageError::Cut)?;
        self.0 = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Held<'a>), MessageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// A message that is written. What is empty or 0 need not be.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn with_number(mut self, field: u64, number: u64) -> Self {
        if number != 0 {
            self.push_number(field << 3);
            self.push_number(number);
        }
        self
    }

    pub(super) fn with_double(mut self, field: u64, value: f64) -> Self {
        if value != 0.0 {
            self.push_number(field << 3 | 1);
            self.0.extend(value.to_le_bytes());
        }
        self
    }

    pub(super) fn with_text(self, field: u64, text: &str) -> Self {
        match text.is_empty() {
            true => self,
            false => self.with_bytes(field, text.as_bytes()),
        }
    }

    /// Written even when they are empty: a message that is there says something.
    pub(super) fn with_bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.push_number(field << 3 | 2);
        self.push_number(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn push_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(message: &[u8]) -> Result<Vec<(u64, Held<'_>)>, MessageError> {
        Fields::of(message).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let message = Message::default()
            .with_number(1, 300)
            .with_number(2, u64::MAX)
            .with_number(3, 0)
            .with_double(4, -2.5)
            .with_text(5, "电影")
            .with_text(6, "")
            .with_bytes(70, &[]);
        let expected = vec![
            (1, Held::Number(300)),
            (2, Held::Number(u64::MAX)),
            (4, Held::Double(-2.5)),
            (5, Held::Bytes("电影".as_bytes())),
            (70, Held::Bytes(&[])),
        ];
        assert_eq!(fields(message.bytes()), Ok(expected));
        // The example of the description: field 1 with 150.
        assert_eq!(fields(&[8, 0x96, 1]), Ok(vec![(1, Held::Number(150))]));
    }

    #[test]
    fn what_is_no_message_is_told_so() {
        for (bytes, expected) in [
            (&[8][..], MessageError::Cut),
            (&[8, 0x80], MessageError::Cut),
            (&[0x12, 5, 1], MessageError::Cut),
            (
                &[0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                MessageError::Cut,
            ),
            (&[0x19, 0, 0, 0], MessageError::Cut),
            (
                &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
                MessageError::Number,
            ),
            (
                &[8, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0],
                MessageError::Number,
            ),
            (&[0x0b], MessageError::Kind(3)),
            (&[0x0f], MessageError::Kind(7)),
        ] {
            assert_eq!(fields(bytes), Err(expected), "{bytes:?}");
        }
    }
}

//! Memory that starts on a cache line, so that no vector of a packed matrix straddles two.

/// One cache line of words.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Line([u32; LINE]);

/// Words of a cache line.
pub(crate) const LINE: usize = 16;

/// A fixed number of 32-bit words, aligned to 64 bytes.
#[derive(Clone, Default)]
pub(crate) struct AlignedWords {
    lines: Vec<Line>,
    len: usize,
}

impl AlignedWords {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self {
            lines: vec![Line::default(); len.div_ceil(LINE)],
            len,
        }
    }

    /// Makes room for `len` words: the first stay, new ones have no particular value.
    pub fn resize(&mut self, len: usize) {
        self.lines.resize(len.div_ceil(LINE), Line::default());
        self.len = len;
    }

    #[expect(unsafe_code, reason = "a view of the lines as words")]
    pub fn words(&self) -> &[u32] {
        // SAFETY: a `Line` is sixteen words without padding, and `len` words lie within.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }

    #[expect(unsafe_code, reason = "a view of the lines as words")]
    pub fn words_mut(&mut self) -> &mut [u32] {
        // SAFETY: as for `words`, and the lines are borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }

    pub fn floats_mut(&mut self) -> &mut [f32] {
        as_floats(self.words_mut())
    }

    pub fn halves_mut(&mut self) -> &mut [u16] {
        as_halves(self.words_mut())
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        as_bytes(self.words_mut())
    }
}

#[expect(unsafe_code, reason = "every bit pattern is a float")]
pub(crate) fn as_floats(words: &mut [u32]) -> &mut [f32] {
    // SAFETY: a float has the size and alignment of a word.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len()) }
}

#[expect(unsafe_code, reason = "a view of the words as their halves")]
pub(crate) fn as_halves(words: &mut [u32]) -> &mut [u16] {
    // SAFETY: a word is two halves.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 2) }
}

#[expect(unsafe_code, reason = "a view of the words as their bytes")]
pub(crate) fn as_bytes(words: &mut [u32]) -> &mut [u8] {
    // SAFETY: a word is four bytes.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 4) }
}

impl std::fmt::Debug for AlignedWords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} words", self.len)
    }
}

//! Where each byte of a folded text came from.
//!
//! Folding may change lengths (`ﬁ` becomes `fi`, `é` becomes `e`), yet
//! highlighting needs places in the text that was given. Stretches that kept
//! their length are one piece, so that a mostly plain text has few of them.

/// The map from a folded text back to its source.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    /// In order of both texts; empty when both have the same offsets throughout.
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    folded: usize,
    source: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Each byte stands for the byte at the same distance from the start.
    Verbatim,
    /// All bytes stand for the whole of the source, as its characters were changed together.
    Whole,
}

impl Offsets {
    /// From `folded` on, each byte stands for one byte from `source` on.
    pub fn verbatim(&mut self, folded: usize, source: usize) {
        if let Some(last) = self.pieces.last()
            && last.kind == Kind::Verbatim
            && folded - last.folded == source - last.source
        {
            return;
        }
        self.push(folded, source, Kind::Verbatim);
    }

    /// What follows from `folded` on stands for what follows from `source` on, as a whole.
    pub fn whole(&mut self, folded: usize, source: usize) {
        self.push(folded, source, Kind::Whole);
    }

    /// The lengths of both texts, once they are known.
    pub fn close(&mut self, folded: usize, source: usize) {
        self.push(folded, source, Kind::Whole);
    }

    fn push(&mut self, folded: usize, source: usize, kind: Kind) {
        self.pieces.push(Piece {
            folded,
            source,
            kind,
        });
    }

    /// The source offset at which a word begins that begins at `folded`.
    pub fn start(&self, folded: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.folded <= folded);
        match next.checked_sub(1).and_then(|index| self.pieces.get(index)) {
            Some(piece) if piece.kind == Kind::Verbatim => piece.source + (folded - piece.folded),
            Some(piece) => piece.source,
            None => folded,
        }
    }

    /// The source offset at which a word ends that ends before `folded`.
    pub fn end(&self, folded: usize) -> usize {
        let next = self.pieces.partition_point(|piece| piece.folded < folded);
        match next.checked_sub(1).and_then(|index| self.pieces.get(index)) {
            Some(piece) if piece.kind == Kind::Verbatim => piece.source + (folded - piece.folded),
            Some(piece) => self
                .pieces
                .get(next)
                .map_or(piece.source, |next| next.source),
            None => folded,
        }
    }
}

//! What the library writes of a graph that is built: read once, right after it was written by
//! the very same library, to lay it out as [`super::links`] has it.
//!
//! First comes a matrix of what the library takes for vectors, the slots; then a head of its own
//! and that of the graph, the level of each node, and each node with its lists.

/// Bytes of the head of the library, behind the matrix.
const HEAD: usize = 64;
/// Bytes of a node before its first list: a key and a level.
const NODE: usize = 10;
/// Bytes of a number in a list.
const NUMBER: usize = 4;

/// The library wrote something else than it did when this was written.
#[derive(Debug, thiserror::Error)]
#[error("the library wrote a graph of another form than expected: {0}")]
pub(super) struct Unexpected(&'static str);

/// A graph in the bytes that the library has written.
pub(super) struct Exported<'a> {
    bytes: &'a [u8],
    slots: &'a [[u8; NUMBER]],
    levels: &'a [[u8; 2]],
    /// Where each node begins.
    nodes: Vec<usize>,
    base_room: usize,
    room: usize,
    highest: usize,
    entry: u32,
}

impl<'a> Exported<'a> {
    pub fn of(bytes: &'a [u8]) -> Result<Self, Unexpected> {
        let mut rest = Rest(bytes);
        let [count, width] = [rest.number()?, rest.number()?];
        if count > 0 && width as usize != NUMBER {
            return Err(Unexpected("the rows of its matrix are no slots"));
        }
        let count = count as usize;
        let slots = rest.take(count * NUMBER)?.as_chunks().0;
        rest.take(HEAD)?;
        let [size, room, base_room, highest, entry] = [
            rest.long()?,
            rest.long()?,
            rest.long()?,
            rest.long()?,
            rest.long()?,
        ];
        if size != count {
            return Err(Unexpected("it has not as many nodes as slots"));
        }
        let levels: &[[u8; 2]] = rest.take(count * 2)?.as_chunks().0;
        let mut nodes = Vec::with_capacity(count);
        for &level in levels {
            nodes.push(bytes.len() - rest.0.len());
            let above = usize::from(u16::from_le_bytes(level));
            let lists = (base_room + 1) + above * (room + 1);
            rest.take(NODE + lists * NUMBER)?;
        }
        if !rest.0.is_empty() {
            return Err(Unexpected("something follows its nodes"));
        }
        Ok(Self {
            bytes,
            slots,
            levels,
            nodes,
            base_room,
            room,
            highest: if count == 0 { 0 } else { highest },
            entry: entry as u32,
        })
    }

    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The most neighbours of a node at the base.
    pub fn base_room(&self) -> usize {
        self.base_room
    }

    /// The most neighbours of a node above it.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Levels above the base.
    pub fn levels(&self) -> usize {
        self.highest
    }

    pub fn entry(&self) -> u32 {
        self.entry
    }

    pub fn slot(&self, node: usize) -> u32 {
        u32::from_le_bytes(self.slots[node])
    }

    /// The highest level of a node; 0 is the base.
    pub fn level(&self, node: usize) -> usize {
        usize::from(u16::from_le_bytes(self.levels[node]))
    }

    pub fn neighbours(&self, node: usize, level: usize) -> impl Iterator<Item = u32> + '_ {
        let before = match level {
            0 => 0,
            _ => (self.base_room + 1) + (level - 1) * (self.room + 1),
        };
        let list = &self.bytes[self.nodes[node] + NODE + before * NUMBER..];
        let numbers: &[[u8; NUMBER]] = list.as_chunks().0;
        let length = u32::from_le_bytes(numbers[0]) as usize;
        let neighbours = numbers[1..].iter().take(length);
        neighbours.map(|&bytes| u32::from_le_bytes(bytes))
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Unexpected> {
        let (taken, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(Unexpected("it ends too soon"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Unexpected> {
        let bytes = self.take(size_of::<u32>())?;
        let bytes = bytes.first_chunk().ok_or(Unexpected("it ends too soon"))?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn long(&mut self) -> Result<usize, Unexpected> {
        let bytes = self.take(size_of::<u64>())?;
        let bytes = bytes.first_chunk().ok_or(Unexpected("it ends too soon"))?;
        Ok(u64::from_le_bytes(*bytes) as usize)
    }
}

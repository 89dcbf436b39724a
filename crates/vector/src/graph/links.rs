//! A finished graph as it lies in its file: which nodes lead where, level by level.
//!
//! The library that builds it would read it as well, but one row at a time through a function
//! of ours, and with tables of its own in memory. Here a node's neighbours stand side by side
//! in the map, so that a search can ask for all their rows at once. All numbers have four
//! bytes, little-endian: five that describe the graph, the slot of each node, the neighbours of
//! each node, and for every further level its nodes in ascending order with their neighbours.
//! A list of neighbours begins with its length and has room for the most there can be.

use super::exported::Exported;
use super::file::HEADER;
use memmap2::Mmap;

/// Numbers that describe the graph.
const DESCRIPTION: usize = 5;

/// A graph in its map.
pub(super) struct Links {
    map: Mmap,
    nodes: usize,
    entry: u32,
    base: Lists,
    /// From the highest to the lowest above the base.
    levels: Vec<Level>,
}

/// Lists of equal room, by the place of their first number.
#[derive(Clone, Copy)]
struct Lists {
    at: usize,
    room: usize,
}

/// A level above the base: some nodes, with their lists in the same order.
struct Level {
    nodes_at: usize,
    nodes: usize,
    lists: Lists,
}

/// The numbers of a file, without its header, as bytes.
pub(super) fn written(graph: &Exported<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let description = [
        graph.nodes() as u32,
        graph.base_room() as u32,
        graph.room() as u32,
        graph.entry(),
        graph.levels() as u32,
    ];
    for number in description {
        put(&mut bytes, number);
    }
    for node in 0..graph.nodes() {
        put(&mut bytes, graph.slot(node));
    }
    for node in 0..graph.nodes() {
        put_list(&mut bytes, graph.neighbours(node, 0), graph.base_room());
    }
    for level in (1..=graph.levels()).rev() {
        let members = || (0..graph.nodes()).filter(|&node| graph.level(node) >= level);
        put(&mut bytes, members().count() as u32);
        for node in members() {
            put(&mut bytes, node as u32);
        }
        for node in members() {
            put_list(&mut bytes, graph.neighbours(node, level), graph.room());
        }
    }
    bytes
}

fn put(bytes: &mut Vec<u8>, number: u32) {
    bytes.extend_from_slice(&number.to_le_bytes());
}

fn put_list(bytes: &mut Vec<u8>, neighbours: impl Iterator<Item = u32>, room: usize) {
    let neighbours: Vec<u32> = neighbours.take(room).collect();
    put(bytes, neighbours.len() as u32);
    for place in 0..room {
        put(bytes, neighbours.get(place).copied().unwrap_or(0));
    }
}

impl Links {
    /// The graph behind the header of a map; nothing when its parts do not fill it.
    pub fn of(map: Mmap) -> Option<Self> {
        let numbers = numbers(&map);
        let number = |at: usize| numbers.get(at).map(|&bytes| u32::from_le_bytes(bytes));
        let [nodes, base_room, room, entry, levels] = [0, 1, 2, 3, 4].map(number);
        let (nodes, base_room) = (nodes? as usize, base_room? as usize);
        let (room, entry) = (room? as usize, entry?);
        let base = Lists {
            at: DESCRIPTION + nodes,
            room: base_room,
        };
        let mut end = base.end(nodes)?;
        let mut all = Vec::new();
        for _ in 0..levels? {
            let count = number(end)? as usize;
            let lists = Lists {
                at: end.checked_add(1)?.checked_add(count)?,
                room,
            };
            all.push(Level {
                nodes_at: end + 1,
                nodes: count,
                lists,
            });
            end = lists.end(count)?;
        }
        let is_whole = end == numbers.len() && (nodes == 0 || (entry as usize) < nodes);
        is_whole.then_some(Self {
            map,
            nodes,
            entry,
            base,
            levels: all,
        })
    }

    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// Where every search starts.
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// Levels above the base, the highest first.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The slot of a node.
    pub fn slot(&self, node: u32) -> u32 {
        let number = self.numbers().get(DESCRIPTION + node as usize);
        number.map_or(0, |&bytes| u32::from_le_bytes(bytes))
    }

    /// The neighbours of a node at the base.
    pub fn neighbours(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.list(self.base, node as usize)
    }

    /// The neighbours of a node at a level above the base, where it is there.
    pub fn neighbours_at(&self, level: usize, node: u32) -> impl Iterator<Item = u32> + '_ {
        let found = self.levels.get(level).and_then(|level| {
            let nodes = self.numbers().get(level.nodes_at..)?.get(..level.nodes)?;
            let number = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
            let place = nodes.binary_search_by_key(&node, number).ok()?;
            Some((level.lists, place))
        });
        found
            .into_iter()
            .flat_map(|(lists, place)| self.list(lists, place))
    }

    fn list(&self, lists: Lists, place: usize) -> impl Iterator<Item = u32> + '_ {
        let numbers = self.numbers();
        let list = lists.at + place * (lists.room + 1);
        let list = numbers.get(list..list + lists.room + 1).unwrap_or_default();
        let length = list.first().map_or(0, |&bytes| u32::from_le_bytes(bytes));
        let neighbours = list.iter().skip(1).take(length as usize);
        neighbours.map(|&bytes| u32::from_le_bytes(bytes))
    }

    fn numbers(&self) -> &[[u8; 4]] {
        numbers(&self.map)
    }
}

impl Lists {
    /// The place behind so many lists.
    fn end(self, lists: usize) -> Option<usize> {
        lists.checked_mul(self.room + 1)?.checked_add(self.at)
    }
}

fn numbers(map: &Mmap) -> &[[u8; 4]] {
    map.get(HEADER..).unwrap_or_default().as_chunks().0
}

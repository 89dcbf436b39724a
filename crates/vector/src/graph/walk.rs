//! The search: from node to node to those that are more similar to the query, keeping the best
//! that were met, until nothing better is in sight (algorithms 2 and 5 of Malkov and Yashunin).
//!
//! It differs from the paper in how many it keeps. Whoever asks for what is similar enough, at
//! most so many, mostly gets far fewer; keeping twice as many as are similar enough finds them
//! as surely as keeping twice the most there could be.

use super::links::Links;
use crate::best::Neighbour;
use crate::rows::Rows;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many a search keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    /// At least so many.
    pub least: usize,
    /// At most so many.
    pub most: usize,
    /// In between, twice as many as it has met that are at least so similar.
    pub at_least: f32,
}

/// What a search uses and leaves to the next of its thread.
#[derive(Default)]
struct Scratch {
    /// A bit for each node that was met.
    met: Vec<u64>,
    /// Those of which some bit is set.
    touched: Vec<u32>,
    /// Nodes whose neighbours were not looked at, the most similar on top.
    ahead: BinaryHeap<u64>,
    /// The best that pass, the worst of them on top.
    best: BinaryHeap<Reverse<u64>>,
    /// Nodes to be measured, with their slots and what comes out.
    nodes: Vec<u32>,
    slots: Vec<u32>,
    similarities: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The most similar nodes that pass, about as many as are to be kept, in any order.
pub(super) fn walk(
    links: &Links,
    rows: &Rows,
    query: &[f32],
    keep: Keep,
    passes: impl Fn(u32) -> bool,
) -> Vec<Neighbour> {
    if links.nodes() == 0 || keep.most == 0 {
        return Vec::new();
    }
    // Taken, so that one which a panic left half done is dropped.
    let mut scratch = SCRATCH.take();
    let mut walker = Walker {
        links,
        rows,
        query,
        scratch: &mut scratch,
    };
    let entry = walker.descend();
    let found = walker.widen(entry, keep, passes);
    scratch.clear();
    SCRATCH.set(scratch);
    found
}

impl Scratch {
    /// Notes that a node was met; true the first time.
    fn meet(&mut self, node: u32) -> bool {
        let Some(word) = self.met.get_mut(node as usize / 64) else {
            return false;
        };
        let bit = 1 << (node % 64);
        if *word & bit != 0 {
            return false;
        }
        if *word == 0 {
            self.touched.push(node / 64);
        }
        *word |= bit;
        true
    }

    fn clear(&mut self) {
        for word in self.touched.drain(..) {
            self.met[word as usize] = 0;
        }
        self.ahead.clear();
        self.best.clear();
    }
}

struct Walker<'a> {
    links: &'a Links,
    rows: &'a Rows,
    query: &'a [f32],
    scratch: &'a mut Scratch,
}

impl Walker<'_> {
    /// From level to level to the node from which nothing leads closer.
    fn descend(&mut self) -> u64 {
        let entry = self.links.entry();
        let mut best = key(
            self.rows.similarity(self.query, self.links.slot(entry)),
            entry,
        );
        for level in 0..self.links.levels() {
            loop {
                self.scratch.nodes.clear();
                let neighbours = self.links.neighbours_at(level, node(best));
                self.scratch.nodes.extend(neighbours);
                self.measure();
                let before = best;
                for (&node, &similarity) in
                    self.scratch.nodes.iter().zip(&self.scratch.similarities)
                {
                    best = best.max(key(similarity, node));
                }
                if best == before {
                    break;
                }
            }
        }
        best
    }

    /// Over the base, from a node on.
    fn widen(&mut self, entry: u64, keep: Keep, passes: impl Fn(u32) -> bool) -> Vec<Neighbour> {
        let words = self.links.nodes().div_ceil(64);
        if self.scratch.met.len() < words {
            self.scratch.met.resize(words, 0);
        }
        let (mut room, mut enough) = (keep.least.min(keep.most), 0_usize);
        self.scratch.meet(node(entry));
        self.scratch.ahead.push(entry);
        if passes(self.links.slot(node(entry))) {
            self.scratch.best.push(Reverse(entry));
            enough += usize::from(similarity(entry) >= keep.at_least);
        }
        while let Some(next) = self.scratch.ahead.pop() {
            let is_full = self.scratch.best.len() >= room;
            if is_full && self.worst().is_some_and(|worst| next < worst) {
                break;
            }
            self.scratch.nodes.clear();
            for node in self.links.neighbours(node(next)) {
                if self.scratch.meet(node) {
                    self.scratch.nodes.push(node);
                }
            }
            self.measure();
            for place in 0..self.scratch.nodes.len() {
                let similarity = self.scratch.similarities[place];
                let met = key(similarity, self.scratch.nodes[place]);
                let is_full = self.scratch.best.len() >= room;
                if is_full && self.worst().is_some_and(|worst| met < worst) {
                    continue;
                }
                self.scratch.ahead.push(met);
                if !passes(self.scratch.slots[place]) {
                    continue;
                }
                if similarity >= keep.at_least {
                    enough += 1;
                    room = room.max(enough.saturating_mul(2)).min(keep.most);
                }
                self.scratch.best.push(Reverse(met));
                if self.scratch.best.len() > room {
                    self.scratch.best.pop();
                }
            }
        }
        let neighbours = self.scratch.best.drain().map(|Reverse(key)| Neighbour {
            slot: self.links.slot(node(key)),
            similarity: similarity(key),
        });
        neighbours.collect()
    }

    fn worst(&self) -> Option<u64> {
        self.scratch.best.peek().map(|Reverse(key)| *key)
    }

    /// The similarities of the nodes to be measured.
    fn measure(&mut self) {
        let Scratch {
            nodes,
            slots,
            similarities,
            ..
        } = &mut *self.scratch;
        slots.clear();
        slots.extend(nodes.iter().map(|&node| self.links.slot(node)));
        similarities.resize(slots.len(), 0.0);
        self.rows.similarities(self.query, slots, similarities);
    }
}

/// A node with its similarity as a number that is greater for the more similar one.
fn key(similarity: f32, node: u32) -> u64 {
    let bits = similarity.to_bits();
    // The order of IEEE 754 numbers by their bits, with the negative ones turned round.
    let order = match bits >> 31 {
        0 => bits | 1 << 31,
        _ => !bits,
    };
    u64::from(order) << 32 | u64::from(!node)
}

fn node(key: u64) -> u32 {
    !(key as u32)
}

fn similarity(key: u64) -> f32 {
    let order = (key >> 32) as u32;
    f32::from_bits(match order >> 31 {
        1 => order & !(1 << 31),
        _ => !order,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_like_what_they_are_made_of() {
        let similarities = [-1.0, -0.5, -1e-30, -0.0, 0.0, 1e-30, 0.25, 0.75, 1.0];
        for (a, b) in similarities.iter().zip(&similarities[1..]) {
            assert!(key(*a, 7) < key(*b, 7), "{a} {b}");
            assert!(key(*a, 0) < key(*b, u32::MAX - 1), "{a} {b}");
            // Of equals the first is the better.
            assert!(key(*a, 7) > key(*a, 8), "{a}");
        }
        for (similarity_, node_) in similarities.into_iter().zip([0, 1, 77, u32::MAX - 1]) {
            let key = key(similarity_, node_);
            assert_eq!(similarity(key).to_bits(), similarity_.to_bits());
            assert_eq!(node(key), node_);
        }
    }
}

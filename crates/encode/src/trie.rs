//! A dictionary of byte strings that finds every entry a text begins with. It is built once
//! from a vocabulary and lies in three flat arrays: nodes are numbered level by level, so
//! the children of a node are neighbours and end where those of the next node begin.

/// No entry ends at this node.
const NONE: u32 = u32::MAX;

/// Byte strings, each with a number.
#[derive(Debug)]
pub(crate) struct Trie {
    /// The byte that leads to a node; sorted among the children of one node.
    labels: Vec<u8>,
    /// The first child of a node, with one more at the end.
    first: Vec<u32>,
    /// The number of the entry that ends at a node.
    entries: Vec<u32>,
    /// The child of the root by byte: every walk takes this step.
    roots: Box<[u32; 256]>,
}

impl Trie {
    /// Of equal keys the one with the lowest number stays. The empty key is left out.
    pub fn new(keys: &[(&[u8], u32)]) -> Self {
        let sorted = sorted(keys);
        let mut next = level_starts(&sorted);
        let nodes = next.last().map_or(1, |&end| end as usize);
        let mut trie = Self {
            labels: vec![0; nodes],
            first: vec![NONE; nodes + 1],
            entries: vec![NONE; nodes],
            roots: Box::new([NONE; 256]),
        };
        // In byte order a key shares its beginning with the key before, whose nodes are the
        // last ones given out on each level; what follows is new.
        let mut before: &[u8] = &[];
        for &(key, number) in &sorted {
            for depth in shared(before, key)..key.len() {
                let (parent, node) = (next[depth] - 1, next[depth + 1]);
                trie.labels[node as usize] = key[depth];
                let first = &mut trie.first[parent as usize];
                *first = node.min(*first);
                next[depth + 1] += 1;
            }
            let entry = &mut trie.entries[next[key.len()] as usize - 1];
            *entry = number.min(*entry);
            before = key;
        }
        // A node without children has an empty range of them.
        let mut end = nodes as u32;
        for first in trie.first.iter_mut().rev() {
            end = end.min(*first);
            *first = end;
        }
        for child in trie.first[0]..trie.first[1] {
            trie.roots[usize::from(trie.labels[child as usize])] = child;
        }
        trie
    }

    /// The entries `text` begins with, shortest first, each with its length.
    pub fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, u32)> + 'a {
        let mut node = 0;
        let walked = text.iter().enumerate().map_while(move |(at, &byte)| {
            node = self.child(node, byte)?;
            Some((at + 1, self.entries[node]))
        });
        walked.filter(|&(_, entry)| entry != NONE)
    }

    /// The longest entry `text` begins with.
    pub fn longest(&self, text: &[u8]) -> Option<(usize, u32)> {
        self.prefixes(text).last()
    }

    fn child(&self, node: usize, byte: u8) -> Option<usize> {
        if node == 0 {
            let child = self.roots[usize::from(byte)];
            return (child != NONE).then_some(child as usize);
        }
        let (start, end) = (self.first[node] as usize, self.first[node + 1] as usize);
        let labels = &self.labels[start..end];
        let at = if labels.len() <= 8 {
            labels.iter().position(|&label| label == byte)?
        } else {
            labels.binary_search(&byte).ok()?
        };
        Some(start + at)
    }
}

/// The number of the first node of each level, where the root was given out already, and
/// behind the last level the number of all nodes.
fn level_starts(sorted: &[(&[u8], u32)]) -> Vec<u32> {
    let depth = sorted.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut counts = vec![0; depth];
    let mut before: &[u8] = &[];
    for &(key, _) in sorted {
        for count in &mut counts[shared(before, key)..key.len()] {
            *count += 1;
        }
        before = key;
    }
    let mut starts = vec![1, 1];
    for count in counts {
        starts.push(starts[starts.len() - 1] + count);
    }
    starts
}

fn shared(before: &[u8], key: &[u8]) -> usize {
    before.iter().zip(key).take_while(|(a, b)| a == b).count()
}

/// The keys in byte order. Most comparisons are settled by the first sixteen bytes, which
/// stand beside the key, so that sorting need not jump through the text.
fn sorted<'a>(keys: &[(&'a [u8], u32)]) -> Vec<(&'a [u8], u32)> {
    let mut sorted: Vec<(u128, &[u8], u32)> = keys
        .iter()
        .filter(|(key, _)| !key.is_empty())
        .map(|&(key, number)| (head(key), key, number))
        .collect();
    sorted.sort_unstable();
    sorted
        .into_iter()
        .map(|(_, key, number)| (key, number))
        .collect()
}

fn head(key: &[u8]) -> u128 {
    let mut head = [0; 16];
    let length = key.len().min(head.len());
    head[..length].copy_from_slice(&key[..length]);
    u128::from_be_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn finds_what_a_map_of_all_keys_finds(
            keys in vec("[a-c\u{0}]{0,4}|[é-ï]{0,12}", 0..40),
            text in "[a-c\u{0}é-ï]{0,20}",
        ) {
            let numbered: Vec<(&[u8], u32)> = keys.iter().map(|key| key.as_bytes()).zip(0..).collect();
            let mut map = BTreeMap::new();
            for &(key, number) in &numbered {
                map.entry(key).or_insert(number);
            }
            let trie = Trie::new(&numbered);
            let expected: Vec<(usize, u32)> = (1..=text.len())
                .filter_map(|end| Some((end, *map.get(&text.as_bytes()[..end])?)))
                .collect();
            prop_assert_eq!(trie.longest(text.as_bytes()), expected.last().copied());
            prop_assert_eq!(trie.prefixes(text.as_bytes()).collect::<Vec<_>>(), expected);
        }
    }
}

//! Items made from the titles of a catalogue.
//!
//! The first items are the titles themselves. A further one has the first words of one title and
//! the last of another. Its vector is by default a mixture of their two vectors, more of the first
//! and with a little noise, which keeps the neighbourhoods of real titles and takes seconds for a
//! million.

use crate::feed::Input;
use crate::progress;
use anyhow::{Context as _, bail};
use encode::{Encoder, Prefix};
use intake::{Role, guess_roles};
use serde_json::Value;
use std::collections::HashSet;

/// Items that are made at a time.
const BLOCK: u32 = 1_024;
/// How long the noise is that a mixture gets; a vector has the length one.
const NOISE: f32 = 0.1;

/// The distinct titles of a catalogue, in its order.
pub fn titles(products: &str) -> anyhow::Result<Vec<String>> {
    let mut input = Input::open(products, None)?;
    let mut objects = Vec::new();
    // Rows that cannot be read have no title either.
    for row in input.rows.by_ref().flatten() {
        objects.push(row.object);
    }
    input.bar.finish_and_clear();
    if let Some(fault) = input.rows.fault() {
        bail!("cannot read {products}: {fault}");
    }
    let roles = guess_roles(&objects.iter().collect::<Vec<_>>()).roles;
    let attribute = roles.first(Role::Title);
    let attribute = attribute.with_context(|| format!("{products} has no titles"))?;
    let mut known = HashSet::new();
    let mut titles = Vec::new();
    for object in &objects {
        let title = object.get(attribute).and_then(Value::as_str);
        let title = title.map(str::trim).filter(|title| !title.is_empty());
        if let Some(title) = title.filter(|title| known.insert(*title)) {
            titles.push(title.to_owned());
        }
    }
    if titles.is_empty() {
        bail!("{products} has no titles in `{attribute}`");
    }
    Ok(titles)
}

/// Titles with their vectors.
pub struct Titles {
    texts: Vec<String>,
    vectors: Vec<f32>,
    dimensions: usize,
}

impl Titles {
    /// Encodes them as an index does.
    pub fn encode(texts: Vec<String>, encoder: &Encoder) -> anyhow::Result<Self> {
        let bar = progress::count("encode titles", texts.len() as u64);
        let mut vectors = Vec::with_capacity(texts.len() * encoder.dimensions());
        for block in texts.chunks(BLOCK as usize) {
            let block: Vec<&str> = block.iter().map(String::as_str).collect();
            vectors.extend(encoder.encode(&block, Prefix::Passage)?.vectors);
            bar.inc(block.len() as u64);
        }
        bar.finish_and_clear();
        Ok(Self {
            texts,
            vectors,
            dimensions: encoder.dimensions(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    fn vector(&self, title: usize) -> &[f32] {
        let start = title * self.dimensions;
        &self.vectors[start..start + self.dimensions]
    }
}

/// Some items.
pub struct Block {
    pub texts: Vec<String>,
    /// One vector after the other.
    pub vectors: Vec<f32>,
}

/// Makes items, block after block.
pub struct Items {
    titles: Titles,
    /// With a model the texts are encoded, without one the vectors are mixed.
    encoder: Option<Encoder>,
    random: Random,
    made: u32,
}

impl Items {
    /// Equal titles and seeds give equal items.
    pub fn new(titles: Titles, encoder: Option<Encoder>, seed: u64) -> Self {
        Self {
            titles,
            encoder,
            random: Random(seed),
            made: 0,
        }
    }

    /// Items made until now.
    pub fn made(&self) -> u32 {
        self.made
    }

    /// The next items; nothing when there are enough.
    pub fn block(&mut self, enough: u32) -> anyhow::Result<Option<Block>> {
        let start = self.made;
        let end = start.saturating_add(BLOCK).min(enough);
        if start >= end {
            return Ok(None);
        }
        self.made = end;
        let real = (start as usize).min(self.titles.len())..(end as usize).min(self.titles.len());
        let further = (end - start) as usize - real.len();
        let known = real.len();
        let mut vectors = Vec::with_capacity((end - start) as usize * self.titles.dimensions);
        let mut texts = Vec::with_capacity((end - start) as usize);
        for title in real {
            vectors.extend_from_slice(self.titles.vector(title));
            texts.push(self.titles.texts[title].clone());
        }
        for _ in 0..further {
            let pair = Pair::of(&self.titles, &mut self.random);
            texts.push(mixed_text(&self.titles, pair));
            if self.encoder.is_none() {
                vectors.extend(mixed_vector(&self.titles, pair, &mut self.random));
            }
        }
        if let Some(encoder) = &self.encoder {
            let texts: Vec<&str> = texts.iter().skip(known).map(String::as_str).collect();
            vectors.extend(encoder.encode(&texts, Prefix::Passage)?.vectors);
        }
        Ok(Some(Block { texts, vectors }))
    }
}

/// The titles that an item is made of.
#[derive(Clone, Copy)]
struct Pair {
    one: usize,
    other: usize,
}

impl Pair {
    fn of(titles: &Titles, random: &mut Random) -> Self {
        Self {
            one: random.below(titles.len()),
            other: random.below(titles.len()),
        }
    }
}

/// The first words of one title and the last of another.
fn mixed_text(titles: &Titles, pair: Pair) -> String {
    let words = |title: usize| -> Vec<&str> {
        let title = titles.texts.get(title).map_or("", String::as_str);
        title.split_whitespace().collect()
    };
    let (first, last) = (words(pair.one), words(pair.other));
    let head = first.iter().take(first.len().div_ceil(2));
    let tail = last.iter().skip(last.len() / 2);
    head.chain(tail).copied().collect::<Vec<_>>().join(" ")
}

/// More of one title than of another, and a little noise; of length one.
fn mixed_vector(titles: &Titles, pair: Pair, random: &mut Random) -> Vec<f32> {
    let (one, other) = (titles.vector(pair.one), titles.vector(pair.other));
    let share = f32::midpoint(1.0, random.unit());
    // So many numbers, even between -1 and 1, have this length on average.
    let noise = NOISE / (titles.dimensions as f32 / 3.0).sqrt();
    let mut mixed: Vec<f32> = one
        .iter()
        .zip(other)
        .map(|(one, other)| {
            let noise = noise * (2.0 * random.unit() - 1.0);
            share * one + (1.0 - share) * other + noise
        })
        .collect();
    let length = mixed.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length < f32::EPSILON {
        // Opposite titles leave nothing.
        return one.to_vec();
    }
    for number in &mut mixed {
        *number /= length;
    }
    mixed
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// A number in `[0, 1)`.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles() -> Titles {
        Titles {
            texts: vec!["red enamel mug".to_owned(), "garden lamp".to_owned()],
            vectors: vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            dimensions: 3,
        }
    }

    fn made(seed: u64) -> Vec<f32> {
        let mut items = Items::new(titles(), None, seed);
        let mut all = Vec::new();
        while let Some(block) = items.block(3_000).expect("nothing is encoded") {
            assert_eq!(block.texts.len() * 3, block.vectors.len());
            all.extend(block.vectors);
        }
        assert_eq!(items.made(), 3_000);
        all
    }

    #[test]
    fn the_titles_come_first_and_mixtures_have_length_one() {
        let all = made(1);
        assert_eq!(all.len(), 9_000);
        assert_eq!(all[..6], titles().vectors[..]);
        for vector in all.chunks_exact(3) {
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length - 1.0).abs() < 1e-5, "{vector:?}");
        }
        // Between the two titles, and not on either.
        let between = |vector: &&[f32]| vector[0] > 0.3 && vector[1] > 0.3;
        let count = all[6..].chunks_exact(3).filter(between).count();
        assert!((300..2_500).contains(&count), "{count}");
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn a_mixed_text_has_parts_of_both_titles() {
        let mut random = Random(3);
        let texts: HashSet<String> = (0..50)
            .map(|_| mixed_text(&titles(), Pair::of(&titles(), &mut random)))
            .collect();
        assert!(texts.contains("red enamel lamp"), "{texts:?}");
        assert!(texts.contains("garden enamel mug"), "{texts:?}");
    }
}

//! The pass against `encode`, gradients against differences of the loss, and the same numbers
//! on any number of threads.

use super::*;
use encode::{Encoder, LongText, Options, Precision, Prefix};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const TEXTS: [&str; 8] = [
    "red mug",
    "a blue lamp, and shoes!",
    "lamp",
    "query: mugs and other red things of the shop",
    "",
    "blue blue blue",
    "shoe",
    "the very first red shoe with a lamp",
];

/// The tiny model of the tests, which pools as it is told.
fn folder(pooling: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (path, bytes) in testkit::tiny_encoder(5) {
        fs::write(dir.path().join(path), bytes).expect("written");
    }
    fs::create_dir(dir.path().join("1_Pooling")).expect("made");
    let config = format!(r#"{{"pooling_mode": "{pooling}"}}"#);
    fs::write(dir.path().join("1_Pooling/config.json"), config).expect("written");
    dir
}

fn tokens(parts: &Parts, texts: &[&str]) -> Vec<Vec<u32>> {
    let cut = |text: &&str| parts.tokens(text, Prefix::Passage, 64).expect("a text");
    texts.iter().map(cut).collect()
}

fn encoded(folder: &Path, texts: &[&str]) -> Vec<f32> {
    let options = Options {
        precision: Precision::F32,
        threads: 1,
        long_text: LongText::Cut,
    };
    let encoder = Encoder::open(folder, options).expect("a whole folder");
    encoder
        .encode(texts, Prefix::Passage)
        .expect("texts")
        .vectors
}

#[test]
fn vectors_are_those_of_the_encoder() {
    for pooling in ["mean", "cls", "max"] {
        let dir = folder(pooling);
        let parts = Parts::open(dir.path()).expect("a whole folder");
        let texts = tokens(&parts, &TEXTS);
        let options = EncoderOptions::default();
        let trainer = Trainer::new(&parts, &texts, &options);
        let places: Vec<u32> = (0..texts.len() as u32).collect();
        let vectors = trainer.vectors(&places);
        for (at, (ours, theirs)) in vectors.iter().zip(encoded(dir.path(), &TEXTS)).enumerate() {
            assert!(
                (ours - theirs).abs() < 1e-5,
                "{pooling}, {at}: {ours} {theirs}"
            );
        }
        let alone = trainer.vectors(&[3]);
        let width = trainer.width();
        assert_eq!(
            alone,
            vectors[3 * width..4 * width],
            "company changes nothing"
        );
    }
}

/// Pairs of the texts, the first with the second and so on.
fn pairs() -> Vec<PairOfTexts> {
    let pair = |at: u32| PairOfTexts {
        query: 2 * at,
        item: 2 * at + 1,
    };
    (0..TEXTS.len() as u32 / 2).map(pair).collect()
}

/// A guide by which no wrong item is as right as the own one.
fn apart(text: u32) -> &'static [f32] {
    static ROWS: [[f32; 32]; 4] = {
        let mut rows = [[0.0; 32]; 4];
        let mut at = 0;
        while at < 4 {
            rows[at][at] = 1.0;
            at += 1;
        }
        rows
    };
    &ROWS[text as usize / 2]
}

#[test]
fn gradients_are_those_of_the_loss() {
    for pooling in ["mean", "cls", "max"] {
        let dir = folder(pooling);
        let parts = Parts::open(dir.path()).expect("a whole folder");
        let texts = tokens(&parts, &TEXTS);
        let options = EncoderOptions {
            temperature: 0.5,
            ..EncoderOptions::default()
        };
        let mut trainer = Trainer::new(&parts, &texts, &options);
        trainer.gradients(&pairs(), &apart);
        let (words, width) = (trainer.bert.words(), trainer.width());
        let share = &trainer.shares[0];
        let mut gradients = vec![0.0; words];
        for (&token, row) in &share.words {
            gradients[token as usize * width..][..width].copy_from_slice(row);
        }
        gradients.extend_from_slice(&share.gradients);

        const STEP: f32 = 4e-3;
        let mut loss = |at: usize, by: f32| {
            let old = trainer.numbers[at];
            trainer.numbers[at] = old + by;
            let loss = trainer.gradients(&pairs(), &apart);
            trainer.numbers[at] = old;
            loss
        };
        let mut steep = 0;
        for at in (0..gradients.len()).step_by(37) {
            let slope = (loss(at, STEP) - loss(at, -STEP)) / f64::from(2.0 * STEP);
            let error = (f64::from(gradients[at]) - slope).abs();
            assert!(
                error < 1.5e-3 + 0.03 * slope.abs(),
                "{pooling}, {at}: {} is not {slope}",
                gradients[at]
            );
            steep += usize::from(slope.abs() > 0.01);
        }
        assert!(steep > 20, "{pooling}: {steep} slopes tell something");
    }
}

#[test]
fn steps_are_the_same_on_any_number_of_threads() {
    let dir = folder("mean");
    let parts = Parts::open(dir.path()).expect("a whole folder");
    let texts = tokens(&parts, &TEXTS);
    let options = EncoderOptions::default();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("threads").install(|| {
            let mut trainer = Trainer::new(&parts, &texts, &options);
            let losses: Vec<f64> = (0..5)
                .map(|_| trainer.step(&pairs(), &apart, 1e-3))
                .collect();
            (losses, trainer.numbers)
        })
    };
    let (losses, numbers) = run(1);
    assert!(losses[4] < losses[0], "{losses:?}");
    for threads in [2, 3] {
        assert!(
            run(threads) == (losses.clone(), numbers.clone()),
            "{threads}"
        );
    }
}

#[test]
fn frozen_words_stay_and_the_others_move_where_they_are_used() {
    let dir = folder("mean");
    let parts = Parts::open(dir.path()).expect("a whole folder");
    let texts = tokens(&parts, &TEXTS);
    let moved = |words: Words| {
        let options = EncoderOptions {
            words,
            ..EncoderOptions::default()
        };
        let mut trainer = Trainer::new(&parts, &texts, &options);
        trainer.step(&pairs(), &apart, 1e-3);
        let old = parts.numbers();
        let (width, words) = (trainer.width(), trainer.bert.words());
        assert_ne!(trainer.numbers[words..], old[words..]);
        let rows = trainer.numbers[..words].chunks_exact(width);
        let rows = rows.zip(old[..words].chunks_exact(width)).zip(0_u32..);
        rows.filter(|((new, old), _)| new != old)
            .map(|(_, token)| token)
            .collect::<Vec<u32>>()
    };
    assert!(moved(Words::Frozen).is_empty());
    let mut used = texts.concat();
    used.sort_unstable();
    used.dedup();
    assert_eq!(moved(Words::Trained), used);
}

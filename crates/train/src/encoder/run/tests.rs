//! Whole runs on a tiny model: what is learnt, what is refused, and how a run is ended.

use super::*;
use std::fs;
use tempfile::TempDir;

fn parts() -> (TempDir, Parts) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (path, bytes) in testkit::tiny_encoder(3) {
        fs::write(dir.path().join(path), bytes).expect("written");
    }
    let parts = Parts::open(dir.path()).expect("a whole folder");
    (dir, parts)
}

/// Items that are named by two letters, and asked for by the same letters in another order.
fn pairs(count: usize) -> Vec<TextPair> {
    let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
    let pair = |n: usize| {
        let (a, b) = (letter(n), letter(n / 26 + 7 * n));
        TextPair {
            kind: PairKind::Description,
            query: format!("red {a} {b}"),
            item: format!("{b} lamp {a}"),
            of: [n as u32, n as u32],
        }
    };
    (0..count).map(pair).collect()
}

fn options() -> EncoderOptions {
    EncoderOptions {
        epochs: 2,
        batch: 16,
        rate: 5e-4,
        ..EncoderOptions::default()
    }
}

/// Lets so many batches pass.
struct Patience(usize, Vec<f64>);

impl EncoderObserver for Patience {
    fn phase(&mut self, _: &str) {}

    fn batch(&mut self, _: usize, _: usize, _: usize) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }

    fn epoch(&mut self, report: &EncoderEpoch) {
        self.1.push(report.loss);
    }
}

#[test]
fn a_model_that_finds_more_is_kept_and_the_same_for_the_same_seed() {
    let (_dir, parts) = parts();
    let (pairs, options) = (pairs(600), options());
    let run = EncoderRun {
        parts: &parts,
        pairs: &pairs,
        options: &options,
    };
    let mut observer = Patience(usize::MAX, Vec::new());
    let enhanced = run.train(&mut observer).expect("trained");
    let report = &enhanced.report;
    assert_eq!(observer.1.len(), 2);
    assert!(observer.1[1] < observer.1[0], "{:?}", observer.1);
    let before = &report.validation_before;
    assert!(report.epochs[1].validation.mrr > before.mrr, "{report:?}");
    assert_eq!(report.mixtures.len(), MIXTURES.len());
    for mixture in &report.mixtures {
        let is_kept = mixture.general.is_kept(&report.general_before);
        assert_eq!(mixture.keeps_ability, is_kept);
    }
    let likeness = |at: usize| report.mixtures[at].general.likeness;
    assert!(likeness(3) > likeness(0), "a small share changes little");
    let eligible = report.mixtures.iter().filter(|of| of.keeps_ability);
    let best = eligible
        .filter(|of| of.validation.mrr > before.mrr)
        .max_by(|a, b| a.validation.mrr.total_cmp(&b.validation.mrr));
    assert!(best.is_some(), "{report:?}");
    assert_eq!(report.chosen, best.map(|best| best.share));
    assert_eq!(enhanced.numbers.is_some(), report.is_better);
    let gain = report.difference.expect("it was tested");
    assert_eq!(report.is_better, gain.low > 0.0);

    let again = run
        .train(&mut Patience(usize::MAX, Vec::new()))
        .expect("trained");
    assert!(again.numbers == enhanced.numbers);
    assert_eq!(again.report.test, report.test);
}

#[test]
fn a_run_can_be_ended_and_too_little_is_refused() {
    let (_dir, parts) = parts();
    let options = options();
    let train = |pairs: &[TextPair], batches: usize| {
        let run = EncoderRun {
            parts: &parts,
            pairs,
            options: &options,
        };
        run.train(&mut Patience(batches, Vec::new()))
            .expect_err("it ends early")
    };
    assert!(matches!(train(&pairs(600), 3), TrainError::Stopped));
    let refused = train(&pairs(100), usize::MAX);
    assert!(
        matches!(
            refused,
            TrainError::TooFewPairs {
                found: 90,
                fewest: 200
            }
        ),
        "{refused}"
    );
    let refused = train(&[], usize::MAX);
    assert!(matches!(refused, TrainError::TooFewPairs { found: 0, .. }));
}

//! Whole runs on a tiny model: what is learnt, what is refused, and how a run is ended.

use super::*;
use crate::encoder::EncoderInput;
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
        checkpoint: None,
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
            checkpoint: None,
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

#[test]
fn a_run_that_is_interrupted_anywhere_goes_on_to_the_same_model() {
    let (dir, parts) = parts();
    let (pairs, options) = (pairs(300), options());
    let train = |checkpoint: Option<&Path>, batches: usize| {
        let run = EncoderRun {
            parts: &parts,
            pairs: &pairs,
            options: &options,
            checkpoint,
        };
        run.train(&mut Patience(batches, Vec::new()))
    };
    let whole = train(None, usize::MAX).expect("trained");
    let path = dir.path().join("checkpoint");
    // In the first epoch, at its very end, and in the second.
    let batches = 17;
    for stop in [3, batches - 3, 5] {
        let stopped = train(Some(&path), stop).expect_err("it is ended");
        assert!(matches!(stopped, TrainError::Stopped), "{stopped}");
    }
    let resumed = train(Some(&path), usize::MAX).expect("trained");
    assert!(resumed.numbers == whole.numbers);
    let told = |enhanced: &Enhanced| {
        let mut report = enhanced.report.clone();
        for epoch in &mut report.epochs {
            (epoch.seconds, epoch.tokens_per_second) = (0.0, 0.0);
            epoch.validation.reciprocal.clear();
        }
        for mixture in &mut report.mixtures {
            mixture.validation.reciprocal.clear();
        }
        report
    };
    assert_eq!(told(&resumed), told(&whole));
    // After the last epoch there is nothing to train any more.
    let again = train(Some(&path), 1).expect("measured again");
    assert!(again.numbers == whole.numbers);
}

#[test]
fn a_state_of_another_run_or_a_damaged_one_is_refused() {
    let (dir, parts) = parts();
    let options = options();
    let path = dir.path().join("checkpoint");
    let train = |pairs: &[TextPair], options: &EncoderOptions, checkpoint: &Path| {
        let run = EncoderRun {
            parts: &parts,
            pairs,
            options,
            checkpoint: Some(checkpoint),
        };
        let ended = run.train(&mut Patience(2, Vec::new()));
        ended.expect_err("it ends early")
    };
    let stopped = train(&pairs(300), &options, &path);
    assert!(matches!(stopped, TrainError::Stopped), "{stopped}");
    let refused = train(&pairs(301), &options, &path);
    assert!(matches!(refused, TrainError::OtherRun { .. }), "{refused}");
    let other = EncoderOptions {
        rate: 1e-4,
        ..options.clone()
    };
    let refused = train(&pairs(300), &other, &path);
    assert!(matches!(refused, TrainError::OtherRun { .. }), "{refused}");
    let whole = fs::read(&path).expect("a state");
    for end in [0, 7, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..end]).expect("written");
        let refused = train(&pairs(300), &options, &path);
        assert!(matches!(refused, TrainError::Damaged { .. }), "{refused}");
    }
    let mut turned = whole;
    let middle = turned.len() / 2;
    turned[middle] ^= 1;
    fs::write(&path, turned).expect("written");
    let refused = train(&pairs(300), &options, &path);
    assert!(matches!(refused, TrainError::Damaged { .. }), "{refused}");
    let nowhere = train(&pairs(300), &options, &dir.path().join("no/folder"));
    assert!(matches!(nowhere, TrainError::Write { .. }), "{nowhere}");
}

#[test]
fn what_a_run_is_made_of_comes_back() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("input");
    let input = EncoderInput {
        base: "models/tiny".into(),
        pairs: pairs(3),
        options: options(),
    };
    input.save(&path).expect("written");
    assert_eq!(EncoderInput::load(&path).expect("read"), input);
    fs::write(&path, b"VTRNEIN1").expect("written");
    let refused = EncoderInput::load(&path).expect_err("it is cut off");
    assert!(matches!(refused, TrainError::Damaged { .. }), "{refused}");
}

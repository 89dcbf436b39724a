use super::*;
use crate::tiny::write_folder;
use crate::{LongText, Options, Precision};
use proptest::collection::vec;
use proptest::prelude::*;

const QUERY: Prefix = Prefix::Query;
const PASSAGE: Prefix = Prefix::Passage;

fn learnt(samples: &[(Prefix, &str, [f32; 2])]) -> Centring {
    let mut learner = CentringLearner::new(2);
    for (prefix, language, vector) in samples {
        learner.add(*prefix, language, vector);
    }
    learner.finish()
}

/// Enough samples for a mean that is nearly believed: 0.995 of it.
fn many(language: &str, vector: [f32; 2]) -> Vec<(Prefix, &str, [f32; 2])> {
    vec![(PASSAGE, language, vector); 995]
}

#[track_caller]
fn check(centring: &Centring, language: &str, vector: [f32; 2], expected: [f32; 2]) {
    let mut found = vector;
    centring.apply(PASSAGE, language, &mut found);
    let near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 0.02);
    assert!(near, "{found:?}, expected {expected:?}");
}

#[test]
fn what_texts_of_one_language_share_is_subtracted() {
    let samples = [many("en", [0.8, 0.6]), many("zh", [-0.8, 0.6])].concat();
    let centring = learnt(&samples);
    // Both say "up" in their language.
    check(&centring, "en", [0.8, 0.8], [0.0, 1.0]);
    check(&centring, "zh", [-0.8, 0.8], [0.0, 1.0]);
    // The mean of both is (0, 0.6).
    check(&centring, "th", [0.6, 0.8], [0.949, 0.316]);
}

#[test]
fn every_language_counts_alike_for_those_that_were_not_learnt() {
    let mut samples = vec![many("en", [1.0, 0.0]); 9].concat();
    samples.extend(many("zh", [-1.0, 0.0]));
    let centring = learnt(&samples);
    check(&centring, "th", [0.0, 1.0], [0.0, 1.0]);
}

#[test]
fn few_samples_are_drawn_to_the_mean_of_all() {
    let mut samples = many("en", [1.0, 0.0]);
    samples.extend(vec![(PASSAGE, "zh", [-1.0, 0.0]); 5]);
    let means = learnt(&samples).means[place(PASSAGE)].clone();
    let means = means.expect("passages were learnt");
    // 0.995 of one and half of the other are believed.
    let any = (0.995 - 0.5) / 1.495;
    assert!((means.any[0] - any).abs() < 1e-6);
    assert!((means.languages["zh"][0] - (any - 1.0) / 2.0).abs() < 1e-6);
}

#[test]
fn a_vector_stays_where_nothing_is_known_or_left() {
    let mean = [0.6, 0.8];
    let centring = learnt(&[(PASSAGE, "en", mean)]);
    for (prefix, vector) in [
        (QUERY, [0.0, 1.0]),
        (Prefix::None, [0.0, 1.0]),
        (PASSAGE, mean),
        (PASSAGE, [f32::MAX, f32::INFINITY]),
    ] {
        let mut found = vector;
        centring.apply(prefix, "en", &mut found);
        assert_eq!(found, vector, "{prefix:?}");
    }
    let mut found = [0.0, 1.0];
    Centring::none(2).apply(PASSAGE, "en", &mut found);
    assert_eq!(found, [0.0, 1.0]);
    assert!(Centring::none(2).is_none());
    assert!(!centring.is_none());
}

#[test]
fn a_sample_that_is_not_finite_is_passed_over() {
    let samples = [
        (PASSAGE, "en", [0.6, 0.8]),
        (PASSAGE, "en", [f32::NAN, 0.0]),
    ];
    assert_eq!(learnt(&samples), learnt(&samples[..1]));
}

#[test]
fn common_words_teach_queries_and_passages() {
    let folder = tempfile::tempdir().expect("a folder");
    write_folder(folder.path());
    let options = Options {
        precision: Precision::F32,
        threads: 1,
        long_text: LongText::Cut,
    };
    let encoder = Encoder::open(folder.path(), options).expect("a model");
    let mut learner = CentringLearner::new(encoder.dimensions());
    learner.add_common_words(&encoder).expect("means");
    let centring = learner.finish();
    for prefix in [QUERY, PASSAGE] {
        let means = centring.means[place(prefix)].as_ref();
        let languages = means.map_or(0, |means| means.languages.len());
        assert_eq!(languages, common_words().count());
    }
    assert!(centring.means[place(Prefix::None)].is_none());
}

#[test]
fn other_bytes_are_refused_with_a_reason() {
    let good = learnt(&[(PASSAGE, "en", [0.6, 0.8]), (QUERY, "zh", [1.0, 0.0])]).to_bytes();
    let edited = |at: usize, bytes: &[u8]| {
        let mut edited = good.clone();
        edited[at..at + bytes.len()].copy_from_slice(bytes);
        let content = edited.len() - 4;
        let checksum = crc32fast::hash(&edited[..content]);
        edited[content..].copy_from_slice(&checksum.to_le_bytes());
        edited
    };
    let mut changed = good.clone();
    changed[30] ^= 1;
    let mut longer = good.clone();
    longer.extend([0; 8]);
    for (bytes, expected) in [
        (Vec::new(), "not the means of an encoder"),
        (b"VTRNSEQ1 and more".to_vec(), "not the means of an encoder"),
        (edited(8, &2_u32.to_le_bytes()), "format 2"),
        (good[..10].to_vec(), "end inside their `version`"),
        (good[..good.len() - 1].to_vec(), "checksum"),
        (changed, "checksum"),
        (longer, "checksum"),
        (edited(12, &u32::MAX.to_le_bytes()), "end inside"),
        (edited(46, &u32::MAX.to_le_bytes()), "end inside"),
        (edited(24, &f32::NAN.to_le_bytes()), "not finite"),
        (edited(36, &[0xff]), "not UTF-8"),
    ] {
        let error = Centring::from_bytes(&bytes).expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

fn samples() -> impl Strategy<Value = Vec<(u8, String, Vec<f32>)>> {
    let vector = vec(-1_f32..1.0, 3);
    let language = prop_oneof![
        Just("en".to_owned()),
        Just("zh".to_owned()),
        any::<String>()
    ];
    vec((0_u8..3, language, vector), 0..40)
}

fn centring(samples: &[(u8, String, Vec<f32>)]) -> Centring {
    let mut learner = CentringLearner::new(3);
    for (prefix, language, vector) in samples {
        let prefix = [Prefix::None, QUERY, PASSAGE][usize::from(*prefix)];
        learner.add(prefix, language, vector);
    }
    learner.finish()
}

proptest! {
    #[test]
    fn means_come_back_from_their_bytes(samples in samples()) {
        let centring = centring(&samples);
        let bytes = centring.to_bytes();
        let read = Centring::from_bytes(&bytes).expect("our own bytes");
        prop_assert_eq!(&read, &centring);
        prop_assert_eq!(read.to_bytes(), bytes);
    }

    #[test]
    fn damaged_bytes_are_refused(
        samples in samples(),
        edits in vec((any::<prop::sample::Index>(), 1_u8..), 1..4),
        cut in any::<prop::sample::Index>(),
        mends in any::<bool>(),
    ) {
        let whole = centring(&samples).to_bytes();
        let mut bytes = whole.clone();
        for (at, change) in edits {
            let at = at.index(bytes.len());
            bytes[at] ^= change;
        }
        if mends {
            // Someone who wants to do harm makes the checksum right.
            let content = bytes.len() - 4;
            let checksum = crc32fast::hash(&bytes[..content]);
            bytes[content..].copy_from_slice(&checksum.to_le_bytes());
        }
        if let Ok(read) = Centring::from_bytes(&bytes) {
            prop_assert!(mends || bytes == whole);
            prop_assert_eq!(read.to_bytes(), bytes);
        }
        prop_assert!(Centring::from_bytes(&whole[..cut.index(whole.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_read(mut bytes in vec(any::<u8>(), 0..200)) {
        let mut framed = b"VTRNMEAN\x01\0\0\0".to_vec();
        framed.append(&mut bytes);
        let checksum = crc32fast::hash(&framed);
        framed.extend(checksum.to_le_bytes());
        if let Ok(read) = Centring::from_bytes(&framed) {
            prop_assert_eq!(read.to_bytes(), framed);
        }
    }

    #[test]
    fn the_order_of_samples_matters_little(samples in samples(), vector in vec(-1_f32..1.0, 3)) {
        let forth = centring(&samples);
        let back: Vec<_> = samples.into_iter().rev().collect();
        let back = centring(&back);
        for (forth, back) in forth.means.iter().zip(&back.means) {
            let (Some(forth), Some(back)) = (forth, back) else {
                prop_assert_eq!(forth.is_some(), back.is_some());
                continue;
            };
            for (language, mean) in &forth.languages {
                for (a, b) in mean.iter().zip(&back.languages[language]) {
                    prop_assert!((a - b).abs() < 1e-6);
                }
            }
        }
        let mut centred = vector.clone();
        forth.apply(PASSAGE, "en", &mut centred);
        let length = centred.iter().map(|x| x * x).sum::<f32>().sqrt();
        prop_assert!(centred == vector || (length - 1.0).abs() < 1e-5);
    }
}

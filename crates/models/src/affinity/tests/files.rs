//! What of a model's files is read, and that nothing else is.

use crate::affinity::*;
use kernels::{Cpu, Format};
use proptest::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::error::Error;

fn small() -> AffinityConfig {
    let field = |name: &str, values| FieldConfig {
        name: name.to_owned(),
        values,
    };
    AffinityConfig {
        width: 4,
        heads: 2,
        layers: 1,
        max_history: 3,
        likeness: Some(LikenessConfig {
            dimensions: 2,
            strength: 3.0,
            fading: 0.6,
        }),
        ..AffinityConfig::new(3, 5, vec![field("brand", 2), field("price", 3)])
    }
}

/// A message with those of its causes.
fn told(error: AffinityError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[track_caller]
fn refused<T>(found: Result<T, AffinityError>, expected: &[&str]) {
    let text = told(found.err().expect("refused"));
    for part in expected {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
}

#[test]
fn tensors_follow_the_table() {
    let names: Vec<String> = tensors(&small())
        .into_iter()
        .map(|spec| format!("{} {:?}", spec.name, spec.shape))
        .collect();
    let expected = "\
item.text.weight [4, 3]
item.id [5, 4]
item.field.brand [2, 4]
item.field.price [3, 4]
event.kind [8, 4]
event.gap [12, 4]
event.quantity [6, 4]
event.position [3, 4]
query.weight [4, 3]
shopper.weight [4, 3]
marks [3, 4]
layers.0.attention.norm.weight [4]
layers.0.attention.norm.bias [4]
layers.0.attention.in.weight [12, 4]
layers.0.attention.in.bias [12]
layers.0.attention.out.weight [4, 4]
layers.0.attention.out.bias [4]
layers.0.feed_forward.norm.weight [4]
layers.0.feed_forward.norm.bias [4]
layers.0.feed_forward.in.weight [16, 4]
layers.0.feed_forward.in.bias [16]
layers.0.feed_forward.out.weight [4, 16]
layers.0.feed_forward.out.bias [4]
norm.weight [4]
norm.bias [4]
actions.weight [3, 4]
actions.bias [3]
likeness.weight [2, 3]
likeness.bias [2]";
    assert_eq!(names.join("\n"), expected);

    let bare = AffinityConfig {
        text_dimensions: 0,
        items: 0,
        likeness: None,
        ..small()
    };
    let gone = |name: &str| !tensors(&bare).iter().any(|spec| spec.name == name);
    assert!(gone("item.text.weight") && gone("item.id"));
    assert!(gone("query.weight") && gone("shopper.weight"));
}

#[test]
fn settings_come_back_as_they_were() {
    let mut config = small();
    config.calibration[1] = Calibration {
        scale: 0.123_456_79,
        offset: -3.0e-7,
    };
    for queries in [false, true] {
        config.queries = queries;
        let json = config.to_json().unwrap();
        assert_eq!(AffinityConfig::from_json(&json).unwrap(), config);
        // Settings from before there were queries say nothing of them.
        let says = String::from_utf8(json).unwrap().contains("queries");
        assert_eq!(says, queries);
    }
}

#[test]
fn settings_out_of_range_are_named() {
    let check = |change: fn(&mut AffinityConfig), expected: &[&str]| {
        let mut config = small();
        change(&mut config);
        refused(config.to_json(), expected);
        refused(AffinityWeights::random(config, 1), expected);
    };
    check(|c| c.width = 0, &["width", "1 to 4096", "not 0"]);
    check(|c| c.width = usize::MAX, &["width"]);
    check(|c| c.heads = 3, &["heads", "divisor of the width 4"]);
    check(|c| c.heads = 0, &["heads"]);
    check(|c| c.layers = 1000, &["layers"]);
    check(|c| c.max_history = 0, &["max_history"]);
    check(|c| c.text_dimensions = 1 << 40, &["text_dimensions"]);
    check(|c| c.items = usize::MAX, &["items"]);
    check(|c| c.kinds = 7, &["kinds", "must be 8, not 7"]);
    check(|c| c.gaps = 1, &["gaps"]);
    check(|c| c.quantities = 99, &["quantities"]);
    check(|c| c.actions.reverse(), &["actions", "purchase"]);
    check(|c| c.calibration.truncate(2), &["calibration"]);
    check(|c| c.calibration[0].scale = f32::NAN, &["calibration"]);
    check(|c| c.query_calibration.clear(), &["query_calibration"]);
    check(
        |c| c.fields[1].name = "brand".to_owned(),
        &["fields[1].name", "once"],
    );
    check(|c| c.fields[0].name = "a.b".to_owned(), &["fields[0].name"]);
    check(|c| c.fields[0].values = 0, &["fields[0].values"]);
    fn likeness(dimensions: usize, strength: f32, fading: f32) -> Option<LikenessConfig> {
        Some(LikenessConfig {
            dimensions,
            strength,
            fading,
        })
    }
    check(
        |c| c.likeness = likeness(4, 1.0, 0.5),
        &["likeness.dimensions", "1 to 3"],
    );
    check(
        |c| c.likeness = likeness(2, f32::NAN, 0.5),
        &["likeness.strength"],
    );
    check(
        |c| c.likeness = likeness(2, 1.0, 1.5),
        &["likeness.fading", "0 to 1"],
    );
    check(|c| c.candidate_layers = 3, &["candidate_layers", "must be"]);
    check(|c| c.format = 1, &["format 1", "reads format 2", "train"]);
}

#[test]
fn a_newer_format_is_refused_whatever_else_it_says() {
    refused(
        AffinityConfig::from_json(br#"{"format": 7, "anew": true}"#),
        &["format 7", "reads format 2"],
    );
    refused(AffinityConfig::from_json(b"{}"), &["format"]);
    let json = String::from_utf8(small().to_json().unwrap()).unwrap();
    let more = json.replacen('{', r#"{"widht": 4,"#, 1);
    refused(AffinityConfig::from_json(more.as_bytes()), &["widht"]);
}

#[test]
fn weights_come_back_as_they_were() {
    let bare = AffinityConfig {
        text_dimensions: 0,
        items: 0,
        fields: Vec::new(),
        likeness: None,
        ..small()
    };
    for config in [small(), bare] {
        let weights = AffinityWeights::random(config.clone(), 3).unwrap();
        let read = AffinityWeights::from_safetensors(config, &weights.to_safetensors()).unwrap();
        assert_eq!(read, weights);
    }
}

/// Name, type, shape and bytes.
type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

/// The file of a model after a change of its tensors.
fn changed(change: impl Fn(&mut Vec<Tensor>)) -> Vec<u8> {
    let file = AffinityWeights::random(small(), 3)
        .unwrap()
        .to_safetensors();
    let read = SafeTensors::deserialize(&file).unwrap();
    let mut tensors: Vec<_> = read
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            (
                name,
                view.dtype(),
                view.shape().to_vec(),
                view.data().to_vec(),
            )
        })
        .collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn other_tensors_are_named() {
    let check = |file: Vec<u8>, expected: &[&str]| {
        refused(AffinityWeights::from_safetensors(small(), &file), expected);
    };
    check(
        changed(|all| all.retain(|tensor| tensor.0 != "marks")),
        &["marks", "missing", "[3, 4]"],
    );
    let extra = ("other".to_owned(), Dtype::F32, vec![1], vec![0; 4]);
    check(
        changed(|all| all.push(extra.clone())),
        &["other", "not one"],
    );
    let with = |name: &'static str, change: fn(&mut Tensor)| {
        changed(|all| change(all.iter_mut().find(|tensor| tensor.0 == name).unwrap()))
    };
    check(
        with("marks", |t| t.2 = vec![4, 3]),
        &["marks", "[4, 3]", "expected [3, 4]"],
    );
    check(
        with("norm.bias", |t| t.1 = Dtype::I32),
        &["norm.bias", "I32", "F32"],
    );
    check(
        with("norm.bias", |t| {
            t.3[8..12].copy_from_slice(&f32::NAN.to_le_bytes())
        }),
        &["norm.bias", "NaN at 2"],
    );
    check(
        with("norm.bias", |t| {
            t.3[..4].copy_from_slice(&1e5_f32.to_le_bytes())
        }),
        &["norm.bias", "100000 at 0"],
    );
    check(Vec::new(), &["safetensors"]);
    refused(
        AffinityWeights::new(small(), vec![0.0; 17]),
        &["17 numbers"],
    );
}

proptest! {
    #[test]
    fn damaged_files_are_refused_or_read(
        cut in any::<prop::sample::Index>(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        in_header in any::<bool>(),
    ) {
        let whole = AffinityWeights::random(small(), 3).unwrap().to_safetensors();
        let short = &whole[..cut.index(whole.len())];
        prop_assert!(AffinityWeights::from_safetensors(small(), short).is_err());

        let mut hit = whole.clone();
        let reach = if in_header { 600 } else { hit.len() };
        for (at, byte) in &hits {
            hit[at.index(reach)] = *byte;
        }
        let _ = AffinityWeights::from_safetensors(small(), &hit);

        let json = small().to_json().unwrap();
        prop_assert!(AffinityConfig::from_json(&json[..cut.index(json.len() - 1)]).is_err());
        let mut hit = json;
        for (at, byte) in &hits {
            let at = at.index(hit.len());
            hit[at] = *byte;
        }
        let _ = AffinityConfig::from_json(&hit);
    }
}

fn trained() -> AffinityFiles {
    AffinityFiles {
        weights: AffinityWeights::random(small(), 3).unwrap(),
        items: ["a", "b", "ü", "", "e"].map(str::to_owned).to_vec(),
    }
}

#[test]
fn a_folder_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    trained().write(folder.path()).unwrap();
    assert_eq!(AffinityFiles::read(folder.path()).unwrap(), trained());
    let cpu = Cpu::detect().unwrap();
    let (model, items) = Affinity::open(folder.path(), cpu, Format::Float).unwrap();
    assert_eq!((model.config(), items), (&small(), trained().items));
}

#[test]
fn a_file_that_is_missing_or_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "items.json", "model.safetensors"] {
        trained().write(folder.path()).unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, b"{").unwrap();
        refused(
            AffinityFiles::read(folder.path()),
            &[name, "cannot be used"],
        );
        std::fs::remove_file(&path).unwrap();
        refused(AffinityFiles::read(folder.path()), &[name, "cannot read"]);
    }
    let items = |items: &str, expected: &[&str]| {
        trained().write(folder.path()).unwrap();
        std::fs::write(folder.path().join("items.json"), items).unwrap();
        refused(AffinityFiles::read(folder.path()), expected);
    };
    items("[]", &["items.json", "0 ids for 5 rows"]);
    items(r#"["a","b","c","b","d"]"#, &["\"b\"", "rows 1 and 3"]);
    items(r#"["a","b","c",4,"d"]"#, &["items.json", "JSON"]);
    let short = AffinityFiles {
        items: Vec::new(),
        ..trained()
    };
    refused(short.write(folder.path()), &["0 ids"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_folder_is_refused_or_read(
        name in prop::sample::select(vec!["config.json", "items.json", "model.safetensors"]),
        cut in any::<prop::sample::Index>(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        trained().write(folder.path()).unwrap();
        let path = folder.path().join(name);
        let whole = std::fs::read(&path).unwrap();

        // The settings end with a line break, which nobody would miss.
        let short = &whole[..cut.index(whole.len() - 1)];
        std::fs::write(&path, short).unwrap();
        refused(AffinityFiles::read(folder.path()), &[name]);

        let mut hit = whole;
        for (at, byte) in &hits {
            let at = at.index(hit.len());
            hit[at] = *byte;
        }
        std::fs::write(&path, hit).unwrap();
        let cpu = Cpu::detect().unwrap();
        if let Ok((model, _)) = Affinity::open(folder.path(), cpu, Format::Float) {
            let mut room = AffinityRoom::default();
            let history = model.history(None, &[], &mut room);
            let mut out = Vec::new();
            let candidate = vec![0.5; model.config().vector_size()];
            model.score(&history, None, &candidate, &mut room, &mut out);
            prop_assert!((0.0..=1.0).contains(&out[0].cart));
        }
    }
}

use super::*;
use crate::probe::{probe_safetensors, probe_shape};
use crate::tiny::{Entry, Numbers, entries, safetensors, with_header};
use crate::weights::Weights;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

fn open(bytes: Vec<u8>) -> Result<MappedWeights, ModelError> {
    Safetensors::parse(Bytes::Held(bytes), Path::new("m"))?.network(&probe_shape())
}

/// The one tensor of this name.
fn entry<'a>(entries: &'a mut [Entry], name: &str) -> &'a mut Entry {
    entries
        .iter_mut()
        .find(|entry| entry.name == name)
        .expect("the tiny network has this tensor")
}

#[test]
fn every_tensor_is_read_from_its_place() {
    let entries = entries(&probe_shape());
    let weights = open(safetensors(&entries)).expect("the file is whole");
    let floats = |name: &str| -> Vec<f32> {
        let entry = entries.iter().find(|entry| entry.name == name);
        let bytes = &entry.expect("the tiny network has this tensor").bytes;
        let floats = bytes.as_chunks().0;
        floats
            .iter()
            .map(|&float| f32::from_le_bytes(float))
            .collect()
    };
    for tensor in Tensor::all(2) {
        assert_eq!(weights.read(tensor), floats(&names(tensor).0), "{tensor:?}");
    }
    let words = floats("embeddings.word_embeddings.weight");
    for token in 0..16 {
        let mut row = [0.0; 4];
        weights.word(token, &mut row);
        assert_eq!(row, words[token as usize * 4..][..4]);
    }
}

#[test]
fn names_and_heads_of_other_exports_are_understood() {
    let plain = entries(&probe_shape());
    let expected = open(safetensors(&plain)).expect("the file is whole");
    let same = |what: &str, entries: &[Entry]| {
        let weights = open(safetensors(entries)).unwrap_or_else(|error| panic!("{what}: {error}"));
        for tensor in Tensor::all(2) {
            assert_eq!(weights.read(tensor), expected.read(tensor), "{what}");
        }
    };

    let mut prefixed = plain.clone();
    for entry in &mut prefixed {
        entry.name = format!("bert.{}", entry.name);
    }
    let numbers = &mut Numbers::new(1);
    prefixed.push(Entry::floats("cls.predictions.bias", &[16], numbers));
    prefixed.push(Entry::floats("bert.pooler.dense.bias", &[4], numbers));
    same("prefix", &prefixed);

    let mut old = plain.clone();
    for entry in &mut old {
        entry.name = entry.name.replace("LayerNorm.weight", "LayerNorm.gamma");
        entry.name = entry.name.replace("LayerNorm.bias", "LayerNorm.beta");
    }
    same("old names", &old);

    let mut heads = plain.clone();
    heads.push(Entry::floats("pooler.dense.weight", &[4, 4], numbers));
    heads.push(Entry {
        name: "embeddings.position_ids".to_owned(),
        kind: "I64",
        shape: vec![1, 8],
        bytes: vec![0; 64],
    });
    same("heads", &heads);
}

#[test]
fn sixteen_bits_are_widened() {
    let mut entries = entries(&probe_shape());
    let norm = entry(&mut entries, "embeddings.LayerNorm.weight");
    norm.kind = "F16";
    norm.bytes = [0x3c00u16, 0xc000, 0x3555, 0x0001]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect();
    let bias = entry(&mut entries, "embeddings.LayerNorm.bias");
    bias.kind = "BF16";
    bias.bytes = [0x3f80u16, 0xc000, 0x3eab, 0x0000]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect();
    let weights = open(safetensors(&entries)).expect("the file is whole");
    let norm = weights.read(Tensor::EmbeddingNorm(Part::Weight));
    assert_eq!(norm, [1.0, -2.0, 0.333_251_95, 2f32.powi(-24)]);
    let bias = weights.read(Tensor::EmbeddingNorm(Part::Bias));
    assert_eq!(bias, [1.0, -2.0, 0.333_984_38, 0.0]);
}

#[test]
fn damaged_tensors_are_refused_by_name() {
    let check = |damage: fn(&mut Vec<Entry>), message: &str| {
        let mut entries = entries(&probe_shape());
        damage(&mut entries);
        let error = open(safetensors(&entries)).expect_err(message);
        assert_eq!(error.to_string(), message);
    };
    check(
        |entries| entries.retain(|entry| entry.name != "encoder.layer.1.output.dense.bias"),
        "m has no tensor `encoder.layer.1.output.dense.bias`, expected with shape [4]",
    );
    check(
        |entries| entries.retain(|entry| entry.name != "embeddings.word_embeddings.weight"),
        "m has no tensor `embeddings.word_embeddings.weight`, expected with shape [16, 4]",
    );
    check(
        |entries| entry(entries, "encoder.layer.0.intermediate.dense.weight").shape = vec![4, 8],
        "m: tensor `encoder.layer.0.intermediate.dense.weight` has shape [4, 8], \
         expected [8, 4]",
    );
    check(
        |entries| {
            let words = entry(entries, "embeddings.word_embeddings.weight");
            words.shape = vec![15, 4];
            words.bytes.truncate(15 * 16);
        },
        "m: tensor `embeddings.word_embeddings.weight` has shape [15, 4], expected [16, 4]",
    );
    check(
        |entries| entry(entries, "embeddings.LayerNorm.bias").kind = "I32",
        "m: tensor `embeddings.LayerNorm.bias` is of type I32, expected F32, F16 or BF16",
    );
    check(
        |entries| entry(entries, "embeddings.LayerNorm.bias").kind = "F8_E4M3",
        "m: tensor `embeddings.LayerNorm.bias` is of type F8_E4M3, expected F32, F16 or BF16",
    );
    check(
        |entries| {
            entry(entries, "embeddings.LayerNorm.bias")
                .bytes
                .truncate(12)
        },
        "m: tensor `embeddings.LayerNorm.bias` of shape [4] needs 16 bytes, \
         but the file gives it 12",
    );
    check(
        |entries| entry(entries, "embeddings.LayerNorm.bias").shape = vec![usize::MAX, 2],
        "m: tensor `embeddings.LayerNorm.bias` of shape [18446744073709551615, 2] needs \
         18446744073709551615 bytes, but the file gives it 16",
    );
    check(
        |entries| {
            let numbers = &mut Numbers::new(1);
            entries.push(Entry::floats(
                "encoder.layer.2.output.dense.bias",
                &[4],
                numbers,
            ));
        },
        "m: tensor `encoder.layer.2.output.dense.bias` belongs to no BERT network of 2 layers",
    );
    check(
        |entries| entries.push(Entry::floats("lm_head.bias", &[4], &mut Numbers::new(1))),
        "m: tensor `lm_head.bias` belongs to no BERT network of 2 layers",
    );
    check(
        |entries| {
            let twin = entry(entries, "embeddings.LayerNorm.bias").clone();
            entries.push(twin);
        },
        "m names tensor `embeddings.LayerNorm.bias` twice",
    );
}

#[test]
fn a_damaged_file_is_refused_with_the_place() {
    let check = |file: Vec<u8>, message: &str| {
        let error = open(file).expect_err(message);
        assert_eq!(error.to_string(), message);
    };
    let whole = safetensors(&entries(&probe_shape()));
    let data: usize = entries(&probe_shape())
        .iter()
        .map(|entry| entry.bytes.len())
        .sum();

    check(
        Vec::new(),
        "m ends inside its `header length`; copy the file again",
    );
    check(
        whole[..7].to_vec(),
        "m ends inside its `header length`; copy the file again",
    );
    check(
        whole[..99].to_vec(),
        "m ends inside its `header`; copy the file again",
    );
    check(
        whole[..whole.len() - 1].to_vec(),
        &format!(
            "m: tensor `encoder.layer.1.output.dense.weight` of shape [4, 8] lies at bytes \
             {} to {data}, but the file ends at {}; copy the file again",
            data - 128,
            data - 1
        ),
    );
    check(
        [whole.as_slice(), &[0; 3]].concat(),
        "m has 3 bytes behind its last tensor",
    );
    check(
        u64::MAX.to_le_bytes().to_vec(),
        "m: `header length` is 18446744073709551615, but this build needs 16777216 or less",
    );
    for header in [
        "",
        "[]",
        "{\"a\":1}",
        "{\"a\":{\"dtype\":\"F32\"}}",
        "\u{0}",
    ] {
        check(
            with_header(header, &[]),
            "m is not the JSON that belongs there",
        );
    }
    let place = |offsets: &str| {
        format!(
            r#"{{"a":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}},
                "b":{{"dtype":"U8","shape":[4],"data_offsets":{offsets}}}}}"#
        )
    };
    check(
        with_header(&place("[2,6]"), &[0; 8]),
        "m: the data of tensor `b` begins at byte 2, where 4 is due",
    );
    check(
        with_header(&place("[5,9]"), &[0; 9]),
        "m: the data of tensor `b` begins at byte 5, where 4 is due",
    );
    check(
        with_header(&place("[4,2]"), &[0; 8]),
        "m: tensor `b` of shape [4] needs 4 bytes, but the file gives it 0",
    );
    check(
        with_header("{}", &[]),
        "m has no tensor `embeddings.word_embeddings.weight`, expected with shape [16, 4]",
    );
}

proptest! {
    /// Cut short anywhere, the file is refused; with bytes changed it may be refused, and
    /// what is accepted can be read.
    #[test]
    fn damage_never_panics(
        cut in any::<Index>(),
        flips in vec((any::<Index>(), 1u8..), 1..4),
        only_header in any::<bool>(),
    ) {
        let whole = safetensors(&entries(&probe_shape()));
        prop_assert!(probe_safetensors(&whole[..cut.index(whole.len())]).is_err());
        let mut flipped = whole.clone();
        let range = if only_header { 4800 } else { whole.len() };
        for (at, bits) in flips {
            flipped[at.index(range)] ^= bits;
        }
        let _ = probe_safetensors(&flipped);
    }
}

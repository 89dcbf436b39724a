use super::*;
use crate::probe::probe_packed;
use crate::tiny::{Packed, PackedTensor};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

fn open_bytes(bytes: Vec<u8>) -> Result<Model, ModelError> {
    open(Bytes::Held(bytes), Path::new("m"))
}

fn tensor<'a>(packed: &'a mut Packed, name: &str) -> &'a mut PackedTensor {
    packed
        .tensors
        .iter_mut()
        .find(|tensor| tensor.name == name)
        .expect("the tiny file has this tensor")
}

/// Weights as the format describes them, block by block.
fn unpack(tensor: &PackedTensor) -> Vec<f32> {
    if tensor.kind == 0 {
        let floats = tensor.bytes.as_chunks().0;
        return floats
            .iter()
            .map(|&float| f32::from_le_bytes(float))
            .collect();
    }
    let mut weights = Vec::new();
    for block in tensor.bytes.chunks(18) {
        // The writer gives every block the scale 1/16.
        weights.extend(
            block[2..]
                .iter()
                .map(|byte| (f32::from(byte & 15) - 8.0) / 16.0),
        );
        weights.extend(
            block[2..]
                .iter()
                .map(|byte| (f32::from(byte >> 4) - 8.0) / 16.0),
        );
    }
    weights
}

#[test]
fn every_tensor_is_read_from_its_place() {
    let packed = Packed::new();
    let model = open_bytes(packed.bytes()).expect("the file is whole");
    assert_eq!(model.weights.shape(), &packed.shape);
    let find = |wanted: &str| {
        let found = packed.tensors.iter().find(|tensor| tensor.name == wanted);
        unpack(found.expect("the tiny file has this tensor"))
    };
    for tensor in Tensor::all(packed.shape.layers) {
        assert_eq!(
            model.weights.read(tensor),
            find(&name(tensor)),
            "{tensor:?}"
        );
    }
    let words = find("emb.word");
    for token in 0..packed.shape.vocabulary {
        let mut row = [0.0; 32];
        model.weights.word(token as u32, &mut row);
        assert_eq!(row, words[token * 32..][..32]);
    }
}

#[test]
fn it_is_an_e5_model() {
    let model = open_bytes(Packed::new().bytes()).expect("the file is whole");
    assert_eq!((model.tokenizer.start, model.tokenizer.end), (0, 2));
    assert_eq!(model.pooling, Pooling::Mean);
    assert_eq!(model.query_prefix, "query: ");
    assert_eq!(model.passage_prefix, "passage: ");
    assert_eq!(model.max_tokens, 8);
    let tokens = model.tokenizer.content("red 手机s xx").expect("it is text");
    assert_eq!(tokens, [5, 10, 13, 4, 3]);
}

#[test]
fn damage_is_refused_by_the_name_of_the_field() {
    let check = |damage: fn(&mut Packed), message: &str| {
        let mut packed = Packed::new();
        damage(&mut packed);
        let error = open_bytes(packed.bytes()).expect_err(message);
        assert_eq!(error.to_string(), message);
    };
    check(
        |packed| packed.shape.hidden = 0,
        "m: `hidden` is 0, but this build needs a number from 1 to 8192",
    );
    check(
        |packed| packed.shape.layers = u32::MAX as usize,
        "m: `layers` is 4294967295, but this build needs a number from 1 to 256",
    );
    check(
        |packed| packed.shape.heads = 5,
        "m: `heads` is 5, but this build needs a divisor of 32, the hidden",
    );
    check(
        |packed| packed.shape.feed_forward = 65,
        "m: `feed-forward` is 65, but this build needs a multiple of 32",
    );
    check(
        |packed| packed.shape.positions = 2,
        "m: `positions` is 2, but this build needs room for a token between the two special \
         ones",
    );
    check(
        |packed| packed.shape.epsilon = f32::NAN,
        "m: `layer-norm epsilon` is NaN, but this build needs a number above 0 and below 1",
    );
    check(
        |packed| packed.block = 64,
        "m: `block size` is 64, but this build needs 32",
    );
    check(
        |packed| packed.pieces.extend([("x", -1.0); 6]),
        "m: `pieces` is 21, but this build needs a number from 1 to 20, the vocabulary",
    );
    check(
        |packed| packed.special[1] = 15,
        "m: `</s>` is 15, but this build needs the number of one of 15 pieces",
    );
    check(
        |packed| packed.pieces[7].1 = f32::INFINITY,
        "m: `piece scores` is inf at piece 7, but this build needs a finite number",
    );
    check(
        |packed| packed.tensors.retain(|tensor| tensor.name != "l0.fo.w"),
        "m has no tensor `l0.fo.w`, expected with shape [32, 64]",
    );
    check(
        |packed| {
            let bias = tensor(packed, "l0.fi.b");
            bias.weights = 63;
            bias.bytes.truncate(63 * 4);
        },
        "m: tensor `l0.fi.b` has 63 weights, expected [64]",
    );
    check(
        |packed| {
            let words = tensor(packed, "emb.word");
            words.weights -= 32;
            words.bytes.truncate(19 * 18);
        },
        "m: tensor `emb.word` has 608 weights, expected [20, 32]",
    );
    check(
        |packed| tensor(packed, "l0.q.w").kind = 2,
        "m: tensor `l0.q.w` is of type 2, expected 0 (f32) or 1 (four bits)",
    );
    check(
        |packed| tensor(packed, "l0.q.w").bytes.truncate(570),
        "m: tensor `l0.q.w` of shape [1024] needs 576 bytes, but the file gives it 570",
    );
    check(
        |packed| tensor(packed, "emb.ln.w").name = "emb.ln.b".to_owned(),
        "m names tensor `emb.ln.b` twice",
    );
    check(
        |packed| {
            let mut stray = tensor(packed, "emb.ln.b").clone();
            stray.name = "l1.oln.b".to_owned();
            packed.tensors.push(stray);
        },
        "m: tensor `l1.oln.b` belongs to no BERT network of 1 layers",
    );
}

#[test]
fn a_damaged_file_is_refused_with_the_place() {
    let check = |damage: fn(&mut Vec<u8>), message: &str| {
        let mut bytes = Packed::new().bytes();
        damage(&mut bytes);
        let error = open_bytes(bytes).expect_err(message);
        assert_eq!(error.to_string(), message);
    };
    check(Vec::clear, "m ends inside its `magic`; copy the file again");
    check(
        |bytes| bytes[4] = 2,
        "m is format 2, but this build reads format 1",
    );
    check(
        |bytes| bytes.truncate(30),
        "m ends inside its `positions`; copy the file again",
    );
    check(
        |bytes| bytes.truncate(130),
        "m ends inside its `piece offsets`; copy the file again",
    );
    // The length of the piece text.
    check(
        |bytes| bytes[64..72].fill(0xff),
        "m ends inside its `piece text`; copy the file again",
    );
    // The offset of the second piece.
    check(
        |bytes| bytes[76] = 200,
        "m: `piece offsets` is 0 to 200 at piece 0, but this build needs rising offsets of \
         whole characters up to 49",
    );
    check(
        |bytes| bytes[72] = 4,
        "m: `piece offsets` is 4 to 3 at piece 0, but this build needs rising offsets of \
         whole characters up to 49",
    );
    // The first byte of the piece text.
    check(
        |bytes| bytes[72 + 16 * 4 + 15 * 4] = 0xff,
        "m: `piece text` is no UTF-8 at byte 0, but this build needs UTF-8",
    );

    let whole = Packed::new().bytes();
    let end = whole.len();
    let error = open_bytes(whole[..end - 1].to_vec()).expect_err("the last tensor is cut");
    assert_eq!(
        error.to_string(),
        format!(
            "m: tensor `l0.oln.b` of shape [32] lies at bytes {} to {end}, but the file ends \
             at {}; copy the file again",
            end - 128,
            end - 1
        )
    );
}

proptest! {
    /// Cut short anywhere, the file is refused; with bytes changed it may be refused, and
    /// what is accepted can be read and cuts any text.
    #[test]
    fn damage_never_panics(
        cut in any::<Index>(),
        flips in vec((any::<Index>(), 1u8..), 1..4),
        only_header in any::<bool>(),
        text in ".{0,20}",
    ) {
        let whole = Packed::new().bytes();
        prop_assert!(probe_packed(&whole[..cut.index(whole.len())], &text).is_err());
        let mut flipped = whole.clone();
        let range = if only_header { 900 } else { whole.len() };
        for (at, bits) in flips {
            flipped[at.index(range)] ^= bits;
        }
        let _ = probe_packed(&flipped, &text);
    }
}

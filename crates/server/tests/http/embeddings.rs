//! The embeddings of the OpenAI convention, over a model that knows no language.

use crate::shop::{Answer, Shop};
use serde_json::{Value, json};
use server::Limits;
use std::fs;
use std::thread;
use std::time::Duration;
use testkit::{ENCODER_DIMENSIONS, ENCODER_TOKENS};

const PATH: &str = "/v1/embeddings";

/// A server whose data folder has the model `tiny`.
fn shop_with(key: Option<&str>, limits: Limits) -> Shop {
    let shop = Shop::with(key, limits);
    let folder = shop.dir.path().join("models/encoder/tiny");
    fs::create_dir_all(&folder).expect("our own folder");
    for (path, bytes) in testkit::tiny_encoder(7) {
        fs::write(folder.join(path), bytes).expect("our own folder");
    }
    shop
}

fn shop() -> Shop {
    shop_with(None, Limits::default())
}

fn ask(shop: &Shop, input: Value) -> Value {
    let answer = shop.post(PATH, json!({"model": "tiny", "input": input}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn floats(embedding: &Value) -> Vec<f32> {
    let numbers = embedding.as_array().expect("an array").iter();
    numbers
        .map(|number| number.as_f64().expect("a number") as f32)
        .collect()
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

/// Status, type, parameter and code of an error in the shape of the convention.
#[track_caller]
fn refusal(answer: &Answer) -> (u16, String, String, String) {
    let body = answer.json();
    let error = &body["error"];
    let text = |name: &str| match &error[name] {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        other => panic!("{name} is {other}"),
    };
    assert!(text("message").len() > 10, "{body}");
    assert_eq!(
        body.as_object().map(serde_json::Map::len),
        Some(1),
        "{body}"
    );
    (answer.status, text("type"), text("param"), text("code"))
}

#[track_caller]
fn check(shop: &Shop, body: Value, param: &str, code: &str) {
    let answer = shop.post(PATH, body);
    let expected = (
        400,
        "invalid_request_error".to_owned(),
        param.to_owned(),
        code.to_owned(),
    );
    assert_eq!(refusal(&answer), expected);
}

#[test]
fn a_text_and_several_texts_have_vectors_of_length_one() {
    let shop = shop();
    let one = ask(&shop, json!("red mug"));
    assert_eq!(one["object"], "list");
    assert_eq!(one["model"], "tiny");
    // Two words and the two special tokens.
    assert_eq!(one["usage"], json!({"prompt_tokens": 4, "total_tokens": 4}));
    let several = ask(&shop, json!(["lamp", "red mug", "", "🙂"]));
    let data = several["data"].as_array().expect("an array");
    assert_eq!(data.len(), 4);
    for (place, row) in data.iter().enumerate() {
        assert_eq!(
            (&row["object"], &row["index"]),
            (&json!("embedding"), &json!(place))
        );
        let vector = floats(&row["embedding"]);
        assert_eq!(vector.len(), ENCODER_DIMENSIONS);
        assert!((length(&vector) - 1.0).abs() < 1e-4, "{vector:?}");
    }
    // A text has the same vector whatever comes with it.
    assert_eq!(data[1]["embedding"], one["data"][0]["embedding"]);
    assert_ne!(data[0]["embedding"], data[1]["embedding"]);
}

#[test]
fn a_long_text_is_cut_and_counts_as_what_was_read() {
    let shop = shop();
    let long = ask(&shop, json!("red ".repeat(25_000)));
    assert_eq!(long["usage"]["prompt_tokens"], json!(ENCODER_TOKENS));
}

#[test]
fn base64_has_the_same_numbers() {
    let shop = shop();
    let body = |format: &str| json!({"model": "tiny", "input": "red mug", "encoding_format": format, "user": "ann", "unheard_of": 1});
    let plain = shop.post(PATH, body("float")).json();
    let packed = shop.post(PATH, body("base64")).json();
    let text = packed["data"][0]["embedding"].as_str().expect("a string");
    let bytes = unpacked(text);
    let numbers: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
        .collect();
    assert_eq!(numbers, floats(&plain["data"][0]["embedding"]));
    assert_eq!(packed["usage"], plain["usage"]);
}

/// Base 64, bit by bit.
fn unpacked(text: &str) -> Vec<u8> {
    let mut bits = Vec::new();
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            other => panic!("{other} is no letter of base 64"),
        };
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    bits.chunks_exact(8)
        .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}

#[test]
fn fewer_dimensions_are_the_first_ones_made_longer() {
    let shop = shop();
    let whole = floats(&ask(&shop, json!("blue shoe"))["data"][0]["embedding"]);
    let body = json!({"model": "tiny", "input": "blue shoe", "dimensions": 8});
    let short = floats(&shop.post(PATH, body).json()["data"][0]["embedding"]);
    assert_eq!(short.len(), 8);
    let scale = length(&whole[..8]);
    for (short, whole) in short.iter().zip(&whole) {
        assert!((short * scale - whole).abs() < 1e-6);
    }
    for dimensions in [
        json!(0),
        json!(ENCODER_DIMENSIONS + 1),
        json!("8"),
        json!(-1),
    ] {
        let body = json!({"model": "tiny", "input": "a", "dimensions": dimensions});
        check(&shop, body, "dimensions", "invalid_dimensions");
    }
}

#[test]
fn the_kind_of_a_text_selects_its_prefix() {
    let shop = shop();
    let vector = |kind: Value| {
        let body = json!({"model": "tiny", "input": "mug", "input_type": kind});
        let answer = shop.post(PATH, body).json();
        (
            answer["data"][0]["embedding"].clone(),
            answer["usage"]["total_tokens"].clone(),
        )
    };
    let (plain, query, passage) = (
        vector(Value::Null),
        vector(json!("query")),
        vector(json!("passage")),
    );
    assert_eq!((&plain.1, &query.1), (&json!(3), &json!(5)));
    assert_ne!(query.0, passage.0);
    let spelt = ask(&shop, json!("query: mug"));
    assert_eq!(spelt["data"][0]["embedding"], query.0);
    let body = json!({"model": "tiny", "input": "a", "input_type": "clustering"});
    check(&shop, body, "input_type", "invalid_input_type");
}

#[test]
fn what_is_asked_wrongly_is_refused_in_the_shape_of_the_convention() {
    let shop = shop();
    let input = |input: Value| json!({"model": "tiny", "input": input});
    check(&shop, json!({"model": "tiny"}), "input", "missing_input");
    check(&shop, json!({"input": "a"}), "model", "missing_model");
    check(
        &shop,
        json!({"input": "a", "model": 3}),
        "model",
        "invalid_model",
    );
    for wrong in [
        json!([]),
        json!(7),
        json!({"text": "a"}),
        json!(["a", null]),
        json!([1, 2, 3]),
        json!([[1, 2], [3]]),
        json!(["a", 5]),
    ] {
        check(&shop, input(wrong), "input", "invalid_input");
    }
    let tokens = shop.post(PATH, input(json!([[1, 2]]))).json();
    let message = tokens["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("token ids"), "{message}");
    let body = json!({"model": "tiny", "input": "a", "encoding_format": "hex"});
    check(&shop, body, "encoding_format", "invalid_encoding_format");
    let broken = shop.send("POST", PATH, Some("application/json"), Some(b"{".to_vec()));
    assert_eq!(refusal(&broken).3, "malformed_payload");
    assert_eq!(refusal(&shop.get(PATH)).0, 405);
    assert_eq!(refusal(&shop.get("/v1/nothing")).0, 404);
}

#[test]
fn limits_hold() {
    let shop = shop_with(
        None,
        Limits {
            embedding_texts: 3,
            embedding_characters: 10,
            request_bytes: 1_000,
            ..Limits::default()
        },
    );
    let input = |input: Value| json!({"model": "tiny", "input": input});
    check(
        &shop,
        input(json!(["a", "b", "c", "d"])),
        "input",
        "invalid_input",
    );
    check(
        &shop,
        input(json!("x".repeat(11))),
        "input",
        "invalid_input",
    );
    assert_eq!(
        shop.post(PATH, input(json!(["手", "手机", "abcdefg"])))
            .status,
        200
    );
    let large = shop.post(PATH, input(json!("x".repeat(2_000))));
    assert_eq!(
        (refusal(&large).0, refusal(&large).3),
        (413, "payload_too_large".to_owned())
    );
}

#[test]
fn a_model_that_is_not_there_is_said_to_be_missing() {
    let shop = shop();
    for name in [
        "minilm",
        "text-embedding-3-small",
        "../tiny",
        "models/encoder/tiny",
        "",
    ] {
        let answer = shop.post(PATH, json!({"model": name, "input": "a"}));
        let (status, kind, param, code) = refusal(&answer);
        assert_eq!(
            (status, kind.as_str(), param.as_str(), code.as_str()),
            (404, "invalid_request_error", "model", "model_not_found"),
            "{name}"
        );
    }
    let message = shop
        .post(PATH, json!({"model": "minilm", "input": "a"}))
        .json();
    let message = message["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("vitrine model pull minilm"), "{message}");
    let models = shop.get("/v1/models").json();
    assert_eq!(models["object"], "list");
    assert_eq!(models["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(models["data"][0]["id"], "tiny");
    assert_eq!(models["data"][0]["object"], "model");
    assert!(
        models["data"][0]["created"]
            .as_u64()
            .is_some_and(|at| at > 0)
    );
}

#[test]
fn a_damaged_model_is_a_fault_of_ours() {
    let shop = shop();
    let weights = shop
        .dir
        .path()
        .join("models/encoder/tiny/model.safetensors");
    let bytes = fs::read(&weights).expect("our own file");
    fs::write(&weights, &bytes[..bytes.len() / 2]).expect("our own file");
    let answer = shop.post(PATH, json!({"model": "tiny", "input": "a"}));
    let (status, kind, _, code) = refusal(&answer);
    assert_eq!(
        (status, kind.as_str(), code.as_str()),
        (500, "server_error", "internal")
    );
    // Once it is mended it is opened, without a restart.
    fs::write(&weights, &bytes).expect("our own file");
    ask(&shop, json!("a"));
}

#[test]
fn the_key_is_asked_for_in_the_same_shape() {
    let key = "0123456789abcdef";
    let body = json!({"model": "tiny", "input": "a"});
    let shop = shop_with(Some(key), Limits::default());
    let (status, kind, _, code) = refusal(&shop.post(PATH, body.clone()));
    assert_eq!(
        (status, kind.as_str(), code.as_str()),
        (401, "authentication_error", "missing_authorization_header")
    );
    let wrong = shop.header("Authorization", "Bearer 0123456789abcdeF");
    let (status, _, _, code) = refusal(&wrong.post(PATH, body.clone()));
    assert_eq!((status, code.as_str()), (401, "invalid_api_key"));
    // Elsewhere the other convention holds.
    assert_eq!(
        wrong.get("/stats").error(),
        (403, "invalid_api_key".to_owned())
    );
    let right =
        shop_with(Some(key), Limits::default()).header("Authorization", "Bearer 0123456789abcdef");
    assert_eq!(right.post(PATH, body).status, 200);
}

#[test]
fn whoever_waits_too_long_is_told_to_come_back() {
    let mut limits = Limits::default();
    limits.encoding.deadline = Duration::ZERO;
    // Nothing is small enough to be encoded by its caller, so everything waits.
    limits.encoding.batch_bytes = 1;
    let shop = shop_with(None, limits);
    let answer = shop.post(PATH, json!({"model": "tiny", "input": "red"}));
    let (status, kind, _, code) = refusal(&answer);
    assert_eq!(
        (status, kind.as_str(), code.as_str()),
        (503, "server_error", "embedding_deadline_exceeded")
    );
    assert!(answer.headers.contains_key("retry-after"));
}

#[test]
fn many_clients_at_once_get_their_own_vectors() {
    let shop = shop();
    let texts = ["red mug", "blue lamp", "shoes", "red shoe", "mug", "lamp !"];
    let expected: Vec<Value> = texts
        .iter()
        .map(|text| ask(&shop, json!(text))["data"][0]["embedding"].clone())
        .collect();
    thread::scope(|scope| {
        for client in 0..8 {
            let (shop, expected) = (&shop, &expected);
            scope.spawn(move || {
                for round in 0..20 {
                    let place = (client + round) % texts.len();
                    let answer = ask(shop, json!([texts[place], texts[0]]));
                    assert_eq!(answer["data"][0]["embedding"], expected[place]);
                    assert_eq!(answer["data"][1]["embedding"], expected[0]);
                }
            });
        }
    });
}

use super::*;
use crate::folder::Pooling;
use crate::tiny::{TOKENS, tokenizer_json, write_folder};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

/// The tiny folder, under a name of its own so that the name can say something.
fn folder(name: &str) -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().expect("there is room for tests");
    let folder = parent.path().join(name);
    fs::create_dir_all(folder.join("1_Pooling")).expect("the test folder is ours");
    write_folder(&folder);
    (parent, folder)
}

fn write(folder: &Path, file: &str, value: &Value) {
    fs::write(folder.join(file), value.to_string()).expect("the test folder is ours");
}

/// Changes one field of a JSON file; `null` takes it out.
fn edit(folder: &Path, file: &str, field: &str, value: Value) {
    let text = fs::read(folder.join(file)).expect("the file was written");
    let mut json: Value = serde_json::from_slice(&text).expect("the file is ours");
    let object = json.as_object_mut().expect("the file is an object");
    if value.is_null() {
        object.remove(field);
    } else {
        object.insert(field.to_owned(), value);
    }
    write(folder, file, &json);
}

#[track_caller]
fn check_refused(damage: impl Fn(&Path), message: &str) {
    let (_parent, folder) = folder("m");
    damage(&folder);
    let error = open(&folder).expect_err(message);
    let text = error
        .to_string()
        .replace(&*folder.to_string_lossy(), "FOLDER");
    assert_eq!(text, message);
}

#[test]
fn a_folder_with_the_bare_files_opens() {
    let (_parent, folder) = folder("m");
    let model = open(&folder).expect("the folder is whole");
    assert_eq!(model.weights.shape().layers, 2);
    assert_eq!((model.tokenizer.start, model.tokenizer.end), (2, 3));
    assert_eq!(model.pooling, Pooling::Mean);
    assert_eq!((&*model.query_prefix, &*model.passage_prefix), ("", ""));
    assert_eq!(model.max_tokens, 8);
    // The limit and the padding of the file, four tokens, are not applied.
    let tokens = model
        .tokenizer
        .content("Red shoes, 手机 bab!")
        .expect("it is text");
    assert_eq!(tokens, [9, 10, 11, 12, 13, 14, 6, 7, 8, 15]);
}

#[test]
fn a_network_we_do_not_compute_is_refused() {
    let config = |field: &str, value: Value, message: &str| {
        check_refused(
            |folder| edit(folder, "config.json", field, value.clone()),
            &format!("FOLDER/config.json{message}"),
        );
    };
    config(
        "model_type",
        json!("roberta"),
        ": `model_type` is `roberta`, but this build needs `bert`",
    );
    config(
        "hidden_act",
        json!("gelu_new"),
        ": `hidden_act` is `gelu_new`, but this build needs `gelu`",
    );
    config(
        "position_embedding_type",
        json!("relative_key"),
        ": `position_embedding_type` is `relative_key`, but this build needs `absolute`",
    );
    config(
        "num_attention_heads",
        json!(3),
        ": `num_attention_heads` is 3, but this build needs a divisor of 4, the hidden_size",
    );
    config(
        "num_hidden_layers",
        json!(0),
        ": `num_hidden_layers` is 0, but this build needs a number from 1 to 256",
    );
    config(
        "vocab_size",
        json!(1u64 << 40),
        ": `vocab_size` is 1099511627776, but this build needs a number from 1 to 2097152",
    );
    config(
        "layer_norm_eps",
        json!(0.0),
        ": `layer_norm_eps` is 0, but this build needs a number above 0 and below 1",
    );
    config(
        "hidden_size",
        json!(-4),
        " is not the JSON that belongs there",
    );
    config(
        "hidden_size",
        Value::Null,
        " is not the JSON that belongs there",
    );
    check_refused(
        |folder| {
            write(
                folder,
                "modules.json",
                &json!([{"type": "a.Transformer"}, {"type": "a.Dense"}]),
            )
        },
        "FOLDER/modules.json: `type` is `a.Dense`, but this build needs a Transformer, \
         Pooling or Normalize",
    );
}

#[test]
fn missing_and_foreign_files_are_named() {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        check_refused(
            |folder| fs::remove_file(folder.join(file)).expect("the file was written"),
            &format!("FOLDER is no model folder: it has no {file}"),
        );
    }
    check_refused(
        |folder| fs::write(folder.join("model.safetensors"), "").expect("the folder is ours"),
        "FOLDER/model.safetensors ends inside its `header length`; copy the file again",
    );
    check_refused(
        |folder| edit(folder, "config.json", "num_hidden_layers", json!(1)),
        "FOLDER/model.safetensors: tensor `encoder.layer.1.attention.output.LayerNorm.bias` \
         belongs to no BERT network of 1 layers",
    );
    check_refused(
        |folder| edit(folder, "config.json", "vocab_size", json!(17)),
        "FOLDER/model.safetensors: tensor `embeddings.word_embeddings.weight` has shape \
         [16, 4], expected [17, 4]",
    );
    let tokenizer = |json: Value, message: &str| {
        check_refused(
            |folder| write(folder, "tokenizer.json", &json),
            &format!("FOLDER/tokenizer.json {message}"),
        );
    };
    let mut larger = TOKENS.to_vec();
    larger.extend(["one", "more"]);
    tokenizer(
        tokenizer_json(&larger),
        "is a tokenizer of another vocabulary: it has 18 tokens, the model 16",
    );
    tokenizer(
        tokenizer_json(&["[UNK]", "[CLS]", "a"]),
        "has neither the tokens [CLS] and [SEP] nor <s> and </s>",
    );
    tokenizer(json!({}), "is no tokenizer that this build understands");
    tokenizer(
        json!({"model": 3}),
        "is no tokenizer that this build understands",
    );
}

#[test]
fn pooling_is_one_that_is_named() {
    let check = |pooling: Value, expected: Option<Pooling>| {
        let (_parent, folder) = folder("m");
        write(&folder, "1_Pooling/config.json", &pooling);
        match (open(&folder), expected) {
            (Ok(model), Some(expected)) => assert_eq!(model.pooling, expected, "{pooling}"),
            (Err(ModelError::Field { .. }), None) => {}
            (opened, expected) => panic!("{pooling}: {opened:?}, expected {expected:?}"),
        }
    };
    let modes = |on: &[&str]| {
        let mut json = json!({"word_embedding_dimension": 4, "include_prompt": true});
        for mode in [
            "cls_token",
            "mean_tokens",
            "max_tokens",
            "mean_sqrt_len_tokens",
            "weightedmean_tokens",
            "lasttoken",
        ] {
            json[format!("pooling_mode_{mode}")] = on.contains(&mode).into();
        }
        json
    };
    check(modes(&["mean_tokens"]), Some(Pooling::Mean));
    check(modes(&["cls_token"]), Some(Pooling::Cls));
    check(modes(&["max_tokens"]), Some(Pooling::Max));
    check(json!({"pooling_mode": "cls"}), Some(Pooling::Cls));
    check(modes(&[]), None);
    check(modes(&["mean_tokens", "max_tokens"]), None);
    check(modes(&["mean_sqrt_len_tokens"]), None);
    check(modes(&["weightedmean_tokens"]), None);
    check(modes(&["lasttoken"]), None);
    check(json!({"pooling_mode": "median"}), None);
    check(
        json!({"pooling_mode": "mean", "include_prompt": false}),
        None,
    );
}

#[test]
fn prefixes_come_from_the_folder_or_from_its_name() {
    let check = |name: &str, origin: &str, prompts: Value, expected: (&str, &str)| {
        let (_parent, folder) = folder(name);
        edit(&folder, "config.json", "_name_or_path", json!(origin));
        let file = "config_sentence_transformers.json";
        write(&folder, file, &json!({"prompts": prompts}));
        let model = open(&folder).expect("the folder is whole");
        let found = (&*model.query_prefix, &*model.passage_prefix);
        assert_eq!(found, expected, "{name} {origin} {prompts}");
    };
    let none = Value::Null;
    check("m", "", none.clone(), ("", ""));
    check(
        "m",
        "",
        json!({"query": "q: ", "passage": "p: "}),
        ("q: ", "p: "),
    );
    check(
        "m",
        "",
        json!({"query": "q: ", "document": "d: "}),
        ("q: ", "d: "),
    );
    check("m", "", json!({"query": "q: "}), ("q: ", ""));
    check("E5-small", "", none.clone(), ("query: ", "passage: "));
    check(
        "m",
        "intfloat/multilingual-e5-small",
        none.clone(),
        ("query: ", "passage: "),
    );
    check(
        "e5",
        "",
        json!({"query": "", "document": ""}),
        ("query: ", "passage: "),
    );
    check("e5", "", json!({"query": "q: "}), ("q: ", ""));
    check("e50", "mobile5", none, ("", ""));
}

#[test]
fn the_shortest_limit_counts() {
    let check = |sentence: Value, tokenizer: Value, expected: usize| {
        let (_parent, folder) = folder("m");
        write(
            &folder,
            "sentence_bert_config.json",
            &json!({"max_seq_length": sentence}),
        );
        write(
            &folder,
            "tokenizer_config.json",
            &json!({"model_max_length": tokenizer}),
        );
        let model = open(&folder).expect("the folder is whole");
        assert_eq!(model.max_tokens, expected, "{sentence} {tokenizer}");
    };
    check(Value::Null, Value::Null, 8);
    check(json!(5), json!(7), 5);
    check(json!(7), json!(6), 6);
    check(json!(512), json!(1e30), 8);
    for length in [json!(2), json!(-1), json!("5")] {
        check_refused(
            |folder| {
                write(
                    folder,
                    "sentence_bert_config.json",
                    &json!({"max_seq_length": length}),
                )
            },
            &format!(
                "FOLDER/sentence_bert_config.json: `max_seq_length` is {length}, but this \
                 build needs a number from 3"
            ),
        );
    }
}

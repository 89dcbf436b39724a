//! What the setup of a shop's tests does with the program in place of Gorse: it restores a
//! dump, waits until the model is trained, and asks for recommendations.

mod support;

use serde_json::{Value, json};
use std::thread;
use std::time::Duration;
use support::{Server, Shop, agent};

/// The name by which scripts know that the model answers.
const MODEL: &str = "Train Collaborative Filtering Model";

fn task(server: &Server, name: &str) -> Option<Value> {
    let (status, tasks) = server.get("/api/dashboard/tasks");
    assert_eq!(status, 200, "{tasks}");
    let mut tasks = tasks.as_array().into_iter().flatten();
    tasks.find(|task| task["Name"] == name).cloned()
}

#[track_caller]
fn wait_for(server: &Server, name: &str) -> Value {
    for _ in 0..600 {
        let found = task(server, name);
        if let Some(task) = found.filter(|task| task["Status"] == "Complete") {
            return task;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{:?}", task(server, name));
}

/// Ten viewers who watched the same films in the same order.
fn fill(server: &Server) {
    let films: Vec<Value> = (0..8)
        .map(|film| {
            json!({
                "ItemId": format!("f{film}"),
                "Timestamp": format!("200{film}-01-01T00:00:00Z"),
                "Labels": { "embedding": [film + 1, film % 2] },
            })
        })
        .collect();
    assert_eq!(server.post("/api/items", &json!(films)).0, 200);
    let mut watched = Vec::new();
    for viewer in 0..10 {
        for film in 0..6 {
            watched.push(json!({
                "FeedbackType": "watch", "UserId": format!("u{viewer}"),
                "ItemId": format!("f{film}"), "Timestamp": 1_700_000_000 + film * 60,
            }));
        }
    }
    for given in &mut watched {
        given["Timestamp"] = json!(given["Timestamp"].to_string());
    }
    assert_eq!(server.post("/api/feedback", &json!(watched)).0, 200);
}

#[test]
fn a_dump_is_restored_and_its_model_trained_before_it_is_said_so() {
    let (old, new) = (Shop::new(), Shop::new());
    let dump = {
        let server = Server::start(old.data());
        fill(&server);
        let url = format!("{}/api/dump", server.address);
        let mut answer = agent().get(&url).call().unwrap();
        answer.body_mut().read_to_vec().unwrap()
    };
    let server = Server::start(new.data());
    assert_eq!(server.get("/api/health/ready").0, 200);
    assert_eq!(task(&server, MODEL), None, "there is no index yet");
    let url = format!("{}/api/restore", server.address);
    let mut answer = agent().post(&url).send(&dump[..]).unwrap();
    let restored: Value =
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let counts = (
        &restored["Users"],
        &restored["Items"],
        &restored["Feedback"],
    );
    assert_eq!(counts, (&json!(10), &json!(8), &json!(60)));
    assert_eq!(task(&server, MODEL).unwrap()["Total"], 60);

    let trained = wait_for(&server, MODEL);
    assert_eq!(
        (&trained["Count"], &trained["Error"]),
        (&json!(60), &json!(""))
    );
    assert!(trained["FinishTime"].as_str() >= trained["StartTime"].as_str());
    let vectors = wait_for(&server, "Index Item Vectors");
    assert_eq!(vectors["Total"], 8);

    // What was seen does not come again; the newest first for who has seen nothing.
    let (_, seen) = server.get("/api/recommend/u0?n=8");
    assert_eq!(seen.as_array().map(Vec::len), Some(2), "{seen}");
    let (_, new_user) = server.get("/api/recommend/nobody?n=3");
    assert_eq!(new_user, json!(["f7", "f6", "f5"]));
    let (_, near) = server.get("/api/item/f2/neighbors?n=2");
    assert_eq!(
        (&near[0]["Id"], &near[1]["Id"]),
        (&json!("f1"), &json!("f3"))
    );

    // After a restart the model is there without another fit.
    drop(server);
    let server = Server::start(new.data());
    assert_eq!(task(&server, MODEL).unwrap()["Status"], "Complete");
}

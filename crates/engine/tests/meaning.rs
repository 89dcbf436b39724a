//! Search by meaning: which vectors are made, when, and that answers stay whole. The encoder is a
//! tiny one with random weights, so only what does not depend on what texts mean is tested here.

use domain::{Event, EventKind, Filter, IndexUid, ItemId, Timestamp, UserId};
use engine::{
    DocumentsWrite, Encoders, Engine, Hybrid, Learn, ModelFolders, OpenOptions, SearchAnswer,
    SearchRequest, Selection, ServiceOptions, SettingsPatch, Write, WriteMode,
};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const SHOP: &str = "shop";

/// A folder of models with one that is called `minilm`.
fn models() -> TempDir {
    let models = TempDir::new().expect("a temporary folder");
    let folder = models.path().join("minilm");
    fs::create_dir(&folder).expect("made");
    for (name, bytes) in testkit::tiny_encoder(7) {
        fs::write(folder.join(name), bytes).expect("written");
    }
    models
}

fn open(dir: &Path, models: Option<&TempDir>) -> Engine {
    let encoders = models.map(|models| {
        let folders = ModelFolders::new(None, Some(models.path().to_owned()));
        Arc::new(Encoders::new(folders, 1, ServiceOptions::default()))
    });
    let options = OpenOptions {
        learn: Learn::AtClose,
        encoders,
    };
    Engine::open(dir, options).expect("the folder opens")
}

fn done(engine: &Engine, write: Write) {
    let accepted = engine.write(write).expect("the write is accepted");
    let task = engine
        .wait(accepted.task_uid, Duration::from_secs(20))
        .expect("the task exists");
    assert!(task.error.is_none(), "{:?}", task.error);
}

fn uid() -> IndexUid {
    IndexUid::new(SHOP).expect("a valid uid")
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn add(engine: &Engine, rows: impl IntoIterator<Item = Value>) {
    let documents = rows.into_iter().map(object).collect();
    let write = DocumentsWrite {
        uid: uid(),
        primary_key: Some("id".to_owned()),
        mode: WriteMode::Replace,
        documents,
        rows: Vec::new(),
        rejected: Vec::new(),
    };
    done(engine, Write::Documents(write));
}

fn set(engine: &Engine, settings: Value) {
    let patch = SettingsPatch::new(object(settings)).expect("valid settings");
    done(engine, Write::Settings { uid: uid(), patch });
}

const BRANDS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

fn product(id: usize) -> Value {
    let kind = ["kettle", "lamp", "mug", "scarf", "desk"][id % 5];
    let colour = ["red", "blue", "green"][id % 3];
    json!({
        "id": id.to_string(), "title": format!("This {colour} {kind} is the right thing for your kitchen and with number {id}"),
        "brand": BRANDS[id % 4], "price": id,
    })
}

fn search(engine: &Engine, request: &SearchRequest) -> SearchAnswer {
    let reader = engine.index(SHOP).expect("the index");
    reader.search(request).expect("an answer")
}

fn hybrid(q: &str, ratio: Option<f32>) -> SearchRequest {
    SearchRequest {
        q: q.to_owned(),
        hybrid: Some(Hybrid {
            embedder: None,
            ratio,
        }),
        show_ranking_score: true,
        ..SearchRequest::default()
    }
}

fn ids(answer: &SearchAnswer) -> Vec<String> {
    let hits = answer.hits.iter();
    hits.map(|hit| {
        let document: Value = serde_json::from_str(hit.document.get()).expect("JSON");
        document["id"].as_str().expect("an id").to_owned()
    })
    .collect()
}

/// Waits until every document has its vector, and says how many vectors were ever made.
fn settled(engine: &Engine) -> (u64, u64) {
    engine.catch_up_meaning(SHOP).expect("vectors are made");
    let stats = engine.index(SHOP).expect("the index").stats();
    let meaning = stats.expect("stats").meaning;
    assert_eq!(meaning.waiting, 0);
    assert!(meaning.faults.is_empty(), "{:?}", meaning.faults);
    (meaning.documents, meaning.made)
}

#[test]
fn only_a_text_that_is_new_is_encoded() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let engine = open(dir.path(), Some(&models));
    add(&engine, (0..40).map(product));
    assert_eq!(settled(&engine), (40, 40));
    // Another price is no other text.
    let mut cheaper = product(3);
    cheaper["price"] = json!(1);
    add(&engine, [cheaper]);
    assert_eq!(settled(&engine), (40, 40));
    let mut renamed = product(3);
    renamed["title"] = json!("a violin");
    add(&engine, [renamed]);
    assert_eq!(settled(&engine), (40, 41));
    let selection = Selection::Ids(vec!["3".to_owned()]);
    done(
        &engine,
        Write::DeleteDocuments {
            uid: uid(),
            selection,
        },
    );
    assert_eq!(settled(&engine), (39, 41));
    assert!(!ids(&search(&engine, &hybrid("a violin", Some(1.0)))).contains(&"3".to_owned()));
}

#[test]
fn vectors_survive_a_restart_and_are_made_anew_when_the_views_are_lost() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let request = SearchRequest {
        limit: 200,
        ..hybrid("blue lamp", Some(1.0))
    };
    let engine = open(dir.path(), Some(&models));
    add(&engine, (0..150).map(product));
    settled(&engine);
    let before = ids(&search(&engine, &request));
    assert_eq!(
        before.len(),
        150,
        "meaning alone has an order for everything"
    );
    engine.close();
    drop(engine);
    let engine = open(dir.path(), Some(&models));
    assert_eq!(settled(&engine), (150, 150), "nothing is encoded again");
    assert_eq!(ids(&search(&engine, &request)), before);
    engine.close();
    drop(engine);
    fs::remove_dir_all(dir.path().join("views")).expect("removed");
    let engine = open(dir.path(), Some(&models));
    assert_eq!(settled(&engine).0, 150);
    assert_eq!(ids(&search(&engine, &request)), before);
}

#[test]
fn totals_and_facets_count_what_paging_reaches() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let engine = open(dir.path(), Some(&models));
    set(&engine, json!({"filterableAttributes": ["brand", "price"]}));
    add(&engine, (0..300).map(product));
    settled(&engine);
    for (q, filter) in [
        ("red mug", None),
        ("red mug", Some("price < 100 AND brand = beta")),
        ("zzz", None),
        ("mug -red", Some("brand IN [alpha, gamma]")),
    ] {
        let request = |offset| SearchRequest {
            offset,
            limit: 7,
            facets: vec!["brand".to_owned()],
            filter: filter.map(|text| Filter::parse(text).expect("a filter")),
            relevance_cutoff: Some(0.2),
            ..hybrid(q, None)
        };
        let first = search(&engine, &request(0));
        let mut walked = Vec::new();
        let mut scores = Vec::new();
        while walked.len() < first.total {
            let page = search(&engine, &request(walked.len()));
            assert!(!page.hits.is_empty(), "{q}: the total promises more");
            assert_eq!(page.total, first.total);
            scores.extend(page.hits.iter().filter_map(|hit| hit.ranking_score));
            walked.extend(ids(&page));
        }
        assert!(search(&engine, &request(first.total)).hits.is_empty());
        assert!(scores.is_sorted_by(|a, b| a >= b), "{q}: {scores:?}");
        let counted: u64 = first.facets[0].values.iter().map(|(_, count)| count).sum();
        assert_eq!(counted, first.total as u64, "{q}");
        walked.sort();
        walked.dedup();
        assert_eq!(walked.len(), first.total, "{q}: each once");
    }
}

#[test]
fn another_model_answers_when_all_its_vectors_are_there() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let folder = models.path().join("other");
    fs::create_dir(&folder).expect("made");
    for (name, bytes) in testkit::tiny_encoder(8) {
        fs::write(folder.join(name), bytes).expect("written");
    }
    let engine = open(dir.path(), Some(&models));
    const MANY: usize = 3_000;
    add(&engine, (0..MANY).map(product));
    engine.catch_up_meaning(SHOP).expect("vectors");
    let stats = || {
        engine
            .index(SHOP)
            .expect("it is there")
            .stats()
            .expect("stats")
    };
    assert_eq!(stats().meaning.models["default"], "minilm");
    set(
        &engine,
        json!({"embedders": {"default": {"source": "vitrine", "model": "other"}}}),
    );
    let mut seen_waiting = false;
    std::thread::scope(|scope| {
        let made = scope.spawn(|| engine.catch_up_meaning(SHOP).expect("vectors"));
        while !made.is_finished() {
            let meaning = stats().meaning;
            assert_eq!(meaning.documents, MANY as u64, "{meaning:?}");
            seen_waiting |= meaning.waiting > 0;
            let found = search(&engine, &hybrid("mug", Some(1.0)));
            assert!(!found.hits.is_empty());
        }
    });
    assert!(seen_waiting, "the change was seen under way");
    let meaning = stats().meaning;
    assert_eq!(meaning.models["default"], "other");
    assert_eq!((meaning.documents, meaning.waiting), (MANY as u64, 0));
}

#[test]
fn without_a_model_words_work_and_meaning_says_what_is_missing() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let engine = open(dir.path(), None);
    add(&engine, (0..20).map(product));
    engine.catch_up_meaning(SHOP).expect("nothing to do");
    let reader = engine.index(SHOP).expect("the index");
    let error = reader.search(&hybrid("mug", Some(1.0)));
    let error = error.expect_err("no model").to_string();
    assert!(error.contains("vitrine model pull minilm"), "{error}");
    let answer = search(&engine, &hybrid("mug", None));
    let lacks = answer.meaning_lacks.clone().unwrap_or_default();
    assert!(lacks.contains("vitrine model pull minilm"), "{lacks}");
    assert_eq!(answer.total, 4);
    assert_eq!(search(&engine, &hybrid("mug", Some(0.0))).total, 4);
    drop(reader);
    engine.close();
    drop(engine);
    // With a model later, everything that was there gets its vector.
    let engine = open(dir.path(), Some(&models));
    assert_eq!(settled(&engine), (20, 20));
}

#[test]
fn another_template_or_embedder_makes_other_vectors() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let engine = open(dir.path(), Some(&models));
    add(&engine, (0..10).map(product));
    assert_eq!(settled(&engine), (10, 10));
    let named = |template: &str| json!({"embedders": {"default": {"source": "vitrine", "model": "minilm", "documentTemplate": template}}});
    set(&engine, named("{{ doc.brand }}"));
    assert_eq!(settled(&engine).0, 10);
    let found = ids(&search(&engine, &hybrid("gamma", Some(1.0))));
    let brand = |id: &String| id.parse::<usize>().expect("a number") % 4;
    let mut brands: Vec<usize> = found.iter().map(brand).collect();
    brands.dedup();
    // Equal brands have equal vectors now, whatever the titles are.
    assert_eq!(brands.len(), 4, "{found:?}");
    set(
        &engine,
        json!({"embedders": {"mine": {"source": "userProvided", "dimensions": 2}}}),
    );
    add(
        &engine,
        [
            json!({"id": "a", "title": "one", "_vectors": {"mine": [1.0, 0.0]}}),
            json!({"id": "b", "title": "two", "_vectors": {"mine": [[0.6, 0.8]]}}),
        ],
    );
    // What the shop gives is there when the task is done.
    let request = SearchRequest {
        vector: Some(vec![0.0, 3.0]),
        hybrid: Some(Hybrid {
            embedder: Some("mine".to_owned()),
            ratio: Some(1.0),
        }),
        ..SearchRequest::default()
    };
    assert_eq!(ids(&search(&engine, &request)), ["b", "a"]);
    let reader = engine.index(SHOP).expect("the index");
    let error = reader.search(&hybrid("x", None));
    assert!(error.is_ok(), "the standard embedder is gone, words remain");
}

#[test]
fn queries_that_are_trained_on_have_the_vectors_that_searches_have() {
    let (dir, models) = (TempDir::new().expect("a folder"), models());
    let engine = open(dir.path(), Some(&models));
    add(&engine, (0..40).map(product));
    settled(&engine);
    let event = |kind, item: Option<&str>, query: Option<&str>| Event {
        id: None,
        user: UserId::new("anna").expect("a user"),
        kind,
        item: item.map(|id| ItemId::new(id).expect("an item")),
        query: query.map(str::to_owned),
        time: Timestamp::from_millis(1_700_000_000_000),
        value: None,
        price: None,
        quantity: None,
        basket: None,
        query_id: None,
    };
    // The text of an item, so that it is what is nearest to the query.
    let title = "This red kettle is the right thing for your kitchen and with number 0";
    let events = vec![
        event(EventKind::Search, None, Some(title)),
        event(EventKind::Click, Some("0"), None),
    ];
    done(&engine, Write::Events { uid: uid(), events });
    let log = engine.training_log(SHOP).expect("a training log");
    let [query] = log.queries.as_slice() else {
        panic!("{:?}", log.queries);
    };
    let vector = query.vector.clone().expect("a vector");
    let answer = |request| ids(&search(&engine, &request));
    let by_text = answer(hybrid(title, Some(1.0)));
    let by_vector = answer(SearchRequest {
        q: String::new(),
        vector: Some(vector),
        ..hybrid("", Some(1.0))
    });
    assert_eq!(by_vector, by_text);
}

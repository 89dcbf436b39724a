//! The whole pipeline on small shops: it learns, goes on after an interruption to the same
//! model, refuses what it cannot use, and writes files that can be read.

use super::*;
use crate::data::PURCHASE;
use crate::run::{EpochReport, Unobserved};
use domain::EventKind;
use models::affinity::AffinityConfig;
use std::collections::HashMap;

/// The small shop of `testkit`, whose shoppers each have a favourite stretch of the catalogue.
fn shop(events: usize) -> Input {
    let catalogue = testkit::catalogue(1);
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let items: Vec<Item> = catalogue
        .iter()
        .map(|product| Item {
            id: text(&product["id"]).expect("every product has an id"),
            vector: None,
            category: text(&product["categories"][0]),
            brand: text(&product["brand"]),
            price: product["price"].as_f64(),
        })
        .collect();
    let place: HashMap<&str, u32> = items.iter().map(|item| item.id.as_str()).zip(0..).collect();
    let mut shoppers: HashMap<String, Vec<Action>> = HashMap::new();
    for event in testkit::events(1, events) {
        let Some(item) = &event.item else {
            continue;
        };
        let kind = EventKind::ALL.iter().position(|&kind| kind == event.kind);
        let own = shoppers.entry(event.user.to_string()).or_default();
        own.push(Action {
            item: place[item.as_str()],
            kind: kind.expect("one of all") as u8,
            time: event.time.millis(),
            quantity: event.quantity,
            query: None,
        });
    }
    let mut shoppers: Vec<(String, Vec<Action>)> = shoppers.into_iter().collect();
    shoppers.sort_by(|a, b| a.0.cmp(&b.0));
    let shoppers = shoppers.into_iter().map(|(_, own)| own).collect();
    Input {
        items,
        queries: Vec::new(),
        shoppers,
    }
}

fn settings(epochs: usize) -> Settings {
    Settings {
        epochs,
        seed: 1,
        device: Device::Cpu,
    }
}

/// Ends a run in the middle of an epoch, as Ctrl-C does.
struct EndsIn(usize);

impl Observer for EndsIn {
    fn batch(&mut self, epoch: usize, done: usize, _: usize) -> bool {
        !(epoch == self.0 && done == 2)
    }

    fn epoch(&mut self, _: &EpochReport) {}
}

#[test]
fn the_model_beats_popularity_where_shoppers_have_favourites() {
    let prepared = Prepared::new(&shop(3000), settings(16)).unwrap();
    assert!(prepared.counts().cleaning.returns > 0);
    let model = prepared.train(None, 0, &mut Unobserved).unwrap();
    let report = &model.report;
    let popular = &report.baselines[0];
    assert_eq!(popular.name, "popular");
    let figures = format!(
        "{:?} {:?} {:?}",
        report.test, report.baselines, report.logistic
    );
    assert!(report.repeats);
    assert!(
        report.test.ndcg_10 > 1.3 * popular.test.ndcg_10,
        "{figures}"
    );
    assert!(
        report.validation.ndcg_10 > 1.3 * popular.validation.ndcg_10,
        "{figures}"
    );
    assert!(report.test.auc > 0.6, "{figures}");
    assert!(
        report
            .logistic
            .is_some_and(|logistic| logistic.test.auc > 0.6),
        "{figures}"
    );
    assert!((0.0..0.3).contains(&report.ece), "{}", report.ece);
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint");
    let kept = folder.path().join("input");
    let input = shop(600);
    input.save(&kept).unwrap();
    let prepare = |input: &Input| Prepared::new(input, settings(3)).unwrap();
    let whole = prepare(&input).train(None, 0, &mut Unobserved).unwrap();

    let ended = prepare(&input).train(Some(&checkpoint), 0, &mut EndsIn(2));
    assert!(matches!(ended, Err(TrainError::Interrupted { epochs: 1 })));
    let again = Input::load(&kept).unwrap();
    assert_eq!(again, input);
    let model = prepare(&again)
        .train(Some(&checkpoint), 0, &mut Unobserved)
        .unwrap();
    assert_eq!(
        model.weights.to_safetensors(),
        whole.weights.to_safetensors()
    );
    assert_eq!(model.report.epochs.len(), 3);

    let other = Settings {
        seed: 2,
        ..settings(3)
    };
    let other = Prepared::new(&input, other).unwrap();
    let refused = other.train(Some(&checkpoint), 0, &mut Unobserved);
    assert!(matches!(refused, Err(TrainError::OtherRun { .. })));
    // Items, or what is told of them, that changed since.
    let mut without = input.clone();
    for own in &mut without.shoppers {
        own.retain(|action| action.item != 0);
    }
    let mut renamed = input.clone();
    renamed.items[0].category = Some("another".to_owned());
    for changed in [without, renamed] {
        let refused = prepare(&changed).train(Some(&checkpoint), 0, &mut Unobserved);
        assert!(matches!(refused, Err(TrainError::OtherRun { .. })));
    }
    for path in [&checkpoint, &kept] {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
    let refused = prepare(&input).train(Some(&checkpoint), 0, &mut Unobserved);
    assert!(matches!(refused, Err(TrainError::Damaged { .. })));
    assert!(matches!(
        Input::load(&kept),
        Err(TrainError::Damaged { .. })
    ));
}

#[test]
fn the_folder_has_files_that_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("model");
    let prepared = Prepared::new(&shop(600), settings(2)).unwrap();
    let model = prepared.train(None, 0, &mut Unobserved).unwrap();
    model.write(&to).unwrap();

    let read = |name: &str| std::fs::read(to.join(name)).unwrap();
    let config = AffinityConfig::from_json(&read("config.json")).unwrap();
    let weights = AffinityWeights::from_safetensors(config, &read("model.safetensors")).unwrap();
    assert_eq!(weights, model.weights);
    assert_eq!(
        Fields::from_json(&read("fields.json")).unwrap(),
        model.fields
    );
    let items: Vec<String> = serde_json::from_slice(&read("items.json")).unwrap();
    assert_eq!(items, model.items);
    let metrics: serde_json::Value = serde_json::from_slice(&read("metrics.json")).unwrap();
    for slice in ["validation", "test"] {
        for figure in ["ndcg@10", "recall@10", "bce", "auc"] {
            assert!(metrics[slice][figure].is_f64(), "{slice} {figure}");
        }
    }
    let report: Report = serde_json::from_value(metrics).unwrap();
    assert_eq!(report.counts, model.report.counts);
    assert_eq!(report.epochs.len(), 2);
    let card = String::from_utf8(read("card.md")).unwrap();
    assert!(
        card.contains("| popular |") && card.contains("SHA-256"),
        "{card}"
    );
    let mut plots = 0;
    for entry in std::fs::read_dir(&to).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            well_formed(&std::fs::read_to_string(&path).unwrap());
            plots += 1;
        }
    }
    assert_eq!(plots, 8);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let prepared = Prepared::new(&shop(600), settings(1)).unwrap();
    let model = prepared.train(None, 0, &mut Unobserved).unwrap();
    let refused = model.write(&file.join("model")).unwrap_err();
    assert!(refused.to_string().contains("file"), "{refused}");
}

#[test]
fn too_little_is_refused_with_a_sentence() {
    let action = |item: u32, time: i64| Action {
        item,
        kind: PURCHASE,
        time,
        quantity: None,
        query: None,
    };
    let items = |count: usize| vec![Item::default(); count];
    let refusal = |input: &Input| Prepared::new(input, settings(1)).unwrap_err();
    let with = |count: usize, shoppers: Vec<Vec<Action>>| {
        refusal(&Input {
            items: items(count),
            queries: Vec::new(),
            shoppers,
        })
    };
    assert!(matches!(refusal(&Input::default()), TrainError::TooLittle));
    assert!(matches!(
        with(3, vec![vec![action(0, 1)]]),
        TrainError::TooLittle
    ));
    let one_item: Vec<Action> = (0..50).map(|time| action(0, time)).collect();
    assert!(matches!(with(1, vec![one_item]), TrainError::TooFewItems));
    let at_once = vec![vec![action(0, 7), action(1, 7)]; 20];
    assert!(matches!(with(2, at_once), TrainError::TooFewItems));
    let unknown = vec![vec![action(5, 1), action(0, 2)]];
    assert!(matches!(with(2, unknown), TrainError::Data(_)));
    let no_epochs = Prepared::new(&shop(600), settings(0)).unwrap_err();
    assert!(no_epochs.to_string().contains("epochs"), "{no_epochs}");
}

#[test]
fn shoppers_who_all_do_the_same_make_a_model() {
    for kind in [0, PURCHASE] {
        let mut input = shop(600);
        for action in input.shoppers.iter_mut().flatten() {
            action.kind = kind;
            action.quantity = None;
        }
        let prepared = Prepared::new(&input, settings(1)).unwrap();
        let model = prepared.train(None, 0, &mut Unobserved).unwrap();
        let to = tempfile::tempdir().unwrap();
        model.write(&to.path().join("model")).unwrap();
        let test = &model.report.test;
        assert!(test.bce.is_finite() && test.auc.is_finite(), "{test:?}");
        assert!(model.weights.numbers().iter().all(|x| x.is_finite()));
    }
}

#[test]
fn numbers_that_are_none_and_times_without_a_calendar_do_no_harm() {
    let mut input = shop(600);
    for (at, item) in input.items.iter_mut().enumerate() {
        item.price = [Some(f64::NAN), Some(f64::INFINITY), Some(-1.0), None][at % 4];
        item.vector = match at % 3 {
            0 => Some(vec![f32::NAN, 1.0]),
            1 => Some(vec![0.6, 0.8]),
            _ => Some(vec![1.0; 3]),
        };
    }
    input.shoppers[0][0].quantity = Some(f64::NAN);
    input.shoppers[0][0].time = i64::MIN;
    let last = input.shoppers[1].len() - 1;
    input.shoppers[1][last].time = i64::MAX - 1;
    let prepared = Prepared::new(&input, settings(1)).unwrap();
    assert!(prepared.counts().items_with_text > 0);
    let model = prepared.train(None, i64::MAX, &mut Unobserved).unwrap();
    model
        .write(&tempfile::tempdir().unwrap().path().join("m"))
        .unwrap();
    assert!(model.report.test.bce.is_finite());
}

/// The shop with an encoder, whose shoppers buy all that they look at, and ask for a category
/// before every second purchase. The last queries have vectors that cannot be used.
fn asking(events: usize) -> Input {
    let mut input = shop(events);
    let mut categories: Vec<String> = Vec::new();
    for item in &input.items {
        let category = item.category.clone().unwrap_or_default();
        if !categories.contains(&category) {
            categories.push(category);
        }
    }
    let of_category = |category: usize| -> Vec<f32> {
        let number = |at| if at == category { 1.0 } else { 0.1 };
        (0..categories.len()).map(number).collect()
    };
    let mut places = Vec::new();
    for item in &mut input.items {
        let category = item.category.clone().unwrap_or_default();
        let place = categories.iter().position(|known| *known == category);
        places.push(place.expect("a known category"));
        item.vector = Some(of_category(places[places.len() - 1]));
    }
    input.queries = (0..categories.len())
        .map(|at| Some(of_category(at)))
        .collect();
    let bad = input.queries.len() as u32;
    input.queries.extend([
        None,
        Some(vec![f32::NAN; categories.len()]),
        Some(vec![1.0; 3]),
    ]);
    for (at, action) in input.shoppers.iter_mut().flatten().enumerate() {
        action.kind = PURCHASE;
        action.query = match at % 4 {
            0 | 2 => Some(places[action.item as usize] as u32),
            1 => Some(bad + at as u32 % 3),
            _ => None,
        };
    }
    input
}

#[test]
fn what_queries_add_stands_in_the_metrics() {
    let input = asking(1500);
    let prepared = Prepared::new(&input, settings(8)).unwrap();
    let counts = prepared.counts().clone();
    assert_eq!(counts.queries, input.queries.len() - 3);
    let share = counts.asked_events as f64 / counts.training_events as f64;
    assert!((0.4..0.6).contains(&share), "{share}");
    let model = prepared.train(None, 0, &mut Unobserved).unwrap();
    assert!(model.weights.config().queries);
    let folder = tempfile::tempdir().unwrap();
    model.write(folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&read("metrics.json")).unwrap();
    for slice in ["validation", "test"] {
        let asked = &metrics["asked"][slice];
        assert!(asked["cases"].as_u64() > Some(0), "{asked}");
        let auc = |asked: &serde_json::Value| asked["auc"].as_f64().unwrap();
        assert!(auc(asked) > auc(&asked["without"]) + 0.05, "{asked}");
    }
    let card = read("card.md");
    assert!(card.contains("affinity, with the query"), "{card}");

    let mut none = shop(600);
    none.shoppers[0][0].query = Some(0);
    let refused = Prepared::new(&none, settings(1)).unwrap_err();
    assert!(matches!(refused, TrainError::Data(_)), "{refused}");
}

#[test]
fn data_of_an_older_run_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    let mut bytes = b"VTRNINP1".to_vec();
    bytes.extend([0, 0]);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let refused = Input::load(&path).unwrap_err();
    assert!(matches!(refused, TrainError::Damaged { .. }), "{refused}");
}

/// Every element is closed in the right order, and text holds no loose marks.
#[track_caller]
fn well_formed(xml: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        assert!(!text.contains('>'), "{text}");
        for (at, _) in text.match_indices('&') {
            let entity = ["&lt;", "&gt;", "&amp;", "&quot;"];
            assert!(
                entity.iter().any(|entity| text[at..].starts_with(entity)),
                "{text}"
            );
        }
        let end = tag.find('>').expect("a tag ends");
        let name = &tag[1..end];
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !name.ends_with('/') {
            open.push(name.split(' ').next().unwrap().to_owned());
        }
        assert_eq!(name.matches('"').count() % 2, 0, "{name}");
        assert!(!name.contains("NaN") && !name.contains("inf"), "{name}");
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
}

//! `vitrine eval sequence --tune`: what settings are chosen by, and what they are not.
//!
//! The shoppers are those of many small made-up shops over one catalogue.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{Shop, run};

/// Small shops, each with its own twelve shoppers.
const SHOPS: u64 = 40;
/// Items of one shopper.
const LONGEST: usize = 9;

/// The shoppers of these shops, each with what was looked at, in the order of time.
fn shoppers(seed: u64) -> BTreeMap<String, Vec<String>> {
    let mut shoppers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for shop in 0..SHOPS {
        for event in testkit::events(seed * SHOPS + shop, 400) {
            let Some(item) = event.item else { continue };
            let sequence = shoppers
                .entry(format!("{shop}-{}", event.user))
                .or_default();
            let item = item.as_str().to_owned();
            if sequence.len() < LONGEST && !sequence.contains(&item) {
                sequence.push(item);
            }
        }
    }
    shoppers
}

fn file(shop: &Shop, name: &str, shoppers: &BTreeMap<String, Vec<String>>) -> String {
    let lines: Vec<String> = shoppers
        .iter()
        .map(|(shopper, items)| format!("{shopper} {}\n", items.join(" ")))
        .collect();
    shop.file(name, lines.concat())
}

fn tuned(file: &str, protocol: &str, more: &[&str]) -> Value {
    let args = [
        "eval",
        "sequence",
        "--sequences",
        file,
        "--protocol",
        protocol,
        "--tune",
        "--json",
    ];
    run(&[&args[..], more].concat()).expect(0).json()
}

fn untuned(file: &str, protocol: &str, model: &str) -> Value {
    let args = [
        "eval",
        "sequence",
        "--sequences",
        file,
        "--protocol",
        protocol,
        "--model",
        model,
        "--json",
    ];
    let answer = run(&args).expect(0).json();
    assert_eq!(answer["chosen"], "published", "{answer}");
    answer["settings"].clone()
}

/// What was chosen for both models, by which score.
fn choice(answer: &Value) -> Value {
    let of = |model: &str| {
        let one = &answer[model];
        assert_eq!(one["chosen"], "tuned", "{answer}");
        json!([one["settings"], one["inner_ndcg@10"], one["tried"]])
    };
    json!([of("rules"), of("pctm")])
}

/// How well the last items were predicted.
fn figures(answer: &Value) -> Value {
    json!([answer["rules"]["ndcg@10"], answer["pctm"]["ndcg@10"]])
}

#[test]
fn the_same_shoppers_and_seed_give_the_same_choice() {
    let shop = Shop::new();
    let sequences = file(&shop, "sequences.txt", &shoppers(1));
    for protocol in ["p1", "p2"] {
        let first = tuned(&sequences, protocol, &["--seed", "7", "--threads", "1"]);
        let again = tuned(&sequences, protocol, &["--seed", "7", "--threads", "3"]);
        assert_eq!(choice(&first), choice(&again));
        assert_eq!(figures(&first), figures(&again));
        let published = ["rules", "pctm"].map(|model| untuned(&sequences, protocol, model));
        let chosen = ["rules", "pctm"].map(|model| first[model]["settings"].clone());
        assert_ne!(chosen, published, "other settings are better here");
    }
}

#[test]
fn shoppers_with_too_few_items_cannot_be_tuned_on() {
    let shop = Shop::new();
    let sequences = shop.file("two.txt", "a 1 2\nb 2 1\n");
    let args = ["eval", "sequence", "--sequences", &sequences];
    run(&args).expect(0);
    let ran = run(&[&args[..], &["--tune"]].concat()).expect(2);
    assert!(ran.stderr.contains("leave out --tune"), "{}", ran.stderr);
}

#[test]
fn other_last_items_change_the_figures_and_not_the_choice() {
    let shop = Shop::new();
    let shoppers = shoppers(2);
    let mut exchanged = shoppers.clone();
    for (number, items) in exchanged.values_mut().enumerate() {
        // Bought before by everybody, by nobody, or by the same shopper.
        let other = match number % 3 {
            0 => shoppers.values().next().unwrap()[0].clone(),
            1 => format!("new-{number}"),
            _ => items[0].clone(),
        };
        *items.last_mut().unwrap() = other;
    }
    let (given, other) = (
        file(&shop, "given.txt", &shoppers),
        file(&shop, "other.txt", &exchanged),
    );
    for protocol in ["p1", "p2"] {
        let given = tuned(&given, protocol, &[]);
        let other = tuned(&other, protocol, &[]);
        assert_eq!(choice(&given), choice(&other));
        assert_ne!(figures(&given), figures(&other));
    }
}

//! Makes a shop's log with searches out of sequences of purchases, after the protocol of product
//! search on reviews (Van Gysel et al. 2016, <https://arxiv.org/abs/1608.07253>; Ai et al. 2017):
//! the query of a purchase is made of the words of the product's category path. Such queries
//! know the item better than shoppers do.
//!
//! `cargo run -p testkit --example asked_log -- ITEMS SEQUENCES FOLDER` reads items as lines of
//! JSON with `item`, `title` and `categories` (a list of paths), and sequences with a line
//! `user item item …` a shopper; it writes `items.ndjson` and `events.ndjson` into the folder.
//! Times are made up: each shopper's purchases are spread over one year.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

const YEAR: u64 = 365 * 24 * 60 * 60;
/// 2013-01-01, in seconds since 1970.
const START: u64 = 1_356_998_400;
/// Seconds from a search to the purchase that it led to.
const THOUGHT: u64 = 20;
/// Words that say nothing.
const STOP_WORDS: [&str; 6] = ["and", "for", "of", "the", "to", "with"];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [items, sequences, folder] = arguments.as_slice() else {
        return Err("give the items, the sequences and a folder to write to".into());
    };
    let (items, queries) = catalogue(&fs::read_to_string(items)?)?;
    let events = events(&fs::read_to_string(sequences)?, &queries)?;
    let folder = Path::new(folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("items.ndjson"), items)?;
    fs::write(folder.join("events.ndjson"), events)?;
    Ok(())
}

/// What each item may be asked for by.
type Queries = HashMap<String, Vec<String>>;

/// The items as a shop has them, and what they may be asked for by.
fn catalogue(lines: &str) -> Result<(String, Queries), Box<dyn Error>> {
    let (mut items, mut queries) = (String::new(), Queries::new());
    for line in lines.lines() {
        let item: Value = serde_json::from_str(line)?;
        let id = item["item"].to_string();
        let paths = item["categories"].as_array().cloned().unwrap_or_default();
        let categories: Vec<&str> = paths.iter().flat_map(names).collect();
        let row = json!({"id": id, "title": item["title"], "categories": categories});
        items.push_str(&format!("{row}\n"));
        // The first level alone asks for everything.
        let deep = paths.iter().filter(|path| names(path).len() > 1);
        queries.insert(id, deep.map(query).collect());
    }
    Ok((items, queries))
}

fn names(path: &Value) -> Vec<&str> {
    let names = path.as_array().into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

/// The words of a path, each once.
fn query(path: &Value) -> String {
    let mut words: Vec<String> = Vec::new();
    for name in names(path) {
        for word in name.split(|letter: char| !letter.is_alphanumeric()) {
            let word = word.to_lowercase();
            if !word.is_empty() && !STOP_WORDS.contains(&word.as_str()) && !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words.join(" ")
}

fn events(lines: &str, queries: &Queries) -> Result<String, Box<dyn Error>> {
    let mut events = String::new();
    for line in lines.lines() {
        let mut words = line.split_whitespace();
        let user = words.next().ok_or("a line without a user")?;
        let seed: u64 = user.parse()?;
        let items: Vec<&str> = words.collect();
        for (at, item) in items.iter().enumerate() {
            // Somewhere in its part of the year, so that shoppers do not act all at once.
            let part = YEAR / items.len() as u64;
            let noise = mixed(seed << 20 | at as u64);
            let time = START + at as u64 * part + THOUGHT + noise % (part - THOUGHT);
            let asked = queries.get(*item).map_or(&[][..], Vec::as_slice);
            if !asked.is_empty() {
                let query = &asked[(noise >> 32) as usize % asked.len()];
                let search = json!({"userId": user, "kind": "search", "query": query,
                                    "time": time - THOUGHT});
                events.push_str(&format!("{search}\n"));
            }
            let bought = json!({"userId": user, "kind": "purchase", "itemId": item, "time": time});
            events.push_str(&format!("{bought}\n"));
        }
    }
    Ok(events)
}

/// Even bits of a number (SplitMix64, Steele et al. 2014).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

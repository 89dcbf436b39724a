//! Makes a good body a bad one, or one that is only just good.

use crate::odd;
use serde_json::Value;
use testkit::SplitMix64;

/// Changes some values of a body.
pub fn mutate(body: &mut Value, random: &mut SplitMix64) {
    if random.below(3) == 0 {
        season(body, random);
    }
    for _ in 0..random.below(4) {
        change(node(body, random), random);
    }
}

/// Gives fields that have a grammar of their own a value that has to do with it.
fn season(value: &mut Value, random: &mut SplitMix64) {
    match value {
        Value::Array(list) => {
            for value in list {
                season(value, random);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if random.below(2) == 0 {
                    season(value, random);
                    continue;
                }
                match name.as_str() {
                    "filter" => *value = odd::filter(random),
                    "sort" => *value = odd::sorts(random),
                    "vector" | "_vectors" => *value = odd::vector(random),
                    "q" | "query" | "facetQuery" | "documentTemplate" | "input" => {
                        *value = Value::String(odd::text(random));
                    }
                    _ => season(value, random),
                }
            }
        }
        _ => {}
    }
}

/// Some value of the body, the body itself included.
fn node<'a>(body: &'a mut Value, random: &mut SplitMix64) -> &'a mut Value {
    let mut node = body;
    loop {
        let inside = match &*node {
            Value::Array(list) => list.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        };
        if inside == 0 || random.below(4) == 0 {
            return node;
        }
        let at = random.below(inside);
        node = match node {
            Value::Array(list) => &mut list[at],
            Value::Object(fields) => fields.values_mut().nth(at).expect("there are so many"),
            _ => unreachable!("it has something inside"),
        };
    }
}

fn change(node: &mut Value, random: &mut SplitMix64) {
    match node {
        Value::Object(fields) if random.below(2) == 0 => {
            let name = fields.keys().nth(random.below(fields.len())).cloned();
            match (name, random.below(3)) {
                (Some(name), 0) => drop(fields.remove(&name)),
                (Some(name), 1) => {
                    let value = fields.remove(&name).unwrap_or_default();
                    fields.insert(odd::text(random), value);
                }
                _ => drop(fields.insert(odd::text(random), odd::value(random))),
            }
        }
        Value::Array(list) if random.below(2) == 0 => match random.below(3) {
            0 => list.push(odd::value(random)),
            1 => list.truncate(random.below(list.len() + 1)),
            _ => {
                if let Some(one) = random.pick(list).cloned() {
                    let times = random.below(300);
                    list.extend(std::iter::repeat_n(one, times));
                }
            }
        },
        Value::String(text) if random.below(2) == 0 => {
            text.push_str(&odd::text(random));
        }
        node => *node = odd::value(random),
    }
}

/// What JSON cannot hold, put where a value stands.
const NOT_JSON: &[&str] = &[
    "NaN",
    "Infinity",
    "-",
    "1e999",
    "01",
    "0x1",
    "'a'",
    "\"\\ud800\"",
    "\"\\u00\"",
    "\"\u{1}\"",
    ",",
    "{\"a\":1,\"a\":2}",
    "/* */",
];

/// Changes the text of a body, so that it may be JSON no more.
pub fn garble(mut bytes: Vec<u8>, random: &mut SplitMix64) -> Vec<u8> {
    let at = random.below(bytes.len() + 1);
    match random.below(8) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.next() as u8),
        2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        3 => {
            let odd = random.pick(NOT_JSON).unwrap_or(&"");
            bytes.splice(at..at, odd.bytes());
        }
        4 => {
            let brackets = [b'[', b'{', b'"'];
            let bracket = *random.pick(&brackets).unwrap_or(&b'[');
            let count = random.below(100_000);
            bytes.splice(at..at, std::iter::repeat_n(bracket, count));
        }
        5 => drop(bytes.splice(0..0, b"\xef\xbb\xbf".iter().copied())),
        6 => {
            let text = "{\"a\":".repeat(1 + random.below(3_000));
            bytes = text.into_bytes();
        }
        _ => bytes.extend(b"\n\n{}"),
    }
    bytes
}

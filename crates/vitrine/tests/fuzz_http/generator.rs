//! The next request: a good one with something wrong about it, or bytes that are none.
//!
//! Equal seeds make equal requests, whatever the server answers.

use crate::mutation::{garble, mutate};
use crate::odd;
use crate::raw;
use crate::routes::{self, Route};
use crate::tokens::{Keys, bearer};
use crate::wire::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::Write as _;
use testkit::SplitMix64;

/// Bytes for one connection.
pub struct Sent {
    pub bytes: Vec<u8>,
    /// A request as HTTP has it, which is owed an answer of ours.
    pub is_http: bool,
    /// The path is that of another convention, which has other errors.
    pub is_openai: bool,
}

pub struct Generator {
    random: SplitMix64,
    routes: Vec<Route>,
    keys: Keys,
}

impl Generator {
    pub fn new(seed: u64, keys: Keys) -> Self {
        Self {
            random: SplitMix64::new(seed),
            routes: routes::all(),
            keys,
        }
    }

    pub fn next(&mut self) -> Sent {
        if self.random.below(12) == 0 {
            return Sent {
                bytes: raw::bytes(&mut self.random),
                is_http: false,
                is_openai: false,
            };
        }
        let random = &mut self.random;
        let route = &self.routes[random.below(self.routes.len())];
        let mut target = path(route.path, random);
        let is_openai = target.starts_with("/v1/");
        target.push_str(&query(route.query, random));
        // Longer ones are refused by the library below, in its own words.
        target.truncate(8_000);
        let methods = [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
        ];
        let method = match random.below(20) {
            0 => *random.pick(&methods).unwrap_or(&"GET"),
            _ => route.method,
        };
        let mut headers = Vec::new();
        if let Some(value) = bearer(&self.keys, random) {
            headers.push(("Authorization".to_owned(), value));
        }
        let mut body = body(route, random);
        if let Some(body) = &mut body {
            headers.extend(media(random));
            if random.below(20) == 0 {
                *body = packed(body, random);
                let encodings = ["gzip", "br", "deflate", "gzip, gzip", "identity"];
                let encoding = match random.below(3) {
                    0 => *random.pick(&encodings).unwrap_or(&"gzip"),
                    _ => "gzip",
                };
                headers.push(("Content-Encoding".to_owned(), encoding.into()));
            }
        }
        let request = Request {
            method: method.to_owned(),
            target,
            headers,
            body,
        };
        Sent {
            bytes: request.bytes(),
            is_http: true,
            is_openai,
        }
    }
}

/// The path with its parts put in: mostly good ones.
fn path(template: &str, random: &mut SplitMix64) -> String {
    let mut path = String::new();
    for part in template.split('/').skip(1) {
        path.push('/');
        let good: &[&str] = match part {
            "{uid}" => &[
                "products", "products", "products", "products", "articles", "none",
            ],
            "{id}" => &["p07", "p01", "8", "none"],
            "{user}" => &["u1", "2"],
            "{number}" => &["1", "3", "0", "99999999999999999999999", "-1"],
            "{key}" => &["6062abda-a5aa-4414-ac91-ecd7944c0f8d", "none"],
            _ => {
                path.push_str(part);
                continue;
            }
        };
        match random.below(8) {
            0 => path.push_str(&encoded(&odd::text(random), random)),
            _ => path.push_str(random.pick(good).unwrap_or(&"")),
        }
    }
    path
}

/// Percent-encoded, now and then wrongly.
fn encoded(text: &str, random: &mut SplitMix64) -> String {
    const WRONG: &[&str] = &[
        "%",
        "%2",
        "%zz",
        "%00",
        "%2F",
        "%2e%2e",
        "%C3%28",
        "%ff",
        "%ED%A0%80",
    ];
    let mut encoded = String::new();
    for byte in text.bytes().take(2_000) {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    if random.below(4) == 0 {
        encoded.push_str(random.pick(WRONG).unwrap_or(&"%"));
    }
    encoded
}

/// Some of the parameters, with good or odd values.
fn query(good: &[(&str, &str)], random: &mut SplitMix64) -> String {
    let mut pairs = Vec::new();
    for (name, value) in good {
        if random.below(4) > 0 {
            continue;
        }
        let value = match random.below(3) {
            0 => encoded(&odd::text(random), random),
            _ => encoded(value, random),
        };
        pairs.push(format!("{name}={value}"));
    }
    match random.below(12) {
        0 => pairs.push(encoded(&odd::text(random), random)),
        1 => pairs.extend(pairs.clone()),
        _ => {}
    }
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

fn body(route: &Route, random: &mut SplitMix64) -> Option<Vec<u8>> {
    let mut value = match &route.body {
        Some(value) => value.clone(),
        // Where none belongs.
        None if random.below(20) == 0 => odd::value(random),
        None => return None,
    };
    mutate(&mut value, random);
    let text = value.to_string().replace("{uid}", "products").into_bytes();
    Some(match random.below(10) {
        0 => garble(text, random),
        _ => text,
    })
}

fn media(random: &mut SplitMix64) -> Option<(String, Vec<u8>)> {
    const OTHERS: &[&str] = &[
        "application/x-ndjson",
        "text/csv",
        "text/plain",
        "application/json; charset=utf-16",
        "application/json; charset",
        "multipart/form-data",
        "json",
        "*/*",
        "",
        ";",
    ];
    let media = match random.below(12) {
        0 => return None,
        1 | 2 => (*random.pick(OTHERS).unwrap_or(&"")).as_bytes().to_vec(),
        3 => b"application/\xff\xfe".to_vec(),
        _ => b"application/json".to_vec(),
    };
    Some(("Content-Type".to_owned(), media))
}

/// Gzipped: whole, cut, or of much that is the same.
fn packed(body: &[u8], random: &mut SplitMix64) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = match random.below(30) {
        0 => 200_000_000,
        1 => 12_000_000,
        _ => 0,
    };
    let written = packer.write_all(body).and_then(|()| {
        let block = vec![b' '; 1_000_000];
        (0..zeros / block.len()).try_for_each(|_| packer.write_all(&block))
    });
    written.expect("memory takes it");
    let mut bytes = packer.finish().expect("memory takes it");
    match random.below(4) {
        0 => bytes.truncate(random.below(bytes.len() + 1)),
        1 => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        _ => {}
    }
    bytes
}

//! Keys and tokens: good ones, forged ones, and ones that are signed but make no sense.

use crate::odd;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use testkit::SplitMix64;

/// What opens the server.
pub struct Keys {
    pub master: String,
    /// A key that may search.
    pub uid: String,
    pub key: String,
}

/// The value of the header; mostly the master key, so that most requests come through.
pub fn bearer(keys: &Keys, random: &mut SplitMix64) -> Option<Vec<u8>> {
    let token = match random.below(40) {
        0 => return None,
        1 => return Some(odd_header(random)),
        2 => String::new(),
        3 => keys.key.clone(),
        4 => format!("{}x", keys.master),
        5 => keys.master.chars().rev().collect(),
        6 | 7 => token("HS256", &claims(keys, random), &keys.key),
        8 => {
            let algorithms = ["none", "HS257", "RS256", "", "hs256"];
            let algorithm = *random.pick(&algorithms).unwrap_or(&"none");
            token(algorithm, &claims(keys, random), &keys.key)
        }
        9 => token("HS256", &claims(keys, random), &keys.master),
        10 => {
            let good = token("HS256", &claims(keys, random), &keys.key);
            let at = random.below(good.len());
            // All of it is ASCII.
            format!("{}{}{}", &good[..at], random.below(10), &good[at..])
        }
        11 => "..".to_owned(),
        12 => "a.b.c.d".to_owned(),
        _ => keys.master.clone(),
    };
    Some(format!("Bearer {token}").into_bytes())
}

fn odd_header(random: &mut SplitMix64) -> Vec<u8> {
    let length = random.below(200);
    // What may stand in a header, some of it no UTF-8.
    let byte = |random: &mut SplitMix64| match random.below(3) {
        0 => 0x80 + random.below(0x80) as u8,
        _ => b'!' + random.below(90) as u8,
    };
    let mut value = b"Bearer ".to_vec();
    value.extend((0..length).map(|_| byte(random)));
    value
}

fn claims(keys: &Keys, random: &mut SplitMix64) -> Value {
    let mut claims = json!({
        "apiKeyUid": keys.uid, "exp": 4_102_444_800_u64,
        "searchRules": { "*": { "filter": "price > 1" } },
    });
    match random.below(6) {
        0 => claims["searchRules"] = odd::value(random),
        1 => claims["exp"] = odd::value(random),
        2 => claims["apiKeyUid"] = odd::value(random),
        3 => claims["searchRules"]["*"]["filter"] = odd::filter(random),
        4 => claims["searchRules"] = json!(["products", "a*", ""]),
        _ => {}
    }
    claims
}

fn token(algorithm: &str, claims: &Value, key: &str) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT" });
    let signed = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(claims.to_string().as_bytes())
    );
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes()).expect("any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64url(&mac.finalize().into_bytes()))
}

fn base64url(bytes: &[u8]) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..=chunk.len() {
            let symbol = bits >> (18 - 6 * place) & 63;
            text.push(char::from(SYMBOLS[symbol as usize]));
        }
    }
    text
}

//! Tenant tokens: what a visitor of a shop may find with a token made for them.

use crate::shop::{Shop, ids, refused};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use server::Limits;
use sha2::{Sha256, Sha384, Sha512};

const MASTER: &str = "0123456789abcdef-master";

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

fn sign<M: Mac + KeyInit>(key: &str, algorithm: &str, claims: &Value) -> String {
    let header = json!({ "alg": algorithm, "typ": "JWT" });
    let signed = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(claims.to_string().as_bytes())
    );
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", base64url(&mac.finalize().into_bytes()))
}

/// A stocked shop, and uid and value of a key that may search `prod*`.
fn shop() -> (Shop, String, String) {
    let shop = Shop::with(Some(MASTER), Limits::default())
        .header("Authorization", &format!("Bearer {MASTER}"));
    shop.stock();
    let body =
        json!({ "actions": ["search", "documents.get"], "indexes": ["prod*"], "expiresAt": null });
    let key = shop.post("/keys", body).json();
    let text = |name: &str| key[name].as_str().expect("a text").to_owned();
    (shop, text("uid"), text("key"))
}

fn far() -> i64 {
    engine::now().millis() / 1000 + 60
}

#[test]
fn the_rule_of_a_token_is_added_to_every_kind_of_search() {
    let (shop, uid, key) = shop();
    let all = shop.get("/indexes/products/search?limit=100").json();
    let brand = all["hits"][0]["brand"]
        .as_str()
        .expect("a brand")
        .to_owned();
    let filter = format!("brand = {}", json!(brand));
    let expected = shop
        .post(
            "/indexes/products/search",
            json!({ "filter": filter, "limit": 100 }),
        )
        .json();
    let expected = ids(&expected["hits"]);
    assert!(expected.len() < 40 && !expected.is_empty());

    let rules = json!({ "products": { "filter": filter } });
    let claims = json!({ "apiKeyUid": uid, "searchRules": rules, "exp": far() });
    for token in [
        sign::<Hmac<Sha256>>(&key, "HS256", &claims),
        sign::<Hmac<Sha384>>(&key, "HS384", &claims),
        sign::<Hmac<Sha512>>(&key, "HS512", &claims),
    ] {
        shop.as_bearer(&token, |shop| {
            let found = |answer: &Value| {
                let hits = ids(&answer["hits"]);
                hits.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
            };
            let posted = shop
                .post("/indexes/products/search", json!({ "limit": 100 }))
                .json();
            assert_eq!(found(&posted), expected);
            let got = shop.get("/indexes/products/search?limit=100").json();
            assert_eq!(found(&got), expected);
            // A filter of the request's own cannot widen it.
            let wide = json!({ "limit": 100, "filter": "price >= 0 OR price < 0" });
            let wide = shop.post("/indexes/products/search", wide).json();
            assert!(
                found(&wide)
                    .iter()
                    .all(|id| expected.contains(&id.as_str()))
            );
            let queries = json!([{ "indexUid": "products", "limit": 100 }]);
            let multi = shop
                .post("/multi-search", json!({ "queries": queries }))
                .json();
            assert_eq!(found(&multi["results"][0]), expected);
            let queries = json!([{ "indexUid": "products" }]);
            let federated = json!({ "queries": queries, "federation": { "limit": 100 } });
            let federated = shop.post("/multi-search", federated).json();
            assert_eq!(found(&federated).len(), expected.len());
            let facets = json!({ "facetName": "brand" });
            let facets = shop.post("/indexes/products/facet-search", facets).json();
            assert_eq!(
                facets["facetHits"],
                json!([{ "value": brand, "count": expected.len() }])
            );
        });
    }
}

#[test]
fn a_token_opens_searches_of_its_indexes_and_nothing_else() {
    let (shop, uid, key) = shop();
    let token = |rules: Value| {
        let claims = json!({ "apiKeyUid": uid, "searchRules": rules });
        sign::<Hmac<Sha256>>(&key, "HS256", &claims)
    };
    let forbidden = refused(403, "invalid_api_key");
    shop.as_bearer(&token(json!(["*"])), |shop| {
        assert_eq!(shop.get("/indexes/products/search").status, 200);
        // The key behind the token does not reach it.
        assert_eq!(shop.get("/indexes/other/search").error(), forbidden);
        for path in [
            "/indexes/products/documents",
            "/indexes",
            "/version",
            "/nowhere",
        ] {
            assert_eq!(shop.get(path).error(), forbidden, "{path}");
        }
    });
    for rules in [
        json!([]),
        json!({}),
        json!(["other"]),
        json!({ "other": null }),
    ] {
        shop.as_bearer(&token(rules.clone()), |shop| {
            let answer = shop.get("/indexes/products/search");
            assert_eq!(answer.error(), forbidden, "{rules}");
        });
    }
    shop.as_bearer(&token(json!({ "*": { "filter": "brand =" } })), |shop| {
        let answer = shop.get("/indexes/products/search");
        assert_eq!(answer.error(), refused(400, "invalid_search_filter"));
    });
}

#[test]
fn forged_expired_and_orphaned_tokens_are_refused() {
    let (shop, uid, key) = shop();
    let good = json!({ "apiKeyUid": uid, "searchRules": ["*"], "exp": far() });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let signed = |claims: &Value| sign::<Hmac<Sha256>>(&key, "HS256", claims);
    let other_body = signed(&with("searchRules", json!({ "*": { "filter": "a = 1" } })));
    let whole = signed(&good);
    let (_, body_and_signature) = whole.split_once('.').expect("three parts");
    let (head, rest) = other_body.split_once('.').expect("three parts");
    let (_, foreign) = rest.split_once('.').expect("three parts");
    let (body, _) = body_and_signature.split_once('.').expect("three parts");
    for (token, message) in [
        (sign::<Hmac<Sha256>>("wrong", "HS256", &good), "signature"),
        (sign::<Hmac<Sha256>>(MASTER, "HS256", &good), "signature"),
        (sign::<Hmac<Sha256>>(&key, "HS512", &good), "signature"),
        (sign::<Hmac<Sha256>>(&key, "none", &good), "API key"),
        (format!("{head}.{body}.{foreign}"), "signature"),
        (format!("{head}.{body}."), "signature"),
        (
            signed(&with("exp", json!(1000))),
            "Tenant token expired. Was valid up to `1000`",
        ),
        (signed(&with("exp", json!("soon"))), "API key"),
        (signed(&with("searchRules", json!(null))), "API key"),
        (
            signed(&with(
                "apiKeyUid",
                json!("00000000-0000-4000-8000-000000000000"),
            )),
            "API key",
        ),
    ] {
        shop.as_bearer(&token, |shop| {
            let answer = shop.get("/indexes/products/search");
            assert_eq!(answer.error(), refused(403, "invalid_api_key"), "{token}");
            let body = answer.json();
            let text = body["message"].as_str().unwrap_or_default();
            assert!(text.contains(message), "{text}");
        });
    }
    let token = signed(&good);
    shop.as_bearer(&token, |shop| {
        assert_eq!(shop.get("/indexes/products/search").status, 200);
    });
    assert_eq!(shop.delete(&format!("/keys/{uid}")).status, 204);
    shop.as_bearer(&token, |shop| {
        let answer = shop.get("/indexes/products/search");
        assert_eq!(answer.error(), refused(403, "invalid_api_key"));
    });
}

#[test]
fn a_key_without_the_search_action_signs_in_vain() {
    let (shop, _, _) = shop();
    let body = json!({ "actions": ["documents.get"], "indexes": ["*"], "expiresAt": null });
    let key = shop.post("/keys", body).json();
    let claims = json!({ "apiKeyUid": key["uid"], "searchRules": ["*"] });
    let value = key["key"].as_str().expect("a value");
    shop.as_bearer(&sign::<Hmac<Sha256>>(value, "HS256", &claims), |shop| {
        let answer = shop.get("/indexes/products/search");
        assert_eq!(answer.error(), refused(403, "invalid_api_key"));
    });
}

//! `/keys`, and what a key with fewer rights may do.

use crate::shop::{Shop, refused};
use serde_json::{Value, json};
use server::Limits;

const MASTER: &str = "0123456789abcdef-master";
const UID: &str = "6062abda-a5aa-4414-ac91-ecd7944c0f8d";

fn guarded() -> Shop {
    Shop::with(Some(MASTER), Limits::default()).header("Authorization", &format!("Bearer {MASTER}"))
}

fn make(shop: &Shop, actions: &[&str], indexes: &[&str]) -> String {
    let body = json!({ "actions": actions, "indexes": indexes, "expiresAt": null });
    let answer = shop.post("/keys", body);
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["key"].as_str().expect("a value").to_owned()
}

fn with_key(shop: &Shop, key: &str, body: impl FnOnce(&Shop)) {
    shop.as_bearer(key, body);
}

#[test]
fn the_first_start_makes_the_default_keys() {
    let shop = guarded();
    let list = shop.get("/keys").json();
    assert_eq!((&list["offset"], &list["limit"]), (&json!(0), &json!(20)));
    let results = list["results"].as_array().expect("a list");
    let mut names: Vec<&str> = results
        .iter()
        .filter_map(|key| key["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "Default Admin API Key",
            "Default Chat API Key",
            "Default Read-Only Admin API Key",
            "Default Search API Key"
        ]
    );
    for key in results {
        assert_eq!(key["key"].as_str().map(str::len), Some(64));
        assert_eq!(key["expiresAt"], Value::Null);
    }
    assert_eq!(list["total"], 4);
    let page = shop.get("/keys?offset=3&limit=5").json();
    assert_eq!(page["results"].as_array().map(Vec::len), Some(1));
}

/// The value that `echo -n UID | openssl dgst -sha256 -hmac MASTER` gives.
#[test]
fn a_key_is_made_read_changed_and_deleted() {
    let shop = guarded();
    let made = shop.post(
        "/keys",
        json!({
            "uid": UID,
            "name": "indexing",
            "description": "for the nightly feed",
            "actions": ["documents.add", "documents.add"],
            "indexes": ["products*"],
            "expiresAt": "2099-01-01",
        }),
    );
    assert_eq!(made.status, 201);
    let key = made.json();
    let names: Vec<&String> = key.as_object().expect("an object").keys().collect();
    assert_eq!(
        names,
        [
            "name",
            "description",
            "key",
            "uid",
            "actions",
            "indexes",
            "expiresAt",
            "createdAt",
            "updatedAt"
        ]
    );
    assert_eq!(
        key["key"],
        "24c868b0259514901dc757908e773f276a4cfadcc3cd1af8e0a1db28e0b926f2"
    );
    assert_eq!(key["actions"], json!(["documents.add"]));
    assert_eq!(key["expiresAt"], "2099-01-01T00:00:00.000Z");
    let value = key["key"].as_str().expect("a value");
    assert_eq!(shop.get(&format!("/keys/{UID}")).json(), key);
    assert_eq!(shop.get(&format!("/keys/{value}")).json(), key);

    let path = format!("/keys/{UID}");
    let changed = shop.patch(&path, json!({ "name": "feed", "description": null }));
    assert_eq!(changed.status, 200);
    let changed = changed.json();
    assert_eq!(
        (&changed["name"], &changed["description"], &changed["key"]),
        (&json!("feed"), &Value::Null, &key["key"])
    );
    assert_eq!(shop.patch(&path, json!({})).json()["name"], "feed");

    let gone = shop.delete(&format!("/keys/{value}"));
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(shop.get(&path).error(), refused(404, "api_key_not_found"));
    with_key(&shop, value, |shop| {
        assert_eq!(
            shop.post("/indexes/products/documents", json!([{ "id": 1 }]))
                .error(),
            refused(403, "invalid_api_key")
        );
    });
}

#[test]
fn bad_keys_are_refused_by_name() {
    let shop = guarded();
    let good = json!({ "uid": UID, "actions": ["search"], "indexes": ["*"], "expiresAt": null });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(name);
        body
    };
    for (body, code) in [
        (without("actions"), "missing_api_key_actions"),
        (without("indexes"), "missing_api_key_indexes"),
        (without("expiresAt"), "missing_api_key_expires_at"),
        (with("actions", json!(["dance"])), "invalid_api_key_actions"),
        (with("actions", json!("search")), "invalid_api_key_actions"),
        (with("indexes", json!(["a b"])), "invalid_api_key_indexes"),
        (with("indexes", json!(["a*b"])), "invalid_api_key_indexes"),
        (with("indexes", json!(5)), "invalid_api_key_indexes"),
        (
            with("expiresAt", json!("2020-01-01")),
            "invalid_api_key_expires_at",
        ),
        (
            with("expiresAt", json!("4102444800")),
            "invalid_api_key_expires_at",
        ),
        (
            with("expiresAt", json!("soon")),
            "invalid_api_key_expires_at",
        ),
        (with("expiresAt", json!(5)), "invalid_api_key_expires_at"),
        (with("uid", json!("x")), "invalid_api_key_uid"),
        (with("name", json!(5)), "invalid_api_key_name"),
        (
            with("name", json!("x".repeat(1001))),
            "invalid_api_key_name",
        ),
        (
            with("description", json!([])),
            "invalid_api_key_description",
        ),
        (with("key", json!("x")), "bad_request"),
    ] {
        assert_eq!(
            shop.post("/keys", body.clone()).error(),
            refused(400, code),
            "{body}"
        );
    }
    assert_eq!(shop.post("/keys", good.clone()).status, 201);
    assert_eq!(
        shop.post("/keys", good).error(),
        refused(409, "api_key_already_exists")
    );
    let path = format!("/keys/{UID}");
    for (name, code) in [
        ("uid", "immutable_api_key_uid"),
        ("key", "immutable_api_key_key"),
        ("actions", "immutable_api_key_actions"),
        ("indexes", "immutable_api_key_indexes"),
        ("expiresAt", "immutable_api_key_expires_at"),
        ("createdAt", "immutable_api_key_created_at"),
        ("updatedAt", "immutable_api_key_updated_at"),
        ("other", "bad_request"),
    ] {
        let answer = shop.patch(&path, json!({ name: "x" }));
        assert_eq!(answer.error(), refused(400, code), "{name}");
    }
    assert_eq!(
        shop.patch("/keys/nobody", json!({ "name": "x" })).error(),
        refused(404, "api_key_not_found")
    );
    assert_eq!(
        shop.delete("/keys/nobody").error(),
        refused(404, "api_key_not_found")
    );
    assert_eq!(
        shop.get("/keys?offset=x").error(),
        refused(400, "invalid_api_key_offset")
    );
    assert_eq!(
        shop.get("/keys?limit=x").error(),
        refused(400, "invalid_api_key_limit")
    );
}

#[test]
fn without_a_master_key_there_are_no_keys() {
    let shop = Shop::empty();
    for answer in [
        shop.get("/keys"),
        shop.post("/keys", json!({})),
        shop.get("/keys/x"),
        shop.patch("/keys/x", json!({})),
        shop.delete("/keys/x"),
    ] {
        assert_eq!(answer.error(), refused(401, "missing_master_key"));
    }
}

#[test]
fn a_key_does_what_its_actions_say_on_its_indexes() {
    let shop = guarded();
    shop.stock();
    shop.post("/indexes", json!({ "uid": "other" })).done(&shop);
    let forbidden = refused(403, "invalid_api_key");
    let search = make(&shop, &["search"], &["prod*"]);
    with_key(&shop, &search, |shop| {
        assert_eq!(shop.get("/indexes/products/search").status, 200);
        assert_eq!(shop.get("/indexes/other/search").error(), forbidden);
        let queries =
            |uid: &str| json!({ "queries": [{ "indexUid": "products" }, { "indexUid": uid }] });
        assert_eq!(shop.post("/multi-search", queries("products")).status, 200);
        assert_eq!(
            shop.post("/multi-search", queries("other")).error(),
            forbidden
        );
        for path in [
            "/version",
            "/stats",
            "/indexes",
            "/tasks",
            "/keys",
            "/backup",
            "/indexes/products/documents",
            "/indexes/products/settings",
            "/indexes/products/users/ann/profile",
        ] {
            assert_eq!(shop.get(path).error(), forbidden, "{path}");
        }
        assert_eq!(shop.get("/nowhere").error(), refused(404, "not_found"));
    });
    let reader = make(&shop, &["indexes.get", "stats.*", "version"], &["other"]);
    with_key(&shop, &reader, |shop| {
        let list = shop.get("/indexes").json();
        assert_eq!(
            (&list["total"], &list["results"][0]["uid"]),
            (&json!(1), &json!("other"))
        );
        let stats = shop.get("/stats").json();
        let names: Vec<&String> = stats["indexes"]
            .as_object()
            .expect("an object")
            .keys()
            .collect();
        assert_eq!(names, ["other"]);
        assert_eq!(shop.get("/indexes/other/stats").status, 200);
        assert_eq!(shop.get("/indexes/products").error(), forbidden);
        assert_eq!(shop.delete("/indexes/other").error(), forbidden);
        assert_eq!(
            shop.post("/indexes", json!({ "uid": "other" })).error(),
            forbidden
        );
    });
}

#[test]
fn only_who_may_make_indexes_makes_them_by_adding() {
    let shop = guarded();
    shop.post("/indexes", json!({ "uid": "known" })).done(&shop);
    let adder = make(
        &shop,
        &["documents.add", "settings.update", "tasks.get"],
        &["*"],
    );
    with_key(&shop, &adder, |shop| {
        let documents = || json!([{ "id": 1 }]);
        assert_eq!(
            shop.post("/indexes/known/documents", documents()).status,
            202
        );
        assert_eq!(
            shop.post("/indexes/new/documents", documents()).error(),
            refused(404, "index_not_found")
        );
        assert_eq!(
            shop.put("/indexes/new/settings/stop-words", json!(["the"]))
                .error(),
            refused(404, "index_not_found")
        );
    });
}

#[test]
fn nobody_gets_more_out_of_keys_than_they_have() {
    let shop = guarded();
    let maker = make(&shop, &["keys.create", "keys.get", "search"], &["shop*"]);
    with_key(&shop, &maker, |shop| {
        let wanted = |actions: &[&str], indexes: &[&str]| json!({ "actions": actions, "indexes": indexes, "expiresAt": null });
        assert_eq!(
            shop.post("/keys", wanted(&["search"], &["shop_en"])).status,
            201
        );
        for body in [wanted(&["*"], &["shop_en"]), wanted(&["search"], &["*"])] {
            assert_eq!(
                shop.post("/keys", body).error(),
                refused(403, "invalid_api_key")
            );
        }
        // Values of stronger keys, the master's children, stay hidden.
        let list = shop.get("/keys").json();
        for key in list["results"].as_array().expect("a list") {
            let strong = key["name"]
                .as_str()
                .is_some_and(|name| name.starts_with("Default"));
            assert_eq!(key["key"].is_null(), strong, "{key}");
        }
    });
}

#[test]
fn keys_survive_a_restart_and_expire() {
    let mut shop = guarded();
    let value = make(&shop, &["version"], &["*"]);
    let soon = engine::now().millis() + 400;
    let soon = jiff_text(soon);
    let body = json!({ "actions": ["version"], "indexes": ["*"], "expiresAt": soon });
    let brief = shop.post("/keys", body).json()["key"]
        .as_str()
        .expect("a value")
        .to_owned();
    shop.restart();
    with_key(&shop, &value, |shop| {
        assert_eq!(shop.get("/version").status, 200)
    });
    std::thread::sleep(std::time::Duration::from_millis(450));
    with_key(&shop, &brief, |shop| {
        assert_eq!(
            shop.get("/version").error(),
            refused(403, "invalid_api_key")
        );
    });
    assert_eq!(shop.get("/keys").json()["total"], 6);
}

fn jiff_text(millis: i64) -> String {
    domain::Timestamp::from_millis(millis).to_string()
}

#[test]
fn a_path_is_read_once_and_strictly() {
    let shop = guarded();
    shop.stock();
    let key = make(&shop, &["search", "documents.get"], &["products"]);
    shop.as_bearer(&key, |shop| {
        // Encoded letters are the letters.
        assert_eq!(shop.get("/indexes/%70roducts/search").status, 200);
        assert_eq!(
            shop.get("/indexes/%6fther/search").error(),
            refused(403, "invalid_api_key")
        );
        assert_eq!(
            shop.get("/indexes/products/documents/%FF").error(),
            refused(400, "bad_request")
        );
        assert_eq!(
            shop.get("/indexes/%FF/search").error(),
            refused(400, "bad_request")
        );
        assert_eq!(
            shop.get("/indexes//search").error(),
            refused(403, "invalid_api_key")
        );
    });
}

//! What the tests of the Rust client of Gorse share: the client, and all films. It knows the
//! server by two variables only, which `cargo xtask clients` sets.

use gorse_rs::{Feedback, Gorse, Item, User};
use serde::Deserialize;

/// When everything in the tests happens.
pub const TIME: &str = "2022-11-20T13:55:27Z";

#[derive(Deserialize)]
pub struct Films {
    pub users: Vec<User>,
    pub items: Vec<Item>,
    pub feedback: Vec<Feedback>,
}

/// The films that both suites have.
pub fn films() -> Films {
    serde_json::from_str(include_str!("../../films.json")).expect("films")
}

/// A client that may do everything.
pub fn client() -> Gorse {
    client_with(&variable("VITRINE_MASTER_KEY"))
}

/// A client with another key.
pub fn client_with(key: &str) -> Gorse {
    Gorse::new(format!("{}/", variable("VITRINE_URL")), key)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run `cargo xtask clients`"))
}

/// Writes all films, viewers and feedback; again it changes nothing.
pub async fn load() {
    let (client, films) = (client(), films());
    for user in &films.users {
        client.insert_user(user).await.expect("a user");
    }
    for item in &films.items {
        client.insert_item(item).await.expect("an item");
    }
    for given in &films.feedback {
        let deleted = client.delete_feedback(&given.user_id, &given.item_id).await;
        deleted.expect("an answer");
    }
    let written = client.insert_feedback(&films.feedback).await;
    assert_eq!(
        written.expect("an answer").row_affected as usize,
        films.feedback.len()
    );
}

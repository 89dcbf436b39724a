//! What the demo asks, and how it shows the answers.
//!
//! Every question goes over HTTP, so that what is shown is what a client gets. Nothing
//! is prepared: the items of one answer are the question of the next.

use super::{INDEX, Story};
use crate::address::path;
use crate::client::Client;
use crate::hits::{Columns, hits_table};
use crate::outline::outline;
use serde_json::{Map, Value, json};
use std::time::Instant;

const QUERY: &str = "heart t-light holder";
/// Hits shown of every answer.
const SHOWN: usize = 5;

/// Asks and shows.
pub fn show(client: &Client, shopper: &str, story: &mut Story) -> anyhow::Result<()> {
    let columns = Columns::of_index(client, INDEX)?;
    let tour = Tour { client, columns };
    let body = json!({"q": QUERY, "limit": SHOWN, "showRankingScore": true});
    let found = tour.ask(
        story,
        "search",
        &format!("search \"{QUERY}\""),
        "search",
        &body,
    )?;
    tour.profile(shopper, story)?;
    let of_shopper = |kind: &str| json!({"kind": kind, "userId": shopper, "limit": SHOWN});
    tour.recommend(
        story,
        "forYou",
        &format!("for-you, shopper {shopper}"),
        &of_shopper("for-you"),
    )?;
    if let Some(first) = found.get("hits").and_then(|hits| hits.get(0)) {
        let (id, title) = (tour.columns.id(first), tour.columns.title(first));
        let body = json!({"kind": "bought-with", "itemId": id, "limit": SHOWN});
        tour.recommend(
            story,
            "boughtWith",
            &format!("bought-with {title} ({id})"),
            &body,
        )?;
    }
    tour.recommend(
        story,
        "buyAgain",
        &format!("buy-again, shopper {shopper}"),
        &of_shopper("buy-again"),
    )?;
    tour.recommend(
        story,
        "trending",
        "trending",
        &json!({"kind": "trending", "limit": SHOWN}),
    )
}

/// The lines that show a person how to ask.
pub fn invitation(base: &str) -> String {
    format!(
        "\n\nserving at {base}; try\n  \
         curl '{base}/indexes/{INDEX}/search' -H 'Content-Type: application/json' -d '{{\"q\": \"{QUERY}\"}}'\n  \
         curl '{base}/indexes/{INDEX}/recommend' -H 'Content-Type: application/json' -d '{{\"kind\": \"trending\"}}'\n\
         Ctrl-C ends it"
    )
}

struct Tour<'a> {
    client: &'a Client,
    columns: Columns,
}

impl Tour<'_> {
    fn recommend(
        &self,
        story: &mut Story,
        name: &str,
        title: &str,
        body: &Value,
    ) -> anyhow::Result<()> {
        self.ask(story, name, title, "recommend", body).map(drop)
    }

    /// Posts a question, shows the hits, and gives the answer.
    fn ask(
        &self,
        story: &mut Story,
        name: &str,
        title: &str,
        route: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let started = Instant::now();
        let answer = self.client.post(&path(&["indexes", INDEX, route]), body)?;
        let millis = started.elapsed().as_secs_f64() * 1e3;
        let hits = answer
            .get("hits")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let table = hits_table(hits, &self.columns);
        let table = if table.is_empty() {
            "nothing\n".to_owned()
        } else {
            table
        };
        story.tell(
            name,
            answer.clone(),
            &format!("\n{title} ({millis:.1} ms)\n{table}"),
        )?;
        Ok(answer)
    }

    fn profile(&self, shopper: &str, story: &mut Story) -> anyhow::Result<()> {
        let started = Instant::now();
        let profile = self
            .client
            .get(&path(&["indexes", INDEX, "users", shopper, "profile"]))?;
        let millis = started.elapsed().as_secs_f64() * 1e3;
        let text = outline(&summary(&profile));
        story.tell(
            "profile",
            profile,
            &format!("\nprofile of shopper {shopper} ({millis:.1} ms)\n{text}"),
        )
    }
}

/// What a profile says and a first look at one does not need.
const LEFT_OUT: [&str; 3] = ["restsOn", "hours", "categoryPrices"];

/// A profile with its lists cut to what fits on a screen.
fn summary(profile: &Value) -> Value {
    match profile {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
                .map(|(name, field)| (name.clone(), summary(field)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().take(SHOWN).map(summary).collect(),
        other => other.clone(),
    }
}

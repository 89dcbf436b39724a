//! `vitrine recommend`: asks an index for recommendations and prints them.
//!
//! With `--json` the answer is the HTTP answer as it stands.

use crate::address::path;
use crate::client::Client;
use crate::folder::FolderArgs;
use crate::hits::{Columns, hits_table};
use crate::outcome::Outcome;
use crate::output::Format;
use crate::target::with_server;
use serde_json::{Map, Value, json};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index to recommend from.
    #[arg(long, value_name = "UID")]
    index: String,
    /// for-you, session, similar, also-viewed, bought-with, basket, trending, popular, buy-again
    /// or recently-viewed.
    #[arg(long)]
    kind: String,
    /// The shopper.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// The item in front of the shopper; may be repeated.
    #[arg(long, value_name = "ID")]
    item: Vec<String>,
    /// What is in the basket, e.g. `a,b`.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    basket: Vec<String>,
    /// Only items that meet this, e.g. `price < 10`.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Items that must not come back, e.g. `a,b`.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    exclude: Vec<String>,
    /// How unlike one another the items should be, from 0 to 1.
    #[arg(long, value_name = "D")]
    diversity: Option<f64>,
    /// The share of places for new items, from 0 to 0.5.
    #[arg(long, value_name = "SHARE")]
    exploration: Option<f64>,
    /// Items that are sold out may come back.
    #[arg(long)]
    include_sold_out: bool,
    /// In for-you, items that the shopper owns may come back.
    #[arg(long)]
    include_owned: bool,
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Say what each score is made of.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    format: Format,
}

/// Exit 1 when there is nothing to recommend.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let (answer, columns) = with_server(&args.folder, |client| {
        let answer = ask(client, &args.index, &args.body())?;
        let columns = Columns::of_index(client, &args.index)?;
        Ok((answer, columns))
    })?;
    args.format
        .print(&answer, |answer| render(answer, &columns))?;
    Ok(Outcome::of(hits(&answer).next().is_some()))
}

impl Args {
    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("kind".into(), json!(self.kind));
        body.insert("limit".into(), json!(self.limit));
        body.insert("offset".into(), json!(self.offset));
        let lists = [("basket", &self.basket), ("exclude", &self.exclude)];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            body.insert(name.into(), json!(list));
        }
        match self.item.as_slice() {
            [] => None,
            [one] => body.insert("itemId".into(), json!(one)),
            several => body.insert("itemIds".into(), json!(several)),
        };
        if let Some(user) = &self.user {
            body.insert("userId".into(), json!(user));
        }
        if let Some(filter) = &self.filter {
            body.insert("filter".into(), json!(filter));
        }
        let numbers = [
            ("diversity", self.diversity),
            ("exploration", self.exploration),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                body.insert(name.into(), json!(number));
            }
        }
        let switches = [
            ("includeSoldOut", self.include_sold_out),
            ("includeOwned", self.include_owned),
            ("explain", self.explain),
        ];
        for (name, _) in switches.into_iter().filter(|(_, is_on)| *is_on) {
            body.insert(name.into(), json!(true));
        }
        Value::Object(body)
    }
}

/// The HTTP answer to a recommendation request.
pub fn ask(client: &Client, index: &str, body: &Value) -> anyhow::Result<Value> {
    client.post(&path(&["indexes", index, "recommend"]), body)
}

fn hits(answer: &Value) -> impl Iterator<Item = &Value> {
    answer
        .get("hits")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The items as a table, and why they are few, if they are.
pub fn render(answer: &Value, columns: &Columns) -> String {
    let table = hits_table(hits(answer), columns);
    match answer.get("fewer").and_then(Value::as_str) {
        Some(why) => format!("{table}{why}\n"),
        None => table,
    }
}

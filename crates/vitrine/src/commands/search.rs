//! `vitrine search`: asks an index and prints what it found.
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
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index to search.
    #[arg(long, value_name = "UID")]
    index: String,
    /// What to look for; empty finds everything.
    #[arg(default_value = "")]
    query: String,
    /// Only items that meet this, e.g. `price < 10 AND brand = Acme`.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Attributes to sort by, e.g. `price:asc`; may be repeated.
    #[arg(long, value_name = "ATTRIBUTE:ORDER", value_delimiter = ',')]
    sort: Vec<String>,
    /// Attributes whose values are counted, e.g. `brand,color`.
    #[arg(long, value_name = "ATTRIBUTES", value_delimiter = ',')]
    facets: Vec<String>,
    /// Search by meaning as well as by words: from 0, words alone, to 1, meaning alone; without a
    /// number the query decides.
    #[arg(long, value_name = "RATIO", num_args = 0..=1, require_equals = true)]
    hybrid: Option<Option<f32>>,
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// The shopper who asks: it matters where the setting `suitability` says what suits whom.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Exit 1 when nothing was found.
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
        body.insert("q".into(), json!(self.query));
        body.insert("limit".into(), json!(self.limit));
        body.insert("offset".into(), json!(self.offset));
        body.insert("showRankingScore".into(), json!(!self.query.is_empty()));
        if let Some(filter) = &self.filter {
            body.insert("filter".into(), json!(filter));
        }
        if !self.sort.is_empty() {
            body.insert("sort".into(), json!(self.sort));
        }
        if let Some(user) = &self.user {
            body.insert("personalize".into(), json!({ "userId": user }));
        }
        match self.hybrid {
            Some(Some(ratio)) => {
                body.insert("hybrid".into(), json!({ "semanticRatio": ratio }));
            }
            Some(None) => {
                body.insert("hybrid".into(), json!({}));
            }
            None => {}
        }
        if !self.facets.is_empty() {
            body.insert("facets".into(), json!(self.facets));
        }
        Value::Object(body)
    }
}

/// The HTTP answer to a search.
pub fn ask(client: &Client, index: &str, body: &Value) -> anyhow::Result<Value> {
    client.post(&path(&["indexes", index, "search"]), body)
}

fn hits(answer: &Value) -> impl Iterator<Item = &Value> {
    answer
        .get("hits")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn render(answer: &Value, columns: &Columns) -> String {
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    let mut text = format!(
        "{} found in {} ms\n",
        number("estimatedTotalHits"),
        number("processingTimeMs")
    );
    text.push_str(&hits_table(hits(answer), columns));
    for (attribute, counts) in answer
        .get("facetDistribution")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let _ = writeln!(text, "\n{attribute}");
        for (value, count) in counts.as_object().into_iter().flatten() {
            let _ = writeln!(text, "  {value}: {count}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reads_as_a_table_with_counts() {
        let answer = json!({
            "hits": [{"id": "a", "name": "Red mug", "price": 2.5, "_rankingScore": 0.91}],
            "estimatedTotalHits": 1,
            "processingTimeMs": 0,
            "facetDistribution": {"brand": {"Acme": 1}}
        });
        let columns = Columns::named("id", Some("name"), Some("price"));
        assert_eq!(
            render(&answer, &columns),
            "1 found in 0 ms\ntitle    id  price  score\nRed mug  a     2.5   0.91\n\nbrand\n  Acme: 1\n"
        );
    }
}

//! What a mode made of each query: its figures, what came, and what should have come.
//!
//! A mean says how good a ranking is; the queries behind it say what to mend.

use super::Mode;
use super::catalogue::{Catalogue, Found};
use anyhow::Context as _;
use eval::{Qrels, QueryLine, QueryRelevance};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Products named of a query, on either side.
const NAMED: usize = 10;
/// Those among them that a person is shown.
const SHOWN: usize = 3;

/// One query in one mode.
#[derive(Debug, Serialize)]
pub struct Judged {
    query_id: String,
    query: String,
    /// Nothing for a query without a positive judgement.
    #[serde(flatten)]
    pub relevance: Option<QueryRelevance>,
    /// All hits that paging would reach.
    hits: usize,
    /// The products with the highest gains, and where they came.
    expected: Vec<Product>,
    /// What stands on top.
    top: Vec<Product>,
}

#[derive(Debug, Serialize)]
struct Product {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// From 1; `null` when it is not among the first hundred.
    place: Option<usize>,
    /// `null` when nobody judged it.
    gain: Option<f64>,
}

impl Judged {
    /// Compares what a query found with its judgements.
    pub fn new(catalogue: &Catalogue, query: &QueryLine, found: &Found, qrels: &Qrels) -> Self {
        let product = |id: &str| Product {
            id: id.to_owned(),
            title: catalogue.title(id),
            place: found.ids.iter().position(|hit| hit == id).map(|at| at + 1),
            gain: qrels.gain(&query.id, id),
        };
        let mut expected: Vec<(&str, f64)> = qrels
            .gains(&query.id)
            .filter(|(_, gain)| *gain > 0.0)
            .collect();
        expected.sort_by(|(a, a_gain), (b, b_gain)| b_gain.total_cmp(a_gain).then(a.cmp(b)));
        Self {
            query_id: query.id.clone(),
            query: query.text.clone(),
            relevance: QueryRelevance::of(&query.id, &found.ids, qrels),
            hits: found.hits,
            expected: expected
                .iter()
                .take(NAMED)
                .map(|(id, _)| product(id))
                .collect(),
            top: found.ids.iter().take(NAMED).map(|id| product(id)).collect(),
        }
    }
}

/// A query that went badly.
#[derive(Debug, Serialize)]
pub struct Worst<'a> {
    #[serde(flatten)]
    judged: &'a Judged,
    /// How the other mode did.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<QueryRelevance>,
}

/// The queries with the lowest nDCG; equals in the order of the file.
pub fn worst<'a>(judged: &'a [Judged], against: Option<&[Judged]>, count: usize) -> Vec<Worst<'a>> {
    let mut all: Vec<(f64, Worst<'a>)> = Vec::new();
    for (place, judged) in judged.iter().enumerate() {
        let Some(relevance) = judged.relevance else {
            continue;
        };
        let against = against.and_then(|against| against.get(place)?.relevance);
        all.push((relevance.ndcg_10, Worst { judged, against }));
    }
    all.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    all.into_iter()
        .take(count)
        .map(|(_, worst)| worst)
        .collect()
}

/// The worst queries for a person.
pub fn render(worst: &[Worst], mode: Mode, against: Option<Mode>) -> String {
    let mut text = match worst.len() {
        0 => return String::new(),
        1 => format!("\nthe worst query of {mode} by ndcg@10\n"),
        count => format!("\nthe {count} worst queries of {mode} by ndcg@10\n"),
    };
    for Worst {
        judged,
        against: other,
    } in worst
    {
        let Some(relevance) = judged.relevance else {
            continue;
        };
        let _ = write!(text, "\n{}  ndcg@10 {:.4}", judged.query, relevance.ndcg_10);
        if let (Some(mode), Some(other)) = (against, other) {
            let _ = write!(text, " ({mode} {:.4})", other.ndcg_10);
        }
        let _ = writeln!(
            text,
            ", recall@100 {:.4}, {} hits",
            relevance.recall_100, judged.hits
        );
        for product in judged.expected.iter().take(SHOWN) {
            let _ = writeln!(text, "  expected {product}");
        }
        for product in judged.top.iter().take(SHOWN) {
            let _ = writeln!(text, "  came     {product}");
        }
    }
    text
}

impl std::fmt::Display for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place:>4}  ")?,
            None => f.write_str("   -  ")?,
        }
        match self.gain {
            Some(gain) => write!(f, "gain {gain:<4} ")?,
            None => f.write_str("not judged ")?,
        }
        match &self.title {
            Some(title) => write!(f, " {title} ({})", self.id),
            None => write!(f, " {}", self.id),
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    mode: Mode,
    #[serde(flatten)]
    judged: &'a Judged,
}

/// Writes every query of every mode as a line of JSON.
pub fn write<'a>(
    path: &Path,
    modes: impl Iterator<Item = (Mode, &'a [Judged])>,
) -> anyhow::Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for (mode, all) in modes {
            for judged in all {
                serde_json::to_writer(&mut file, &Line { mode, judged })?;
                file.write_all(b"\n")?;
            }
        }
        file.flush()
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

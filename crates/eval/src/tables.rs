//! Query and judgement files: tab-separated, with a header.
//!
//! Queries have the columns `query_id` and `query`; judgements `query_id`,
//! `product_id` and either `rating` (its gain is 2^rating - 1) or `gain` (taken
//! as it stands). Columns may stand in any order and others are passed over.

use crate::metrics::graded_gain;
use rustc_hash::FxHashMap;
use std::io::{self, BufRead};

/// Why a file of queries or judgements could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    #[error("cannot read line {line}")]
    Read {
        line: usize,
        #[source]
        source: io::Error,
    },
    #[error("the header in line 1 lacks the column `{column}`")]
    NoColumn { column: &'static str },
    #[error("line {line} has no field `{field}`")]
    NoField { line: usize, field: &'static str },
    #[error("line {line}: the field `{field}` is `{value}`, not a number from 0 to {most}")]
    NotANumber {
        line: usize,
        field: &'static str,
        value: String,
        most: f64,
    },
    #[error("line {line} repeats the {what} `{value}`")]
    Repeated {
        line: usize,
        what: &'static str,
        value: String,
    },
}

/// A query to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryLine {
    pub id: String,
    pub text: String,
}

/// Judged gains by query and product.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Qrels {
    by_query: FxHashMap<String, FxHashMap<String, f64>>,
}

impl Qrels {
    /// The gain of a product for a query; `None` where nobody judged it.
    pub fn gain(&self, query: &str, product: &str) -> Option<f64> {
        self.by_query.get(query)?.get(product).copied()
    }

    /// All judged gains of a query, in no particular order.
    pub fn gains(&self, query: &str) -> impl Iterator<Item = (&str, f64)> {
        let judged = self.by_query.get(query).into_iter().flatten();
        judged.map(|(product, &gain)| (product.as_str(), gain))
    }

    /// Queries with a judgement, ascending.
    pub fn queries(&self) -> Vec<&str> {
        let mut queries: Vec<&str> = self.by_query.keys().map(String::as_str).collect();
        queries.sort_unstable();
        queries
    }

    /// Judgements in all.
    pub fn len(&self) -> usize {
        self.by_query.values().map(FxHashMap::len).sum()
    }

    /// Nothing was judged.
    pub fn is_empty(&self) -> bool {
        self.by_query.is_empty()
    }
}

/// Gains beyond this would drown every other judgement.
const MOST_GAIN: f64 = 1e6;
/// 2^20 - 1 is about as much.
const MOST_RATING: f64 = 20.0;

/// Reads queries in the order of the file.
pub fn read_queries(reader: impl BufRead) -> Result<Vec<QueryLine>, TableError> {
    let mut table = Table::open(reader)?;
    let (id, text) = (table.column("query_id")?, table.column("query")?);
    let mut queries: Vec<QueryLine> = Vec::new();
    let mut known = rustc_hash::FxHashSet::default();
    while let Some(row) = table.next_row()? {
        let query = QueryLine {
            id: row.field(&id)?.to_owned(),
            text: row.field(&text)?.to_owned(),
        };
        if !known.insert(query.id.clone()) {
            return Err(TableError::Repeated {
                line: row.line,
                what: "query",
                value: excerpt(&query.id),
            });
        }
        queries.push(query);
    }
    Ok(queries)
}

/// Reads judgements.
pub fn read_qrels(reader: impl BufRead) -> Result<Qrels, TableError> {
    let mut table = Table::open(reader)?;
    let (query, product) = (table.column("query_id")?, table.column("product_id")?);
    let given = table.column("gain");
    let rated = given.is_err();
    let value = given.or_else(|_| table.column("rating"))?;
    let mut qrels = Qrels::default();
    while let Some(row) = table.next_row()? {
        let number = row.number(&value, if rated { MOST_RATING } else { MOST_GAIN })?;
        let gain = if rated { graded_gain(number) } else { number };
        let product = row.field(&product)?.to_owned();
        let judged = qrels
            .by_query
            .entry(row.field(&query)?.to_owned())
            .or_default();
        if let Some(gain_before) = judged.insert(product.clone(), gain)
            && gain_before != gain
        {
            return Err(TableError::Repeated {
                line: row.line,
                what: "judgement of",
                value: excerpt(&product),
            });
        }
    }
    Ok(qrels)
}

/// A named column and its place.
struct Column {
    name: &'static str,
    at: usize,
}

struct Table<R> {
    reader: R,
    names: Vec<String>,
    line: usize,
    text: String,
}

struct Row<'a> {
    line: usize,
    text: &'a str,
}

impl<R: BufRead> Table<R> {
    fn open(reader: R) -> Result<Self, TableError> {
        let mut table = Self {
            reader,
            names: Vec::new(),
            line: 0,
            text: String::new(),
        };
        if table.next_line()? {
            let header = table.text.trim_start_matches('\u{feff}');
            table.names = header
                .split('\t')
                .map(|name| name.trim().to_ascii_lowercase())
                .collect();
        }
        Ok(table)
    }

    fn next_line(&mut self) -> Result<bool, TableError> {
        self.line += 1;
        self.text.clear();
        let read = self.reader.read_line(&mut self.text);
        let length = read.map_err(|source| TableError::Read {
            line: self.line,
            source,
        })?;
        self.text
            .truncate(self.text.trim_end_matches(['\n', '\r']).len());
        Ok(length > 0)
    }

    /// The next line that is not empty.
    fn next_row(&mut self) -> Result<Option<Row<'_>>, TableError> {
        while self.next_line()? {
            if !self.text.trim().is_empty() {
                return Ok(Some(Row {
                    line: self.line,
                    text: &self.text,
                }));
            }
        }
        Ok(None)
    }

    fn column(&self, name: &'static str) -> Result<Column, TableError> {
        let found = self.names.iter().position(|known| known == name);
        found
            .map(|at| Column { name, at })
            .ok_or(TableError::NoColumn { column: name })
    }
}

impl<'a> Row<'a> {
    fn field(&self, column: &Column) -> Result<&'a str, TableError> {
        let field = self
            .text
            .split('\t')
            .nth(column.at)
            .map(str::trim)
            .filter(|field| !field.is_empty());
        field.ok_or(TableError::NoField {
            line: self.line,
            field: column.name,
        })
    }

    fn number(&self, column: &Column, most: f64) -> Result<f64, TableError> {
        let text = self.field(column)?;
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|number| (0.0..=most).contains(number));
        number.ok_or_else(|| TableError::NotANumber {
            line: self.line,
            field: column.name,
            value: excerpt(text),
            most,
        })
    }
}

/// Shortens a value for an error message.
fn excerpt(value: &str) -> String {
    value.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_stand_in_any_order() {
        let queries =
            read_queries("lang\tquery\tquery_id\r\nen\tusb  cable \t7\r\n\nen\t茶\t8".as_bytes())
                .unwrap();
        let found: Vec<_> = queries
            .iter()
            .map(|query| (query.id.as_str(), query.text.as_str()))
            .collect();
        assert_eq!(found, [("7", "usb  cable"), ("8", "茶")]);
    }

    #[test]
    fn a_rating_has_its_gain_and_a_gain_stands() {
        let rated =
            read_qrels("query_id\tproduct_id\trating\n1\ta\t3\n1\tb\t0\n2\ta\t1\n".as_bytes())
                .unwrap();
        assert_eq!(rated.gain("1", "a"), Some(7.0));
        assert_eq!(rated.gain("1", "b"), Some(0.0));
        assert_eq!(rated.gain("2", "b"), None);
        assert_eq!((rated.queries(), rated.len()), (vec!["1", "2"], 3));
        let given =
            read_qrels("product_id\tgain\tquery_id\trating\na\t.4\t1\t3\n".as_bytes()).unwrap();
        assert_eq!(given.gain("1", "a"), Some(0.4));
        assert_eq!(given.gains("1").collect::<Vec<_>>(), [("a", 0.4)]);
    }

    #[test]
    fn a_bad_line_is_named_with_its_field() {
        for (text, message) in [
            ("", "the header in line 1 lacks the column `query_id`"),
            (
                "query_id\tproduct_id\n",
                "the header in line 1 lacks the column `rating`",
            ),
            (
                "query_id\tproduct_id\trating\n1\ta\t3\n1\tb\n",
                "line 3 has no field `rating`",
            ),
            (
                "query_id\tproduct_id\trating\n1\t\t3\n",
                "line 2 has no field `product_id`",
            ),
            (
                "query_id\tproduct_id\trating\n1\ta\t-1\n",
                "line 2: the field `rating` is `-1`, not a number from 0 to 20",
            ),
            (
                "query_id\tproduct_id\tgain\n1\ta\tNaN\n",
                "line 2: the field `gain` is `NaN`, not a number from 0 to 1000000",
            ),
            (
                "query_id\tproduct_id\trating\n1\ta\t3\n1\ta\t2\n",
                "line 3 repeats the judgement of `a`",
            ),
        ] {
            assert_eq!(
                read_qrels(text.as_bytes()).unwrap_err().to_string(),
                message
            );
        }
        let twice = read_queries("query_id\tquery\n1\ta\n1\tb\n".as_bytes()).unwrap_err();
        assert_eq!(twice.to_string(), "line 3 repeats the query `1`");
    }
}

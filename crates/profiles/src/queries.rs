//! What a shopper searched for lately.
//!
//! Each different text is kept once, with its newest time; the newest fifty stay.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Queries kept per shopper.
const KEPT: usize = 50;
/// Characters kept of one query.
const CHARACTERS: usize = 200;

/// One text a shopper searched for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastQuery {
    pub text: Box<str>,
    /// When it was searched for last.
    pub time: Timestamp,
    /// How often, while it was remembered.
    pub times: u32,
}

/// Past queries by time, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PastQueries {
    queries: Vec<PastQuery>,
}

impl PastQueries {
    pub fn add(&mut self, text: &str, time: Timestamp) {
        let text = shortened(text);
        let mut query = PastQuery {
            text: text.into(),
            time,
            times: 1,
        };
        if let Some(at) = self.queries.iter().position(|past| &*past.text == text) {
            let past = self.queries.remove(at);
            query.time = past.time.max(time);
            query.times = past.times.saturating_add(1);
        }
        let at = self.queries.partition_point(|past| past.time <= query.time);
        self.queries.insert(at, query);
        if self.queries.len() > KEPT {
            self.queries.remove(0);
        }
    }

    pub fn as_slice(&self) -> &[PastQuery] {
        &self.queries
    }
}

/// The beginning of a query, cut at a character.
pub(crate) fn shortened(text: &str) -> &str {
    let text = text.trim();
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_different_texts_stay() {
        let mut queries = PastQueries::default();
        for number in 0..60 {
            queries.add(&format!("q{}", number % 55), Timestamp::from_millis(number));
        }
        let texts: Vec<_> = queries
            .as_slice()
            .iter()
            .map(|query| &*query.text)
            .collect();
        assert_eq!(texts.len(), KEPT);
        assert_eq!(texts[0], "q10");
        assert_eq!(texts[texts.len() - 1], "q4");
        queries.add(" q30 ", Timestamp::from_millis(1));
        let thirty = queries
            .as_slice()
            .iter()
            .find(|query| &*query.text == "q30")
            .unwrap();
        assert_eq!((thirty.time, thirty.times), (Timestamp::from_millis(30), 2));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened(&"灯".repeat(300)).chars().count(), CHARACTERS);
    }
}

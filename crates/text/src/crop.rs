//! The part of a long text that shows best why it was found.
//!
//! A window of whole words slides over the text; the one that holds the most
//! different matched words wins, then the most matches, then the closest
//! together, then the first.

use crate::highlight::usable;
use crate::{Analyzer, Match, normalise};
use rustc_hash::FxHashMap;
use std::ops::Range;

/// The window of about `words` words with the most distinct matches, and `marker` where text was
/// left out; also the matches inside, shifted into it. Without matches it is the beginning, and
/// 0 `words` crop nothing.
pub fn crop(
    analyzer: &Analyzer,
    text: &str,
    matches: &[Match],
    words: usize,
    marker: &str,
) -> (String, Vec<Match>) {
    let matches: Vec<Match> = usable(text, matches).collect();
    if words == 0 {
        return (text.to_owned(), matches);
    }
    let spans = word_spans(analyzer, text);
    if spans.len() <= words {
        return (text.to_owned(), matches);
    }
    let matched = matched_words(analyzer, text, &spans, &matches);
    let best = best_group(&matched, words);
    // The group stands in the middle of the window, as far as the text allows.
    let slack = words - (best.end - best.start).min(words);
    let first = best
        .start
        .saturating_sub(slack / 2)
        .min(spans.len() - words);
    cut(
        text,
        &matches,
        &bytes_of(&spans, first..first + words, text.len()),
        marker,
    )
}

/// A word of the text that a match touches.
struct MatchedWord {
    /// Its number in the text.
    index: usize,
    /// Equal for equal matched words.
    kind: usize,
}

/// The byte range of each word; sub-words lie within their compound.
fn word_spans(analyzer: &Analyzer, text: &str) -> Vec<Match> {
    let tokens = analyzer.query_tokens(text);
    tokens
        .iter()
        .map(|token| Match {
            start: token.start,
            end: token.end,
        })
        .collect()
}

fn matched_words(
    analyzer: &Analyzer,
    text: &str,
    spans: &[Match],
    matches: &[Match],
) -> Vec<MatchedWord> {
    let mut kinds: FxHashMap<String, usize> = FxHashMap::default();
    let mut matched = Vec::new();
    let mut index = 0;
    for found in matches {
        let form = analyzer.fold(&normalise(
            text.get(found.start..found.end).unwrap_or_default(),
        ));
        let next_kind = kinds.len();
        let kind = *kinds.entry(form).or_insert(next_kind);
        while spans.get(index).is_some_and(|span| span.end <= found.start) {
            index += 1;
        }
        // Two matches may lie in one compound; both count, at the same word.
        let inside = spans
            .iter()
            .skip(index)
            .take_while(|span| span.start < found.end);
        matched.extend(
            (index..)
                .zip(inside)
                .map(|(index, _)| MatchedWord { index, kind }),
        );
    }
    matched
}

/// The words from the first to the last match of the best window; empty at the start without any.
fn best_group(matched: &[MatchedWord], words: usize) -> Range<usize> {
    let mut best = 0..0;
    let mut best_rank = None;
    let mut counts: FxHashMap<usize, usize> = FxHashMap::default();
    let mut next = 0;
    for (position, first) in matched.iter().enumerate() {
        while let Some(word) = matched.get(next)
            && word.index < first.index + words
        {
            *counts.entry(word.kind).or_default() += 1;
            next += 1;
        }
        let last = matched.get(next.saturating_sub(1)).unwrap_or(first);
        let spread = last.index - first.index;
        let rank = Some((counts.len(), next - position, std::cmp::Reverse(spread)));
        if rank > best_rank {
            best_rank = rank;
            best = first.index..last.index + 1;
        }
        if let Some(count) = counts.get_mut(&first.kind) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&first.kind);
            }
        }
    }
    best
}

/// From the first to the last of the words, and to the ends of the text where nothing is left out.
fn bytes_of(spans: &[Match], window: Range<usize>, length: usize) -> Range<usize> {
    let start = match spans.get(window.start) {
        Some(span) if window.start > 0 => span.start,
        _ => 0,
    };
    let last = window.end.checked_sub(1).and_then(|last| spans.get(last));
    let end = match last {
        Some(span) if window.end < spans.len() => span.end,
        _ => length,
    };
    start..end.max(start)
}

fn cut(text: &str, matches: &[Match], window: &Range<usize>, marker: &str) -> (String, Vec<Match>) {
    let before = if window.start > 0 { marker } else { "" };
    let after = if window.end < text.len() { marker } else { "" };
    let inside = text.get(window.clone()).unwrap_or_default();
    let shifted = matches.iter().filter_map(|found| {
        let start = found.start.max(window.start);
        let end = found.end.min(window.end);
        let moved = |at: usize| at - window.start + before.len();
        (start < end).then(|| Match {
            start: moved(start),
            end: moved(end),
        })
    });
    (format!("{before}{inside}{after}"), shifted.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AnalyzerConfig, Extent, find_matches, highlight};
    use proptest::prelude::*;

    fn check(text: &str, matched: &[&str], words: usize, expected: &str) {
        let analyzer = Analyzer::new(AnalyzerConfig::default());
        let matches = find_matches(&analyzer, text, &|token| {
            let matches = matched.contains(&token.text.as_str());
            matches.then_some(Extent::Whole)
        });
        let (cropped, matches) = crop(&analyzer, text, &matches, words, "…");
        assert_eq!(highlight(&cropped, &matches, "[", "]"), expected, "{text}");
    }

    #[test]
    fn the_window_holds_the_most_distinct_matches() {
        let text = "a red cup, a red mug and a red plate; then one blue cup (large) for tea.";
        check(text, &[], 3, "a red cup…");
        check(text, &["mug"], 3, "…red [mug] and…");
        check(text, &["blue", "cup", "red"], 4, "…[red] [cup], a [red]…");
        check(
            text,
            &["red", "plate", "blue"],
            7,
            "…a [red] [plate]; then one [blue] cup…",
        );
        check(text, &["tea"], 3, "…large) for [tea].");
        check(text, &["a"], 1, "[a]…");
        check(
            text,
            &["blue"],
            99,
            "a red cup, a red mug and a red plate; then one [blue] cup (large) for tea.",
        );
        check(
            text,
            &["cup"],
            0,
            "a red [cup], a red mug and a red plate; then one blue [cup] (large) for tea.",
        );
    }

    #[test]
    fn chinese_is_cropped_by_words() {
        check("轻奢纯棉刺绣水洗四件套", &["四件套"], 2, "…水洗[四件套]");
        check("设计师原款，精致绣花", &["精致"], 1, "…[精致]…");
    }

    #[test]
    fn text_without_words_is_left_alone() {
        check("", &[], 3, "");
        check("🎁🎁🎁 !!!", &[], 1, "🎁🎁🎁 !!!");
    }

    proptest! {
        #[test]
        fn a_crop_is_a_part_of_the_text(
            text in "([ab]{1,2}[ .,]|é|½|四件套|\\PC){0,24}",
            words in 0_usize..8,
            letter in "[abé四]",
        ) {
            let analyzer = Analyzer::new(AnalyzerConfig::default());
            let matches = find_matches(&analyzer, &text, &|token| {
                token.text.starts_with(&letter).then_some(Extent::Whole)
            });
            let (cropped, shifted) = crop(&analyzer, &text, &matches, words, "\u{1}");
            prop_assert!(cropped.len() <= text.len() + 2);
            let part = cropped.trim_matches('\u{1}');
            prop_assert!(text.contains(part));
            prop_assert_eq!(usable(&cropped, &shifted).count(), shifted.len());
            if words > 0 {
                prop_assert_eq!(matches.is_empty(), shifted.is_empty());
            }
            let texts = |from: &str, list: &[Match]| -> Vec<String> {
                list.iter().map(|found| from[found.start..found.end].to_owned()).collect()
            };
            let all = texts(&text, &matches);
            for found in texts(&cropped, &shifted) {
                prop_assert!(all.iter().any(|whole| whole.contains(&found)));
            }
        }
    }
}

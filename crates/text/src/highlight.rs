//! Which words of a text matched, and tags around them.
//!
//! Matches are found by analysing the text again: the index keeps no offsets,
//! and only the few texts that are shown need any.

use crate::{Analyzer, Token, normalise};

/// A stretch of a text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub start: usize,
    pub end: usize,
}

/// How much of a word matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// So many characters of its [surface](Token::surface).
    Start(usize),
}

/// What of the words of `text` matched, in order; overlapping matches are merged.
pub fn find_matches(
    analyzer: &Analyzer,
    text: &str,
    matches: &dyn Fn(&Token) -> Option<Extent>,
) -> Vec<Match> {
    let mut found: Vec<Match> = Vec::new();
    for token in analyzer.tokens(text) {
        let end = match matches(&token) {
            Some(Extent::Whole) => token.end,
            Some(Extent::Start(characters)) => end_of_start(text, &token, characters),
            None => continue,
        };
        match found.last_mut() {
            Some(last) if token.start < last.end => last.end = last.end.max(end),
            _ => found.push(Match {
                start: token.start,
                end,
            }),
        }
    }
    found
}

/// Where the first characters of a word end in the text that was given, in which they may be
/// written with more or fewer.
fn end_of_start(text: &str, token: &Token, characters: usize) -> usize {
    let given = text.get(token.start..token.end).unwrap_or_default();
    let ends = given.char_indices().map(|(at, char)| at + char.len_utf8());
    let mut reached = given.len();
    for end in ends {
        let folded = normalise(given.get(..end).unwrap_or_default());
        // The surface has no apostrophes.
        let length = folded.chars().filter(|char| *char != '\'').count();
        if length > characters {
            break;
        }
        reached = end;
        if length == characters && !is_marked(given.get(end..)) {
            break;
        }
    }
    token.start + reached
}

/// Whether a mark follows that belongs to the character before it.
fn is_marked(rest: Option<&str>) -> bool {
    let next = rest.and_then(|rest| rest.chars().next());
    next.is_some_and(|next| normalise(next.encode_utf8(&mut [0; 4])).is_empty())
}

/// `text` with `pre` and `post` around each match.
///
/// ```
/// use text::{Match, highlight};
///
/// let marked = highlight("red cup", &[Match { start: 4, end: 7 }], "<em>", "</em>");
/// assert_eq!(marked, "red <em>cup</em>");
/// ```
pub fn highlight(text: &str, matches: &[Match], pre: &str, post: &str) -> String {
    let mut out = String::with_capacity(text.len() + matches.len() * (pre.len() + post.len()));
    let mut at = 0;
    for found in usable(text, matches) {
        out.push_str(text.get(at..found.start).unwrap_or_default());
        out.push_str(pre);
        out.push_str(text.get(found.start..found.end).unwrap_or_default());
        out.push_str(post);
        at = found.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The matches that lie in `text`, in order and apart; others cannot be shown.
pub(crate) fn usable(text: &str, matches: &[Match]) -> impl Iterator<Item = Match> {
    let mut at = 0;
    matches.iter().copied().filter(move |found| {
        let fits = found.start >= at && text.get(found.start..found.end).is_some();
        if fits {
            at = found.end;
        }
        fits
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnalyzerConfig;
    use proptest::prelude::*;

    fn check(text: &str, words: &[&str], expected: &str) {
        let analyzer = Analyzer::new(AnalyzerConfig::default());
        let found = find_matches(&analyzer, text, &|token| {
            let matches = words.contains(&token.text.as_str());
            matches.then_some(Extent::Whole)
        });
        assert_eq!(highlight(text, &found, "[", "]"), expected);
    }

    #[track_caller]
    fn check_start(text: &str, start: &str, expected: &str) {
        let analyzer = Analyzer::new(AnalyzerConfig::default());
        let found = find_matches(&analyzer, text, &|token| {
            let matches = token.surface.starts_with(start);
            matches.then_some(Extent::Start(start.chars().count()))
        });
        assert_eq!(highlight(text, &found, "[", "]"), expected);
    }

    #[test]
    fn of_a_beginning_only_the_beginning_is_marked() {
        check_start("Beeswax candles, bees", "bees", "[Bees]wax candles, [bees]");
        check_start("Women’s hats", "women", "[Women]’s hats");
        check_start("cre\u{300}me brûlée", "cre", "[cre\u{300}]me brûlée");
        check_start("cre\u{300}me brûlée", "brul", "cre\u{300}me [brûl]ée");
        check_start("ﬁne ＡＢＣ123", "fi", "[ﬁ]ne ＡＢＣ123");
        check_start("ﬁne ＡＢＣ123", "ab", "ﬁne [ＡＢ]Ｃ123");
        check_start("长江大桥", "长江", "[长江]大桥");
    }

    #[test]
    fn whole_words_of_the_original_are_marked() {
        check(
            "Red T-light HOLDERS, red",
            &["red", "holder"],
            "[Red] T-light [HOLDERS], [red]",
        );
        check(
            "Women’s cre\u{300}me",
            &["women", "creme"],
            "[Women’s] [cre\u{300}me]",
        );
        check(
            "轻奢純棉刺绣水洗四件套",
            &["纯棉", "四件套"],
            "轻奢[純棉]刺绣水洗[四件套]",
        );
        check("ＡＢＣ123 ﬁne", &["abc123", "fine"], "[ＡＢＣ123] [ﬁne]");
        check("nothing", &["else"], "nothing");
    }

    #[test]
    fn parts_of_one_compound_are_marked_once() {
        check(
            "南京市长江大桥",
            &["长江大桥", "长江", "大桥"],
            "南京市[长江大桥]",
        );
        check("长江大桥", &["长江", "大桥"], "[长江][大桥]");
    }

    #[test]
    fn matches_of_another_text_are_left_out() {
        let at = |start, end| Match { start, end };
        let strange = [
            at(1, 2),
            at(0, 2),
            at(0, 2),
            at(2, 3),
            at(3, 2),
            at(3, 99),
            at(usize::MAX, 0),
        ];
        assert_eq!(highlight("éab", &strange, "[", "]"), "[é][a]b");
    }

    proptest! {
        #[test]
        fn without_tags_the_text_is_itself(
            text in "\\PC{0,30}",
            ranges in prop::collection::vec((0_usize..40, 0_usize..40), 0..6),
        ) {
            let matches: Vec<Match> = ranges.iter().map(|&(start, end)| Match { start, end }).collect();
            prop_assert_eq!(highlight(&text, &matches, "", ""), text.clone());
            let analyzer = Analyzer::new(AnalyzerConfig::default());
            let every = find_matches(&analyzer, &text, &|token| {
                (!token.text.is_empty()).then_some(Extent::Whole)
            });
            let marked = highlight(&text, &every, "\u{1}", "\u{2}");
            prop_assert_eq!(marked.matches('\u{1}').count(), every.len());
            prop_assert_eq!(marked.replace(['\u{1}', '\u{2}'], ""), text);
        }
    }
}

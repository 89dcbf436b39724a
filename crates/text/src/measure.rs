//! Numbers with a unit: `55 inch`, `55"`, `55-inch`, `55英寸` and `55in` are one thing.
//!
//! Each gets one more word, the number with the usual sign of the unit (`55in`), at the
//! place of the number. Nothing is converted: 1 kg and 1000 g stay two things.

use crate::analyzer::Token;
use std::ops::Range;

/// The sign of each unit, and what else it is called. English names are in the singular.
const UNITS: [(&str, &[&str]); 35] = [
    ("in", &["in", "inch", "inches", "寸", "英寸", "吋"]),
    ("mm", &["mm", "millimeter", "millimetre", "毫米"]),
    ("cm", &["cm", "centimeter", "centimetre", "厘米", "公分"]),
    ("m", &["m", "meter", "metre", "mtr", "米", "公尺"]),
    ("km", &["km", "kilometer", "kilometre", "公里", "千米"]),
    ("ft", &["ft", "foot", "feet", "英尺"]),
    ("yd", &["yd", "yard"]),
    ("ml", &["ml", "milliliter", "millilitre", "毫升"]),
    ("cl", &["cl", "centiliter", "centilitre"]),
    ("l", &["l", "ltr", "liter", "litre", "升", "公升"]),
    ("mg", &["mg", "milligram", "毫克"]),
    ("g", &["g", "gr", "gram", "gramme", "克"]),
    ("kg", &["kg", "kgs", "kilo", "kilogram", "千克", "公斤"]),
    ("斤", &["斤", "市斤"]),
    ("lb", &["lb", "lbs", "pound", "磅"]),
    ("oz", &["oz", "ounce", "盎司"]),
    ("kb", &["kb", "kilobyte"]),
    ("mb", &["mb", "megabyte"]),
    ("gb", &["gb", "gigabyte"]),
    ("tb", &["tb", "terabyte"]),
    ("mbps", &["mbps"]),
    ("gbps", &["gbps"]),
    ("w", &["w", "watt", "瓦", "瓦特"]),
    ("kw", &["kw", "kilowatt", "千瓦"]),
    ("v", &["v", "volt", "伏", "伏特"]),
    ("mah", &["mah", "毫安", "毫安时"]),
    ("wh", &["wh"]),
    ("hz", &["hz", "hertz", "赫兹"]),
    ("khz", &["khz"]),
    ("mhz", &["mhz", "megahertz", "兆赫"]),
    ("ghz", &["ghz", "gigahertz"]),
    ("mp", &["mp", "megapixel"]),
    ("rpm", &["rpm"]),
    ("db", &["db", "decibel", "分贝"]),
    ("lm", &["lm", "lumen", "流明"]),
];

/// What stands for inches right behind a number, in folded text.
const INCHES: [&str; 3] = ["\"", "\u{201D}", "''"];
/// Digits that a number may have; longer ones name an article.
const MOST_DIGITS: usize = 7;

/// A number with a unit among the tokens of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The token that holds the number, by its place in the list.
    pub number: usize,
    /// The token that holds the unit; that of the number when they are written together or
    /// the unit is a mark.
    pub unit: usize,
    /// The number and the sign of its unit.
    pub text: String,
    /// Where it ends in the text.
    pub end: usize,
}

/// Tokens and where each stands in the folded text.
pub(crate) struct Placed<'p> {
    pub folded: &'p str,
    pub tokens: &'p [Token],
    pub spans: &'p [Range<usize>],
}

impl Placed<'_> {
    /// The measures, ends in the folded text.
    pub fn measures(&self) -> Vec<Measure> {
        let mut found = Vec::new();
        for (place, (token, span)) in self.tokens.iter().zip(self.spans).enumerate() {
            if !starts_with_digit(token) || self.goes_on(span) {
                continue;
            }
            let letters = token
                .surface
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
            let number = token.surface.strip_suffix(letters).unwrap_or_default();
            let Some(number) = shortest(number) else {
                continue;
            };
            let unit = if letters.is_empty() {
                self.beside(place)
            } else {
                sign_of(letters).map(|sign| (place, sign, span.end))
            };
            if let Some((unit, sign, end)) = unit {
                found.push(Measure {
                    number: place,
                    unit,
                    text: format!("{number}{sign}"),
                    end,
                });
            }
        }
        found
    }

    /// The unit behind a number that stands alone: its token, its sign, and where it ends.
    fn beside(&self, place: usize) -> Option<(usize, &'static str, usize)> {
        let number = self.spans.get(place)?;
        let rest = self.folded.get(number.end..)?;
        if let Some(mark) = INCHES.iter().find(|mark| rest.starts_with(**mark)) {
            return Some((place, "in", number.end + mark.len()));
        }
        let next = self.tokens.get(place + 1)?;
        let span = self.spans.get(place + 1)?;
        let gap = self.folded.get(number.end..span.start)?;
        let sign = sign_of(&next.surface).or_else(|| sign_of(&next.text))?;
        // "2 in 1" is no length.
        let is_count = next.surface == "in"
            && !gap.is_empty()
            && self.tokens.get(place + 2).is_some_and(starts_with_digit);
        let is_near = gap.trim().is_empty() || gap == "-";
        (is_near && !is_count).then_some((place + 1, sign, span.end))
    }

    /// Whether a number is the end of a longer one: `1,500` or `.5`.
    fn goes_on(&self, span: &Range<usize>) -> bool {
        let before = self.folded.get(..span.start).unwrap_or_default();
        before.ends_with(['.', ',', '/'])
    }
}

/// The tokens of a document, each number with a unit followed by its measure. The ends of
/// the measures are those in the text itself.
pub(crate) fn with_measures(tokens: Vec<Token>, measures: Vec<Measure>) -> Vec<Token> {
    if measures.is_empty() {
        return tokens;
    }
    let mut measures = measures.into_iter().peekable();
    let mut all = Vec::with_capacity(tokens.len() + measures.len());
    for (place, token) in tokens.into_iter().enumerate() {
        let measure = measures.next_if(|measure| measure.number == place);
        let added = measure.filter(|measure| measure.text != token.text);
        let added = added.map(|measure| Token {
            surface: measure.text.clone(),
            text: measure.text,
            start: token.start,
            end: measure.end,
            position: token.position,
            is_measure: true,
        });
        all.push(token);
        all.extend(added);
    }
    all
}

fn starts_with_digit(token: &Token) -> bool {
    token.surface.starts_with(|c: char| c.is_ascii_digit())
}

fn sign_of(name: &str) -> Option<&'static str> {
    let unit = UNITS.iter().find(|(_, names)| names.contains(&name));
    unit.map(|(sign, _)| *sign)
}

/// A number without what may be left out: `2.0` is `2`. Nothing for what is no number.
fn shortest(number: &str) -> Option<&str> {
    if number.len() > MOST_DIGITS || number.matches('.').count() > 1 || number.ends_with('.') {
        return None;
    }
    if !number.contains('.') {
        return Some(number);
    }
    Some(number.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, AnalyzerConfig, Extent, find_matches, highlight};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let analyzer = Analyzer::new(AnalyzerConfig::default());
        let (_, found) = analyzer.query_measures(text);
        let found: Vec<&str> = found.iter().map(|measure| measure.text.as_str()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn spellings_of_a_measure_are_one() {
        for text in [
            "55 inch",
            "55 inches",
            "55\"",
            "55”",
            "55″",
            "55''",
            "55in",
            "55-inch",
            "55 in",
            "55inch",
            "５５ ｉｎｃｈ",
            "55寸",
            "55 寸",
            "55英寸",
            "55 吋",
            "55.0 inch",
        ] {
            check(text, &["55in"]);
        }
        for text in ["500 ml", "500ml", "500 ML", "500毫升", "500 millilitres"] {
            check(text, &["500ml"]);
        }
        for text in ["0.5 l", "0.5l", "0.5 litre", "0.5升", "0.50 L"] {
            check(text, &["0.5l"]);
        }
        check("2tb 2 TB 16 gb 16GB", &["2tb", "2tb", "16gb", "16gb"]);
        check("1.5米+1.8米 2000g/2300g", &["1.5m", "1.8m", "2000g"]);
        check("200*230cm", &["230cm"]);
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "2 in 1",
            "iphone 11",
            "006r90321",
            "1,500 ml",
            "12345678 ml",
            "5 star",
            "4件套",
            "80s",
            "5克拉",
            "in 5",
            "7 | in",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_measure_stands_where_its_number_does_and_is_marked_whole() {
        let analyzer = Analyzer::new(AnalyzerConfig::default());
        let tokens = analyzer.tokens("TV 55 inch 4K 2TB");
        let seen: Vec<(&str, u32)> = tokens
            .iter()
            .map(|token| (token.text.as_str(), token.position))
            .collect();
        let expected = [
            ("tv", 0),
            ("55", 1),
            ("55in", 1),
            ("inch", 2),
            ("4k", 3),
            ("2tb", 4),
        ];
        assert_eq!(seen, expected);
        for (text, expected) in [
            ("a 55 inch TV", "a [55 inch] TV"),
            ("a 55\" TV", "a [55\"] TV"),
            ("电视55英寸", "电视[55英寸]"),
            ("a 55in TV", "a [55in] TV"),
        ] {
            let found = find_matches(&analyzer, text, &|token| {
                (token.text == "55in").then_some(Extent::Whole)
            });
            assert_eq!(highlight(text, &found, "[", "]"), expected);
        }
    }
}

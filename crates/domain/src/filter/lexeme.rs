//! The words and signs of a filter text.
//!
//! A word stands bare or in quotes, and the difference matters: a bare `NOT`
//! is a keyword, a quoted one is a value.

use super::FilterError;

/// Longer filters are refused: each condition costs time in every search.
const LONGEST_FILTER: usize = 20_000;
/// Characters of the filter shown in an error.
const EXCERPT: usize = 60;
/// Characters of the filter shown in an error before the place of the error.
const EXCERPT_BEFORE: usize = 40;

const KEYWORDS: [&str; 12] = [
    "AND", "OR", "NOT", "IN", "TO", "IS", "NULL", "EMPTY", "EXISTS", "CONTAINS", "STARTS", "WITH",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lexeme {
    Bare(String),
    Quoted(String),
    Sign(&'static str),
    End,
}

/// A lexeme and its character offset, from 1.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub lexeme: Lexeme,
    pub position: usize,
}

impl Lexeme {
    /// Whether it is this keyword, in any case.
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Bare(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// How an error message names it.
    pub fn describe(&self) -> String {
        match self {
            Self::Bare(word) | Self::Quoted(word) => format!("found `{}`", shortened(word)),
            Self::Sign(sign) => format!("found `{sign}`"),
            Self::End => "the filter ends".to_owned(),
        }
    }
}

/// Whether a word means something of its own unless it is quoted.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// Whether a word may be written without quotes.
pub(super) fn is_bare(word: &str) -> bool {
    !word.is_empty() && word.chars().all(is_bare_char) && !is_keyword(word)
}

fn is_bare_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '+')
}

/// A word cut to what fits into a message.
pub(super) fn shortened(word: &str) -> String {
    match word.char_indices().nth(EXCERPT_BEFORE) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// An error at the character offset `position`, from 1.
pub(super) fn error(text: &str, position: usize, reason: impl Into<String>) -> FilterError {
    let before = position.saturating_sub(1);
    let skipped = if before < EXCERPT {
        0
    } else {
        before - EXCERPT_BEFORE
    };
    let mut rest = text.chars().skip(skipped);
    let mut excerpt = String::new();
    if skipped > 0 {
        excerpt.push('…');
    }
    excerpt.extend(rest.by_ref().take(EXCERPT));
    if rest.next().is_some() {
        excerpt.push('…');
    }
    FilterError {
        position,
        reason: reason.into(),
        excerpt,
    }
}

/// Splits a filter text; the last lexeme is always [`Lexeme::End`].
pub(super) fn split(text: &str) -> Result<Vec<Placed>, FilterError> {
    let chars: Vec<char> = text.chars().take(LONGEST_FILTER + 1).collect();
    if chars.len() > LONGEST_FILTER {
        let reason =
            format!("a filter may have at most {LONGEST_FILTER} characters and this one goes on");
        return Err(error(text, LONGEST_FILTER + 1, reason));
    }
    let mut scanner = Scanner { text, chars, at: 0 };
    let mut lexemes = Vec::new();
    loop {
        scanner.skip_space();
        let position = scanner.at + 1;
        let lexeme = scanner.next()?;
        let is_end = lexeme == Lexeme::End;
        lexemes.push(Placed { lexeme, position });
        if is_end {
            return Ok(lexemes);
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    chars: Vec<char>,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Result<Lexeme, FilterError> {
        let Some(c) = self.peek() else {
            return Ok(Lexeme::End);
        };
        if matches!(c, '"' | '\'') {
            return self.quoted(c);
        }
        if is_bare_char(c) {
            return Ok(self.bare());
        }
        let followed_by_equal = self.chars.get(self.at + 1) == Some(&'=');
        let sign = match (c, followed_by_equal) {
            ('!', true) => "!=",
            ('>', true) => ">=",
            ('<', true) => "<=",
            ('=', _) => "=",
            ('>', _) => ">",
            ('<', _) => "<",
            ('(', _) => "(",
            (')', _) => ")",
            ('[', _) => "[",
            (']', _) => "]",
            (',', _) => ",",
            _ => {
                let reason = format!(
                    "`{}` is not part of the filter grammar outside quotes",
                    c.escape_debug()
                );
                return Err(error(self.text, self.at + 1, reason));
            }
        };
        self.at += sign.len();
        Ok(Lexeme::Sign(sign))
    }

    fn bare(&mut self) -> Lexeme {
        let rest = self.chars.iter().skip(self.at);
        let word: String = rest.take_while(|&&c| is_bare_char(c)).collect();
        self.at += word.chars().count();
        Lexeme::Bare(word)
    }

    /// A backslash makes the next character part of the word, whatever it is.
    fn quoted(&mut self, quote: char) -> Result<Lexeme, FilterError> {
        let opening = self.at + 1;
        self.at += 1;
        let mut word = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == quote {
                return Ok(Lexeme::Quoted(word));
            }
            if c != '\\' {
                word.push(c);
            } else if let Some(escaped) = self.peek() {
                word.push(escaped);
                self.at += 1;
            }
        }
        Err(error(
            self.text,
            opening,
            format!("expected a closing {quote} for the quote that begins"),
        ))
    }
}

//! Takes HTML out of text and leaves text that merely looks like it.
//!
//! Only known element names count as tags, so `3 < 5`, `<17"` and `<Model X>`
//! survive. Everything is linear in the text: what was once searched for in
//! vain is not searched for again.

use super::text::normalized;
use html_escape::decode_html_entities;
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// Text without markup and in its one form.
pub(super) struct Plain {
    pub(super) text: String,
    /// Whether there was markup; else only the form of the text changed.
    pub(super) had_markup: bool,
}

/// Rounds of stripping and decoding: feeds escape twice, nobody escapes eight times.
const ROUNDS: usize = 8;

/// The plain text, or `None` when the text is plain already.
pub(super) fn plain(text: &str) -> Option<Plain> {
    let mut current = Plain {
        text: step(text)?.0,
        had_markup: has_markup(text),
    };
    for _ in 0..ROUNDS {
        match step(&current.text) {
            Some((text, markup)) => {
                current = Plain {
                    text,
                    had_markup: current.had_markup || markup,
                }
            }
            None => return Some(current),
        }
    }
    // Someone nests escapes on purpose; without these two there is nothing left to decode.
    let text = current.text.replace(['<', '&'], " ");
    Some(Plain {
        text: normalized(&text).unwrap_or(text),
        had_markup: true,
    })
}

/// One round; `None` when nothing changed.
fn step(text: &str) -> Option<(String, bool)> {
    let normal = normalized(text);
    let current = normal.as_deref().unwrap_or(text);
    if !current.contains(['<', '&']) {
        return normal.map(|text| (text, false));
    }
    let stripped = without_tags(current);
    let decoded = decode_html_entities(stripped.as_deref().unwrap_or(current));
    if decoded == current {
        normal.map(|text| (text, false))
    } else {
        Some((decoded.into_owned(), true))
    }
}

fn has_markup(text: &str) -> bool {
    text.contains(['<', '&'])
        && (without_tags(text).is_some() || decode_html_entities(text) != text)
}

/// A piece of markup at the start of a text.
struct Markup {
    len: usize,
    /// Whether words on both sides are apart, as with `<br>` but not with `<b>`.
    breaks: bool,
}

/// What was searched for in vain, and need not be again.
#[derive(Default)]
struct Tags {
    no_tag_end: bool,
    no_comment_end: bool,
    no_raw_end: bool,
    /// A quote in a tag was never closed, so quotes no longer hide a `>`.
    quotes_broken: bool,
}

fn without_tags(text: &str) -> Option<String> {
    let mut tags = Tags::default();
    let mut plain = String::new();
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        plain.push_str(before);
        let len = match tags.at_start(tag) {
            Some(markup) => {
                found = true;
                if markup.breaks {
                    plain.push(' ');
                }
                markup.len
            }
            None => {
                plain.push('<');
                1
            }
        };
        rest = tag.get(len..).unwrap_or_default();
    }
    plain.push_str(rest);
    if plain.contains("]]>") && text.contains("<![CDATA[") {
        plain = plain.replace("]]>", " ");
    }
    found.then_some(plain)
}

impl Tags {
    fn at_start(&mut self, text: &str) -> Option<Markup> {
        let inner = text.strip_prefix('<')?;
        if inner.starts_with("!--") {
            return self.comment(text);
        }
        if inner.starts_with("![CDATA[") {
            return Some(Markup {
                len: "<![CDATA[".len(),
                breaks: true,
            });
        }
        let closing = inner.starts_with('/');
        let name = inner.trim_start_matches(['/', '!', '?']);
        // At most one mark stands before a name.
        if inner.len() - name.len() > 1 {
            return None;
        }
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let (name, behind) = name.split_at(end);
        let name = name.to_ascii_lowercase();
        if !behind.starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/') {
            return None;
        }
        if !ELEMENTS.contains(name.as_str()) {
            return None;
        }
        let len = self.tag_end(text)?;
        if !closing && (name == "script" || name == "style") {
            let raw = self
                .raw_end(text.get(len..).unwrap_or_default(), &name)
                .unwrap_or(0);
            return Some(Markup {
                len: len + raw,
                breaks: true,
            });
        }
        Some(Markup {
            len,
            breaks: !INLINE.contains(name.as_str()),
        })
    }

    fn comment(&mut self, text: &str) -> Option<Markup> {
        if self.no_comment_end {
            return None;
        }
        let end = text.find("-->");
        self.no_comment_end = end.is_none();
        Some(Markup {
            len: end? + "-->".len(),
            breaks: false,
        })
    }

    /// Just behind the `>` that ends the tag; a `>` inside a quoted value does not.
    fn tag_end(&mut self, tag: &str) -> Option<usize> {
        if self.no_tag_end {
            return None;
        }
        let Some(first) = tag.find('>') else {
            self.no_tag_end = true;
            return None;
        };
        if self.quotes_broken {
            return Some(first + 1);
        }
        let mut quote = None;
        let mut before = b' ';
        for (at, byte) in tag.bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => return Some(at + 1),
                (None, b'"' | b'\'') if before == b'=' => quote = Some(byte),
                (Some(open), close) if open == close => quote = None,
                _ => {}
            }
            if byte != b' ' {
                before = byte;
            }
        }
        self.quotes_broken = true;
        Some(first + 1)
    }

    /// Just behind `</script>`, counted from the end of the opening tag.
    fn raw_end(&mut self, text: &str, name: &str) -> Option<usize> {
        if self.no_raw_end {
            return None;
        }
        let mut from = 0;
        while let Some(at) = text.get(from..)?.find("</") {
            from += at + "</".len();
            let word = text.as_bytes().get(from..from + name.len());
            if word.is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes())) {
                let close = text.get(from..)?.find('>')?;
                return Some(from + close + 1);
            }
        }
        self.no_raw_end = true;
        None
    }
}

/// Elements that stand inside a word or between words that have their own spaces.
static INLINE: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    "a abbr b bdi bdo big cite code em font i ins kbd mark s small span strong sub sup u var wbr"
        .split_whitespace()
        .collect()
});

/// All element names that are taken for markup.
static ELEMENTS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    "a abbr address area article aside audio b base bdi bdo big blockquote body br button canvas caption \
     center cite code col colgroup data datalist dd del details dfn dialog div dl doctype dt em embed \
     fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input \
     ins kbd label legend li link main map mark meta nav noscript object ol option p param picture pre q s \
     samp script section select small source span strike strong style sub summary sup svg table tbody td \
     template textarea tfoot th thead time title tr track tt u ul var video wbr xml"
        .split_whitespace()
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, expected: &str) {
        let found = plain(given);
        assert_eq!(
            found.map(|plain| plain.text).as_deref().unwrap_or(given),
            expected,
            "{given}"
        );
    }

    #[test]
    fn tags_go_and_their_text_stays() {
        check(
            "<p>Soft <b>warm</b> blan<i>ket</i></p><p>Red</p>",
            "Soft warm blanket Red",
        );
        check("one<br/>two<BR>three", "one two three");
        check("<a title=\"a > b\" href='x'>link</a>", "link");
        check("a<!-- <b>hidden</b> -->b", "ab");
        check(
            "<script type=\"x\">if (a < b) { x(\"</p>\") }</SCRIPT >text<style>p{}</style>",
            "text",
        );
        check("<![CDATA[<p>Fine</p>]]>", "Fine");
        check("<!DOCTYPE html><ul><li>a</li><li>b</li></ul>", "a b");
        check("<script>never closed", "never closed");
        check("<a title=\"never closed>text", "text");
    }

    #[test]
    fn entities_are_decoded_however_often_they_were_escaped() {
        check("Salt &amp; Pepper", "Salt & Pepper");
        check("17&quot; &#8364;5&nbsp;&eacute;", "17\" €5 é");
        check("&lt;p&gt;Twice&lt;/p&gt;", "Twice");
        check("A &amp;amp; B", "A & B");
        check("AT&T &unknown; &", "AT&T &unknown; &");
    }

    #[test]
    fn text_that_is_no_markup_survives() {
        for text in [
            "3 < 5",
            "<17\" screen",
            "a <b",
            "<Model X> 5 > 3",
            "x<y>z",
            "<3",
            "<>",
            "</>",
            "<",
            "1 <-> 2",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn hostile_nesting_neither_hangs_nor_leaves_markup() {
        let units = "<a |<a \"|<a title=\"'>|<!--|<script>|</script|<|<<|&amp;|&am&#112;|<![CDATA[";
        let mut texts: Vec<String> = units.split('|').map(|unit| unit.repeat(100_000)).collect();
        texts.push(format!("&{}lt;b>", "amp;".repeat(30)));
        texts.push(format!("{}b{}", "<".repeat(30), ">".repeat(30)));
        for text in texts {
            let once = plain(&text).map_or_else(|| text.clone(), |plain| plain.text);
            assert!(
                plain(&once).is_none(),
                "{} is not stable",
                crate::error::excerpt(&text)
            );
        }
    }
}

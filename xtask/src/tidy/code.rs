//! Rust code with its comments, strings and tests told apart.
//!
//! Rules that look for words or count lines must not trip over a brace in a string or the
//! name of a macro in a comment. [`blank`] replaces all of those by spaces; what is left can
//! be read by counting braces.

use std::ops::Range;

/// The code with comments, strings and character literals as spaces. Lines keep their
/// numbers and bytes their places.
pub fn blank(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match literal_end(bytes, at) {
            Some(end) => end.min(bytes.len()),
            None => {
                at += 1;
                continue;
            }
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    // Only whole literals were replaced, and those begin and end with ASCII.
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the comment or literal that starts at `at` ends, if one does.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    if rest.starts_with(b"//") {
        return Some(
            at + rest
                .iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len()),
        );
    }
    if rest.starts_with(b"/*") {
        return Some(at + comment_length(rest));
    }
    match rest[0] {
        b'"' => Some(at + quoted_length(rest, b'"')),
        b'\'' => character_length(rest).map(|length| at + length),
        // The `r` of `r"` must not be the end of a name, as in `for"`.
        b'r' if at == 0 || !is_word(bytes[at - 1]) || bytes[at - 1] == b'b' => {
            raw_length(rest).map(|length| at + length)
        }
        _ => None,
    }
}

/// Block comments nest.
fn comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character literal, and not a lifetime or a label: closed after one character.
fn character_length(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'\\' => Some(quoted_length(rest, b'\'')),
        first => {
            let width = match first {
                0x00..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
        }
    }
}

fn raw_length(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let body = &rest[2 + hashes..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| 2 + hashes + end + close.len()))
}

/// The places of `word` in blanked code where it is a word of its own.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = at.checked_sub(1).map(|index| bytes[index]);
            let after = bytes.get(at + word.len()).copied();
            let is_edge = |byte: Option<u8>| byte.is_none_or(|byte| !is_word(byte));
            is_edge(before) && is_edge(after)
        })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The end of an item: after the `;` or the closing brace that ends it.
pub fn item_end(code: &str, start: usize) -> usize {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (offset, byte) in code[start..].bytes().enumerate() {
        match byte {
            b'{' => braces += 1,
            b'}' => {
                braces -= 1;
                if braces <= 0 {
                    return start + offset + 1;
                }
            }
            b'(' | b'[' => others += 1,
            b')' | b']' => others -= 1,
            b';' if braces == 0 && others == 0 => return start + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// The parts of blanked code that are only for tests.
pub fn test_parts(code: &str) -> Vec<Range<usize>> {
    const ATTRIBUTE: &str = "#[cfg(test)]";
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (at, _) in code.match_indices(ATTRIBUTE) {
        if parts.last().is_none_or(|last| last.end <= at) {
            parts.push(at..item_end(code, at + ATTRIBUTE.len()));
        }
    }
    parts
}

/// A function: its name, its first line (from 1) and its number of lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// The functions of blanked code that are not only for tests.
pub fn functions(code: &str, tests: &[Range<usize>]) -> Vec<Function> {
    let mut found = Vec::new();
    for at in words(code, "fn") {
        let after = code[at + 2..].trim_start();
        let name: String = after
            .bytes()
            .take_while(|&byte| is_word(byte))
            .map(char::from)
            .collect();
        if name.is_empty() || tests.iter().any(|part| part.contains(&at)) {
            // `fn(u32) -> u32` is a type.
            continue;
        }
        let lines = 1 + count_lines(&code[at..item_end(code, at)]);
        found.push(Function {
            name,
            line: 1 + count_lines(&code[..at]),
            lines,
        });
    }
    found
}

/// Line breaks in a text.
pub fn count_lines(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_blank(source: &str, left: &str) {
        let blanked = blank(source);
        assert_eq!(blanked.len(), source.len());
        assert_eq!(
            blanked.split_whitespace().collect::<Vec<_>>().join(" "),
            left
        );
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        check_blank("a // b {\nc", "a c");
        check_blank("a /* b /* c */ d */ e", "a e");
        check_blank(r#"a "b \" }" c"#, "a c");
        check_blank(r##"a r#"b " } "# c"##, "a c");
        check_blank("a 'x' b '\\'' c '界' d", "a b c d");
        check_blank(
            "fn f<'a>(x: &'a str) -> &'a str",
            "fn f<'a>(x: &'a str) -> &'a str",
        );
        check_blank("a br\"b{\" c", "a b c");
        check_blank("for\"x\"", "for");
        check_blank("a \"never closed", "a");
    }

    #[test]
    fn functions_are_measured_without_tests_and_strings() {
        let source = "\
fn one() {
    call(\"}\");
}

trait T {
    fn two(&self, pair: [u8; 2]);
}

#[cfg(test)]
mod tests {
    fn hidden() {
    }
}

fn three(f: fn(u8)) -> u8 {
    1 }
";
        let code = blank(source);
        let found = functions(&code, &test_parts(&code));
        let summary: Vec<_> = found
            .iter()
            .map(|function| (&*function.name, function.line, function.lines))
            .collect();
        assert_eq!(summary, [("one", 1, 3), ("two", 6, 1), ("three", 15, 2)]);
    }

    #[test]
    fn test_parts_end_with_their_item() {
        let code = "#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\nfn b() { {} }\nfn c() {}\n";
        let parts = test_parts(code);
        let texts: Vec<&str> = parts.iter().map(|part| &code[part.clone()]).collect();
        assert_eq!(
            texts,
            ["#[cfg(test)]\nmod tests;", "#[cfg(test)]\nfn b() { {} }"]
        );
    }

    #[test]
    fn words_stand_alone() {
        assert_eq!(words("dbg my_dbg dbg!", "dbg").collect::<Vec<_>>(), [0, 11]);
    }
}

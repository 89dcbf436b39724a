//! Rules on Rust files: their names, their documentation, their length, and nothing in them
//! that was meant to be finished later.
//!
//! Tests are not counted and need no documentation, be they in a `tests` module, in a
//! `tests.rs` beside the code or in a `tests` folder.

use super::Finding;
use super::code::{blank, count_lines, functions, test_parts, words};
use super::exceptions::{Exceptions, Kind};
use std::ops::Range;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 80;

/// Names that say nothing about what is inside.
const REFUSED_NAMES: &[&str] = &["utils", "util", "common", "helpers", "manager", "types"];

/// Macros for work in progress. Clippy knows them too, but not in code that is left out of
/// the build it checks.
const REFUSED_MACROS: &[&str] = &["todo", "dbg", "unimplemented"];

/// Marks for work in progress in comments, written in two parts for this file's own sake.
const REFUSED_MARKS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("HA", "CK"),
];

/// A file or folder with a refused name.
pub fn name(path: &str) -> Option<Finding> {
    let stem = path.strip_suffix(".rs")?;
    let refused = stem.split('/').find(|part| REFUSED_NAMES.contains(part))?;
    let what = format!("`{refused}` says nothing about what is inside; name the idea");
    Some(Finding::new(path, 0, what))
}

/// What is wrong with one Rust file.
pub fn check(path: &str, source: &str, exceptions: &mut Exceptions) -> Vec<Finding> {
    let code = blank(source);
    let tests = test_parts(&code);
    let mut findings = unfinished(path, source, &code);
    findings.extend(inline_modules(path, &code));
    if !is_test_file(path) {
        findings.extend(module_docs(path, source));
        findings.extend(lengths(path, source, &code, &tests, exceptions));
    }
    findings
}

fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path
            .split('/')
            .any(|part| part == "tests" || part == "benches")
}

fn unfinished(path: &str, source: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in REFUSED_MACROS {
        for at in words(code, name).filter(|at| code[at + name.len()..].starts_with('!')) {
            let what = format!("`{name}!` must not stay");
            findings.push(Finding::new(path, 1 + count_lines(&code[..at]), what));
        }
    }
    for mark in REFUSED_MARKS {
        for at in words(source, mark) {
            let what = format!("`{mark}`: finish it, or write it down as an issue");
            findings.push(Finding::new(path, 1 + count_lines(&source[..at]), what));
        }
    }
    findings
}

fn inline_modules(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in words(code, "mod") {
        let name = code[at + 3..]
            .trim_start()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        if let Some(name) = name.filter(|name| REFUSED_NAMES.contains(name)) {
            let what = format!("module `{name}` says nothing about what is inside; name the idea");
            findings.push(Finding::new(path, 1 + count_lines(&code[..at]), what));
        }
    }
    findings
}

/// Every file begins with `//!`; the root of a crate says what the crate is for in two
/// sentences or more.
fn module_docs(path: &str, source: &str) -> Option<Finding> {
    let docs: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .collect();
    if docs.is_empty() {
        return Some(Finding::new(
            path,
            1,
            "no `//!` at the top that says what the file is for",
        ));
    }
    let is_root = path.ends_with("/lib.rs") || path.ends_with("/main.rs");
    if is_root && sentences(&docs.join("\n")) < 2 {
        let what = "the documentation of a crate has two sentences or more: what it is, what it must not know";
        return Some(Finding::new(path, 1, what));
    }
    None
}

fn sentences(text: &str) -> usize {
    let ends = text.char_indices().filter(|&(at, c)| {
        matches!(c, '.' | '!' | '?' | ':')
            && text[at + 1..]
                .chars()
                .next()
                .is_none_or(char::is_whitespace)
    });
    ends.count()
}

fn lengths(
    path: &str,
    source: &str,
    code: &str,
    tests: &[Range<usize>],
    exceptions: &mut Exceptions,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let test_lines: usize = tests
        .iter()
        .map(|part| 1 + count_lines(&source[part.clone()]))
        .sum();
    let lines = count_lines(source) - test_lines.min(count_lines(source));
    let limit = exceptions.limit(Kind::File, path, lines, FILE_LINES);
    if lines > limit {
        let what = format!("{lines} lines without tests, {limit} allowed; split it by idea");
        findings.push(Finding::new(path, 0, what));
    }
    for function in functions(code, tests) {
        let name = format!("{path}::{}", function.name);
        let limit = exceptions.limit(Kind::Function, &name, function.lines, FUNCTION_LINES);
        if function.lines > limit {
            let what = format!(
                "function `{}` has {} lines, {limit} allowed; split it by step",
                function.name, function.lines
            );
            findings.push(Finding::new(path, function.line, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_finds(path: &str, source: &str, what: &str) {
        let findings = check(path, source, &mut Exceptions::default());
        assert!(
            findings.len() == 1 && findings.iter().all(|finding| finding.what.contains(what)),
            "{what}: {findings:?}"
        );
    }

    const DOCS: &str = "//! What. Why.\n";

    #[test]
    fn a_tidy_file_has_no_finding() {
        let source = format!("{DOCS}fn f() {{}}\n");
        assert_eq!(
            check("crates/a/src/lib.rs", &source, &mut Exceptions::default()),
            []
        );
    }

    #[test]
    fn names_that_say_nothing_are_refused() {
        for path in [
            "crates/a/src/utils.rs",
            "crates/a/src/common/mod.rs",
            "crates/a/src/types.rs",
        ] {
            assert!(name(path).is_some(), "{path}");
        }
        assert_eq!(name("crates/a/src/filter.rs"), None);
        assert_eq!(name("docs/common/a.md"), None);
        check_finds("a.rs", &format!("{DOCS}mod helpers {{}}\n"), "helpers");
    }

    #[test]
    fn work_in_progress_is_found_in_code_and_comments_only() {
        check_finds(
            "a.rs",
            &format!("{DOCS}fn f() {{ {}!() }}\n", "todo"),
            "must not stay",
        );
        check_finds(
            "a.rs",
            &format!("{DOCS}// {}: later\n", REFUSED_MARKS[0]),
            "finish it",
        );
        let quoted = format!("{DOCS}const A: &str = \"{}!\";\n", "dbg");
        assert_eq!(check("a.rs", &quoted, &mut Exceptions::default()), []);
    }

    #[test]
    fn files_and_crates_say_what_they_are_for() {
        check_finds("crates/a/src/b.rs", "fn f() {}\n", "no `//!`");
        check_finds("crates/a/src/lib.rs", "//! one sentence\n", "two sentences");
        assert_eq!(
            check(
                "crates/a/src/tests.rs",
                "fn f() {}\n",
                &mut Exceptions::default()
            ),
            []
        );
    }

    #[test]
    fn long_files_are_found_but_long_tests_are_not() {
        let body = "const A: u8 = 1;\n".repeat(500);
        check_finds("a.rs", &format!("{DOCS}{body}"), "501 lines");
        let tests = format!("{DOCS}#[cfg(test)]\nmod tests {{\n{body}}}\n");
        assert_eq!(check("a.rs", &tests, &mut Exceptions::default()), []);
    }

    #[test]
    fn long_functions_are_found_unless_excepted() {
        let body = "    call();\n".repeat(79);
        let source = format!("{DOCS}fn long() {{\n{body}}}\n");
        check_finds("a.rs", &source, "`long` has 81 lines");
        let text = "[functions]\n\"a.rs::long\" = { lines = 81, reason = \"flat\" }\n";
        let mut exceptions = Exceptions::parse(text).unwrap_or_default();
        assert_eq!(check("a.rs", &source, &mut exceptions), []);
    }
}

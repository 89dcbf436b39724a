//! Rules on every text file: no tab, no space at the end of a line, a line break at the end
//! of the file, and no path that only one machine has.
//!
//! Data files are not text in this sense; they stay as their source made them.

use super::Finding;

const ENDINGS: &[&str] = &[
    ".rs",
    ".md",
    ".toml",
    ".sh",
    ".css",
    ".js",
    ".html",
    ".yml",
    ".yaml",
    ".gitignore",
    ".gitattributes",
];

/// Folders of people and machines. A repository must not know them. Written in two parts,
/// because this file is checked as well.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers\\"),
];

/// Whether the rules on text hold for a file.
pub fn is_text(path: &str) -> bool {
    path.starts_with(".ci/") || ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// What is wrong with the text of one file.
pub fn check(path: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in content.lines().enumerate() {
        let mut found = |what: String| findings.push(Finding::new(path, index + 1, what));
        if line.contains('\t') {
            found("a tab; indent with spaces".to_owned());
        }
        if line.ends_with(char::is_whitespace) {
            found("space at the end of the line".to_owned());
        }
        for home in HOMES {
            if line
                .match_indices(home)
                .any(|(at, _)| starts_a_path(line, at))
            {
                found(format!(
                    "`{home}` is a folder of one machine; name it by a variable or a flag"
                ));
            }
        }
    }
    if !content.is_empty() && !content.ends_with('\n') {
        let last = content.lines().count();
        findings.push(Finding::new(
            path,
            last,
            "no line break at the end of the file",
        ));
    }
    findings
}

/// `/x/` in the middle of a longer path or address is not the folder of a machine.
fn starts_a_path(line: &str, at: usize) -> bool {
    let before = line[..at].chars().next_back();
    before.is_none_or(|char| char.is_whitespace() || "\"'`(=:,<[".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(content: &str) -> Vec<usize> {
        check("a.rs", content)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn tabs_and_trailing_space_are_found() {
        assert_eq!(lines("fine\n\tbad\nbad \nfine\n"), [2, 3]);
    }

    #[test]
    fn the_last_line_ends() {
        assert_eq!(lines("one\ntwo"), [2]);
        assert_eq!(lines(""), Vec::<usize>::new());
    }

    #[test]
    fn folders_of_a_machine_are_found_but_not_addresses() {
        let home = HOMES[0];
        assert_eq!(lines(&format!("path = \"{home}me/x\"\n")), [1]);
        assert_eq!(lines(&format!("{home}me\n")), [1]);
        assert_eq!(
            lines(&format!("see https://shop.example{home}page\n")),
            Vec::<usize>::new()
        );
    }

    #[test]
    fn data_is_not_text() {
        assert!(is_text(".ci/run") && is_text("docs/a.md"));
        assert!(!is_text("crates/testkit/data/products.tsv"));
    }
}

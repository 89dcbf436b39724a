//! The rule on documents: every file they name exists.
//!
//! Checked are the targets of links, names in backticks that are plainly paths of the
//! repository, and such paths in code blocks, where commands use them.

use super::Finding;

/// Endings that only files of a repository have; other names may be a user's own files.
const SOURCES: &[&str] = &[".rs", ".md", ".toml", ".sh", ".yml"];

/// What one document names that does not exist. `files` are all files of the repository.
pub fn check(path: &str, content: &str, files: &[String]) -> Vec<Finding> {
    let known = Known {
        files,
        folder: path.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let mut findings = Vec::new();
    let mut is_block = false;
    for (index, line) in content.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_block = !is_block;
            continue;
        }
        let wrong = if is_block {
            known.wrong_in_block(line)
        } else {
            known.wrong_in_text(line)
        };
        let what = |name: String| format!("`{name}` does not exist");
        findings.extend(
            wrong
                .into_iter()
                .map(|name| Finding::new(path, index + 1, what(name))),
        );
    }
    findings
}

struct Known<'a> {
    files: &'a [String],
    /// Of the document.
    folder: &'a str,
}

impl Known<'_> {
    fn wrong_in_text(&self, line: &str) -> Vec<String> {
        let quoted = line.split('`').skip(1).step_by(2);
        let names = quoted.filter(|name| {
            let is_source = SOURCES.iter().any(|ending| name.ends_with(ending));
            self.is_in_repository(name)
                || is_path(name) && is_source && (name.contains('/') || name.ends_with(".md"))
        });
        let mut wrong: Vec<String> = names
            .filter(|name| !self.exists(name))
            .map(str::to_owned)
            .collect();
        wrong.extend(
            links(line)
                .filter(|target| !self.exists(target))
                .map(str::to_owned),
        );
        wrong
    }

    fn wrong_in_block(&self, line: &str) -> Vec<String> {
        let words = line.split(|c: char| c.is_whitespace() || "\"'=@(),".contains(c));
        words
            .map(|word| word.trim_end_matches(['.', ':', ';']))
            .filter(|word| self.is_in_repository(word) && !self.exists(word))
            .map(str::to_owned)
            .collect()
    }

    /// A path that begins with a folder at the root of the repository.
    fn is_in_repository(&self, name: &str) -> bool {
        let Some((top, _)) = name.split_once('/') else {
            return false;
        };
        let starts = |file: &String| {
            file.strip_prefix(top)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        is_path(name) && self.files.iter().any(starts)
    }

    /// From the root or from the folder of the document.
    fn exists(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let near = resolve(self.folder, name);
        [name, near.as_str()].iter().any(|wanted| {
            self.files.iter().any(|file| {
                file.strip_prefix(wanted)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
    }
}

fn is_path(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    !name.is_empty() && name.chars().all(is_plain) && !name.starts_with('/') && !name.contains("//")
}

/// The targets of links to files, without the part after `#`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains(':'))
}

/// `../x` and `./x` seen from a folder.
fn resolve(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_names(document: &str, expected: &[&str]) {
        let files = [
            "README.md",
            "docs/a.md",
            "docs/b.md",
            "crates/x/src/lib.rs",
            "examples/e.csv.gz",
        ];
        let files = files.map(str::to_owned);
        let wrong: Vec<String> = check("docs/a.md", document, &files)
            .into_iter()
            .map(|finding| finding.what)
            .collect();
        let expected: Vec<String> = expected
            .iter()
            .map(|name| format!("`{name}` does not exist"))
            .collect();
        assert_eq!(wrong, expected, "{document}");
    }

    #[test]
    fn names_in_backticks_must_exist() {
        check_names("`crates/x/src/lib.rs` and `crates/x/` and `crates/x`", &[]);
        check_names("`crates/x/src/gone.rs`", &["crates/x/src/gone.rs"]);
        check_names("`crates/y`", &["crates/y"]);
        check_names("`gone.md` `b.md` `README.md`", &["gone.md"]);
        check_names("`benches/gone.rs`", &["benches/gone.rs"]);
    }

    #[test]
    fn names_of_users_and_addresses_are_left_alone() {
        check_names(
            "`GET /indexes/x`, `application/json`, `my.csv`, `store/`, `a.b/c`",
            &[],
        );
        check_names("`crates/*/src` and `docs/decisions/NNN-*.md`", &[]);
    }

    #[test]
    fn links_must_lead_somewhere() {
        check_names(
            "[b](b.md) [b](b.md#part) [r](../README.md) [c](../crates/x)",
            &[],
        );
        check_names("[web](https://shop.example/x.md) [here](#part)", &[]);
        check_names("[gone](gone.md#part)", &["gone.md"]);
        check_names("[gone](../docs/c.md)", &["../docs/c.md"]);
    }

    #[test]
    fn commands_use_files_that_exist() {
        check_names(
            "```sh\nvitrine ingest examples/e.csv.gz my/own.csv\n```",
            &[],
        );
        check_names(
            "```sh\nvitrine ingest examples/gone.csv\n```",
            &["examples/gone.csv"],
        );
        check_names(
            "```sh\ncurl -d @examples/gone.json\n```\n`b.md`",
            &["examples/gone.json"],
        );
    }
}

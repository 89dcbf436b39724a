//! Which format an input is written in.
//!
//! Taken from the file name or the content type, else from the first bytes.

use std::path::Path;

/// A format of rows. Compression is not part of it: [`crate::open`] sees to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// One array of objects, or objects one after the other.
    Json,
    /// One object a line.
    Ndjson,
    /// A header and records; the delimiter is found in the header.
    Csv,
}

impl Format {
    /// By the file's extension, with or without `.gz`.
    pub fn from_name(path: impl AsRef<Path>) -> Option<Self> {
        let name = path
            .as_ref()
            .file_name()?
            .to_string_lossy()
            .to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" | "tsv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// By a MIME type, parameters such as `charset` aside.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "text/x-ndjson" => Some(Self::Ndjson),
            "application/jsonl" | "application/x-jsonlines" | "application/jsonlines" => {
                Some(Self::Ndjson)
            }
            "text/csv" | "application/csv" | "text/tab-separated-values" => Some(Self::Csv),
            _ => None,
        }
    }

    /// By the first bytes (a few kilobytes, already decompressed).
    pub fn sniff(first_bytes: &[u8]) -> Self {
        let bytes = first_bytes
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(first_bytes)
            .trim_ascii_start();
        match bytes.first() {
            Some(b'[') => Self::Json,
            Some(b'{') => {
                let mut lines = bytes
                    .split(|&byte| byte == b'\n')
                    .map(<[u8]>::trim_ascii)
                    .filter(|l| !l.is_empty());
                let first_ends = lines.next().is_some_and(|line| line.ends_with(b"}"));
                let second_starts = lines.next().is_some_and(|line| line.starts_with(b"{"));
                if first_ends && second_starts {
                    Self::Ndjson
                } else {
                    Self::Json
                }
            }
            _ => Self::Csv,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_format() {
        for (name, expected) in [
            ("a/products.json", Some(Format::Json)),
            ("products.JSONL.gz", Some(Format::Ndjson)),
            ("x.ndjson", Some(Format::Ndjson)),
            ("x.csv.gz", Some(Format::Csv)),
            ("x.tsv", Some(Format::Csv)),
            ("x.gz", None),
            ("json", None),
            ("", None),
        ] {
            assert_eq!(Format::from_name(name), expected, "{name}");
        }
    }

    #[test]
    fn content_types_tell_the_format() {
        for (name, expected) in [
            ("application/json", Some(Format::Json)),
            ("Application/JSON; charset=utf-8", Some(Format::Json)),
            ("application/x-ndjson", Some(Format::Ndjson)),
            ("text/csv;header=present", Some(Format::Csv)),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(Format::from_content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn first_bytes_tell_the_format() {
        for (text, expected) in [
            ("[{\"a\":1}]", Format::Json),
            ("\u{feff} [", Format::Json),
            ("{\n \"a\": 1\n}", Format::Json),
            ("{\"a\":1}", Format::Json),
            ("{\"a\":1}\n{\"a\":2}\n", Format::Ndjson),
            ("{\"a\":}\r\n{\"a\":2}\n", Format::Ndjson),
            ("id,title\n1,x\n", Format::Csv),
            ("", Format::Csv),
        ] {
            assert_eq!(Format::sniff(text.as_bytes()), expected, "{text}");
        }
    }
}

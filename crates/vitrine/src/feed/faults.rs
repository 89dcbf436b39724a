//! Rows that were refused, to be counted in full and listed in part.
//!
//! The first ten tell what is wrong with a file; the rest would only scroll.

use intake::{IntakeError, Rejected};
use serde::Serialize;

/// How many refused rows are shown unless all are asked for.
const SHOWN: usize = 10;

/// One refused row, with the file it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub file: String,
    pub row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub reason: String,
}

/// All refusals counted, the first of them kept.
#[derive(Debug, Default)]
pub struct Refusals {
    pub count: u64,
    pub first: Vec<Refusal>,
    /// Files that could not be read to their end, and why.
    pub broken: Vec<String>,
    most: usize,
}

impl Refusals {
    /// Keeps the first ten.
    pub fn first_ones() -> Self {
        Self {
            most: SHOWN,
            ..Self::default()
        }
    }

    /// Keeps every one.
    pub fn all() -> Self {
        Self {
            most: usize::MAX,
            ..Self::default()
        }
    }

    /// Counts a row.
    pub fn add(&mut self, refusal: Refusal) {
        self.count += 1;
        if self.first.len() < self.most {
            self.first.push(refusal);
        }
    }

    /// Counts many rows that were refused for one reason, and keeps it once.
    pub fn add_many(&mut self, refusal: Refusal, rows: u64) {
        self.add(refusal);
        self.count += rows.saturating_sub(1);
    }

    /// Counts a row that could not be read.
    pub fn add_rejected(&mut self, file: &str, rejected: &Rejected) {
        self.add(Refusal {
            file: file.to_owned(),
            row: rejected.row,
            field: rejected.field.clone(),
            reason: rejected.reason.clone(),
        });
    }

    /// Notes that a file ended too early.
    pub fn add_fault(&mut self, file: &str, fault: &IntakeError) {
        self.broken.push(format!("{file}: {fault}"));
    }

    /// What a person sees of them.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for refusal in &self.first {
            let Refusal {
                file,
                row,
                field,
                reason,
            } = refusal;
            match field {
                Some(field) => {
                    text.push_str(&format!("  {file} row {row}, field {field}: {reason}\n"))
                }
                None => text.push_str(&format!("  {file} row {row}: {reason}\n")),
            }
        }
        let hidden = self.count - self.first.len() as u64;
        if hidden > 0 {
            text.push_str(&format!("  … and {hidden} more\n"));
        }
        for broken in &self.broken {
            text.push_str(&format!("not read to its end: {broken}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(row: u64) -> Refusal {
        Refusal {
            file: "a.csv".into(),
            row,
            field: Some("price".into()),
            reason: "no number".into(),
        }
    }

    #[test]
    fn ten_are_shown_and_the_rest_is_counted() {
        let mut refusals = Refusals::first_ones();
        (1..=12).for_each(|row| refusals.add(refusal(row)));
        let text = refusals.render();
        assert!(
            text.starts_with("  a.csv row 1, field price: no number\n"),
            "{text}"
        );
        assert!(text.ends_with("  … and 2 more\n"), "{text}");
        let mut all = Refusals::all();
        (1..=12).for_each(|row| all.add(refusal(row)));
        assert_eq!(all.first.len(), 12);
    }
}

//! Filters as text again.
//!
//! Parentheses stand only where the tree needs them, and words are quoted only
//! where the grammar asks for it. Trees that [`Filter::parse`] made read back equal;
//! an `And` or `Or` of fewer than two parts has no text of its own.

use super::lexeme::is_bare;
use super::{Filter, FilterValue};
use std::fmt::{Display, Formatter, Result, Write};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::And(parts) => joined(f, parts, " AND ", |part| {
                matches!(part, Self::And(_) | Self::Or(_))
            }),
            Self::Or(parts) => joined(f, parts, " OR ", |part| matches!(part, Self::Or(_))),
            Self::Not(part) => negated(f, part),
            _ => self.condition(f, ""),
        }
    }
}

impl Filter {
    /// A single condition; `not` is empty or `NOT ` and stands where the operator takes it.
    fn condition(&self, f: &mut Formatter<'_>, not: &str) -> Result {
        match self {
            Self::Compare {
                attribute,
                comparison,
                value,
            } => {
                let sign = comparison.as_str();
                write!(f, "{} {sign} {}", Word(attribute), value)
            }
            Self::Between {
                attribute,
                low,
                high,
            } => {
                write!(f, "{} {low} TO {high}", Word(attribute))
            }
            Self::In { attribute, values } => {
                write!(f, "{} {not}IN [", Word(attribute))?;
                for (index, value) in values.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{value}")?;
                }
                f.write_char(']')
            }
            Self::Exists { attribute } => write!(f, "{} {not}EXISTS", Word(attribute)),
            Self::IsNull { attribute } => write!(f, "{} IS {not}NULL", Word(attribute)),
            Self::IsEmpty { attribute } => write!(f, "{} IS {not}EMPTY", Word(attribute)),
            Self::Contains { attribute, text } => {
                write!(f, "{} {not}CONTAINS {}", Word(attribute), Word(text))
            }
            Self::StartsWith { attribute, text } => {
                write!(f, "{} {not}STARTS WITH {}", Word(attribute), Word(text))
            }
            Self::Within(area) => write!(f, "{not}{area}"),
            Self::And(_) | Self::Or(_) | Self::Not(_) => write!(f, "{not}({self})"),
        }
    }
}

fn negated(f: &mut Formatter<'_>, part: &Filter) -> Result {
    match part {
        Filter::Compare {
            attribute,
            comparison: super::Comparison::Equal,
            value,
        } => {
            write!(f, "{} != {value}", Word(attribute))
        }
        Filter::Compare { .. } | Filter::Between { .. } | Filter::Not(_) => write!(f, "NOT {part}"),
        _ => part.condition(f, "NOT "),
    }
}

fn joined(
    f: &mut Formatter<'_>,
    parts: &[Filter],
    between: &str,
    needs_parentheses: impl Fn(&Filter) -> bool,
) -> Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl Display for FilterValue {
    /// As it would be written in a filter.
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Word(&self.text).fmt(f)
    }
}

/// An attribute or a value, in quotes where it needs them.
struct Word<'w>(&'w str);

impl Display for Word<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if is_bare(self.0) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

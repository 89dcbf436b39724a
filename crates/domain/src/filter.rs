//! Filters as a syntax tree, and the Meilisearch filter grammar that writes it.
//!
//! [`Filter::parse`] reads the text of a request; printing a tree that it made
//! gives a text that reads back as the same tree, so filters can be logged and
//! sent on. What a condition means for a given item is up to the index.

use crate::GeoArea;

mod lexeme;
mod parse;
mod print;
#[cfg(test)]
mod tests;

/// The attribute that says where an item is: an object of `lat` and `lng`.
pub const GEO: &str = "_geo";

/// The attribute that holds an item's vectors, by embedder. It is neither searched nor filtered.
pub const VECTORS: &str = "_vectors";

/// A condition on an item's attributes. Attribute names are dotted paths (`specs.colour`).
///
/// Strings compare without regard to case; a list attribute matches when any element does.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// `=`, `>`, `>=`, `<`, `<=`. `!=` is `Not(Equal)`.
    Compare {
        attribute: String,
        comparison: Comparison,
        value: FilterValue,
    },
    /// `attribute low TO high`, both ends included.
    Between {
        attribute: String,
        low: f64,
        high: f64,
    },
    /// `attribute IN [a, b]`. `NOT IN` is `Not(In)`.
    In {
        attribute: String,
        values: Vec<FilterValue>,
    },
    /// The attribute is present, even when `null`.
    Exists {
        attribute: String,
    },
    /// The attribute is present and `null`.
    IsNull {
        attribute: String,
    },
    /// The attribute is `""`, `[]` or `{}`.
    IsEmpty {
        attribute: String,
    },
    Contains {
        attribute: String,
        text: String,
    },
    StartsWith {
        attribute: String,
        text: String,
    },
    /// The item's `_geo` lies in this area.
    Within(GeoArea),
}

/// What a condition wants to know of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterUse {
    /// Whether it has a value, or part of one.
    Equality,
    /// Whether it is more or less than a value.
    Order,
    /// Whether there is anything at all.
    Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A literal of the filter text. `number` is set when the text reads as a finite number,
/// so that `price = 5` meets the number 5 and the string "5" alike.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterValue {
    pub text: String,
    pub number: Option<f64>,
}

/// Where and why a filter text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {position} of the filter `{excerpt}`")]
pub struct FilterError {
    /// Character offset, from 1.
    pub position: usize,
    pub reason: String,
    /// The filter, shortened to the part around the position.
    pub excerpt: String,
}

impl Filter {
    /// Reads a filter text; a text of white space alone is an error.
    ///
    /// ```
    /// use domain::Filter;
    ///
    /// let filter = Filter::parse("price 5 TO 10 AND NOT brand = \"Home Line\"").unwrap();
    /// assert_eq!(filter.attributes(), ["price", "brand"]);
    /// assert_eq!(filter.to_string(), "price 5 TO 10 AND brand != \"Home Line\"");
    /// ```
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text)
    }

    /// The attributes it asks about, each once, in the order of the text.
    pub fn attributes(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect_attributes(&mut found);
        found
    }

    /// Every attribute with every way in which it is asked about.
    pub fn uses(&self) -> Vec<(&str, FilterUse)> {
        let mut found = Vec::new();
        self.collect_uses(&mut found);
        found
    }

    fn collect_uses<'f>(&'f self, found: &mut Vec<(&'f str, FilterUse)>) {
        let (attribute, used) = match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.collect_uses(found));
                return;
            }
            Self::Not(part) => return part.collect_uses(found),
            Self::Compare {
                attribute,
                comparison,
                ..
            } if *comparison != Comparison::Equal => (attribute.as_str(), FilterUse::Order),
            Self::Between { attribute, .. } => (attribute.as_str(), FilterUse::Order),
            Self::Compare { attribute, .. }
            | Self::In { attribute, .. }
            | Self::Contains { attribute, .. }
            | Self::StartsWith { attribute, .. } => (attribute.as_str(), FilterUse::Equality),
            Self::Exists { attribute }
            | Self::IsNull { attribute }
            | Self::IsEmpty { attribute } => (attribute.as_str(), FilterUse::Presence),
            Self::Within(_) => (GEO, FilterUse::Presence),
        };
        if !found.contains(&(attribute, used)) {
            found.push((attribute, used));
        }
    }

    /// All of `filters`; one alone is itself, none at all holds for every item.
    pub fn and(filters: Vec<Self>) -> Self {
        single(filters).unwrap_or_else(Self::And)
    }

    /// Any of `filters`; one alone is itself, none at all holds for no item.
    pub fn or(filters: Vec<Self>) -> Self {
        single(filters).unwrap_or_else(Self::Or)
    }

    fn not(filter: Self) -> Self {
        Self::Not(Box::new(filter))
    }

    fn collect_attributes<'f>(&'f self, found: &mut Vec<&'f str>) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.collect_attributes(found);
                }
            }
            Self::Not(part) => part.collect_attributes(found),
            Self::Compare { attribute, .. }
            | Self::Between { attribute, .. }
            | Self::In { attribute, .. }
            | Self::Exists { attribute }
            | Self::IsNull { attribute }
            | Self::IsEmpty { attribute }
            | Self::Contains { attribute, .. }
            | Self::StartsWith { attribute, .. } => {
                if !found.contains(&attribute.as_str()) {
                    found.push(attribute);
                }
            }
            Self::Within(_) => {
                if !found.contains(&GEO) {
                    found.push(GEO);
                }
            }
        }
    }
}

impl Comparison {
    /// The sign that writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

impl FilterValue {
    /// A literal, and the number it reads as when it is one.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        Self { text, number }
    }
}

/// The only filter of the list, or the list back.
fn single(mut filters: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    match filters.pop() {
        Some(only) if filters.is_empty() => Ok(only),
        Some(last) => {
            filters.push(last);
            Err(filters)
        }
        None => Err(filters),
    }
}

//! The settings of an affinity model, `config.json`: its sizes, from which the shape of every
//! tensor follows, and the calibration of what comes out.

use super::bands::{GAP_BANDS, QUANTITY_BANDS};
use super::error::AffinityError;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The format of the files that this build reads and writes.
const FORMAT: u32 = 2;

/// What is predicted, in the order of the rows of `actions.weight`.
pub const ACTIONS: [&str; 3] = ["view", "cart", "purchase"];

/// Kinds of events: view, click, cart, purchase, like, dislike, rate, search.
pub const KINDS: usize = 8;
/// Place of a dislike among them.
pub const DISLIKE: u8 = 5;

/// Events before the history that a profile is of, at most: servers keep the newest 200 of a
/// shopper, and 50 are the history.
pub const PROFILE_EVENTS: usize = 150;

/// The settings of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AffinityConfig {
    /// Of the files; see [`AffinityConfig::new`].
    pub format: u32,
    /// Numbers of a token, `d`.
    pub width: usize,
    /// Parts of a token with an attention of their own, `H`; a divisor of the width.
    pub heads: usize,
    /// Blocks, `L`.
    pub layers: usize,
    /// The last blocks, through which candidates go.
    pub candidate_layers: usize,
    /// Events of a history that are seen, the newest.
    pub max_history: usize,
    /// Numbers of a text's vector; 0 when trained without texts.
    pub text_dimensions: usize,
    /// Rows of the table of ids.
    pub items: usize,
    /// The classes that items have, in the order in which their values are given.
    pub fields: Vec<FieldConfig>,
    /// Rows of the table of kinds, [`KINDS`].
    pub kinds: usize,
    /// Rows of the table of gaps, [`GAP_BANDS`].
    pub gaps: usize,
    /// Rows of the table of quantities, [`QUANTITY_BANDS`].
    pub quantities: usize,
    /// [`ACTIONS`]
    pub actions: Vec<String>,
    /// One for each action, asked about without a query.
    pub calibration: Vec<Calibration>,
    /// The same with a query, which makes logits go further apart.
    pub query_calibration: Vec<Calibration>,
    /// Whether training had profiles of what came before the history; where it had not, a
    /// profile says nothing that the model understands.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub profiles: bool,
    /// Whether training had queries; where it had not, a query is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub queries: bool,
    /// How much likeness of texts adds to retrieval; none when trained without texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likeness: Option<LikenessConfig>,
}

/// The settings of [`super::Likeness`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LikenessConfig {
    /// Numbers of a likeness vector, `c`.
    pub dimensions: usize,
    /// The most that likeness adds to a logit.
    pub strength: f32,
    /// How much an event counts beside the one after it.
    pub fading: f32,
}

/// A class of items, such as the category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    /// Part of the tensor's name: lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// Values there are, 0 (unknown) among them.
    pub values: usize,
}

/// `P = σ(scale · logit + offset)` (Platt 1999).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    pub scale: f32,
    pub offset: f32,
}

impl Default for Calibration {
    /// Leaves a logit as it is.
    fn default() -> Self {
        Self {
            scale: 1.0,
            offset: 0.0,
        }
    }
}

impl AffinityConfig {
    /// The usual sizes, without a calibration: width 128, 4 heads, 2 layers, 50 events.
    pub fn new(text_dimensions: usize, items: usize, fields: Vec<FieldConfig>) -> Self {
        Self {
            format: FORMAT,
            width: 128,
            heads: 4,
            layers: 2,
            candidate_layers: 1,
            max_history: 50,
            text_dimensions,
            items,
            fields,
            kinds: KINDS,
            gaps: GAP_BANDS,
            quantities: QUANTITY_BANDS,
            actions: ACTIONS.map(str::to_owned).to_vec(),
            calibration: vec![Calibration::default(); ACTIONS.len()],
            query_calibration: vec![Calibration::default(); ACTIONS.len()],
            profiles: false,
            queries: false,
            likeness: None,
        }
    }

    /// The calibration of each action, asked about with a query or without.
    pub fn calibration(&self, with_query: bool) -> &[Calibration] {
        match with_query {
            true => &self.query_calibration,
            false => &self.calibration,
        }
    }

    /// Numbers of an item's vector: `v`, then its likeness vector.
    pub fn vector_size(&self) -> usize {
        self.width + self.likeness.map_or(0, |likeness| likeness.dimensions)
    }

    /// Reads `config.json` and checks it.
    ///
    /// # Errors
    /// When it is no such JSON, of another format, or a setting is out of its range.
    pub fn from_json(json: &[u8]) -> Result<Self, AffinityError> {
        /// A newer format may have other settings, so its number is read alone and first.
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(json).map_err(AffinityError::Json)?;
        refuse_other_format(head.format)?;
        let config: Self = serde_json::from_slice(json).map_err(AffinityError::Json)?;
        config.check()?;
        Ok(config)
    }

    /// What [`AffinityConfig::from_json`] reads.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn to_json(&self) -> Result<Vec<u8>, AffinityError> {
        self.check()?;
        let mut json = serde_json::to_vec_pretty(self).map_err(AffinityError::Json)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Refuses what no model can have, so that sizes computed from the settings stay small.
    ///
    /// # Errors
    /// Names the first setting that is out of its range.
    pub fn check(&self) -> Result<(), AffinityError> {
        refuse_other_format(self.format)?;
        within("width", self.width, 1..=4096)?;
        within("heads", self.heads, 1..=self.width)?;
        if !self.width.is_multiple_of(self.heads) {
            let rule = format!("a divisor of the width {}", self.width);
            return Err(refused("heads", rule, self.heads));
        }
        within("layers", self.layers, 1..=64)?;
        within("candidate_layers", self.candidate_layers, 1..=self.layers)?;
        within("max_history", self.max_history, 1..=4096)?;
        within("text_dimensions", self.text_dimensions, 0..=16_384)?;
        within("items", self.items, 0..=1 << 28)?;
        within("kinds", self.kinds, KINDS..=KINDS)?;
        within("gaps", self.gaps, GAP_BANDS..=GAP_BANDS)?;
        within(
            "quantities",
            self.quantities,
            QUANTITY_BANDS..=QUANTITY_BANDS,
        )?;
        if self.actions != ACTIONS {
            return Err(refused(
                "actions",
                format!("{ACTIONS:?}"),
                format!("{:?}", self.actions),
            ));
        }
        check_calibration("calibration", &self.calibration)?;
        check_calibration("query_calibration", &self.query_calibration)?;
        if let Some(likeness) = self.likeness {
            likeness.check(self.text_dimensions)?;
        }
        self.check_fields()
    }

    fn check_fields(&self) -> Result<(), AffinityError> {
        within("fields", self.fields.len(), 0..=256)?;
        for (at, field) in self.fields.iter().enumerate() {
            let name = &field.name;
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
            };
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                let rule = "1 to 64 of a-z, 0-9, _ and -";
                return Err(refused(
                    &format!("fields[{at}].name"),
                    rule,
                    format!("{name:?}"),
                ));
            }
            if self.fields[..at].iter().any(|other| other.name == *name) {
                let rule = "given once";
                return Err(refused(
                    &format!("fields[{at}].name"),
                    rule,
                    format!("{name:?} again"),
                ));
            }
            within(&format!("fields[{at}].values"), field.values, 1..=1 << 24)?;
        }
        Ok(())
    }
}

fn check_calibration(field: &str, calibration: &[Calibration]) -> Result<(), AffinityError> {
    within(field, calibration.len(), ACTIONS.len()..=ACTIONS.len())?;
    let is_usable = |one: &&Calibration| one.scale.is_finite() && one.offset.is_finite();
    match calibration.iter().find(|one| !is_usable(one)) {
        Some(one) => Err(refused(field, "finite", format!("{one:?}"))),
        None => Ok(()),
    }
}

impl LikenessConfig {
    fn check(&self, text_dimensions: usize) -> Result<(), AffinityError> {
        within("likeness.dimensions", self.dimensions, 1..=text_dimensions)?;
        let in_range = |field, value: f32, most: f32| {
            let rule = format!("0 to {most}");
            let fits = (0.0..=most).contains(&value);
            fits.then_some(())
                .ok_or_else(|| refused(field, rule, value))
        };
        in_range("likeness.strength", self.strength, 100.0)?;
        in_range("likeness.fading", self.fading, 1.0)
    }
}

fn refuse_other_format(found: u32) -> Result<(), AffinityError> {
    if found == FORMAT {
        Ok(())
    } else {
        Err(AffinityError::Format {
            found,
            expected: FORMAT,
        })
    }
}

fn within(field: &str, found: usize, allowed: RangeInclusive<usize>) -> Result<(), AffinityError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let (least, most) = allowed.into_inner();
    let rule = if least == most {
        most.to_string()
    } else {
        format!("{least} to {most}")
    };
    Err(refused(field, rule, found))
}

fn refused(field: &str, rule: impl Into<String>, found: impl Display) -> AffinityError {
    AffinityError::Setting {
        field: field.to_owned(),
        rule: rule.into(),
        found: found.to_string(),
    }
}

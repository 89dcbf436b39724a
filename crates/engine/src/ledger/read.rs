//! Reading the ledger. It is live, as profiles are: a statement is seen as soon as it was
//! answered, before the catalogue has published anything.

use super::settle::stored;
use super::view::shopper_key;
use super::{Feedback, FeedbackKey, FeedbackKind, FeedbackOf, Given};
use crate::EngineError;
use crate::snapshot::IndexReader;
use crate::tables::{self, FEEDBACK, SHOPPERS};
use domain::{ItemId, UserId};
use serde_json::{Map, Value};

/// Attributes of a shopper by name.
type Attributes = Map<String, Value>;

impl IndexReader {
    /// What the shop states of a shopper; `None` when it has stated nothing.
    pub fn shopper_record(&self, user: &str) -> Result<Option<Attributes>, EngineError> {
        let views = self.shared.shoppers.load().snapshot();
        match views.get(SHOPPERS, &shopper_key(self.state.meta.no, user))? {
            Some(text) => tables::from_json(&text).map(Some),
            None => Ok(None),
        }
    }

    /// Records of shoppers behind an id, by id, at most so many.
    pub fn shopper_records(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<(String, Attributes)>, EngineError> {
        let views = self.shared.shoppers.load().snapshot();
        let no = self.state.meta.no;
        let prefix = no.0.to_be_bytes();
        let entries = match after {
            Some(id) => views.prefix_after(SHOPPERS, &prefix, &shopper_key(no, id))?,
            None => views.prefix(SHOPPERS, &prefix)?,
        };
        let mut records = Vec::new();
        for entry in entries.take(most) {
            let (key, text) = entry?;
            let id = String::from_utf8_lossy(key.get(8..).unwrap_or_default());
            records.push((id.into_owned(), tables::from_json(&text)?));
        }
        Ok(records)
    }

    /// Feedback of a shopper, of an item or of both, of one kind or of all, at most so much.
    /// It is ordered by what is left open: by item, else by shopper, then by kind.
    pub fn feedback(
        &self,
        of: &FeedbackOf,
        kind: Option<&FeedbackKind>,
        most: usize,
    ) -> Result<Vec<Feedback>, EngineError> {
        let views = self.shared.shoppers.load().snapshot();
        let no = self.state.meta.no;
        let mut found = Vec::new();
        for key in stored(&views, no, of)? {
            let key = key?;
            if kind.is_some_and(|kind| key.kind != kind.as_str()) {
                continue;
            }
            if found.len() == most {
                break;
            }
            if let Some(bytes) = views.get(FEEDBACK, &key.by_user(no))? {
                found.push(whole(key, Given::of_bytes(&bytes)?)?);
            }
        }
        Ok(found)
    }

    /// What the feedback of a shopper or of an item is about, in the same order, at most so much.
    pub fn feedback_keys(
        &self,
        of: &FeedbackOf,
        most: usize,
    ) -> Result<Vec<FeedbackKey>, EngineError> {
        let views = self.shared.shoppers.load().snapshot();
        stored(&views, self.state.meta.no, of)?.take(most).collect()
    }

    /// Feedback of everybody behind what another is about, by shopper, item and kind, at most so much.
    pub fn all_feedback(
        &self,
        after: Option<&FeedbackKey>,
        kind: Option<&FeedbackKind>,
        most: usize,
    ) -> Result<Vec<Feedback>, EngineError> {
        let views = self.shared.shoppers.load().snapshot();
        let no = self.state.meta.no;
        let prefix = no.0.to_be_bytes();
        let entries = match after {
            Some(last) => views.prefix_after(FEEDBACK, &prefix, &last.by_user(no))?,
            None => views.prefix(FEEDBACK, &prefix)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let (key, value) = entry?;
            let key = FeedbackKey::of_user(&key)?;
            if kind.is_some_and(|kind| key.kind != kind.as_str()) {
                continue;
            }
            if found.len() == most {
                break;
            }
            found.push(whole(key, Given::of_bytes(&value)?)?);
        }
        Ok(found)
    }
}

fn whole(key: FeedbackKey, given: Given) -> Result<Feedback, EngineError> {
    Ok(Feedback {
        user: UserId::new(key.user)?,
        item: ItemId::new(key.item)?,
        kind: FeedbackKind(key.kind),
        value: given.value,
        time: given.time,
        comment: given.comment,
    })
}

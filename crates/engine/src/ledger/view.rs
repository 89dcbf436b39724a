//! The ledger in the key-value store: keys, values, and what the compaction of the log may drop.
//!
//! Feedback is ordered by shopper, item and kind; a second view leads from the item to it. The
//! parts of a key are divided by a zero byte, which no id can have.

use super::{FeedbackKey, Given, Statement};
use crate::EngineError;
use crate::record::IndexNo;
use crate::tables::{FEEDBACK, FEEDBACK_BY_ITEM, SHOPPERS};
use domain::UserId;
use store::{View, ViewBatch, ViewSnapshot, Views};

/// The key of a shopper's record.
pub(super) fn shopper_key(index: IndexNo, user: &str) -> Vec<u8> {
    let mut key = index.0.to_be_bytes().to_vec();
    key.extend_from_slice(user.as_bytes());
    key
}

/// A key of parts, each ended by a zero byte: as it stands the beginning of longer ones.
pub(super) fn parts_key(index: IndexNo, parts: &[&str]) -> Vec<u8> {
    let mut key = index.0.to_be_bytes().to_vec();
    for part in parts {
        key.extend_from_slice(part.as_bytes());
        key.push(0);
    }
    key
}

impl Statement {
    /// Whom it is about.
    pub(crate) fn user(&self) -> &str {
        match self {
            Self::Shopper { id, .. } => id,
            Self::Feedback { key, .. } => &key.user,
        }
    }
}

impl FeedbackKey {
    pub(super) fn by_user(&self, index: IndexNo) -> Vec<u8> {
        parts_key(index, &[&self.user, &self.item, &self.kind])
    }

    fn by_item(&self, index: IndexNo) -> Vec<u8> {
        parts_key(index, &[&self.item, &self.user, &self.kind])
    }

    /// Reads a key of the feedback by shopper.
    pub(super) fn of_user(key: &[u8]) -> Result<Self, EngineError> {
        let [user, item, kind] = parts(key)?;
        Ok(Self { user, item, kind })
    }

    /// Reads a key of the feedback by item.
    pub(super) fn of_item(key: &[u8]) -> Result<Self, EngineError> {
        let [item, user, kind] = parts(key)?;
        Ok(Self { user, item, kind })
    }
}

fn parts(key: &[u8]) -> Result<[String; 3], EngineError> {
    let damaged = || EngineError::View {
        what: "a feedback key",
        reason: "it is damaged".to_owned(),
    };
    let text = std::str::from_utf8(key.get(8..).unwrap_or_default()).map_err(|_| damaged())?;
    let mut parts = text.split_terminator('\0').map(str::to_owned);
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(first), Some(second), Some(third), None) => Ok([first, second, third]),
        _ => Err(damaged()),
    }
}

impl Given {
    fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        postcard::to_stdvec(self).map_err(unreadable)
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        postcard::from_bytes(bytes).map_err(unreadable)
    }
}

fn unreadable(err: postcard::Error) -> EngineError {
    EngineError::View {
        what: "feedback",
        reason: err.to_string(),
    }
}

/// Writes statements to the views, all or none.
pub(crate) fn apply(
    views: &Views,
    index: IndexNo,
    statements: &[Statement],
) -> Result<(), EngineError> {
    let mut batch = views.batch();
    for statement in statements {
        put(&mut batch, index, statement)?;
    }
    Ok(batch.commit()?)
}

fn put(batch: &mut ViewBatch, index: IndexNo, statement: &Statement) -> Result<(), EngineError> {
    match statement {
        Statement::Shopper { id, attributes } => {
            let key = shopper_key(index, id);
            match attributes {
                Some(attributes) => batch.put(SHOPPERS, key, attributes.as_bytes()),
                None => batch.delete(SHOPPERS, key),
            }
        }
        Statement::Feedback { key, given } => match given {
            Some(given) => {
                batch.put(FEEDBACK, key.by_user(index), given.to_bytes()?);
                batch.put(FEEDBACK_BY_ITEM, key.by_item(index), []);
            }
            None => {
                batch.delete(FEEDBACK, key.by_user(index));
                batch.delete(FEEDBACK_BY_ITEM, key.by_item(index));
            }
        },
    }
    Ok(())
}

/// Copies the ledger of everybody but one shopper of an index.
pub(crate) fn copy(
    from: &Views,
    to: &Views,
    index: IndexNo,
    without: &UserId,
) -> Result<(), EngineError> {
    let user = without.as_str();
    let record = shopper_key(index, user);
    copy_view(from, to, SHOPPERS, |key| Ok(key == record))?;
    let feedback = parts_key(index, &[user]);
    copy_view(from, to, FEEDBACK, |key| Ok(key.starts_with(&feedback)))?;
    copy_view(from, to, FEEDBACK_BY_ITEM, |key| {
        let is_of_index = key.starts_with(&index.0.to_be_bytes());
        Ok(is_of_index && FeedbackKey::of_item(key)?.user == user)
    })
}

fn copy_view(
    from: &Views,
    to: &Views,
    view: View,
    is_left_out: impl Fn(&[u8]) -> Result<bool, EngineError>,
) -> Result<(), EngineError> {
    let mut kept = Vec::new();
    for entry in from.prefix(view, &[])? {
        let (key, value) = entry?;
        if !is_left_out(&key)? {
            kept.push((key, value));
        }
    }
    Ok(to.ingest(view, kept)?)
}

/// Drops the statements of a record that no longer hold; gives how many those were.
///
/// What was taken back needs no record either: whatever it took back stands before it, so it
/// is dropped first.
pub(crate) fn drop_superseded(
    views: &ViewSnapshot,
    index: IndexNo,
    statements: &mut Vec<Statement>,
) -> Result<u64, EngineError> {
    let before = statements.len();
    let mut kept = Vec::with_capacity(before);
    for statement in statements.drain(..) {
        let holds = match &statement {
            Statement::Shopper { id, attributes } => {
                let now = views.get(SHOPPERS, &shopper_key(index, id))?;
                now.is_some() && now.as_deref() == attributes.as_deref().map(str::as_bytes)
            }
            Statement::Feedback { key, given } => {
                let now = views.get(FEEDBACK, &key.by_user(index))?;
                match (now, given) {
                    (Some(now), Some(given)) => *now == *given.to_bytes()?,
                    _ => false,
                }
            }
        };
        if holds {
            kept.push(statement);
        }
    }
    *statements = kept;
    Ok((before - statements.len()) as u64)
}

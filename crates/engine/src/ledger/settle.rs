//! From what a write asks to what holds from then on, on the writer's thread.
//!
//! A value that is added, attributes that are laid over others, feedback that is removed for
//! all kinds: each rests on what held before. Writes of the same group are durable together,
//! so what the ones before have settled is not in the views yet and is looked up here first.

use super::view::{parts_key, shopper_key};
use super::{Feedback, FeedbackKey, FeedbackKind, FeedbackOf, Given, LedgerChange, Statement};
use crate::EngineError;
use crate::record::IndexNo;
use crate::tables::{self, FEEDBACK, FEEDBACK_BY_ITEM, SHOPPERS};
use domain::UserId;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use store::ViewSnapshot;

/// Statements of the group of writes at hand, the newest of each.
#[derive(Default)]
pub(crate) struct Unapplied {
    shoppers: BTreeMap<(IndexNo, String), Option<String>>,
    feedback: BTreeMap<(IndexNo, FeedbackKey), Option<Given>>,
}

impl Unapplied {
    /// Takes in what a write has settled.
    pub(crate) fn extend(&mut self, index: IndexNo, statements: &[Statement]) {
        for statement in statements {
            match statement {
                Statement::Shopper { id, attributes } => {
                    self.shoppers
                        .insert((index, id.clone()), attributes.clone());
                }
                Statement::Feedback { key, given } => {
                    self.feedback.insert((index, key.clone()), given.clone());
                }
            }
        }
    }
}

/// One write that is being settled.
pub(crate) struct Settled<'a> {
    views: ViewSnapshot,
    index: IndexNo,
    before: &'a Unapplied,
    own: Unapplied,
    statements: Vec<Statement>,
}

impl<'a> Settled<'a> {
    pub(crate) fn new(views: ViewSnapshot, index: IndexNo, before: &'a Unapplied) -> Self {
        Self {
            views,
            index,
            before,
            own: Unapplied::default(),
            statements: Vec::new(),
        }
    }

    /// What the changes come to; a change of nothing is no statement.
    pub(crate) fn settle(
        mut self,
        changes: Vec<LedgerChange>,
    ) -> Result<Vec<Statement>, EngineError> {
        for change in changes {
            self.change(change)?;
        }
        Ok(self.statements)
    }

    fn change(&mut self, change: LedgerChange) -> Result<(), EngineError> {
        match change {
            LedgerChange::PutShopper(user, attributes) => {
                self.put_shopper(&user, Some(tables::to_text(&attributes)?));
            }
            LedgerChange::PatchShopper(user, attributes) => {
                let mut record: Map<String, Value> = match self.shopper(&user)? {
                    Some(known) => tables::from_json(known.as_bytes())?,
                    None => Map::new(),
                };
                for (name, value) in attributes {
                    match value {
                        Value::Null => drop(record.shift_remove(&name)),
                        value => drop(record.insert(name, value)),
                    }
                }
                self.put_shopper(&user, Some(tables::to_text(&record)?));
            }
            LedgerChange::EnsureShopper(user) => {
                if self.shopper(&user)?.is_none() {
                    self.put_shopper(&user, Some("{}".to_owned()));
                }
            }
            LedgerChange::RemoveShopper(user) => {
                if self.shopper(&user)?.is_some() {
                    self.put_shopper(&user, None);
                }
            }
            LedgerChange::ForgetShopper(user) => {
                self.change(LedgerChange::RemoveShopper(user.clone()))?;
                let of = FeedbackOf::User(user);
                self.change(LedgerChange::RemoveFeedback(of, None))?;
            }
            LedgerChange::AddFeedback(feedback) => {
                let before = self.feedback(&feedback.key())?;
                let value = before.map_or(0.0, |before| before.value) + feedback.value;
                // Two finite values may add up to none.
                let value = value.clamp(f64::MIN, f64::MAX);
                self.set(Feedback { value, ..feedback });
            }
            LedgerChange::SetFeedback(feedback) => self.set(feedback),
            LedgerChange::RemoveFeedback(of, kind) => {
                for key in self.keys(&of, kind.as_ref())? {
                    self.put_feedback(key, None);
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, feedback: Feedback) {
        let given = Given {
            value: feedback.value,
            time: feedback.time,
            comment: feedback.comment.clone(),
        };
        self.put_feedback(feedback.key(), Some(given));
    }

    fn put_shopper(&mut self, user: &UserId, attributes: Option<String>) {
        self.put(Statement::Shopper {
            id: user.to_string(),
            attributes,
        });
    }

    fn put_feedback(&mut self, key: FeedbackKey, given: Option<Given>) {
        self.put(Statement::Feedback { key, given });
    }

    fn put(&mut self, statement: Statement) {
        let statement = [statement];
        self.own.extend(self.index, &statement);
        self.statements.extend(statement);
    }

    /// The record of a shopper as of the changes so far.
    fn shopper(&self, user: &UserId) -> Result<Option<String>, EngineError> {
        let key = (self.index, user.to_string());
        for settled in [&self.own, self.before] {
            if let Some(record) = settled.shoppers.get(&key) {
                return Ok(record.clone());
            }
        }
        let stored = self
            .views
            .get(SHOPPERS, &shopper_key(self.index, user.as_str()))?;
        match stored {
            Some(bytes) => match String::from_utf8(bytes.to_vec()) {
                Ok(text) => Ok(Some(text)),
                Err(err) => Err(EngineError::View {
                    what: "a shopper's record",
                    reason: err.to_string(),
                }),
            },
            None => Ok(None),
        }
    }

    fn feedback(&self, key: &FeedbackKey) -> Result<Option<Given>, EngineError> {
        let place = (self.index, key.clone());
        for settled in [&self.own, self.before] {
            if let Some(given) = settled.feedback.get(&place) {
                return Ok(given.clone());
            }
        }
        let stored = self.views.get(FEEDBACK, &key.by_user(self.index))?;
        stored.map(|bytes| Given::of_bytes(&bytes)).transpose()
    }

    /// The feedback there is, as of the changes so far.
    fn keys(
        &self,
        of: &FeedbackOf,
        kind: Option<&FeedbackKind>,
    ) -> Result<BTreeSet<FeedbackKey>, EngineError> {
        let is_meant = |key: &FeedbackKey| {
            let matches = match of {
                FeedbackOf::User(user) => key.user == user.as_str(),
                FeedbackOf::Item(item) => key.item == item.as_str(),
                FeedbackOf::Pair(user, item) => {
                    key.user == user.as_str() && key.item == item.as_str()
                }
            };
            matches && kind.is_none_or(|kind| key.kind == kind.as_str())
        };
        let mut keys = BTreeSet::new();
        for key in stored(&self.views, self.index, of)? {
            keys.insert(key?);
        }
        for settled in [self.before, &self.own] {
            for ((index, key), given) in &settled.feedback {
                if *index != self.index {
                    continue;
                }
                match given {
                    Some(_) => keys.insert(key.clone()),
                    None => keys.remove(key),
                };
            }
        }
        keys.retain(is_meant);
        Ok(keys)
    }
}

/// Reads the key of one view.
type ReadKey = fn(&[u8]) -> Result<FeedbackKey, EngineError>;

/// The keys in the views of somebody's feedback, or of an item's.
pub(super) fn stored(
    views: &ViewSnapshot,
    index: IndexNo,
    of: &FeedbackOf,
) -> Result<impl Iterator<Item = Result<FeedbackKey, EngineError>>, EngineError> {
    let (view, prefix, read): (_, _, ReadKey) = match of {
        FeedbackOf::User(user) => (
            FEEDBACK,
            parts_key(index, &[user.as_str()]),
            FeedbackKey::of_user,
        ),
        FeedbackOf::Pair(user, item) => (
            FEEDBACK,
            parts_key(index, &[user.as_str(), item.as_str()]),
            FeedbackKey::of_user,
        ),
        FeedbackOf::Item(item) => (
            FEEDBACK_BY_ITEM,
            parts_key(index, &[item.as_str()]),
            FeedbackKey::of_item,
        ),
    };
    let entries = views.prefix(view, &prefix)?;
    Ok(entries.map(move |entry| read(&entry?.0)))
}

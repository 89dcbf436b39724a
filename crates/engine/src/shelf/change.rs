//! Changing what is on the shelf: a model is added, becomes the shadow, becomes live, or makes
//! room for the one before. A change is durable and in force when its call returns.

use super::{AFFINITY, LiveAffinity, ModelEntry, ModelState, SawErased, files};
use crate::record::{Asked, Body, ModelsBody};
use crate::shared::now;
use crate::snapshot::IndexReader;
use crate::writer::Prepared;
use crate::{Engine, EngineError, folder};
use domain::{IndexUid, Timestamp};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// Models of one kind at most. The list is written whole with every change, and each model has
/// files.
const MOST_MODELS: usize = 32;

impl Engine {
    /// The models of an index, in the order in which they were added.
    pub fn models(&self, uid: &str) -> Result<Vec<ModelEntry>, EngineError> {
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let mut entries = shelf.entries().to_vec();
        entries.iter_mut().for_each(|entry| shelf.trial.tell(entry));
        Ok(entries)
    }

    /// One model, and its card: what it was trained on and how it did, for people.
    pub fn model(&self, uid: &str, id: &str) -> Result<(ModelEntry, Option<String>), EngineError> {
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let entries = shelf.entries();
        let mut entry = entries[place(&entries, id)?].clone();
        shelf.trial.tell(&mut entry);
        let mut card = files::card(&reader.model_folder(&entry.kind, entry.number));
        if let (Some(card), Some(comparison)) = (&mut card, &entry.comparison) {
            card.push_str(&comparison.for_people());
        }
        Ok((entry, card))
    }

    /// The trained model that takes part in recommendations now. A live model that is damaged
    /// does not.
    pub fn model_in_use(&self, uid: &str) -> Result<Option<String>, EngineError> {
        let live = self.index(uid)?.state.behaviour.shelf.live();
        Ok(live.map(|live| live.id.clone()))
    }

    /// Takes a trained model in: its files are copied and checked. It is a candidate then. Where
    /// the shelf is full the oldest goes that nothing needs.
    pub fn add_model(
        &self,
        uid: &str,
        kind: &str,
        folder: &Path,
    ) -> Result<ModelEntry, EngineError> {
        check_kind(kind)?;
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let _turn = shelf.turn.lock();
        let mut list = shelf.entries().to_vec();
        let of_kind = list.iter().filter(|entry| entry.kind == kind);
        let number = 1 + of_kind.map(|entry| entry.number).max().unwrap_or(0);
        let metrics = files::metrics(folder)?;
        let sha256 = files::take_in(folder, &reader.model_folder(kind, number))?;
        let entry = ModelEntry {
            id: format!("{kind}-{number}"),
            kind: kind.to_owned(),
            number,
            state: ModelState::Candidate,
            created_at: now(),
            metrics,
            sha256,
            turn: 0,
            saw_erased: None,
            comparison: None,
        };
        list.push(entry.clone());
        let dropped = drop_oldest(&mut list, kind);
        self.put_models(&reader, &list)?;
        for entry in dropped {
            // What cannot be removed now is a stray for the next start.
            let _ = fs::remove_dir_all(reader.model_folder(&entry.kind, entry.number));
        }
        Ok(entry)
    }

    /// Makes a model live in place of the one that is. One whose validation was worse than the
    /// live one's is refused, unless it is forced or the live one cannot be used.
    pub fn promote_model(
        &self,
        uid: &str,
        id: &str,
        force: bool,
    ) -> Result<ModelEntry, EngineError> {
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let mut faults = shelf.turn.lock();
        let mut list = shelf.entries().to_vec();
        let at = place(&list, id)?;
        if list[at].state == ModelState::Live {
            return Ok(list[at].clone());
        }
        if !force {
            refuse_worse(&list, &list[at], &faults)?;
        }
        let turn = 1 + list.iter().map(|entry| entry.turn).max().unwrap_or(0);
        let was_shadow = list[at].state == ModelState::Shadow;
        shelf.trial.tell(&mut list[at]);
        retire(&mut list, at, |_| {});
        list[at].turn = turn;
        let entry = self.make_live(&reader, &list, at)?;
        if was_shadow {
            end_shadow(&reader, &entry);
        }
        faults.remove(id);
        Ok(entry)
    }

    /// Lets a candidate rank beside the live model, unseen, so that the two can be compared. The
    /// shadow that was becomes a candidate again.
    pub fn shadow_model(&self, uid: &str, id: &str) -> Result<ModelEntry, EngineError> {
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let mut faults = shelf.turn.lock();
        let mut list = shelf.entries().to_vec();
        let at = place(&list, id)?;
        match list[at].state {
            ModelState::Candidate => {}
            ModelState::Shadow => {
                shelf.trial.tell(&mut list[at]);
                return Ok(list[at].clone());
            }
            state => {
                return Err(EngineError::NotACandidate {
                    id: id.to_owned(),
                    state: state.as_str(),
                });
            }
        }
        let of_kind = |entry: &&ModelEntry| entry.kind == list[at].kind;
        if !list
            .iter()
            .filter(of_kind)
            .any(|entry| entry.state == ModelState::Live)
        {
            return Err(EngineError::NothingToCompareWith(id.to_owned()));
        }
        let before = list
            .iter()
            .position(|entry| entry.state == ModelState::Shadow);
        if let Some(before) = before {
            shelf.trial.tell(&mut list[before]);
            list[before].state = ModelState::Candidate;
        }
        list[at].state = ModelState::Shadow;
        list[at].comparison = None;
        let ready = LiveAffinity::open(&reader, &list[at])?;
        self.put_models(&reader, &list)?;
        if let Some(before) = before {
            end_shadow(&reader, &list[before]);
        }
        let folder = reader.model_folder(&list[at].kind, list[at].number);
        // Numbers that a crash has left are of an earlier time.
        files::remove_comparison(&folder);
        shelf.shadow.store(Some(Arc::new(ready)));
        shelf.trial.begin(id, folder);
        faults.remove(id);
        Ok(list[at].clone())
    }

    /// Makes the shadow a candidate again.
    pub fn withdraw_model(&self, uid: &str, id: &str) -> Result<ModelEntry, EngineError> {
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let _turn = shelf.turn.lock();
        let mut list = shelf.entries().to_vec();
        let at = place(&list, id)?;
        if list[at].state != ModelState::Shadow {
            return Err(EngineError::NotTheShadow {
                id: id.to_owned(),
                state: list[at].state.as_str(),
            });
        }
        shelf.trial.tell(&mut list[at]);
        list[at].state = ModelState::Candidate;
        self.put_models(&reader, &list)?;
        end_shadow(&reader, &list[at]);
        Ok(list[at].clone())
    }

    /// Makes the model live again that was before the one that is.
    pub fn rollback_model(&self, uid: &str, kind: &str) -> Result<ModelEntry, EngineError> {
        check_kind(kind)?;
        let reader = self.index(uid)?;
        let shelf = &reader.state.behaviour.shelf;
        let mut faults = shelf.turn.lock();
        let mut list = shelf.entries().to_vec();
        let before = (0..list.len())
            .filter(|&at| {
                let entry = &list[at];
                entry.kind == kind && entry.state == ModelState::Retired && entry.turn > 0
            })
            .max_by_key(|&at| list[at].turn);
        let at = before.ok_or_else(|| EngineError::NoModelBefore(kind.to_owned()))?;
        // Who goes back twice wants the one before that, not the one that was left.
        retire(&mut list, at, |left| left.turn = 0);
        let entry = self.make_live(&reader, &list, at)?;
        faults.remove(&entry.id);
        Ok(entry)
    }

    /// Marks the models that were made since a time as trained on a shopper who is erased; gives
    /// their ids.
    pub(crate) fn mark_models(
        &self,
        reader: &IndexReader,
        since: Timestamp,
    ) -> Result<Vec<String>, EngineError> {
        let shelf = &reader.state.behaviour.shelf;
        let _turn = shelf.turn.lock();
        let mut list = shelf.entries().to_vec();
        let mut marked = Vec::new();
        for entry in list.iter_mut().filter(|entry| entry.created_at >= since) {
            let before = entry.saw_erased.map_or(0, |saw| saw.shoppers);
            entry.saw_erased = Some(SawErased {
                shoppers: before.saturating_add(1),
                last: now(),
            });
            marked.push(entry.id.clone());
        }
        if !marked.is_empty() {
            self.put_models(reader, &list)?;
        }
        Ok(marked)
    }

    /// Opens a model, writes down that it is live, and lets it answer.
    fn make_live(
        &self,
        reader: &IndexReader,
        list: &[ModelEntry],
        at: usize,
    ) -> Result<ModelEntry, EngineError> {
        let entry = &list[at];
        let live = LiveAffinity::open(reader, entry)?;
        self.put_models(reader, list)?;
        reader
            .state
            .behaviour
            .shelf
            .live
            .store(Some(Arc::new(live)));
        Ok(entry.clone())
    }

    /// Writes the list of an index down; it is in force when this returns.
    fn put_models(&self, reader: &IndexReader, list: &[ModelEntry]) -> Result<(), EngineError> {
        let meta = &reader.state.meta;
        let body = Body::Models(ModelsBody {
            index: meta.no,
            list: crate::tables::to_text(&list)?,
        });
        let (answer, answered) = sync_channel(1);
        self.send(Prepared {
            uid: Some(IndexUid::new(meta.uid.clone())?),
            body,
            asked: Asked::default(),
            done: Box::new(move |result| {
                // The waiting side is this very call.
                let _ = answer.send(result);
            }),
        });
        answered.recv().map_err(|_| EngineError::Closing)??;
        Ok(())
    }
}

impl IndexReader {
    /// Where the files of a model lie.
    pub(super) fn model_folder(&self, kind: &str, number: u32) -> PathBuf {
        folder::trained(&self.shared.dir, &self.state.meta, kind, number)
    }
}

/// Where a model stands in the list.
fn place(list: &[ModelEntry], id: &str) -> Result<usize, EngineError> {
    let place = list.iter().position(|entry| entry.id == id);
    place.ok_or_else(|| EngineError::ModelNotFound(id.chars().take(60).collect()))
}

/// Lets a model rank no longer beside the live one; its entry has the numbers.
fn end_shadow(reader: &IndexReader, entry: &ModelEntry) {
    let shelf = &reader.state.behaviour.shelf;
    shelf.shadow.store(None);
    shelf.trial.end();
    files::remove_comparison(&reader.model_folder(&entry.kind, entry.number));
}

fn check_kind(kind: &str) -> Result<(), EngineError> {
    match kind == AFFINITY {
        true => Ok(()),
        false => Err(EngineError::ModelKind(kind.chars().take(60).collect())),
    }
}

/// Takes out of the list what is too much: the oldest first, but neither the live model, nor the
/// shadow, nor the one that a rollback goes back to.
fn drop_oldest(list: &mut Vec<ModelEntry>, kind: &str) -> Vec<ModelEntry> {
    let retired = list
        .iter()
        .filter(|entry| entry.state == ModelState::Retired);
    let turn_before = retired.map(|entry| entry.turn).max().unwrap_or(0);
    let is_needed = |entry: &ModelEntry| match entry.state {
        ModelState::Live | ModelState::Shadow => true,
        ModelState::Retired => entry.turn > 0 && entry.turn == turn_before,
        ModelState::Candidate => false,
    };
    let mut dropped = Vec::new();
    while list.iter().filter(|entry| entry.kind == kind).count() > MOST_MODELS {
        let oldest = list
            .iter()
            .position(|entry| entry.kind == kind && !is_needed(entry));
        match oldest {
            Some(at) => dropped.push(list.remove(at)),
            None => break,
        }
    }
    dropped
}

/// Makes one live, and retires the one of its kind that was.
fn retire(list: &mut [ModelEntry], live: usize, change: impl Fn(&mut ModelEntry)) {
    let kind = list[live].kind.clone();
    for entry in list.iter_mut() {
        if entry.kind == kind && entry.state == ModelState::Live {
            entry.state = ModelState::Retired;
            change(entry);
        }
    }
    list[live].state = ModelState::Live;
}

/// Refuses a model when both it and the live one were validated and it was worse. A live one
/// that cannot be used answers nobody, so any other is better.
fn refuse_worse(
    list: &[ModelEntry],
    entry: &ModelEntry,
    faults: &BTreeSet<String>,
) -> Result<(), EngineError> {
    let live = list
        .iter()
        .find(|other| other.kind == entry.kind && other.state == ModelState::Live);
    let Some(live) = live.filter(|live| !faults.contains(&live.id)) else {
        return Ok(());
    };
    match (quality(entry), quality(live)) {
        (Some(score), Some(live_score)) if score < live_score => Err(EngineError::WorseModel {
            id: entry.id.clone(),
            score,
            live: live.id.clone(),
            live_score,
        }),
        _ => Ok(()),
    }
}

/// What the validation of a model found.
fn quality(entry: &ModelEntry) -> Option<f64> {
    entry.metrics.get("validation")?.get("ndcg@10")?.as_f64()
}

//! Folding profiles anew from the log, where what is kept of them cannot be used.
//!
//! Profiles depend on nothing but the events of the log, so they may be thrown away at any
//! moment: how far they were folded is set back in the same batch that deletes them, and
//! whoever reads the log next, at the latest the next start, folds all of it.

use crate::EngineError;
use crate::behaviour::Behaviour;
use crate::tables::{Applied, IndexMeta, PROFILES};
use std::sync::Arc;
use store::{ViewSnapshot, Views};

/// What shoppers did in each index as of the last checkpoint; as of nothing, where profiles are
/// damaged or of another format.
pub(crate) fn load(views: &Views) -> Result<Vec<Arc<Behaviour>>, EngineError> {
    match load_all(&views.snapshot()) {
        Err(EngineError::Profiles(err)) => {
            tracing::warn!(
                error = &err as &dyn std::error::Error,
                "the profiles cannot be used; folding them anew from the log"
            );
            forget(views)?;
            load_all(&views.snapshot())
        }
        loaded => loaded,
    }
}

fn load_all(views: &ViewSnapshot) -> Result<Vec<Arc<Behaviour>>, EngineError> {
    let mut loaded = Vec::new();
    for meta in IndexMeta::all(views)? {
        loaded.push(Arc::new(Behaviour::load(meta.no, views)?));
    }
    Ok(loaded)
}

/// Deletes what is kept of profiles, and has all events of the log folded again.
pub(crate) fn forget(views: &Views) -> Result<(), EngineError> {
    let mut batch = views.batch();
    for entry in views.prefix(PROFILES, &[])? {
        let (key, _) = entry?;
        batch.delete(PROFILES, key);
    }
    Applied::Events.write(&mut batch, 0);
    Ok(batch.commit()?)
}

#[cfg(test)]
mod tests {
    use crate::tables::{NAMES, PROFILES};
    use crate::{Engine, OpenOptions, Write, folder};
    use domain::{Event, EventKind, IndexUid, ItemId, Timestamp, UserId};
    use std::path::Path;
    use std::time::Duration;
    use store::Views;

    fn open(dir: &Path) -> Engine {
        Engine::open(dir, OpenOptions::default()).expect("a data folder")
    }

    /// A folder with one event, closed; and the profile it made.
    fn with_an_event(dir: &Path) -> String {
        let engine = open(dir);
        let uid = IndexUid::new("shop").expect("a name");
        let primary_key = None;
        let made = engine
            .write(Write::CreateIndex {
                uid: uid.clone(),
                primary_key,
            })
            .expect("a write");
        engine
            .wait(made.task_uid, Duration::from_secs(20))
            .expect("a task");
        let event = Event {
            id: Some("1".to_owned()),
            user: UserId::new("ann").expect("a user"),
            kind: EventKind::View,
            item: Some(ItemId::new("lantern").expect("an item")),
            query: None,
            time: Timestamp::from_millis(1_300_000_000_000),
            value: None,
            price: None,
            quantity: None,
            basket: None,
            query_id: None,
        };
        let events = vec![event];
        engine
            .write(Write::Events { uid, events })
            .expect("an event");
        let profile = profile(&engine);
        engine.close();
        profile
    }

    fn profile(engine: &Engine) -> String {
        let reader = engine.index("shop").expect("the index");
        let profile = reader.shopper_profile("ann").expect("a profile");
        serde_json::to_string(&profile).expect("JSON")
    }

    fn opened_again(damage: impl Fn(&mut Vec<u8>)) {
        let dir = tempfile::tempdir().expect("a folder");
        let before = with_an_event(dir.path());
        let views = Views::open(&folder::views(dir.path()), &NAMES).expect("the views");
        let mut batch = views.batch();
        let mut seen = 0;
        for entry in views.prefix(PROFILES, &[]).expect("profiles") {
            let (key, value) = entry.expect("an entry");
            if key.ends_with(b"m") {
                let mut header = value.to_vec();
                damage(&mut header);
                batch.put(PROFILES, key, header);
                seen += 1;
            }
        }
        assert_eq!(seen, 1, "one header");
        batch.commit().expect("a commit");
        views.persist().expect("a sync");
        drop(views);

        let engine = open(dir.path());
        assert_eq!(profile(&engine), before);
        engine.close();
        drop(engine);
        // The new ones were saved.
        let engine = open(dir.path());
        assert_eq!(profile(&engine), before);
    }

    #[test]
    fn profiles_of_another_format_are_folded_anew() {
        opened_again(|header| header[4] = 1);
    }

    #[test]
    fn damaged_profiles_are_folded_anew() {
        opened_again(|header| header.truncate(9));
    }
}

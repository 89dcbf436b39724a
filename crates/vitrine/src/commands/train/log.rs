//! What is trained on, out of the data folder.

use crate::folder::{Access, FolderArgs};
use crate::progress;
use anyhow::bail;
use domain::{EventKind, IndexUid};
use engine::{TrainingEvent, TrainingItem, TrainingLog};
use train::pipeline::{Action, Input, Item};

/// Reads the log of an index and gives the folder back.
pub fn read(folder: &FolderArgs, uid: &IndexUid) -> anyhow::Result<Input> {
    let bar = progress::wait("read the events");
    let engine = match folder.access()? {
        Access::Folder(engine) => engine,
        Access::Server(_) => bail!(
            "a server holds the data folder {}: stop it until the events are read, which takes seconds; it may serve again while the model is trained",
            folder.data.display()
        ),
    };
    let log = engine.training_log(uid.as_str());
    engine.close();
    bar.finish_and_clear();
    Ok(input(log?))
}

fn input(log: TrainingLog) -> Input {
    let shopper = |events: Vec<TrainingEvent>| events.into_iter().map(action).collect();
    Input {
        items: log.items.into_iter().map(item).collect(),
        shoppers: log.shoppers.into_iter().map(shopper).collect(),
    }
}

fn item(item: TrainingItem) -> Item {
    Item {
        id: item.id,
        vector: item.vector,
        category: item.category,
        brand: item.brand,
        price: item.price,
    }
}

fn action(event: TrainingEvent) -> Action {
    Action {
        item: event.item,
        kind: place(event.kind),
        time: event.time.millis(),
        quantity: Some(event.quantity),
    }
}

/// The place of a kind in the model's table.
fn place(kind: EventKind) -> u8 {
    match kind {
        EventKind::View => 0,
        EventKind::Click => 1,
        EventKind::Cart => 2,
        EventKind::Purchase => 3,
        EventKind::Like => 4,
        EventKind::Dislike => 5,
        EventKind::Rate => 6,
        EventKind::Search => 7,
    }
}

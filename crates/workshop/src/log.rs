//! What is trained on, out of the log of an index.

use domain::EventKind;
use engine::{Engine, EngineError, TrainingEvent, TrainingItem};
use train::pipeline::{Action, Input, Item};

/// The items of an index and everything its shoppers did. Text vectors that wait to be made
/// are made first: the model reads them.
///
/// # Errors
/// When there is no such index, or its log cannot be read.
pub fn read(engine: &Engine, uid: &str) -> Result<Input, EngineError> {
    engine.catch_up_meaning(uid)?;
    let log = engine.training_log(uid)?;
    let shopper = |events: Vec<TrainingEvent>| events.into_iter().map(action).collect();
    Ok(Input {
        items: log.items.into_iter().map(item).collect(),
        queries: log.queries.into_iter().map(|query| query.vector).collect(),
        shoppers: log.shoppers.into_iter().map(shopper).collect(),
    })
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
        query: event.query,
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

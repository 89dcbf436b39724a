//! The records of a dump: a user, an item and feedback as messages.
//!
//! Labels are JSON within a field. In feedback only the first four fields have numbers that
//! every version of the convention agrees on. Behind them stand the time, which is always
//! there, and the comment; where a version knows values, a number stands among them. So those
//! are read by their kind and their order.

use super::message::{Fields, Held, Message, MessageError};
use crate::gorse::{feedback, item, times, users};
use domain::Timestamp;
use serde_json::Value;

/// A record cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("its field `{0}` has another kind than a dump gives it")]
    Kind(&'static str),
    #[error("its field `{0}` is not UTF-8")]
    Text(&'static str),
    #[error("its field `{field}` is not JSON: {source}")]
    Json {
        field: &'static str,
        source: serde_json::Error,
    },
    #[error("its field `value` is no finite number")]
    Value,
}

/// The fields of feedback behind the ids, as we write them.
const TIME: u64 = 5;
const COMMENT: u64 = 6;
const VALUE: u64 = 7;

pub(super) fn read_user(record: &[u8]) -> Result<users::Given, RecordError> {
    let mut user = users::Given::default();
    let mut subscribe = Vec::new();
    for field in Fields::of(record) {
        let (number, held) = field?;
        match number {
            1 => user.user_id = text("user_id", held)?,
            2 => user.labels = labels(held)?,
            3 => user.comment = Some(text("comment", held)?),
            4 => subscribe.push(text("subscribe", held)?),
            _ => {}
        }
    }
    user.subscribe = (!subscribe.is_empty()).then_some(subscribe);
    Ok(user)
}

pub(super) fn write_user(user: &users::User) -> Message {
    let mut message = Message::default()
        .with_text(1, &user.user_id)
        .with_bytes(2, user.labels.to_string().as_bytes())
        .with_text(3, user.comment.as_str().unwrap_or_default());
    for label in user.subscribe.iter().filter_map(Value::as_array).flatten() {
        message = message.with_text(4, label.as_str().unwrap_or_default());
    }
    message
}

pub(super) fn read_item(record: &[u8]) -> Result<item::Given, RecordError> {
    let mut item = item::Given::default();
    let mut categories = Vec::new();
    for field in Fields::of(record) {
        let (number, held) = field?;
        match number {
            2 => item.item_id = text("item_id", held)?,
            3 => item.is_hidden = Some(is_set("is_hidden", held)?),
            4 => categories.push(text("categories", held)?),
            5 => item.timestamp = Some(read_time("timestamp", held)?.to_string()),
            6 => item.labels = labels(held)?,
            7 => item.comment = Some(text("comment", held)?),
            _ => {}
        }
    }
    item.categories = Some(categories);
    Ok(item)
}

pub(super) fn write_item(item: &item::Item) -> Message {
    let mut message = Message::default()
        .with_text(2, &item.item_id)
        .with_number(3, u64::from(item.is_hidden));
    for category in &item.categories {
        message = message.with_bytes(4, category.as_bytes());
    }
    let time = Timestamp::parse(&item.timestamp).unwrap_or(times::none());
    message
        .with_bytes(5, write_time(time).bytes())
        .with_bytes(6, item.labels.to_string().as_bytes())
        .with_text(7, &item.comment)
}

pub(super) fn read_feedback(record: &[u8]) -> Result<feedback::Given, RecordError> {
    let mut given = feedback::Given::default();
    let mut behind: Vec<(u64, Held<'_>)> = Vec::new();
    for field in Fields::of(record) {
        let (number, held) = field?;
        match (number, held) {
            (0 | 1, _) => {}
            (2, held) => given.feedback_type = text("feedback_type", held)?,
            (3, held) => given.user_id = text("user_id", held)?,
            (4, held) => given.item_id = text("item_id", held)?,
            (_, Held::Double(value)) if value.is_finite() => given.value = Some(value),
            (_, Held::Double(_)) => return Err(RecordError::Value),
            (_, Held::Bytes(_)) => behind.push((number, held)),
            _ => {}
        }
    }
    behind.sort_by_key(|(number, _)| *number);
    let mut behind = behind.into_iter().map(|(_, held)| held);
    if let Some(held) = behind.next() {
        given.timestamp = Some(read_time("timestamp", held)?.to_string());
    }
    if let Some(held) = behind.next() {
        given.comment = Some(text("comment", held)?);
    }
    Ok(given)
}

pub(super) fn write_feedback(feedback: &engine::Feedback) -> Message {
    Message::default()
        .with_text(2, feedback.kind.as_str())
        .with_text(3, feedback.user.as_str())
        .with_text(4, feedback.item.as_str())
        .with_bytes(TIME, write_time(feedback.time).bytes())
        .with_text(COMMENT, &feedback.comment)
        .with_double(VALUE, feedback.value)
}

fn text(field: &'static str, held: Held<'_>) -> Result<String, RecordError> {
    let Held::Bytes(bytes) = held else {
        return Err(RecordError::Kind(field));
    };
    String::from_utf8(bytes.to_vec()).map_err(|_| RecordError::Text(field))
}

fn labels(held: Held<'_>) -> Result<Option<Value>, RecordError> {
    let Held::Bytes(bytes) = held else {
        return Err(RecordError::Kind("labels"));
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let labels = serde_json::from_slice(bytes).map_err(|source| RecordError::Json {
        field: "labels",
        source,
    })?;
    Ok(Some(labels).filter(|labels: &Value| !labels.is_null()))
}

fn is_set(field: &'static str, held: Held<'_>) -> Result<bool, RecordError> {
    match held {
        Held::Number(number) => Ok(number != 0),
        _ => Err(RecordError::Kind(field)),
    }
}

/// Seconds since 1970, and nanoseconds. A time before or after all times becomes the first or
/// the last.
fn read_time(field: &'static str, held: Held<'_>) -> Result<Timestamp, RecordError> {
    let Held::Bytes(message) = held else {
        return Err(RecordError::Kind(field));
    };
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    for part in Fields::of(message) {
        match part? {
            // Negative numbers are written as the large ones with the same bits.
            (1, Held::Number(number)) => seconds = number.cast_signed(),
            (2, Held::Number(number)) => nanos = number.cast_signed(),
            (1 | 2, _) => return Err(RecordError::Kind(field)),
            _ => {}
        }
    }
    let millis = seconds
        .saturating_mul(1000)
        .saturating_add(nanos / 1_000_000);
    Ok(Timestamp::from_millis(millis))
}

fn write_time(time: Timestamp) -> Message {
    let (seconds, millis) = (
        time.millis().div_euclid(1000),
        time.millis().rem_euclid(1000),
    );
    Message::default()
        .with_number(1, seconds.cast_unsigned())
        .with_number(2, millis.cast_unsigned() * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ItemId, UserId};
    use serde_json::json;

    fn liked() -> engine::Feedback {
        engine::Feedback {
            user: UserId::new("ann 客户").expect("an id"),
            item: ItemId::new("a/b:1").expect("an id"),
            kind: engine::FeedbackKind::new("like").expect("a kind"),
            value: -0.25,
            time: Timestamp::from_millis(-1),
            comment: "so so".to_owned(),
        }
    }

    #[test]
    fn records_read_back_as_they_were_written() {
        let user = json!({ "UserId": "ann", "Labels": { "a": [1] }, "Comment": "客户", "Subscribe": ["d"] });
        let given: users::Given = serde_json::from_value(user).expect("a user");
        let shown = users::User {
            user_id: "ann".to_owned(),
            labels: json!({ "a": [1] }),
            comment: json!("客户"),
            subscribe: Some(json!(["d"])),
        };
        assert_eq!(
            read_user(write_user(&shown).bytes()).expect("a user"),
            given
        );

        let document = json!({
            "ItemId": "1", "IsHidden": true, "Categories": ["War", ""], "Comment": "Toy Story",
            "Timestamp": "1995-01-01T00:00:00.5Z", "Labels": { "embedding": [0.5, 1] },
        });
        let given: item::Given = serde_json::from_value(document.clone()).expect("an item");
        let document = given.document().expect("a document");
        let shown = item::Item::of("1", document.clone());
        let read = read_item(write_item(&shown).bytes()).expect("an item");
        assert_eq!(read.document().expect("a document"), document);

        let read = read_feedback(write_feedback(&liked()).bytes()).expect("feedback");
        assert_eq!(read.feedback().expect("feedback"), liked());
    }

    #[test]
    fn feedback_of_other_versions_is_understood() {
        let ids = || {
            Message::default()
                .with_text(1, "namespace")
                .with_text(2, "like")
                .with_text(3, "ann 客户")
                .with_text(4, "a/b:1")
        };
        let time = write_time(liked().time);
        let without_value = ids().with_bytes(5, time.bytes()).with_text(6, "so so");
        let value_first = ids()
            .with_double(5, -0.25)
            .with_bytes(6, time.bytes())
            .with_text(7, "so so");
        let value_of_none = ids().with_bytes(6, time.bytes()).with_text(7, "so so");
        for (message, value) in [
            (without_value, 0.0),
            (value_first, -0.25),
            (value_of_none, 0.0),
        ] {
            let read = read_feedback(message.bytes()).expect("feedback");
            let expected = engine::Feedback { value, ..liked() };
            assert_eq!(read.feedback().expect("feedback"), expected);
        }
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        let refused = |record: Message, field: &str| {
            let error = read_item(record.bytes()).expect_err("no item").to_string();
            assert!(error.contains(&format!("`{field}`")), "{error}");
        };
        let named = || Message::default().with_text(2, "1");
        refused(Message::default().with_number(2, 1), "item_id");
        refused(named().with_bytes(4, &[0xff]), "categories");
        refused(named().with_double(5, 1.0), "timestamp");
        refused(named().with_text(6, "{"), "labels");
        refused(named().with_text(6, &"[".repeat(1_000)), "labels");
        refused(named().with_text(3, "true"), "is_hidden");
        let endless = Message::default().with_double(9, f64::NAN);
        assert!(matches!(
            read_feedback(endless.bytes()),
            Err(RecordError::Value)
        ));
        // A time that no clock shows, and one that no number holds.
        for seconds in [i64::MIN, i64::MAX] {
            let time = Message::default().with_number(1, seconds.cast_unsigned());
            let read = read_item(named().with_bytes(5, time.bytes()).bytes()).expect("an item");
            assert!(read.document().is_ok(), "{seconds}");
        }
    }

    /// Whatever comes, it is read or refused.
    #[test]
    fn cut_and_changed_records_are_no_danger() {
        let whole = write_feedback(&liked());
        let read = |bytes: &[u8]| {
            let _ = read_user(bytes);
            let _ = read_item(bytes);
            let _ = read_feedback(bytes).map(feedback::Given::feedback);
        };
        for length in 0..whole.bytes().len() {
            read(&whole.bytes()[..length]);
        }
        let mut random = testkit::SplitMix64::new(7);
        for _ in 0..20_000 {
            let mut bytes = whole.bytes().to_vec();
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = random.below(256) as u8;
            }
            read(&bytes);
        }
    }
}

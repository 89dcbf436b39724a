//! Everything of the convention's index as one stream, in the format of the convention.
//!
//! A [stream](stream) has [records](records), which are [messages](message) of protobuf. It is
//! written by `GET /api/dump` and read by `POST /api/restore`, of this server or of another.

mod message;
mod records;
mod restore;
mod stream;

pub(crate) use restore::restore;

use super::feedback;
use super::item::Item;
use super::users::User;
use crate::app::App;
use crate::download::{self, Out};
use axum::extract::State;
use axum::response::Response;
use engine::{EngineError, Feedback, IndexReader};
use std::io;
use stream::Section;

/// Records that are in memory at the same time.
const PAGE: usize = 100;

/// `GET /api/dump`
pub(crate) async fn dump(State(app): State<App>) -> Response {
    download::file("gorse.bin", move |out| {
        match app.engine().index(app.gorse_index().as_str()) {
            Ok(reader) => write(out, &reader)?,
            // Before the first write everything is empty.
            Err(EngineError::IndexNotFound(_)) => stream::begin(out, Section::Users)?,
            Err(error) => return Err(io::Error::other(error)),
        }
        stream::end(out)
    })
}

fn write(out: &mut Out, reader: &IndexReader) -> io::Result<()> {
    stream::begin(out, Section::Users)?;
    in_pages(
        |last: Option<&String>| reader.shopper_records(last.map(String::as_str), PAGE),
        |(id, _)| id.clone(),
        |(id, attributes)| {
            let user = User::of(id, attributes);
            stream::write(out, records::write_user(&user).bytes())
        },
    )?;
    stream::begin(out, Section::Items)?;
    in_pages(
        |last: Option<&String>| reader.objects_after(last.map(String::as_str), PAGE),
        |(id, _)| id.clone(),
        |(id, document)| {
            let item = Item::of(&id, document);
            stream::write(out, records::write_item(&item).bytes())
        },
    )?;
    stream::begin(out, Section::Feedback)?;
    let latest = feedback::latest();
    in_pages(
        |last| reader.all_feedback(last, None, PAGE),
        Feedback::key,
        |given| match given.time <= latest {
            true => stream::write(out, records::write_feedback(&given).bytes()),
            false => Ok(()),
        },
    )
}

/// Writes everything a page at a time; a page follows on the last key of the one before.
fn in_pages<T, K>(
    page: impl Fn(Option<&K>) -> Result<Vec<T>, EngineError>,
    key: impl Fn(&T) -> K,
    mut write: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let mut last = None;
    loop {
        let entries = page(last.as_ref()).map_err(io::Error::other)?;
        let Some(end) = entries.last() else {
            return Ok(());
        };
        last = Some(key(end));
        entries.into_iter().try_for_each(&mut write)?;
    }
}

//! stub
use crate::{Names, Row, Rows, Rejected, IntakeError};
use domain::{Event, EventKind, Timestamp};
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct EventMapping { pub id: Names, pub user: Names, pub kind: Names, pub fixed_kind: Option<EventKind>, pub item: Names, pub query: Names, pub time: Names, pub value: Names, pub price: Names, pub quantity: Names, pub basket: Names, pub query_id: Names }
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("missing")]
pub struct MissingColumns { pub missing: Vec<String>, pub found: Vec<String> }
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MappingSyntax(pub String);
impl EventMapping {
    pub fn native() -> Self { Self::default() }
    pub fn guess(_columns: &[&str]) -> Result<Self, MissingColumns> { Ok(Self::default()) }
    /// `user=CustomerID,item=StockCode,time=InvoiceDate,kind:=purchase`; several columns `a|b`.
    pub fn parse(_text: &str) -> Result<Self, MappingSyntax> { Ok(Self::default()) }
    pub fn event(&self, row: &Row, _now: Timestamp) -> Result<Event, Rejected> { Err(Rejected::row(row.number, "")) }
}
pub fn row_digest(_event: &Event, _occurrence: u32) -> String { String::new() }
#[derive(Debug, Default)]
pub struct FileIds;
impl FileIds { pub fn new() -> Self { Self } pub fn assign(&mut self, _event: &mut Event) {} }
/// Events out of rows. For CSV no object is built. `mapping`: what is given wins, the rest is guessed from the header (CSV) or native (JSON).
pub struct EventRows { rows: Rows, mapping: EventMapping }
impl EventRows {
    pub fn new(rows: Rows, mapping: Option<EventMapping>, _now: Timestamp) -> Self { Self { rows, mapping: mapping.unwrap_or_default() } }
    /// Events without an id get one made from their content, so that loading the same file twice changes nothing.
    pub fn with_file_ids(self) -> Self { self }
    /// The mapping in use (for CSV complete once the header is read, that is after the first `next`).
    pub fn mapping(&self) -> &EventMapping { &self.mapping }
    pub fn fault(&self) -> Option<&IntakeError> { self.rows.fault() }
}
impl Iterator for EventRows { type Item = Result<Event, Rejected>; fn next(&mut self) -> Option<Self::Item> { None } }

//! The stream of events of one input.
//!
//! For CSV the columns are found once, in the header, and each record becomes
//! an event straight from its fields.

use super::draft::{Draft, Moments, Plan};
use super::file_ids::FileIds;
use super::mapping::EventMapping;
use super::part::Part;
use crate::{IntakeError, Rejected, Row, Rows};
use domain::{Event, Timestamp};

/// Streams events out of rows.
///
/// What the mapping leaves open is guessed from a CSV's header, or read under
/// our own names from JSON.
///
/// ```
/// use domain::{EventKind, Timestamp};
/// use intake::{EventRows, Format, Limits, Rows, open};
///
/// let csv = "CustomerID,InvoiceNo,StockCode,Quantity\n13085,489434,21232,24\n";
/// let rows = Rows::new(open(csv.as_bytes())?, Format::Csv, Limits::default());
/// let event = EventRows::new(rows, None, Timestamp::from_millis(0)).next().unwrap().unwrap();
/// assert_eq!(event.kind, EventKind::Purchase);
/// # Ok::<(), intake::IntakeError>(())
/// ```
pub struct EventRows {
    rows: Rows,
    mapping: EventMapping,
    /// Found in the header before the first event.
    plan: Option<Plan>,
    now: Timestamp,
    moments: Moments,
    ids: Option<FileIds>,
}

impl EventRows {
    /// Events without a time happened `now`.
    pub fn new(rows: Rows, mapping: Option<EventMapping>, now: Timestamp) -> Self {
        let mut mapping = mapping.unwrap_or_default();
        if !rows.is_csv() {
            mapping = mapping.completed_natively();
        }
        Self {
            rows,
            mapping,
            plan: None,
            now,
            moments: Moments::default(),
            ids: None,
        }
    }

    /// Gives an id to each event that has none, so that loading the same file twice changes nothing.
    pub fn with_file_ids(mut self) -> Self {
        self.ids = Some(FileIds::new());
        self
    }

    /// The mapping in use; that of a CSV is complete once the first event was asked for.
    pub fn mapping(&self) -> &EventMapping {
        &self.mapping
    }

    /// After the last event: what kept the input from being read to its end.
    pub fn fault(&self) -> Option<&IntakeError> {
        self.rows.fault()
    }

    /// Finds the columns. `None`: there are none.
    fn find_columns(&mut self) -> Result<Option<Plan>, Rejected> {
        let Some(header) = self.rows.csv_header()? else {
            return Ok(None);
        };
        let columns: Vec<&str> = header.iter().map(|column| column.name.as_str()).collect();
        let completed = match self.mapping.completed_by(&columns) {
            Ok(mapping) => mapping,
            Err(missing) => return Err(self.rows.fail(IntakeError::Columns(missing))),
        };
        let plan = Part::ALL.map(|part| {
            let names = completed.names(part).as_slice();
            names
                .iter()
                .filter_map(|name| columns.iter().position(|column| column == name))
                .collect()
        });
        self.mapping = completed;
        Ok(Some(plan))
    }

    fn next_of_csv(&mut self) -> Option<Result<Event, Rejected>> {
        if self.plan.is_none() {
            match self.find_columns() {
                Ok(Some(plan)) => self.plan = Some(plan),
                Ok(None) => return None,
                Err(rejected) => return Some(Err(rejected)),
            }
        }
        let plan = self.plan.as_ref()?;
        let (row, fields) = match self.rows.next_record()? {
            Ok(record) => record,
            Err(rejected) => return Some(Err(rejected)),
        };
        let draft = Draft::of_record(&self.mapping, plan, fields, row);
        Some(
            draft
                .event(self.now, &mut self.moments)
                .map(|event| identified(event, &draft, self.ids.as_mut())),
        )
    }

    fn next_of_objects(&mut self) -> Option<Result<Event, Rejected>> {
        let Row { number, object } = match self.rows.next()? {
            Ok(row) => row,
            Err(rejected) => return Some(Err(rejected)),
        };
        let draft = Draft::of_object(&self.mapping, &object, number);
        Some(
            draft
                .event(self.now, &mut self.moments)
                .map(|event| identified(event, &draft, self.ids.as_mut())),
        )
    }
}

impl Iterator for EventRows {
    type Item = Result<Event, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rows.is_csv() {
            self.next_of_csv()
        } else {
            self.next_of_objects()
        }
    }
}

fn identified(mut event: Event, draft: &Draft<'_>, ids: Option<&mut FileIds>) -> Event {
    match ids {
        Some(ids) if draft.has_time() => ids.assign(&mut event),
        Some(ids) => ids.assign_without_time(&mut event),
        None => {}
    }
    event
}

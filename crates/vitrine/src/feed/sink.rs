//! Where rows go: into the folder itself, or through the server that holds it.
//!
//! Large files go straight into the engine when nobody else has the folder, because
//! a detour over JSON would double the work.

use crate::address::{encode, path};
use crate::client::{Client, Refused};
use crate::folder::{Access, FolderArgs};
use anyhow::{Context as _, bail};
use domain::{Event, IndexUid};
use engine::{
    DocumentsWrite, Engine, EngineError, EventsReceipt, RowNote, SettingsPatch, TaskStatus, Write,
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// More rows than a task keeps notes of.
const ALL_NOTES: usize = 100_000;
/// How long one look at a task waits before the next.
const PATIENCE: Duration = Duration::from_millis(200);

/// The receiver of writes.
pub enum Sink {
    Local(Engine),
    Remote(Client),
}

/// What became of a task.
pub struct Finished {
    pub details: Map<String, Value>,
    /// Why it failed, if it did.
    pub error: Option<Failure>,
}

/// Why a task failed as a whole.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Stable code such as `index_primary_key_no_candidate_found`.
    pub code: String,
    pub message: String,
}

impl Finished {
    /// A number of the details, 0 when it is not there.
    pub fn count(&self, name: &str) -> u64 {
        self.details
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }
}

impl Sink {
    /// The server that holds the folder, or else the folder itself.
    pub fn open(folder: &FolderArgs) -> anyhow::Result<Self> {
        Ok(match folder.access()? {
            Access::Server(client) => Self::Remote(client),
            Access::Folder(engine) => Self::Local(engine),
        })
    }

    /// Waits until the vectors of what was written are made; a server goes on by itself.
    pub fn catch_up_meaning(&self, uid: &IndexUid) -> anyhow::Result<()> {
        if let Self::Local(engine) = self {
            engine.catch_up_meaning(uid.as_str())?;
        }
        Ok(())
    }

    /// Whether there is such an index.
    pub fn has_index(&self, uid: &IndexUid) -> anyhow::Result<bool> {
        match self {
            Self::Local(engine) => match engine.index(uid.as_str()) {
                Ok(_) => Ok(true),
                Err(EngineError::IndexNotFound(_)) => Ok(false),
                Err(error) => Err(error.into()),
            },
            Self::Remote(client) => match client.get(&path(&["indexes", uid.as_str()])) {
                Ok(_) => Ok(true),
                Err(error)
                    if error
                        .downcast_ref::<Refused>()
                        .is_some_and(|r| r.code == "index_not_found") =>
                {
                    Ok(false)
                }
                Err(error) => Err(error),
            },
        }
    }

    /// Makes an index in which everything can be filtered and sorted by.
    pub fn create_index(&self, uid: &IndexUid, primary_key: Option<&str>) -> anyhow::Result<()> {
        let key = primary_key.map(str::to_owned);
        self.done(match self {
            Self::Local(engine) => {
                engine
                    .write(Write::CreateIndex {
                        uid: uid.clone(),
                        primary_key: key,
                    })?
                    .task_uid
            }
            Self::Remote(client) => task_uid(
                &client.post("/indexes", &json!({"uid": uid.as_str(), "primaryKey": key}))?,
            )?,
        })?;
        self.change_settings(
            uid,
            json!({"filterableAttributes": ["*"], "sortableAttributes": ["*"]}),
        )
    }

    /// Changes settings and waits until they are in force.
    pub fn change_settings(&self, uid: &IndexUid, changes: Value) -> anyhow::Result<()> {
        self.done(match self {
            Self::Local(engine) => {
                let Value::Object(changes) = changes else {
                    bail!("settings are a JSON object")
                };
                let patch = SettingsPatch::new(changes)?;
                engine
                    .write(Write::Settings {
                        uid: uid.clone(),
                        patch,
                    })?
                    .task_uid
            }
            Self::Remote(client) => {
                task_uid(&client.patch(&path(&["indexes", uid.as_str(), "settings"]), &changes)?)?
            }
        })
    }

    /// Sends documents; gives the uid of the task that will index them.
    pub fn documents(&self, write: DocumentsWrite) -> anyhow::Result<u64> {
        match self {
            Self::Local(engine) => Ok(engine.write(Write::Documents(write))?.task_uid),
            Self::Remote(client) => {
                let mut address = path(&["indexes", write.uid.as_str(), "documents"]);
                let known_only = write.mode.is_known_only();
                address.push_str(&format!("?skipCreation={known_only}"));
                if let Some(key) = &write.primary_key {
                    address.push_str(&format!("&primaryKey={}", encode(key)));
                }
                let body = serde_json::to_vec(&write.documents)?;
                task_uid(&if write.mode.is_update() {
                    client.put_bytes(&address, &body)?
                } else {
                    client.post_bytes(&address, &body)?
                })
            }
        }
    }

    /// Sends events; they count when this returns.
    pub fn events(&self, uid: &IndexUid, events: Vec<Event>) -> anyhow::Result<EventsReceipt> {
        match self {
            Self::Local(engine) => {
                let accepted = engine.write(Write::Events {
                    uid: uid.clone(),
                    events,
                })?;
                Ok(accepted.events.unwrap_or_default())
            }
            Self::Remote(client) => {
                let body: Vec<Value> = events.iter().map(wire_event).collect();
                let answer = client.post(
                    &path(&["indexes", uid.as_str(), "events"]),
                    &Value::Array(body),
                )?;
                let count =
                    |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
                Ok(EventsReceipt {
                    accepted: count("accepted"),
                    duplicates: count("duplicates"),
                    unknown_items: count("unknownItems"),
                })
            }
        }
    }

    /// Waits until a task is finished; an error when it will not be before a restart.
    pub fn wait(&self, uid: u64) -> anyhow::Result<Finished> {
        loop {
            let finished = match self {
                Self::Local(engine) => {
                    let task = engine.wait(uid, PATIENCE)?;
                    let seen = Finished {
                        details: task.details,
                        error: task.error.map(|error| Failure {
                            code: error.code,
                            message: error.message,
                        }),
                    };
                    match task.status {
                        TaskStatus::Enqueued | TaskStatus::Processing => Err(seen),
                        _ => Ok(seen),
                    }
                }
                Self::Remote(client) => seen(&client.get(&path(&["tasks", &uid.to_string()]))?),
            };
            match finished {
                Ok(finished) => return Ok(finished),
                Err(Finished {
                    error: Some(stuck), ..
                }) => bail!("{}", stuck.message),
                Err(_) => {}
            }
            if matches!(self, Self::Remote(_)) {
                std::thread::sleep(PATIENCE);
            }
        }
    }

    /// The rows that a task refused or changed.
    pub fn notes(&self, uid: u64) -> anyhow::Result<Vec<RowNote>> {
        match self {
            Self::Local(engine) => Ok(engine.task_rows(uid, 0, usize::MAX)?.0),
            Self::Remote(client) => {
                let answer = client.get(&rows_path(uid, 0, ALL_NOTES))?;
                let results = answer
                    .get("results")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten();
                let notes = results
                    .map(|row| note(row).context("the server listed a row in an unknown form"));
                notes.collect()
            }
        }
    }

    /// Whether rows that were refused while reading are listed with the task.
    pub fn keeps_rejected(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// The file's row of a row of a task. A server numbers the documents it was sent.
    pub fn row_of_file(&self, rows: &[u64], row: u64) -> u64 {
        match self {
            Self::Local(_) => row,
            Self::Remote(_) => {
                let at = usize::try_from(row).unwrap_or_default().saturating_sub(1);
                rows.get(at).copied().unwrap_or(row)
            }
        }
    }

    /// Ends the work on a folder of our own.
    pub fn close(self) {
        if let Self::Local(engine) = self {
            engine.close();
        }
    }

    fn done(&self, uid: u64) -> anyhow::Result<()> {
        match self.wait(uid)?.error {
            Some(failure) => bail!("{}", failure.message),
            None => Ok(()),
        }
    }
}

/// Where a server lists the rows of a task.
pub fn rows_path(uid: u64, offset: usize, limit: usize) -> String {
    format!(
        "{}?offset={offset}&limit={limit}",
        path(&["tasks", &uid.to_string(), "rows"])
    )
}

fn note(row: &Value) -> Option<RowNote> {
    Some(RowNote {
        row: row.get("row")?.as_u64()?,
        field: row.get("field").and_then(Value::as_str).map(str::to_owned),
        refused: row.get("refused")?.as_bool()?,
        what: row.get("reason")?.as_str()?.to_owned(),
    })
}

fn task_uid(answer: &Value) -> anyhow::Result<u64> {
    answer
        .get("taskUid")
        .and_then(Value::as_u64)
        .context("the server answered a write without a taskUid")
}

/// A task of a server; `Err` when it is not finished.
fn seen(task: &Value) -> Result<Finished, Finished> {
    let error = task.get("error").filter(|error| !error.is_null());
    let text = |error: &Value, name: &str| {
        error
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let seen = Finished {
        details: task
            .get("details")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default(),
        error: error.map(|error| Failure {
            code: text(error, "code"),
            message: text(error, "message"),
        }),
    };
    match task.get("status").and_then(Value::as_str) {
        Some("enqueued" | "processing") => Err(seen),
        _ => Ok(seen),
    }
}

/// An event in the words of our HTTP interface.
fn wire_event(event: &Event) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    put("id", event.id.as_ref().map(|id| json!(id)));
    put("userId", Some(json!(event.user)));
    put("kind", Some(json!(event.kind)));
    put("itemId", event.item.as_ref().map(|item| json!(item)));
    put("query", event.query.as_ref().map(|query| json!(query)));
    put("time", Some(json!(event.time.to_string())));
    put("value", event.value.map(|value| json!(value)));
    put("price", event.price.map(|price| json!(price)));
    put("quantity", event.quantity.map(|quantity| json!(quantity)));
    put(
        "basketId",
        event.basket.as_ref().map(|basket| json!(basket)),
    );
    put("queryId", event.query_id.as_ref().map(|id| json!(id)));
    Value::Object(fields)
}

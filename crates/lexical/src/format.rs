//! The small file beside the tantivy files that says what the folder is.
//!
//! It holds a magic, a format version and the plan. A newer version is refused
//! with a sentence; tantivy's own files carry their own checks.

use crate::error::LexicalError;
use crate::plan::IndexPlan;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The name of the file.
pub(crate) const FILE: &str = "plan.json";
const MAGIC: &str = "vitrine-words";
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    magic: &'a str,
    version: u32,
    plan: &'a IndexPlan,
}

/// Read before the plan, so that a plan of a newer format is never half understood.
#[derive(Deserialize)]
struct Head {
    magic: String,
    version: u32,
}

#[derive(Deserialize)]
struct Body {
    plan: IndexPlan,
}

/// Writes the plan so that it survives power loss.
pub(crate) fn write(dir: &Path, plan: &IndexPlan) -> Result<(), LexicalError> {
    let fail = |source: io::Error| LexicalError::Io {
        path: dir.to_owned(),
        source,
    };
    let written = Written {
        magic: MAGIC,
        version: VERSION,
        plan,
    };
    let json = serde_json::to_vec_pretty(&written).map_err(|error| fail(error.into()))?;
    let draft = dir.join("plan.json.new");
    let mut file = File::create(&draft).map_err(fail)?;
    file.write_all(&json).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    fs::rename(&draft, dir.join(FILE)).map_err(fail)?;
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(fail)
}

/// Reads the plan back.
pub(crate) fn read(dir: &Path) -> Result<IndexPlan, LexicalError> {
    let path = dir.join(FILE);
    let json = match fs::read(&path) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LexicalError::Missing {
                path: dir.to_owned(),
                missing: FILE,
            });
        }
        Err(source) => return Err(LexicalError::Io { path, source }),
    };
    let damaged = |error: serde_json::Error| LexicalError::Damaged {
        path: path.clone(),
        what: error.to_string(),
    };
    let head: Head = serde_json::from_slice(&json).map_err(damaged)?;
    if head.magic != MAGIC {
        return Err(LexicalError::Damaged {
            path,
            what: "it is not the plan of a words index".to_owned(),
        });
    }
    if head.version != VERSION {
        return Err(LexicalError::Format {
            path,
            found: head.version,
            expected: VERSION,
        });
    }
    let body: Body = serde_json::from_slice(&json).map_err(damaged)?;
    Ok(body.plan)
}

//! Which attribute plays which role, and why.
//!
//! Shown after an ingest, so that a wrong guess is seen at once and can be put right
//! in the settings.

use crate::address::path;
use crate::client::Client;
use crate::feed::Sink;
use anyhow::Context as _;
use domain::IndexUid;
use intake::{RoleReason, Roles};
use serde::Serialize;
use serde_json::Value;

/// One role with its attributes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleLine {
    pub role: String,
    pub attributes: Vec<String>,
    /// Why the attributes were taken; empty when the settings say so.
    pub reasons: Vec<String>,
}

/// The roles in force in an index.
pub fn of_sink(sink: &Sink, uid: &IndexUid) -> anyhow::Result<Vec<RoleLine>> {
    match sink {
        Sink::Local(engine) => {
            let index = engine.index(uid.as_str())?;
            let (roles, reasons) = index.roles();
            Ok(lines(roles, reasons))
        }
        Sink::Remote(client) => {
            let (roles, reasons) = of_server(client, uid.as_str())?;
            Ok(lines(&roles, &reasons))
        }
    }
}

/// The roles in force in an index of a server, with the reasons for those that were guessed.
pub fn of_server(client: &Client, index: &str) -> anyhow::Result<(Roles, Vec<RoleReason>)> {
    let answer = client.get(&path(&["indexes", index, "settings", "roles"]))?;
    let part = |name: &str| answer.get(name).cloned().unwrap_or(Value::Null);
    let unknown = "the server gave the roles in an unknown form";
    let roles = serde_json::from_value(part("roles")).context(unknown)?;
    Ok((
        roles,
        serde_json::from_value(part("reasons")).context(unknown)?,
    ))
}

/// What a person sees of the roles.
pub fn render(lines: &[RoleLine]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&format!("  {}: {}", line.role, line.attributes.join(", ")));
        if !line.reasons.is_empty() {
            text.push_str(&format!(" ({})", line.reasons.join("; ")));
        }
        text.push('\n');
    }
    if text.is_empty() {
        text
    } else {
        format!("roles (change them in the setting `roles`):\n{text}")
    }
}

fn lines(roles: &Roles, reasons: &[RoleReason]) -> Vec<RoleLine> {
    let mut lines = Vec::new();
    for (role, attributes) in roles.iter() {
        let why = reasons
            .iter()
            .filter(|reason| reason.role == role && attributes.contains(&reason.attribute));
        lines.push(RoleLine {
            role: format!("{role:?}").to_lowercase(),
            attributes: attributes.to_vec(),
            reasons: why.map(|reason| reason.reason.clone()).collect(),
        });
    }
    lines
}

//! The map of crates as a test: a crate may depend on lower layers only.
//!
//! The map stands here and, in words, in `ARCHITECTURE.md`. A new edge that is refused
//! wants a decision note first, not a change of this table.

use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde_json::Value;

/// Lowest first. A crate may depend only on lower layers, never on a sibling.
const LAYERS: &[&[&str]] = &[
    &["domain", "kernels"],
    &["text", "store"],
    &[
        "intake", "lexical", "profiles", "models", "eval", "encode", "vector",
    ],
    &["engine", "train"],
    &["workshop"],
    &["server"],
    &["vitrine"],
];

/// For tests and automation: no crate may need them to be built. `testkit` counts as part
/// of the layer above `domain`, the only crate it may use.
const DEVELOPMENT: &[&str] = &["testkit", "xtask"];

/// Fails when an edge of the workspace goes up or sideways.
pub fn run(workspace: &Workspace) -> Result<()> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1", "--locked"];
    let output = workspace
        .cargo(arguments)
        .output()
        .context("cannot start cargo metadata")?;
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")?;
    let wrong = wrong_edges(&metadata);
    for sentence in &wrong {
        eprintln!("    {sentence}");
    }
    anyhow::ensure!(
        wrong.is_empty(),
        "{} edges break the map of crates",
        wrong.len()
    );
    Ok(())
}

fn layer_of(krate: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&krate))
}

fn wrong_edges(metadata: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if layer_of(name).is_none() && !DEVELOPMENT.contains(&name) {
            wrong.push(format!(
                "{name} has no layer; add it to LAYERS in xtask/src/layers.rs"
            ));
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // A dependency on another crate of ours is one with a path.
            let is_ours = !dependency["path"].is_null();
            if is_ours && dependency["kind"] != "dev" {
                let target = dependency["name"].as_str().unwrap_or_default();
                wrong.extend(refusal(name, target));
            }
        }
    }
    wrong
}

/// Why one crate must not depend on another, if so.
fn refusal(name: &str, target: &str) -> Option<String> {
    if DEVELOPMENT.contains(&target) {
        return Some(format!("{name} may use {target} only as a dev-dependency"));
    }
    match (name, layer_of(name), layer_of(target)) {
        ("testkit", _, Some(0)) => None,
        (_, Some(from), Some(to)) if to < from => None,
        (_, Some(from), Some(to)) => Some(format!(
            "{name} (layer {from}) must not depend on {target} (layer {to})"
        )),
        _ => Some(format!("{name} must not depend on {target}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// One crate with one dependency; `kind` is that of cargo: null, "dev" or "build".
    fn edge(name: &str, target: &str, kind: Value) -> Vec<String> {
        let dependency = json!({ "name": target, "kind": kind, "path": "somewhere" });
        wrong_edges(&json!({ "packages": [{ "name": name, "dependencies": [dependency] }] }))
    }

    #[test]
    fn edges_go_down() {
        for (name, target) in [
            ("engine", "lexical"),
            ("lexical", "text"),
            ("vitrine", "intake"),
            ("testkit", "domain"),
        ] {
            assert_eq!(
                edge(name, target, Value::Null),
                Vec::<String>::new(),
                "{name} {target}"
            );
        }
    }

    #[test]
    fn edges_up_or_sideways_are_refused() {
        for (name, target) in [
            ("domain", "text"),
            ("lexical", "profiles"),
            ("text", "store"),
            ("engine", "server"),
            ("engine", "testkit"),
            ("testkit", "engine"),
            ("xtask", "domain"),
        ] {
            assert_eq!(edge(name, target, Value::Null).len(), 1, "{name} {target}");
            assert_eq!(
                edge(name, target, json!("build")).len(),
                1,
                "{name} {target}"
            );
        }
    }

    #[test]
    fn tests_may_use_anything() {
        assert_eq!(
            edge("domain", "testkit", json!("dev")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_crate_without_a_layer_is_named() {
        let wrong = edge("surprise", "domain", Value::Null);
        assert!(
            wrong
                .iter()
                .all(|sentence| sentence.contains("surprise has no layer")),
            "{wrong:?}"
        );
        assert_eq!(wrong.len(), 1);
    }

    #[test]
    fn a_crate_from_the_registry_may_share_a_name() {
        let dependency = json!({ "name": "server", "kind": null, "path": null });
        let metadata = json!({ "packages": [{ "name": "domain", "dependencies": [dependency] }] });
        assert_eq!(wrong_edges(&metadata), Vec::<String>::new());
    }
}

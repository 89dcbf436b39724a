//! The clients that run on Node.js: installed by their lock file, tested by Node's own runner.

use super::{installed, missing, note_installed};
use crate::steps;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

const NEEDED: &str = "Node.js 20 or newer and npm are needed for the clients; \
    install them, on Debian the packages `nodejs` and `npm`";

/// Installs the packages of a suite unless they are there.
pub fn prepare(folder: &Path) -> Result<Command> {
    missing("node", NEEDED)?;
    let lock = folder.join("package-lock.json");
    let mark = folder.join("node_modules").join(".installed");
    if !installed(&lock, &mark) {
        missing("npm", NEEDED)?;
        let mut install = Command::new("npm");
        install
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder);
        steps::run(install, "npm could not install the packages of the client")?;
        note_installed(&lock, &mark)?;
    }
    let mut tests = Command::new("node");
    // Every `*.test.js` of the folder, several at a time.
    tests
        .args(["--test", "--test-reporter=spec", "--test-timeout=60000"])
        .current_dir(folder);
    Ok(tests)
}

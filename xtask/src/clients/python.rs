//! Python: each suite in an environment of its own under the target folder.

use super::{installed, missing, note_installed};
use crate::steps;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

const NEEDED: &str = "Python 3.10 or newer with its module `venv` is needed; \
    install it, on Debian the packages `python3` and `python3-venv`";

/// The tests of a Python client, in an environment at this place.
pub fn prepare(folder: &Path, at: &Path) -> Result<Command> {
    let python = environment(&folder.join("requirements.txt"), at)?;
    let mut tests = Command::new(python);
    // Without compiled files in the repository.
    tests.args(["-B", "-m", "unittest", "discover"]);
    tests.current_dir(folder);
    Ok(tests)
}

/// Makes an environment and installs the wanted packages unless they are there; gives its Python.
pub fn environment(wanted: &Path, environment: &Path) -> Result<PathBuf> {
    let python = environment
        .join(if cfg!(windows) { "Scripts" } else { "bin" })
        .join(format!("python{}", std::env::consts::EXE_SUFFIX));
    let mark = environment.join("installed");
    if !installed(wanted, &mark) {
        missing("python3", NEEDED)?;
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(environment);
        steps::run(make, NEEDED)?;
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(wanted);
        steps::run(install, "pip could not install the packages named there")?;
        note_installed(wanted, &mark)?;
    }
    Ok(python)
}

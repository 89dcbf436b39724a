//! `cargo xtask pytorch`: the models in PyTorch beside ours. PyTorch is large, so it is no part
//! of the quick check, and a Python that has it already can be named.

use crate::clients::python;
use crate::models::Models;
use crate::steps;
use crate::workspace::Workspace;
use anyhow::Result;
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Names a Python with the packages of `examples/pytorch/requirements.txt`. Without it they are
/// installed: on Linux that is PyTorch with all of CUDA, some 3 GB.
const PYTHON: &str = "VITRINE_PYTORCH";

/// Compares scores and vectors; installs PyTorch unless it is there.
pub fn run(workspace: &Workspace, models: &Models) -> Result<()> {
    let folder = workspace.root().join("examples/pytorch");
    let target = workspace.target()?;
    for build in [
        ["build", "--package", "vitrine", "--bin", "vitrine"],
        [
            "build",
            "--package",
            "models",
            "--example",
            "affinity_scores",
        ],
    ] {
        let mut build = workspace.cargo(build);
        build.args(["--quiet", "--locked"]);
        steps::run(build, "the program does not build")?;
    }
    let wanted = folder.join("requirements.txt");
    let python = match env::var_os(PYTHON) {
        Some(python) => PathBuf::from(python),
        None => python::environment(&wanted, &target.join("pytorch"))?,
    };
    let program = |path: &str| {
        let path = format!("{path}{}", env::consts::EXE_SUFFIX);
        target.join("debug").join(path)
    };
    let mut check = Command::new(python);
    check
        .current_dir(&folder)
        .args(["-B", "check.py", "--scores"])
        .arg(program("examples/affinity_scores"));
    if let Some(models) = models.folder() {
        check.arg("--vitrine").arg(program("vitrine"));
        check.arg("--encoder").arg(models.join("minilm"));
    }
    steps::run(check, "PyTorch and Vitrine give other scores; see above")
}

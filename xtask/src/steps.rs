//! Named steps, one after the other, with their time.
//!
//! The first step that fails ends the run; its error says what to do. A summary with the
//! seconds of each step closes a run either way.

use anyhow::{Context, Result};
use std::process::Command;
use std::time::{Duration, Instant};

/// A run of steps.
#[derive(Default)]
pub struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Does one step, printing its name before and its seconds after.
    pub fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        eprintln!("==> {name}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        self.done.push((name, took));
        match outcome {
            Ok(()) => {
                eprintln!("    {name} passed in {:.1} s", took.as_secs_f64());
                Ok(())
            }
            Err(error) => {
                eprint!("{}", self.summary());
                Err(error.context(format!("{name} failed after {:.1} s", took.as_secs_f64())))
            }
        }
    }

    /// A line for each step and one for all of them.
    pub fn summary(&self) -> String {
        let mut text = String::from("\n");
        for (name, took) in &self.done {
            text.push_str(&format!("{name:<12}{:>8.1} s\n", took.as_secs_f64()));
        }
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        text + &format!("{:<12}{:>8.1} s\n", "in all", total.as_secs_f64())
    }
}

/// Runs a program; `advice` is what to do when it fails.
pub fn run(mut command: Command, advice: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    anyhow::ensure!(status.success(), "{advice}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_itself_and_its_cause() {
        let mut steps = Steps::default();
        assert!(steps.step("first", || Ok(())).is_ok());
        let error = steps.step("second", || anyhow::bail!("run `x`")).err();
        let text = error.map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(
            text.starts_with("second failed after") && text.ends_with(": run `x`"),
            "{text}"
        );
        assert_eq!(steps.summary().lines().count(), 4);
    }

    #[test]
    fn a_program_that_fails_or_is_missing_is_an_error() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut wrong = Command::new(cargo);
        wrong.arg("--no-such-flag");
        assert_eq!(
            run(wrong, "advice").err().map(|error| error.to_string()),
            Some("advice".into())
        );
        assert!(run(Command::new("no-such-program-here"), "advice").is_err());
    }
}

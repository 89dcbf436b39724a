//! The tools that may be missing on a bare machine.
//!
//! Each is installed when it does not answer, so that only `rustup` or a Rust toolchain and
//! a C compiler have to be there. A tool that is there already is used as it is. Tools are
//! built without optimisation: that takes a third of the time, and they run for seconds.

use crate::steps;
use crate::workspace::Workspace;
use anyhow::Result;
use std::process::{Command, Stdio};

/// A cargo subcommand that may have to be installed.
pub struct Tool {
    subcommand: &'static str,
    /// A command line, split at its spaces.
    install: &'static str,
}

/// Checks the format of the code.
pub const FMT: Tool = Tool {
    subcommand: "fmt",
    install: "rustup component add rustfmt",
};

/// Reads the code for mistakes.
pub const CLIPPY: Tool = Tool {
    subcommand: "clippy",
    install: "rustup component add clippy",
};

/// Runs tests in parallel, one process each, with a time limit.
pub const NEXTEST: Tool = Tool {
    subcommand: "nextest",
    // Without the part that updates itself.
    install: "cargo install --locked --debug --version 0.9.143 --no-default-features --features default-no-update cargo-nextest",
};

/// Checks licences, duplicates, sources and advisories of `Cargo.lock`.
pub const DENY: Tool = Tool {
    subcommand: "deny",
    install: "cargo install --locked --debug --version 0.20.2 cargo-deny",
};

impl Tool {
    /// Installs the tool unless it answers already.
    pub fn provide(&self, workspace: &Workspace) -> Result<()> {
        if self.answers(workspace) {
            return Ok(());
        }
        eprintln!("    cargo {} is missing: {}", self.subcommand, self.install);
        let mut words = self.install.split(' ');
        let mut install = Command::new(words.next().unwrap_or_default());
        // Not into the workspace's own target folder, wherever that may lie.
        install
            .args(words)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("CARGO_BUILD_TARGET_DIR")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        steps::run(install, &format!("install it by hand: {}", self.install))
    }

    fn answers(&self, workspace: &Workspace) -> bool {
        let mut version = workspace.cargo([self.subcommand, "--version"]);
        let status = version.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() -> Result<()> {
        let workspace = Workspace::find()?;
        // `cargo xtask check` has used it by the time this runs.
        let present = Tool {
            install: "no-such-program",
            ..FMT
        };
        assert!(present.provide(&workspace).is_ok(), "nothing to install");
        let missing = Tool {
            subcommand: "no-such-command",
            install: "no-such-program at all",
        };
        assert!(!missing.answers(&workspace));
        assert!(missing.provide(&workspace).is_err());
        Ok(())
    }
}

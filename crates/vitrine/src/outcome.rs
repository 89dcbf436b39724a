//! How a command ended, as an exit code and a sentence on stderr.
//!
//! An error is printed with its whole chain of causes on one line, because a
//! person reads the line and a script looks at the code.

use std::io;
use std::process::ExitCode;

/// The exit code of an error.
pub const FAILED: u8 = 2;
/// The exit code of an answer without content, or of a gate that failed.
const NOTHING: u8 = 1;

/// How a command ended when it did what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fine,
    /// Nothing was found, or a gate failed.
    Nothing,
}

impl Outcome {
    /// `Fine` when something was found.
    pub fn of(found: bool) -> Self {
        if found { Self::Fine } else { Self::Nothing }
    }
}

/// Prints an error as one line, and chooses the exit code.
pub fn exit_code(result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Nothing) => ExitCode::from(NOTHING),
        // Whoever reads our stdout has had enough (`| head`): that is not a failure.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(FAILED)
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<crate::output::StdoutError>()
        .is_some_and(|stdout| stdout.0.kind() == io::ErrorKind::BrokenPipe)
}

fn complain(error: &anyhow::Error) {
    use std::io::Write as _;
    // When stderr is closed too there is nobody left to tell.
    let _ = writeln!(io::stderr(), "error: {}", chain(error));
}

/// The causes joined by `: `, without repeating a cause that its parent already quotes.
fn chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string().replace('\n', " ");
        if line.is_empty() {
            line = text;
        } else if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn causes_stand_on_one_line_and_none_twice() {
        let error = anyhow!("disk\nfull")
            .context("cannot write")
            .context("cannot write");
        assert_eq!(chain(&error), "cannot write: disk full");
    }
}

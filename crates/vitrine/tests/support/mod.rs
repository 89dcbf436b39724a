//! Runs the real binary, as a person or a script would.
//!
//! Servers listen on a port of the system's choice and say which on stdout.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod disk;

use serde_json::Value;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A command of the program, without arguments and without a key from the environment.
pub fn vitrine() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitrine"));
    command
        .env_remove("VITRINE_MASTER_KEY")
        .env_remove("RUST_LOG");
    command
}

/// What a command printed and how it ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|err| {
            panic!("{err}: stdout {:?}, stderr {:?}", self.stdout, self.stderr)
        })
    }

    /// The same, when it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout {}\nstderr {}",
            self.stdout, self.stderr
        );
        self
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs a command line; words are separated by the caller.
pub fn run(args: &[&str]) -> Ran {
    vitrine().args(args).output().unwrap().into()
}

/// Runs a command line with this on stdin.
pub fn run_with_input(args: &[&str], input: &[u8]) -> Ran {
    let mut child = vitrine()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap().into()
}

/// A temporary folder with a place for data.
pub struct Shop {
    dir: tempfile::TempDir,
}

impl Shop {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A path in the folder, as text for a command line.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// The data folder.
    pub fn data(&self) -> String {
        self.path("data")
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// A running `vitrine serve`; killed when dropped.
pub struct Server {
    child: Child,
    pub address: String,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    pub fn start(data: impl AsRef<Path>) -> Self {
        Self::start_with(data, &[])
    }

    pub fn start_with(data: impl AsRef<Path>, more: &[&str]) -> Self {
        Self::start_saying(data, more, Stdio::inherit())
    }

    /// Starts a server whose messages are added to this file.
    pub fn start_logged(data: impl AsRef<Path>, log: impl AsRef<Path>) -> Self {
        Self::start_logged_with(data, log, &[])
    }

    pub fn start_logged_with(data: impl AsRef<Path>, log: impl AsRef<Path>, more: &[&str]) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        Self::start_saying(data, more, log.into())
    }

    /// Starts a server with more in its environment.
    pub fn start_in(data: impl AsRef<Path>, environment: &[(&str, &str)]) -> Self {
        let mut command = vitrine();
        command.envs(environment.iter().copied());
        Self::run(command, data, &[], Stdio::inherit())
    }

    fn start_saying(data: impl AsRef<Path>, more: &[&str], stderr: Stdio) -> Self {
        Self::run(vitrine(), data, more, stderr)
    }

    fn run(mut command: Command, data: impl AsRef<Path>, more: &[&str], stderr: Stdio) -> Self {
        let data: PathBuf = data.as_ref().into();
        let mut child = command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0", "--json"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let hello: Value =
            serde_json::from_str(&line).unwrap_or_else(|err| panic!("{err}: {line:?}"));
        let address = hello["address"].as_str().unwrap().to_owned();
        Self { child, address }
    }

    /// `kill -9`, and waits for the end.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop as a service manager does, and gives the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        get(&self.address, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        send(&agent(), &format!("{}{path}", self.address), body).expect("the server answers")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP client for which every status is an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

pub fn get(base: &str, path: &str) -> (u16, Value) {
    let mut response = agent().get(format!("{base}{path}")).call().unwrap();
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_string()
        .unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

/// `POST`; `None` when the connection broke before the whole answer was there.
pub fn send(agent: &ureq::Agent, url: &str, body: &Value) -> Option<(u16, Value)> {
    let mut response = agent
        .post(url)
        .content_type("application/json")
        .send(&serde_json::to_vec(body).unwrap())
        .ok()?;
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_string()
        .ok()?;
    Some((status, serde_json::from_str(&text).ok()?))
}

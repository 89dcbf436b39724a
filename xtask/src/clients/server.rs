//! The program under test, as one suite meets it: fresh, on a free port, with a master key.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The variables by which a suite finds the server.
const ADDRESS: &str = "VITRINE_URL";
const KEY: &str = "VITRINE_MASTER_KEY";

/// Long enough for the program, known to everyone: the server is on this machine for seconds.
const MASTER_KEY: &str = "master-key-of-the-client-tests";

const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It is stopped when this is dropped, whatever happened.
pub struct Server {
    child: Child,
    address: String,
    folder: PathBuf,
}

impl Server {
    /// Starts it below a folder, which it empties, and waits until it is well.
    pub fn start(program: &Path, below: &Path) -> Result<Self> {
        let folder = below.join("server");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let log = File::create(folder.join("log"))?;
        let child = Command::new(program)
            .arg("serve")
            .arg("--data")
            .arg(folder.join("data"))
            .args(["--listen", "127.0.0.1:0", "--json", "--verbose"])
            .env(KEY, MASTER_KEY)
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self {
            child,
            address: String::new(),
            folder,
        };
        match server.wait() {
            Ok(()) => Ok(server),
            Err(error) => {
                Err(error.context(format!("the server did not start:\n{}", server.log())))
            }
        }
    }

    /// Puts address and key into the environment of a suite.
    pub fn tell(&self, tests: &mut Command) {
        tests.env(ADDRESS, &self.address).env(KEY, MASTER_KEY);
    }

    /// Stops it and gives what it logged.
    pub fn stop(mut self) -> Result<String> {
        anyhow::ensure!(
            self.child.try_wait()?.is_none(),
            "the server ended by itself:\n{}",
            self.log()
        );
        Ok(self.log())
    }

    /// Reads the line that names the address, then asks for its health.
    fn wait(&mut self) -> Result<()> {
        let stdout = self.child.stdout.take().context("it has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line).context("it named no address")?;
        self.address = told["address"]
            .as_str()
            .context("it named no address")?
            .to_owned();
        let start = Instant::now();
        while !self.is_healthy() {
            anyhow::ensure!(start.elapsed() < PATIENCE, "it does not become healthy");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn is_healthy(&self) -> bool {
        let host = self.address.trim_start_matches("http://");
        health(host).is_ok_and(|answer| answer.contains("available"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(self.folder.join("data"));
    }
}

fn health(host: &str) -> Result<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

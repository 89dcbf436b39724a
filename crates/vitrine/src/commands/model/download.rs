//! Single files of the model hub.
//!
//! What has arrived is kept in a `.part` file, and the next attempt asks for the rest only.
//! This program speaks plain HTTP itself; `https` is left to the program `curl`, which every
//! system brings with its own certificates and proxies.

use super::install::make_parent;
use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, header};

/// The variable that names another hub.
const HUB_VARIABLE: &str = "HF_ENDPOINT";
const HUB: &str = "https://huggingface.co";
const CONNECT: Duration = Duration::from_secs(5);
const FIRST_BYTE: Duration = Duration::from_secs(20);
const WHOLE_FILE: Duration = Duration::from_secs(3600);
/// Connections for one file, each of which brought something.
const ATTEMPTS: usize = 100;
const PIECE: usize = 1 << 16;
/// How often the size of a growing file is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// The address of the hub.
pub fn hub() -> String {
    let named = std::env::var(HUB_VARIABLE).ok();
    let named = named.filter(|address| !address.trim().is_empty());
    let address = named.unwrap_or_else(|| HUB.to_owned());
    address.trim().trim_end_matches('/').to_owned()
}

/// Downloads one file, unless it is there. The bar is moved by the bytes that are on disk.
pub fn fetch(url: &str, file: &Path, bar: &ProgressBar) -> anyhow::Result<()> {
    if file.is_file() {
        bar.inc(size(file));
        return Ok(());
    }
    make_parent(file)?;
    let part = part_of(file);
    let before = bar.position();
    let mut attempts = 0;
    loop {
        let had = size(&part);
        let outcome = if url.starts_with("https://") {
            with_curl(url, &part, bar, before)
        } else {
            attempt(url, &part, bar, before)
        };
        let Err(error) = outcome else {
            break;
        };
        attempts += 1;
        // An attempt that brings nothing new is the last one; the package may be had instead.
        if size(&part) == had || attempts >= ATTEMPTS || error.is::<Refused>() {
            return Err(error);
        }
    }
    bar.set_position(before + size(&part));
    fs::rename(&part, file).with_context(|| format!("cannot make {}", file.display()))
}

/// The server has no such file, or does not give it to us.
#[derive(Debug, thiserror::Error)]
#[error("{url} answered with status {status}")]
struct Refused {
    url: String,
    status: u16,
}

/// Asks for what is missing of the file; fails when less than all of it came.
fn attempt(url: &str, part: &Path, bar: &ProgressBar, before: u64) -> anyhow::Result<()> {
    let have = size(part);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(FIRST_BYTE))
        .timeout_recv_body(Some(WHOLE_FILE))
        .build()
        .into();
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let mut response = request
        .call()
        .with_context(|| format!("{url} does not answer"))?;
    let status = response.status();
    let start = match status {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT if starts_at(response.headers()) == Some(have) => have,
        // The part is longer than the file, or of another version of it.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            fs::remove_file(part).with_context(|| format!("cannot remove {}", part.display()))?;
            bail!("{url} has changed; what was there is dropped");
        }
        _ => {
            return Err(Refused {
                url: url.to_owned(),
                status: status.as_u16(),
            }
            .into());
        }
    };
    let expected = length(response.headers()).map(|rest| start + rest);
    let mut out = open(part, start)?;
    let mut body = response.body_mut().as_reader();
    let mut piece = vec![0; PIECE];
    let mut at = start;
    loop {
        let count = body
            .read(&mut piece)
            .with_context(|| format!("{url} broke off after {at} bytes"))?;
        if count == 0 {
            break;
        }
        out.write_all(piece.get(..count).unwrap_or_default())
            .with_context(|| format!("cannot write {}", part.display()))?;
        at += count as u64;
        bar.set_position(before + at);
    }
    if expected.is_some_and(|expected| at < expected) {
        bail!("{url} broke off after {at} bytes");
    }
    Ok(())
}

/// The part, open for writing behind its first `start` bytes.
fn open(part: &Path, start: u64) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true);
    if start == 0 {
        options.write(true).truncate(true);
    } else {
        options.append(true);
    }
    options
        .open(part)
        .with_context(|| format!("cannot write {}", part.display()))
}

/// The first byte that a partial answer has, as in `bytes 100-199/200`.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (start, _) = range.trim().strip_prefix("bytes ")?.split_once('-')?;
    start.trim().parse().ok()
}

fn length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?;
    length.trim().parse().ok()
}

/// Leaves a download over TLS to `curl`, which continues a part by itself.
fn with_curl(url: &str, part: &Path, bar: &ProgressBar, before: u64) -> anyhow::Result<()> {
    let mut child = Command::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location"])
        .args(["--proto", "=https", "--connect-timeout"])
        .arg(CONNECT.as_secs().to_string())
        // Slower than a kilobyte a second for half a minute is as good as gone.
        .args(["--speed-limit", "1000", "--speed-time", "30"])
        .args(["--continue-at", "-", "--output"])
        .arg(part)
        .arg("--")
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("https is left to the program `curl`, which cannot be started")?;
    let status = loop {
        bar.set_position(before + size(part));
        match child.try_wait().context("cannot wait for `curl`")? {
            Some(status) => break status,
            None => std::thread::sleep(GLANCE),
        }
    };
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        // What it said is for the message only; the status tells that it failed.
        let _ = stderr.read_to_string(&mut said);
    }
    let reason = said.lines().last().unwrap_or("no reason given").trim();
    bail!("{url} cannot be fetched: {reason}")
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Bytes of a file; none when it is not there.
fn size(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}

#[cfg(test)]
mod tests;

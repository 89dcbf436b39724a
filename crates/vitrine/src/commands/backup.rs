//! `vitrine backup`: everything in a data folder as one file.
//!
//! The file appears whole or not at all, also while a server writes to the folder.

use crate::folder::{Access, FolderArgs};
use crate::outcome::Outcome;
use crate::output::Format;
use crate::progress;
use anyhow::{Context as _, bail};
use engine::BackupReport;
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The file to write.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// Says how large the backup is.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    args.folder.must_exist()?;
    if args.file.exists() {
        bail!("{} is there already: name a new file", args.file.display());
    }
    let mut unfinished = Unfinished::create(&args.file)?;
    let report = write(&args.folder, &mut unfinished)?;
    let bytes = unfinished.finish()?;
    let (records, files) = (report.map(|it| it.records), report.map(|it| it.files));
    let answer = json!({"file": args.file, "records": records, "files": files, "bytes": bytes});
    args.format.print(&answer, |_| {
        let held = report.map_or_else(String::new, |report| {
            format!(
                "{} records, {} files of models, ",
                report.records, report.files
            )
        });
        format!("{held}{bytes} bytes written to {}", args.file.display())
    })?;
    Ok(Outcome::Fine)
}

/// Writes the backup; says what is in it where that is known.
fn write(folder: &FolderArgs, unfinished: &mut Unfinished) -> anyhow::Result<Option<BackupReport>> {
    let bar = progress::bytes("back up", None);
    let mut out = bar.wrap_write(&mut unfinished.out);
    let report = match folder.access()? {
        Access::Server(client) => {
            client.download("/backup", &mut out)?;
            None
        }
        Access::Folder(engine) => {
            let report = engine.backup(&mut out);
            engine.close();
            Some(report?)
        }
    };
    bar.finish_and_clear();
    Ok(report)
}

/// A file that gets its name only when it is whole and on disk; else it is removed.
struct Unfinished {
    out: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let mut name = path
            .file_name()
            .context("the backup needs a file name")?
            .to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let file =
            File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        Ok(Self {
            out: BufWriter::new(file),
            part,
            path: path.to_owned(),
        })
    }

    /// Gives the size in bytes.
    fn finish(mut self) -> anyhow::Result<u64> {
        let cannot_write = || format!("cannot write {}", self.path.display());
        self.out.flush().with_context(cannot_write)?;
        let file = self.out.get_ref();
        file.sync_all().with_context(cannot_write)?;
        let bytes = file.metadata().with_context(cannot_write)?.len();
        fs::rename(&self.part, &self.path).with_context(cannot_write)?;
        Ok(bytes)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` there is nothing left to remove.
        let _ = fs::remove_file(&self.part);
    }
}

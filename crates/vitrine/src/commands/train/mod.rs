//! `vitrine train`: fits a model to what the shoppers of an index did, measures it beside
//! simpler ones, and lets it answer where it is not worse than the one that does.
//!
//! A server that holds the data folder trains itself, beside its answers, and is watched from
//! here. Otherwise the folder is held only while the events are read and when the model is
//! added.

mod encoder;
mod here;
mod lines;
mod table;
mod there;
mod watch;

pub use lines::line;
pub use table::{counts, figures};
pub use there::{Training, follow, order};

use crate::device::DeviceName;
use crate::folder::{Access, FolderArgs};
use crate::outcome::Outcome;
use crate::output::Format;
use anyhow::bail;
use domain::IndexUid;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
    /// The index whose shoppers are learned from.
    #[arg(long, value_name = "UID")]
    index: String,
    /// What is trained.
    #[arg(long, value_name = "KIND", default_value = "affinity")]
    model: KindName,
    /// Times that all events are gone through, 24 unless told, or with --model encoder all
    /// pairs of texts, once unless told.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=200))]
    epochs: Option<u16>,
    /// Where the affinity Transformer is trained.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceName,
    /// The same seed and data give the same model; 1 unless told.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Go on with a training that was interrupted, on the same data and with the same settings.
    #[arg(long, conflicts_with_all = ["epochs", "seed", "device"])]
    resume: bool,
    /// Leave the model a candidate, also where it is better than the one that answers.
    #[arg(long)]
    no_promote: bool,
    #[command(flatten)]
    encoder: encoder::EncoderArgs,
    #[command(flatten)]
    format: Format,
}

/// A kind of model by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum KindName {
    /// The Transformer that knows what a shopper will do next.
    Affinity,
    /// The model that makes vectors of texts.
    Encoder,
    /// Both, the Transformer first; it uses the vectors there are.
    All,
}

/// Exit 1 when the model is worse than the live one and stays a candidate.
pub fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.model {
        KindName::Encoder | KindName::All if args.device == DeviceName::Cuda => {
            bail!("an encoder is trained on the processor: leave out --device cuda")
        }
        KindName::Affinity if args.encoder.are_given() => {
            bail!("--base and --pairs say how an encoder is trained: add --model encoder")
        }
        KindName::Affinity => affinity(&args),
        KindName::Encoder if args.no_promote => {
            bail!("an encoder is promoted by nobody: leave out --no-promote")
        }
        KindName::Encoder => encoder::run(&args),
        KindName::All if args.resume => {
            bail!("--resume goes on with one training: say --model affinity or --model encoder")
        }
        KindName::All => {
            let is_better = affinity(&args)? == Outcome::Fine;
            Ok(Outcome::of(
                encoder::run(&args)? == Outcome::Fine && is_better,
            ))
        }
    }
}

fn affinity(args: &Args) -> anyhow::Result<Outcome> {
    args.folder.must_exist()?;
    let uid = IndexUid::new(args.index.clone())?;
    match args.folder.access()? {
        Access::Server(client) => there::train(args, &uid, &client),
        Access::Folder(engine) => here::train(args, &uid, engine),
    }
}

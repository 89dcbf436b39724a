//! How a training is shown: a bar over all batches with the time left, and a line an epoch.

use super::lines::line;
use crate::interrupt::Interrupt;
use crate::output::{self, Format, note};
use crate::progress;
use indicatif::ProgressBar;
use train::{EpochReport, Observer};

/// Shows a run, and ends it when it is asked to.
pub struct Watch<'a> {
    interrupt: &'a Interrupt,
    epochs: usize,
    format: Format,
    bar: Option<ProgressBar>,
}

impl<'a> Watch<'a> {
    pub fn new(interrupt: &'a Interrupt, epochs: usize, format: Format) -> Self {
        Self {
            interrupt,
            epochs,
            format,
            bar: None,
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Watch<'_> {
    fn batch(&mut self, epoch: usize, done: usize, batches: usize) -> bool {
        let place = ((epoch - 1) * batches + done) as u64;
        let total = (self.epochs * batches) as u64;
        let bar = self.bar.get_or_insert_with(|| {
            let bar = progress::count("train", total);
            // What an earlier run did says nothing about how fast this one is.
            bar.set_position(place);
            bar.reset_eta();
            bar
        });
        bar.set_position(place);
        !self.interrupt.is_asked()
    }

    fn epoch(&mut self, report: &EpochReport) {
        let line = line(report);
        let say = || {
            if self.format.json {
                note(&line);
            } else {
                // When nobody reads it, the model is worth more than the line.
                let _ = output::text(&line);
            }
        };
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

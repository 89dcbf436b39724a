//! How a training is shown: a bar over all batches with the time left, and a line an epoch.

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

/// `Loss` is the binary cross-entropy of the actions.
fn line(report: &EpochReport) -> String {
    let mut line = format!(
        "Epoch {}, Loss: {:.4}, next item {:.4}",
        report.epoch, report.actions_loss, report.loss
    );
    if let Some(validation) = &report.validation {
        line.push_str(&format!(
            ", validation loss {:.4}, AUC {:.4}, nDCG@10 {:.4}",
            validation.bce, validation.auc, validation.ndcg_10
        ));
    }
    format!("{line}, {:.1} s", report.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_is_one_line() {
        let report = EpochReport {
            epoch: 3,
            loss: 6.5,
            actions_loss: 0.41984,
            seconds: 1.26,
            validation: None,
        };
        assert_eq!(
            line(&report),
            "Epoch 3, Loss: 0.4198, next item 6.5000, 1.3 s"
        );
    }
}

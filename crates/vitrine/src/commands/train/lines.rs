//! An epoch as a line.

use train::EpochReport;

/// `Loss` is the binary cross-entropy of the actions.
pub fn line(report: &EpochReport) -> String {
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

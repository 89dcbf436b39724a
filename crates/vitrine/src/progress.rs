//! Progress on stderr, for work that takes longer than a glance.
//!
//! `indicatif` draws nothing when stderr is not a terminal, so a bar may be made
//! without asking where the output goes.

use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// A bar over bytes read; without a total it shows what was read and how fast.
pub fn bytes(label: &str, total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => styled(
            ProgressBar::new(total),
            label,
            "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => styled(
            ProgressBar::no_length(),
            label,
            "{msg} {spinner} {bytes} {bytes_per_sec}",
        ),
    }
}

/// A bar over things counted.
pub fn count(label: &str, total: u64) -> ProgressBar {
    styled(
        ProgressBar::new(total),
        label,
        "{msg} {bar:30} {human_pos}/{human_len} {eta}",
    )
}

/// A sign of life for a wait of unknown length.
pub fn wait(label: &str) -> ProgressBar {
    let bar = styled(
        ProgressBar::new_spinner(),
        label,
        "{msg} {spinner} {elapsed}",
    );
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn styled(bar: ProgressBar, label: &str, template: &str) -> ProgressBar {
    bar.set_message(label.to_owned());
    // The templates are constants of this file; a wrong one falls back to the default bar.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_well_formed() {
        for bar in [
            bytes("read", Some(10)),
            bytes("read", None),
            count("rank", 3),
            wait("fit"),
        ] {
            bar.inc(1);
            assert_eq!(bar.position(), 1);
            assert!(!bar.message().is_empty());
        }
    }
}

//! The most memory this process has had.
//!
//! Linux keeps the figure; elsewhere there is none.

use std::fs;

/// Mebibytes of the high-water mark, rounded up.
pub fn peak_mebibytes() -> Option<u64> {
    parse(&fs::read_to_string("/proc/self/status").ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read() {
        assert_eq!(
            parse("Name:\tvitrine\nVmHWM:\t  204801 kB\nVmRSS:\t 1 kB\n"),
            Some(201)
        );
        assert_eq!(parse("Name:\tvitrine\n"), None);
    }
}

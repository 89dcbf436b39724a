//! The memory of this process.
//!
//! Linux keeps the figures; elsewhere there are none.

use std::fs;

/// Mebibytes of the high-water mark, rounded up.
pub fn peak_mebibytes() -> Option<u64> {
    of_process("VmHWM:")
}

/// Mebibytes in use now, files that are mapped and were read included; rounded up.
pub fn resident_mebibytes() -> Option<u64> {
    of_process("VmRSS:")
}

fn of_process(name: &str) -> Option<u64> {
    parse(&fs::read_to_string("/proc/self/status").ok()?, name)
}

fn parse(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_figure_is_read() {
        let status = "Name:\tvitrine\nVmHWM:\t  204801 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(parse(status, "VmHWM:"), Some(201));
        assert_eq!(parse(status, "VmRSS:"), Some(1));
        assert_eq!(parse("Name:\tvitrine\n", "VmRSS:"), None);
    }
}

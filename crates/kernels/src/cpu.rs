//! Which instructions this process uses. The choice is made once, by asking the processor;
//! `VITRINE_CPU=scalar|avx2|avx512` in the environment forces a lesser one, so that every
//! path can be run, compared and debugged on one machine.

use std::fmt;
use std::sync::OnceLock;

/// The name of the environment variable that forces a path.
const FORCE: &str = "VITRINE_CPU";

/// A set of vector instructions that this processor has.
///
/// Values come from [`Cpu::detect`] and [`Cpu::available`] only, so holding one proves that
/// its instructions may be executed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cpu {
    path: Path,
    /// `avx512_bf16`, beside the other instructions of the AVX-512 path.
    brain: bool,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Path {
    Scalar,
    /// The shape of AVX-512 in plain code.
    #[cfg(test)]
    Wide,
    Avx2,
    Avx512,
}

/// A path was forced that does not exist or that this processor lacks.
#[derive(Clone, Debug, thiserror::Error)]
#[error("VITRINE_CPU is {forced:?}, but this processor runs {available}")]
pub struct CpuError {
    forced: String,
    available: String,
}

impl Cpu {
    /// The path of this process: the best one, or the one that `VITRINE_CPU` names.
    ///
    /// # Errors
    /// When the variable names no path that this processor can run.
    pub fn detect() -> Result<Self, CpuError> {
        static DETECTED: OnceLock<Result<Cpu, CpuError>> = OnceLock::new();
        DETECTED
            .get_or_init(|| match std::env::var(FORCE) {
                Ok(name) => Self::named(&name),
                Err(_) => Ok(Self::best()),
            })
            .clone()
    }

    /// Every path that this processor can run, the plainest first.
    pub fn available() -> Vec<Self> {
        let best = Self::best();
        [Path::Scalar, Path::Avx2, Path::Avx512]
            .into_iter()
            .filter(|&path| path <= best.path)
            .map(|path| Self {
                path,
                brain: best.brain && path == Path::Avx512,
            })
            .collect()
    }

    /// `scalar`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.path {
            Path::Scalar => "scalar",
            #[cfg(test)]
            Path::Wide => "wide",
            Path::Avx2 => "avx2",
            Path::Avx512 => "avx512",
        }
    }

    pub(crate) fn path(self) -> Path {
        self.path
    }

    /// Whether products of two brain floats are one instruction (or, on the scalar path,
    /// plain code: it is the reference for every format).
    pub(crate) fn has_brain_floats(self) -> bool {
        self.brain || self.path < Path::Avx2
    }

    /// Every path to be tested: those available and the wide one.
    #[cfg(test)]
    pub(crate) fn tested() -> Vec<Self> {
        let wide = Self {
            path: Path::Wide,
            brain: false,
        };
        let mut tested = Self::available();
        tested.push(wide);
        tested
    }

    fn named(name: &str) -> Result<Self, CpuError> {
        let available = Self::available();
        let found = available.iter().find(|cpu| cpu.name() == name).copied();
        found.ok_or_else(|| CpuError {
            forced: name.to_owned(),
            available: available
                .iter()
                .map(|cpu| cpu.name())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    #[cfg(target_arch = "x86_64")]
    fn best() -> Self {
        let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let has_avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        let path = match (has_avx2, has_avx512) {
            (true, true) => Path::Avx512,
            (true, false) => Path::Avx2,
            (false, _) => Path::Scalar,
        };
        Self {
            path,
            brain: path == Path::Avx512 && is_x86_feature_detected!("avx512bf16"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn best() -> Self {
        Self {
            path: Path::Scalar,
            brain: false,
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_exist_is_refused_with_those_that_do() {
        let refused = Cpu::named("sse9").unwrap_err().to_string();
        assert!(
            refused.contains("sse9") && refused.contains("scalar"),
            "{refused}"
        );
    }

    #[test]
    fn the_best_path_is_the_last_available() {
        assert_eq!(Cpu::available().last(), Some(&Cpu::best()));
        assert_eq!(Cpu::available()[0].name(), "scalar");
    }
}

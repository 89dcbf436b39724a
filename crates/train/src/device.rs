//! Where a model is trained, and why it cannot be trained there.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What computes the steps of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor, with gradients of our own.
    #[default]
    Cpu,
    /// The first GPU of NVIDIA.
    Cuda,
}

impl Device {
    /// Its name in settings and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether it can be used, without using it yet.
    ///
    /// # Errors
    /// Names the first thing that is missing.
    pub fn check(self) -> Result<(), DeviceError> {
        match self {
            Self::Cpu => Ok(()),
            Self::Cuda => crate::accelerator::check_cuda(),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    #[error("this build trains on the processor only, for a GPU build it with `--features cuda`")]
    NotBuilt,
    #[error("there is no NVIDIA driver here, libcuda cannot be loaded")]
    NoDriver,
    #[error("the NVIDIA driver finds no GPU, {0}")]
    NoGpu(String),
    #[error(
        "the compiler of GPU kernels is missing, libnvrtc of the CUDA toolkit cannot be loaded"
    )]
    NoCompiler,
    #[error(
        "the headers of the CUDA toolkit are missing, include/cuda_runtime.h is not in CUDA_PATH, /usr/local/cuda or /opt/cuda"
    )]
    NoHeaders,
    #[error("the GPU gave up: {0}")]
    Failed(String),
}

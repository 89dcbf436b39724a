//! Steps that are computed elsewhere than on this crate's own code: on a GPU, with tensors and
//! the differentiation of `burn`. The loop around them, what is drawn for them and what is
//! measured behind them stay with the trainer. Decision 021 says why there are two.
//!
//! Without the feature `cuda` there is none, and callers need not know.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(any(feature = "cuda", all(test, feature = "flex")))]
mod tensors;

use crate::adam::Adam;
use crate::batch::Batch;
use crate::data::Dataset;
use crate::device::{Device, DeviceError};
use crate::layout::Layout;
use crate::losses::Losses;
use crate::options::Options;
use crate::share::Tables;
use models::affinity::AffinityConfig;

/// What a model in training is made of.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(any(feature = "cuda", all(test, feature = "flex"))),
    expect(dead_code, reason = "without a device nobody reads it")
)]
pub(crate) struct Blueprint<'a> {
    pub config: &'a AffinityConfig,
    pub options: &'a Options,
    pub data: &'a Dataset,
    /// Where all parameters lie.
    pub layout: &'a Layout,
    /// Where those that stand in tokens lie among those of the network, and where these begin.
    pub tables: &'a Tables,
    pub network: usize,
}

/// How one step moves the parameters.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(any(feature = "cuda", all(test, feature = "flex"))),
    expect(dead_code, reason = "without a device nobody reads it")
)]
pub(crate) struct Update {
    pub rate: f32,
    /// Steps so far, this one among them.
    pub steps: u32,
    /// Of the dropout.
    pub seed: u64,
}

/// Holds the parameters and the moments of the optimiser during an epoch.
pub(crate) trait Accelerator: Send + Sync {
    /// Takes them over.
    fn load(&mut self, parameters: &[f32], adam: &Adam) -> Result<(), DeviceError>;

    /// Computes the losses of a batch and moves the parameters against their gradients.
    fn step(&mut self, batch: &Batch<'_>, update: Update) -> Result<Losses, DeviceError>;

    /// Gives them back.
    fn store(&mut self, parameters: &mut Vec<f32>, adam: &mut Adam) -> Result<(), DeviceError>;
}

/// What computes the steps on a device; none where the trainer does.
pub(crate) fn open(
    device: Device,
    blueprint: Blueprint<'_>,
) -> Result<Option<Box<dyn Accelerator>>, DeviceError> {
    match device {
        Device::Cpu => Ok(None),
        Device::Cuda => {
            check_cuda()?;
            open_cuda(blueprint).map(Some)
        }
    }
}

#[cfg(feature = "cuda")]
pub(crate) use cuda::check as check_cuda;
#[cfg(feature = "cuda")]
use cuda::open as open_cuda;

/// Whether CUDA can be used.
#[cfg(not(feature = "cuda"))]
pub(crate) fn check_cuda() -> Result<(), DeviceError> {
    Err(DeviceError::NotBuilt)
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_: Blueprint<'_>) -> Result<Box<dyn Accelerator>, DeviceError> {
    Err(DeviceError::NotBuilt)
}

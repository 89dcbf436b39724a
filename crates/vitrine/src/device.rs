//! `--device`: where models are trained.

use anyhow::anyhow;
use train::Device;

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DeviceName {
    /// The processor.
    Cpu,
    /// The first GPU of NVIDIA, in builds with the feature `cuda`.
    Cuda,
}

impl DeviceName {
    /// The device, unless it cannot be used here.
    pub fn usable(self) -> anyhow::Result<Device> {
        let device = self.device();
        match device.check() {
            Ok(()) => Ok(device),
            Err(error) => Err(anyhow!("{error}: leave out --device {device}")),
        }
    }

    /// The device, whether or not it can be used here.
    pub fn device(self) -> Device {
        match self {
            Self::Cpu => Device::Cpu,
            Self::Cuda => Device::Cuda,
        }
    }
}

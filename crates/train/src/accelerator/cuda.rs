//! The first GPU of NVIDIA. Driver and compiler of kernels are loaded when it is asked for, so
//! that a build with this feature starts and works anywhere.

use super::tensors::Stepper;
use super::{Accelerator, Blueprint};
use crate::device::DeviceError;
use burn_autodiff::Autodiff;
use burn_cuda::{Cuda, CudaDevice};
use cudarc::driver::result;
use std::env;
use std::path::Path;

/// Where the toolkit is looked for when `CUDA_PATH` does not say.
const TOOLKITS: [&str; 2] = ["/usr/local/cuda", "/opt/cuda"];
/// What kernels include.
const HEADER: &str = "include/cuda_runtime.h";

/// Looks for everything that would be missed later, where a backend only panics.
pub(crate) fn check() -> Result<(), DeviceError> {
    let (has_driver, has_compiler) = libraries();
    if !has_driver {
        return Err(DeviceError::NoDriver);
    }
    let no_gpu = |error| DeviceError::NoGpu(format!("{error}"));
    result::init().map_err(no_gpu)?;
    if result::device::get_count().map_err(no_gpu)? == 0 {
        return Err(DeviceError::NoGpu("it counts none".to_owned()));
    }
    if !has_compiler {
        return Err(DeviceError::NoCompiler);
    }
    let has_header = match env::var_os("CUDA_PATH") {
        Some(path) => Path::new(&path).join(HEADER).exists(),
        None => TOOLKITS
            .iter()
            .any(|path| Path::new(path).join(HEADER).exists()),
    };
    if has_header {
        Ok(())
    } else {
        Err(DeviceError::NoHeaders)
    }
}

/// A model in training on the GPU.
pub(super) fn open(blueprint: Blueprint<'_>) -> Result<Box<dyn Accelerator>, DeviceError> {
    let stepper = Stepper::<Autodiff<Cuda>>::open(blueprint, CudaDevice::default())?;
    Ok(Box::new(stepper))
}

/// Whether the driver and the compiler of kernels can be loaded.
#[expect(
    unsafe_code,
    reason = "loading a library runs what it does at its start"
)]
fn libraries() -> (bool, bool) {
    // SAFETY: the names looked for are those of NVIDIA's libraries, which may be loaded by
    // any thread at any time.
    unsafe {
        (
            cudarc::driver::sys::is_culib_present(),
            cudarc::nvrtc::sys::is_culib_present(),
        )
    }
}

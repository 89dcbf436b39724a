//! Vector kernels of the encoder and the rankers: matrix products in floats, brain floats,
//! fixed point and bytes, attention, layer norm, softmax, GELU, dot products, similarities and top-k; and the team of threads that shares a short task.
//!
//! Every kernel is written once over vectors of any width and compiled for each set of
//! instructions. [`Cpu::detect`] chooses one for the process; [`Cpu::available`] lists those
//! that can run here, so that tests compare each with a plain reference.
//!
//! ```
//! use kernels::{Activation, Cpu, Format, Left, Linear, Matrix};
//!
//! let cpu = Cpu::detect()?;
//! let weights = [1.0, 2.0, 3.0, 4.0];
//! let linear = Linear { weights: &weights, bias: &[0.5, 0.0], magnitudes: &[], precise_from: 0 };
//! let matrix = Matrix::pack(cpu, Format::Float, linear);
//! let mut left = Left::default();
//! left.fill(&matrix, &[1.0, 10.0]);
//! let mut out = [0.0; 2];
//! matrix.multiply(&left, Activation::None, &mut out);
//! assert_eq!(out, [21.5, 43.0]);
//! # Ok::<(), kernels::CpuError>(())
//! ```

mod aligned;
mod attention;
mod best;
mod cpu;
#[expect(unsafe_code, reason = "vector instructions")]
mod lanes;
mod left;
mod matrix;
mod pack;
mod parts;
mod peak;
mod rows;
mod seen;
mod similar;
mod spans;
mod team;
#[cfg(test)]
mod tests;
mod tile;

pub use attention::{Heads, Room, attention};
pub use best::top_k;
pub use cpu::{Cpu, CpuError};
pub use left::{Left, LeftRows};
pub use matrix::{Activation, Format, Linear, Matrix};
pub use parts::ProductPart;
pub use peak::peak;
pub use rows::{LayerNorm, add, dot, gelu_all, max_rows, normalise, scale, softmax, sum_rows};
pub use seen::{Seen, Sight, attend};
pub use similar::{round_to_brain, similarities, similarity_of_rows};
pub use team::{Helper, Team};

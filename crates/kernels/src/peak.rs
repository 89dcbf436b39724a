//! The ceiling of a product: the instructions of its inner loop on registers alone, without
//! memory. Benchmarks state the share of it that a real product reaches. They are written in
//! assembly because a compiler would see through any loop that does no work.

use crate::cpu::Path;
use crate::{Cpu, Format};

/// Runs the inner loop's instructions `rounds` times and returns how many multiplications
/// (each with its addition) that were; the caller takes the time. Nothing on a path without
/// instructions of its own for the format.
pub fn peak(cpu: Cpu, format: Format, rounds: u64) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    return x86::peak(cpu.path(), cpu.has_brain_floats(), format).map(|(spin, products)| {
        spin(rounds);
        rounds * products
    });
    #[cfg(not(target_arch = "x86_64"))]
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Format, Path};
    use std::arch::asm;

    /// A loop and the multiplications of one round.
    type Spin = (fn(u64), u64);

    /// A loop whose body is the given instructions, for each of eight registers with sums.
    macro_rules! spin {
        ($name:ident, $($line:expr),+) => {
            #[expect(unsafe_code, reason = "the instructions themselves are what is measured")]
            fn $name(rounds: u64) {
                // SAFETY: the caller checked that the processor has the instructions; only
                // registers are touched, and all of them are named.
                unsafe {
                    asm!(
                        "2:",
                        $($line,)+
                        "dec {rounds}",
                        "jnz 2b",
                        rounds = inout(reg) rounds.max(1) => _,
                        out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                        out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                        out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                        out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                        options(nostack, nomem),
                    );
                }
            }
        };
    }

    /// The same three-operand instruction on ten registers.
    macro_rules! ten {
        ($name:ident, $op:literal, $kind:literal) => {
            spin!(
                $name,
                concat!($op, " ", $kind, "mm0, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm1, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm2, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm3, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm4, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm5, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm6, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm7, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm8, ", $kind, "mm14, ", $kind, "mm15"),
                concat!($op, " ", $kind, "mm9, ", $kind, "mm14, ", $kind, "mm15")
            );
        };
    }

    ten!(floats_256, "vfmadd231ps", "y");
    ten!(floats_512, "vfmadd231ps", "z");
    ten!(brain_512, "vdpbf16ps", "z");
    ten!(halves_512, "vpdpwssd", "z");
    ten!(bytes_512, "vpdpbusd", "z");
    spin!(
        halves_256,
        "vpmaddwd ymm8, ymm14, ymm15",
        "vpaddd ymm0, ymm0, ymm8",
        "vpmaddwd ymm9, ymm14, ymm15",
        "vpaddd ymm1, ymm1, ymm9",
        "vpmaddwd ymm10, ymm14, ymm15",
        "vpaddd ymm2, ymm2, ymm10",
        "vpmaddwd ymm11, ymm14, ymm15",
        "vpaddd ymm3, ymm3, ymm11"
    );
    // One step of `Lanes::dot_bytes` on AVX2 for two sums.
    spin!(
        bytes_256,
        "vpmaddubsw ymm4, ymm14, ymm15",
        "vpmaddubsw ymm5, ymm14, ymm15",
        "vpmaddubsw ymm6, ymm14, ymm15",
        "vpmaddubsw ymm7, ymm14, ymm15",
        "vpaddw ymm4, ymm4, ymm5",
        "vpaddw ymm6, ymm6, ymm7",
        "vpaddw ymm4, ymm4, ymm6",
        "vpmaddwd ymm4, ymm4, ymm13",
        "vpaddd ymm0, ymm0, ymm4",
        "vpmaddubsw ymm8, ymm14, ymm15",
        "vpmaddubsw ymm9, ymm14, ymm15",
        "vpmaddubsw ymm10, ymm14, ymm15",
        "vpmaddubsw ymm11, ymm14, ymm15",
        "vpaddw ymm8, ymm8, ymm9",
        "vpaddw ymm10, ymm10, ymm11",
        "vpaddw ymm8, ymm8, ymm10",
        "vpmaddwd ymm8, ymm8, ymm13",
        "vpaddd ymm1, ymm1, ymm8"
    );

    pub(super) fn peak(path: Path, brain: bool, format: Format) -> Option<Spin> {
        match (path, format) {
            (Path::Avx2, Format::Float) => Some((floats_256, 10 * 8)),
            (Path::Avx2, Format::Half) => Some((halves_256, 4 * 16)),
            (Path::Avx2, Format::Byte) => Some((bytes_256, 8 * 32)),
            (Path::Avx512, Format::Float) => Some((floats_512, 10 * 16)),
            (Path::Avx512, Format::Brain) if brain => Some((brain_512, 10 * 32)),
            (Path::Avx512, Format::Half) => Some((halves_512, 10 * 32)),
            (Path::Avx512, Format::Byte) => Some((bytes_512, 10 * 64)),
            _ => None,
        }
    }
}

//! How fast the products are: `cargo run --release -p kernels --example speed`.
//!
//! For each path and format of this processor it prints the ceiling (the instructions of the
//! inner loop alone), the speed of the four products of a MiniLM layer, one thread, and the
//! share of the ceiling.

use kernels::{Activation, Cpu, Format, Left, Linear, Matrix, peak};
use std::time::{Duration, Instant};

/// Outputs and inputs of the products of a layer.
const LAYER: [(usize, usize, Activation); 4] = [
    (1152, 384, Activation::None),
    (384, 384, Activation::None),
    (1536, 384, Activation::Gelu),
    (384, 1536, Activation::None),
];

fn main() {
    let rows: usize = std::env::args().nth(1).map_or(96, |rows| {
        rows.parse().expect("the number of rows, or nothing for 96")
    });
    println!("{rows} rows; billions of multiplications a second");
    for cpu in Cpu::available() {
        for format in [Format::Float, Format::Brain, Format::Half, Format::Byte] {
            let mut layer = Layer::new(cpu, format, rows);
            let product = best(|| layer.run());
            print!("{cpu:7} {format:6?} product {product:7.1}");
            match peak(cpu, format, 1) {
                Some(_) => {
                    let ceiling = best(|| peak(cpu, format, 2_000_000).unwrap_or_default());
                    println!(
                        "  ceiling {ceiling:7.1}  {:.0} %",
                        100.0 * product / ceiling
                    );
                }
                None => println!("  no instructions of its own"),
            }
        }
    }
}

struct Layer {
    products: Vec<Product>,
}

struct Product {
    matrix: Matrix,
    activation: Activation,
    /// `[rows, inputs]`
    input: Vec<f32>,
    left: Left,
    /// `[rows, outputs]`
    output: Vec<f32>,
}

impl Layer {
    fn new(cpu: Cpu, format: Format, rows: usize) -> Self {
        let product = |(outputs, inputs, activation)| {
            let weights: Vec<f32> = numbers(outputs * inputs, 61);
            let linear = Linear {
                weights: &weights,
                bias: &vec![0.1; outputs],
                magnitudes: &vec![1.0; inputs],
                precise_from: 0,
            };
            Product {
                matrix: Matrix::pack(cpu, format, linear),
                activation,
                input: numbers(rows * inputs, 37),
                left: Left::default(),
                output: vec![0.0; rows * outputs],
            }
        };
        Self {
            products: LAYER.into_iter().map(product).collect(),
        }
    }

    /// One layer, with the conversion of the left sides.
    fn run(&mut self) -> u64 {
        let mut count = 0;
        for product in &mut self.products {
            product.left.fill(&product.matrix, &product.input);
            let output = &mut product.output;
            product
                .matrix
                .multiply(&product.left, product.activation, output);
            count += (output.len() * product.matrix.inputs()) as u64;
        }
        count
    }
}

/// Some numbers from -0.5 to 0.5.
fn numbers(count: usize, period: usize) -> Vec<f32> {
    let number = |at: usize| (at % period) as f32 / period as f32 - 0.5;
    (0..count).map(number).collect()
}

/// The fastest of many runs, in billions a second.
fn best(mut run: impl FnMut() -> u64) -> f64 {
    let start = Instant::now();
    let mut fastest = 0.0_f64;
    while start.elapsed() < Duration::from_millis(600) {
        let start = Instant::now();
        let count = run();
        fastest = fastest.max(count as f64 / start.elapsed().as_secs_f64() / 1e9);
    }
    fastest
}

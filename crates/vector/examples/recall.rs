//! How good and how fast the graph is: `cargo run --release -p vector --example recall --
//! [options]`.
//!
//! Without a file it makes up vectors in clusters. A file holds little-endian floats, one
//! vector after the other. The last vectors are queries and are not put into the store.

use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;
use vector::{GraphOptions, Neighbour, VectorStore, Vectors};

const USAGE: &str = "options, each with a value: --file F32S --count N --dimensions N \
    --queries N --wanted N --threads N --connectivity N --expansion-add N";
struct Options {
    file: Option<PathBuf>,
    count: usize,
    dimensions: usize,
    queries: usize,
    /// Of so many nearest the graph should find all.
    wanted: usize,
    graph: GraphOptions,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = parse()?;
    let mut vectors = match &options.file {
        Some(file) => read(file)?,
        None => clustered(options.count + options.queries, options.dimensions),
    };
    let all = vectors.len() / options.dimensions;
    let count = options.count.min(all.saturating_sub(options.queries));
    let queries = vectors.split_off((all - options.queries) * options.dimensions);
    vectors.truncate(count * options.dimensions);

    let folder = tempfile::tempdir()?;
    let mut store = VectorStore::open(folder.path(), options.dimensions, 0)?;
    let start = Instant::now();
    for some in vectors.chunks(1000 * options.dimensions) {
        store.append(some)?;
    }
    store.flush()?;
    println!("{count} vectors appended in {:.1?}", start.elapsed());
    drop(vectors);

    let queries: Vec<&[f32]> = queries.chunks_exact(options.dimensions).collect();
    let exact = answers("scan", &store.reader(), &queries, options.wanted)?;
    let start = Instant::now();
    let built =
        store
            .reader()
            .build_graph(&options.graph, |_| true, |_| ControlFlow::Continue(()))?;
    println!("{:?}: built in {:.1?}", options.graph, start.elapsed());
    store.publish(built.ok_or("nobody broke off")?)?;
    let found = answers("graph", &store.reader(), &queries, options.wanted)?;
    println!("recall@{} {:.4}", options.wanted, recall(&exact, &found));
    report_files(&folder)
}

fn parse() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        file: None,
        count: 100_000,
        dimensions: 384,
        queries: 200,
        wanted: 10,
        graph: GraphOptions::new(1),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--file" => options.file = Some(value.into()),
            "--count" => options.count = usize::from_str(&value)?,
            "--dimensions" => options.dimensions = usize::from_str(&value)?,
            "--queries" => options.queries = usize::from_str(&value)?,
            "--wanted" => options.wanted = usize::from_str(&value)?,
            "--threads" => options.graph.threads = usize::from_str(&value)?,
            "--connectivity" => options.graph.connectivity = usize::from_str(&value)?,
            "--expansion-add" => options.graph.expansion_add = usize::from_str(&value)?,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn read(file: &PathBuf) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(file)?;
    let numbers = bytes.as_chunks().0;
    Ok(numbers
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect())
}

/// Vectors about a hundredth as many centres, in an order of their own.
fn clustered(count: usize, dimensions: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut number = move || {
        // SplitMix64 (Steele, Lea and Flood 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as i32 as f32 / i32::MAX as f32
    };
    let centres: Vec<f32> = (0..count.div_ceil(100) * dimensions)
        .map(|_| number())
        .collect();
    let centres: Vec<&[f32]> = centres.chunks_exact(dimensions).collect();
    let mut vectors = Vec::with_capacity(count * dimensions);
    for at in 0..count {
        let centre = centres[at.wrapping_mul(0x9e37_79b1) % centres.len()];
        let vector: Vec<f32> = centre.iter().map(|x| x + 0.7 * number()).collect();
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vectors.extend(vector.iter().map(|x| x / length));
    }
    vectors
}

/// The nearest of each query, after one round to warm up.
fn answers(
    what: &str,
    vectors: &Vectors,
    queries: &[&[f32]],
    wanted: usize,
) -> Result<Vec<Vec<Neighbour>>, Box<dyn Error>> {
    let mut answers = Vec::new();
    let mut times = Vec::new();
    for query in queries {
        black_box(vectors.nearest(query, wanted, -1.0, |_| true)?);
    }
    for query in queries {
        let start = Instant::now();
        answers.push(vectors.nearest(query, wanted, -1.0, |_| true)?);
        times.push(start.elapsed());
    }
    times.sort();
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    println!(
        "{what}: median {:.1?}, 95 of 100 within {:.1?}",
        at(50),
        at(95)
    );
    Ok(answers)
}

fn recall(exact: &[Vec<Neighbour>], found: &[Vec<Neighbour>]) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (exact, found) in exact.iter().zip(found) {
        all += exact.len();
        hits += exact.iter().filter(|one| found.contains(one)).count();
    }
    hits as f64 / all as f64
}

fn report_files(folder: &tempfile::TempDir) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(folder.path())? {
        let entry = entry?;
        let megabytes = entry.metadata()?.len() as f64 / 1e6;
        println!("{}: {megabytes:.1} MB", entry.file_name().display());
    }
    // Linux only; elsewhere there is no such file and nothing is said.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
    {
        println!("{line}");
    }
    Ok(())
}

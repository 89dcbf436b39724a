//! How good and how fast the graph is: `cargo run --release -p vector --example recall --
//! [options]`.
//!
//! Without a file it makes up vectors in clusters. A file holds little-endian floats, one
//! vector after the other. The last vectors are queries and are not put into the store.

use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};
use vector::{GraphOptions, Neighbour, VectorStore, Vectors};

const USAGE: &str = "options, each with a value: --file F32S --folder DIR --count N --dimensions N \
    --queries N --deviations N --wanted N,N,… \
    --threads N --connectivity N --expansion-add N";
/// How often a query is asked.
const ROUNDS: usize = 3;

struct Options {
    file: Option<PathBuf>,
    count: usize,
    dimensions: usize,
    queries: usize,
    /// Rows and graph are kept here, and used again.
    folder: Option<PathBuf>,
    /// Only what is so many standard deviations more similar than the average.
    deviations: Option<f32>,
    /// Of so many nearest the graph should find all; each is measured.
    wanted: Vec<usize>,
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

    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let is_kept = fs::exists(folder.join("rows.0000000000"))?;
    let known = if is_kept { count as u32 } else { 0 };
    let mut store = VectorStore::open(folder, options.dimensions, known)?;
    if !is_kept {
        for some in vectors.chunks(1000 * options.dimensions) {
            store.append(some)?;
        }
        store.flush()?;
    }
    drop(vectors);

    let queries: Vec<&[f32]> = queries.chunks_exact(options.dimensions).collect();
    let most = options.wanted.iter().copied().max().unwrap_or(10);
    let least = least(&store.reader(), &queries, options.deviations)?;
    let exact = exact(&store.reader(), &queries, most, &least)?;
    if store.reader().graph_slots() == 0 {
        let start = Instant::now();
        let built =
            store
                .reader()
                .build_graph(&options.graph, |_| true, |_| ControlFlow::Continue(()))?;
        println!("{:?}: built in {:.1?}", options.graph, start.elapsed());
        store.publish(built.ok_or("nobody broke off")?)?;
    }
    for &wanted in &options.wanted {
        let what = format!("nearest {wanted}");
        let found = answers(&what, &store.reader(), &queries, wanted, &least)?;
        for share in [10, wanted] {
            println!(
                "  of the first {share}: {:.4}",
                recall(&exact, &found, share)
            );
        }
    }
    report_files(folder)
}

fn parse() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        file: None,
        count: 100_000,
        dimensions: 384,
        queries: 200,
        folder: None,
        deviations: None,
        wanted: vec![10],
        graph: GraphOptions::new(1),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--file" => options.file = Some(value.into()),
            "--count" => options.count = usize::from_str(&value)?,
            "--dimensions" => options.dimensions = usize::from_str(&value)?,
            "--folder" => options.folder = Some(value.into()),
            "--queries" => options.queries = usize::from_str(&value)?,
            "--wanted" => {
                let all = value.split(',').map(usize::from_str);
                options.wanted = all.collect::<Result<_, _>>()?;
            }
            "--deviations" => options.deviations = Some(f32::from_str(&value)?),
            "--threads" => options.graph.threads = usize::from_str(&value)?,
            "--connectivity" => options.graph.connectivity = usize::from_str(&value)?,
            "--expansion-add" => options.graph.expansion_add = usize::from_str(&value)?,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn read(file: &PathBuf) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(file)?;
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

/// The least similarity of what each query finds, against a sample of all as a search has it.
fn least(
    vectors: &Vectors,
    queries: &[&[f32]],
    deviations: Option<f32>,
) -> Result<Vec<f32>, Box<dyn Error>> {
    let Some(deviations) = deviations else {
        return Ok(vec![-1.0; queries.len()]);
    };
    let mut all = Vec::new();
    for query in queries {
        let step = vectors.len().div_ceil(1024).max(1) as usize;
        let mut sample = Vec::new();
        for slot in (0..vectors.len()).step_by(step) {
            sample.push(vectors.similarity(slot, query)?);
        }
        let count = sample.len() as f32;
        let average = sample.iter().sum::<f32>() / count;
        let squares = sample.iter().map(|x| (x - average).powi(2)).sum::<f32>();
        all.push(average + deviations * (squares / count).sqrt());
    }
    Ok(all)
}

/// The nearest of each query among all.
fn exact(
    vectors: &Vectors,
    queries: &[&[f32]],
    wanted: usize,
    least: &[f32],
) -> Result<Vec<Vec<Neighbour>>, Box<dyn Error>> {
    let start = Instant::now();
    let mut answers = Vec::new();
    for (query, least) in queries.iter().zip(least) {
        answers.push(vectors.scan(query, 0..vectors.len(), wanted, *least)?);
    }
    let each = start.elapsed() / queries.len().max(1) as u32;
    let all: usize = answers.iter().map(Vec::len).sum();
    println!(
        "scan of {}: {each:.1?} a query, {:.1} found",
        vectors.len(),
        all as f64 / queries.len() as f64
    );
    Ok(answers)
}

/// The nearest of each query, and the time of the fastest of several rounds.
fn answers(
    what: &str,
    vectors: &Vectors,
    queries: &[&[f32]],
    wanted: usize,
    least: &[f32],
) -> Result<Vec<Vec<Neighbour>>, Box<dyn Error>> {
    let mut answers = Vec::new();
    let mut times = Vec::new();
    for (query, least) in queries.iter().zip(least) {
        let mut fastest = Duration::MAX;
        let mut answer = Vec::new();
        // Other work on the machine makes a search slower, never faster.
        for _ in 0..ROUNDS {
            let start = Instant::now();
            answer = vectors.nearest(query, wanted, *least, |_| true)?;
            fastest = fastest.min(start.elapsed());
        }
        answers.push(answer);
        times.push(fastest);
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

/// Of the first so many that the scan finds, the share that is somewhere in the other lists.
fn recall(exact: &[Vec<Neighbour>], found: &[Vec<Neighbour>], first: usize) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for (exact, found) in exact.iter().zip(found) {
        let found: HashSet<u32> = found.iter().map(|one| one.slot).collect();
        let exact = &exact[..first.min(exact.len())];
        all += exact.len();
        hits += exact.iter().filter(|one| found.contains(&one.slot)).count();
    }
    hits as f64 / all as f64
}

fn report_files(folder: &Path) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let megabytes = entry.metadata()?.len() as f64 / 1e6;
        println!("{}: {megabytes:.1} MB", entry.file_name().display());
    }
    // Linux only; elsewhere there is no such file and nothing is said.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
    {
        println!("{line}");
    }
    Ok(())
}

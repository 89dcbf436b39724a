//! The front door of the crate: a model in memory, ready for texts.

use crate::ModelError;
use crate::batch::Windows;
use crate::bert::{Bert, Packed, Work};
use crate::folder::{Model, Pooling, Tokenizer};
use crate::standby::Standby;
use kernels::{Cpu, Team};
use parking_lot::Mutex;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// How weights are kept and products computed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Precision {
    /// Four bytes a weight: the reference.
    F32,
    /// Two bytes a weight: brain floats where the processor multiplies them, otherwise 16-bit
    /// fixed point, whose error is smaller.
    Bf16,
    /// One byte a weight, with a scale for each output; inputs with a scale for each token.
    /// Embeddings, norms and attention stay in floats.
    #[default]
    Int8,
}

/// The words a model wants before a text, where it has any.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Prefix {
    #[default]
    None,
    Query,
    Passage,
}

/// What happens to a text beyond the model's limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LongText {
    /// The rest is not read.
    #[default]
    Cut,
    /// Cut into windows whose vectors are averaged by their tokens.
    Window,
}

/// How to open a model.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub precision: Precision,
    /// Threads that encode, at least one.
    pub threads: usize,
    pub long_text: LongText,
}

/// A model in memory, ready for texts. Shared between threads by reference.
#[derive(Debug)]
pub struct Encoder {
    bert: Bert,
    tokenizer: Tokenizer,
    pooling: Pooling,
    query_prefix: String,
    passage_prefix: String,
    max_tokens: usize,
    options: Options,
    /// Absent with one thread: then the caller's is enough.
    pool: Option<ThreadPool>,
    standby: Arc<Standby>,
    /// The memory of passes that have ended, for those to come.
    works: Mutex<Vec<Work>>,
}

/// The vectors of some texts, in their order.
#[derive(Clone, Debug, Default)]
pub struct Encoded {
    /// `[texts, dimensions]`, each row of length one.
    pub vectors: Vec<f32>,
    /// Tokens read of each text, the special ones included.
    pub tokens: Vec<usize>,
}

impl Encoder {
    /// Opens a model folder of the BERT family or an `e5-small-q4.bin` file.
    ///
    /// # Errors
    /// When the files are missing, damaged, or of a model that this crate cannot run; when
    /// `VITRINE_CPU` names a path that this processor lacks.
    pub fn open(path: &Path, options: Options) -> Result<Self, ModelError> {
        let cpu = Cpu::detect().map_err(|source| ModelError::Cpu { source })?;
        let threads = options.threads.max(1);
        let pool = ThreadPoolBuilder::new().num_threads(threads);
        let pool = pool.thread_name(|number| format!("encode-{number}"));
        let pool = pool.build().map_err(|source| ModelError::Threads {
            source: source.into(),
        })?;
        let model = Model::open(path)?;
        let bert = pool.install(|| Bert::new(model.weights, cpu, options.precision));
        Ok(Self {
            bert,
            tokenizer: model.tokenizer,
            pooling: model.pooling,
            query_prefix: model.query_prefix,
            passage_prefix: model.passage_prefix,
            max_tokens: model.max_tokens,
            options: Options { threads, ..options },
            pool: Some(pool).filter(|_| threads > 1),
            standby: Arc::default(),
            works: Mutex::default(),
        })
    }

    /// Numbers of a vector.
    pub fn dimensions(&self) -> usize {
        self.bert.shape().hidden
    }

    /// Most tokens of a text, the two special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// The instructions in use: `scalar`, `avx2` or `avx512`.
    pub fn cpu(&self) -> &'static str {
        self.bert.cpu().name()
    }

    /// How the model was opened.
    pub fn options(&self) -> Options {
        self.options
    }

    /// Encodes texts. The empty text is encoded as its two special tokens.
    ///
    /// # Errors
    /// When a text cannot be cut into tokens, or the model's numbers do not make a vector.
    pub fn encode(&self, texts: &[&str], prefix: Prefix) -> Result<Encoded, ModelError> {
        // Invited before the text is cut into tokens: to wake takes the helpers longer.
        let mut team = self.team(texts);
        let contents = self.contents(texts, prefix)?;
        let windows = Windows::cut(&contents, self.max_tokens, self.options.long_text);
        let hidden = self.dimensions();
        let mut pooled = vec![0.0; windows.len() * hidden];
        match windows.batches(self.options.threads).as_slice() {
            [all] => {
                let packed = windows.pack(&contents, all.clone(), self.around());
                self.pool_batch(&packed, &mut team, &mut pooled);
            }
            batches => {
                drop(team);
                self.pool_batches(&windows, &contents, batches, &mut pooled);
            }
        }
        let mut encoded = windows.join(&pooled, hidden, texts.len());
        for (text, vector) in encoded.vectors.chunks_exact_mut(hidden).enumerate() {
            kernels::normalise(self.bert.cpu(), vector);
            if !vector.iter().all(|number| number.is_finite()) {
                return Err(ModelError::NotFinite { text });
            }
        }
        Ok(encoded)
    }

    /// The calling thread and, for a few texts, those of the pool: many are encoded batch by
    /// batch, each by one thread.
    fn team(&self, texts: &[&str]) -> Team {
        match &self.pool {
            Some(pool) if texts.len() < FEWEST_TEXTS => {
                let team = Team::new(self.options.threads);
                for _ in 1..team.size() {
                    self.standby.invite(pool, team.helper());
                }
                team
            }
            _ => Team::new(1),
        }
    }

    /// The special tokens around each window.
    fn around(&self) -> (u32, u32) {
        (self.tokenizer.start, self.tokenizer.end)
    }

    /// Encodes several batches; each thread takes one after the other.
    fn pool_batches(
        &self,
        windows: &Windows,
        contents: &[Vec<u32>],
        batches: &[Range<usize>],
        pooled: &mut [f32],
    ) {
        let mut rest = pooled;
        let mut jobs = Vec::with_capacity(batches.len());
        for batch in batches {
            let (out, behind) = rest.split_at_mut(batch.len() * self.dimensions());
            jobs.push((batch.clone(), out));
            rest = behind;
        }
        let run = |(batch, out): (_, &mut [f32])| {
            let packed = windows.pack(contents, batch, self.around());
            self.pool_batch(&packed, &mut Team::new(1), out);
        };
        match &self.pool {
            Some(pool) => pool.install(|| jobs.into_par_iter().for_each(run)),
            None => jobs.into_iter().for_each(run),
        }
    }

    /// The tokens of each text, without the special ones.
    fn contents(&self, texts: &[&str], prefix: Prefix) -> Result<Vec<Vec<u32>>, ModelError> {
        let prefix = match prefix {
            Prefix::None => "",
            Prefix::Query => &self.query_prefix,
            Prefix::Passage => &self.passage_prefix,
        };
        let content = |text: &&str| {
            if prefix.is_empty() {
                self.tokenizer.content(text)
            } else {
                self.tokenizer.content(&format!("{prefix}{text}"))
            }
        };
        match &self.pool {
            Some(pool) if texts.len() >= FEWEST_TEXTS => {
                pool.install(|| texts.par_iter().map(content).collect())
            }
            _ => texts.iter().map(content).collect(),
        }
    }

    /// Encodes a batch and writes the pooled hidden states of its sequences.
    fn pool_batch(&self, packed: &Packed, team: &mut Team, out: &mut [f32]) {
        let (hidden, cpu) = (self.dimensions(), self.bert.cpu());
        let mut work = self.works.lock().pop().unwrap_or_default();
        let states = self.bert.forward(packed, team, &mut work);
        for (sequence, out) in packed.sequences().zip(out.chunks_exact_mut(hidden)) {
            let rows = &states[sequence.start * hidden..sequence.end * hidden];
            match self.pooling {
                Pooling::Mean => {
                    kernels::sum_rows(cpu, rows, out);
                    kernels::scale(cpu, out, 1.0 / sequence.len() as f32);
                }
                Pooling::Cls => out.copy_from_slice(&rows[..hidden]),
                Pooling::Max => kernels::max_rows(cpu, rows, out),
            }
        }
        self.works.lock().push(work);
    }
}

/// Fewer texts than this are cut into tokens sooner than threads are woken.
const FEWEST_TEXTS: usize = 8;

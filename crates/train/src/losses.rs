//! What is minimised, with its gradients.

use crate::product::{self, Into};
use crate::share::{Asked, Next, Pass};
use crate::sums::add_scaled;
use kernels::Cpu;

/// Next items whose logits are in memory at once, in one share.
const CHUNK: usize = 64;

/// Sums over a share or a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Losses {
    /// Negative log likelihood of the next items.
    pub retrieval: f64,
    /// BCE of the asks, all actions.
    pub actions: f64,
}

/// What the next item is told apart from.
#[derive(Clone, Copy)]
pub(crate) enum Targets<'a> {
    /// All rows of the vectors.
    All,
    /// The first rows, drawn; the logarithm of how often each is expected among them is
    /// taken from its logit, so that the sum over them estimates the sum over all items.
    Drawn {
        log_expected: &'a [f32],
        /// The item of each row of the batch: a drawn item that is the next one is no negative.
        items: &'a [u32],
    },
}

impl Targets<'_> {
    /// How many there are, of so many rows.
    fn count(self, rows: usize) -> usize {
        match self {
            Self::All => rows,
            Self::Drawn { log_expected, .. } => log_expected.len(),
        }
    }
}

/// Memory of the softmax.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    hidden: Vec<f32>,
    logits: Vec<f32>,
    d_hidden: Vec<f32>,
    chosen: Vec<f32>,
}

/// Softmax cross-entropy of the next items; adds to the gradients of outputs and vectors.
pub(crate) fn retrieval(
    pass: &Pass<'_>,
    nexts: &[Next],
    output: &[f32],
    scratch: &mut Scratch,
    d_output: &mut [f32],
    d_vectors: &mut [f32],
) -> f64 {
    let Ok(cpu) = Cpu::detect() else { return 0.0 };
    let width = pass.width;
    let columns = pass.targets.count(pass.vectors.len() / width);
    let vectors = &pass.vectors[..columns * width];
    let mut loss = 0.0;
    for nexts in nexts.chunks(CHUNK) {
        let Scratch {
            hidden,
            logits,
            d_hidden,
            chosen,
        } = scratch;
        hidden.clear();
        for next in nexts {
            hidden.extend_from_slice(&output[next.token * width..][..width]);
        }
        logits.resize(nexts.len() * columns, 0.0);
        product::by_transposed(hidden, vectors, width, logits, Into::Replace);
        d_hidden.resize(nexts.len() * width, 0.0);
        match pass.targets {
            Targets::All => {
                for (logits, next) in logits.chunks_exact_mut(columns).zip(nexts) {
                    kernels::softmax(cpu, logits, 1.0);
                    let likelihood = &mut logits[next.row as usize];
                    loss -= f64::from(likelihood.max(f32::MIN_POSITIVE).ln());
                    *likelihood -= 1.0;
                    kernels::scale(cpu, logits, pass.retrieval_weight);
                }
            }
            Targets::Drawn {
                log_expected,
                items,
            } => {
                chosen.clear();
                for ((logits, next), hidden) in logits
                    .chunks_exact_mut(columns)
                    .zip(nexts)
                    .zip(hidden.chunks_exact(width))
                {
                    let own = &pass.vectors[next.row as usize * width..][..width];
                    let own_logit = kernels::dot(cpu, hidden, own);
                    let (own_likelihood, lost) = drawn(
                        cpu,
                        logits,
                        own_logit,
                        log_expected,
                        items,
                        items[next.row as usize],
                    );
                    loss += lost;
                    kernels::scale(cpu, logits, pass.retrieval_weight);
                    chosen.push((own_likelihood - 1.0) * pass.retrieval_weight);
                }
            }
        }
        product::by(logits, vectors, columns, d_hidden, Into::Replace);
        product::transposed_by(
            logits,
            hidden,
            nexts.len(),
            &mut d_vectors[..columns * width],
            Into::Add,
        );
        if let Targets::Drawn { .. } = pass.targets {
            add_own(pass, nexts, chosen, hidden, (d_hidden, d_vectors));
        }
        for (d_hidden, next) in d_hidden.chunks_exact(width).zip(nexts) {
            add_scaled(&mut d_output[next.token * width..][..width], 1.0, d_hidden);
        }
    }
    loss
}

/// Adds what the logit of the next item itself, which is not among the drawn ones, gives.
fn add_own(
    pass: &Pass<'_>,
    nexts: &[Next],
    slopes: &[f32],
    hidden: &[f32],
    (d_hidden, d_vectors): (&mut [f32], &mut [f32]),
) {
    let width = pass.width;
    for (at, (next, &slope)) in nexts.iter().zip(slopes).enumerate() {
        let row = next.row as usize * width;
        let own = at * width..(at + 1) * width;
        add_scaled(
            &mut d_hidden[own.clone()],
            slope,
            &pass.vectors[row..row + width],
        );
        add_scaled(&mut d_vectors[row..row + width], slope, &hidden[own]);
    }
}

/// Makes likelihoods of the logits of drawn items beside that of the next one; answers its
/// likelihood and the loss.
fn drawn(
    cpu: Cpu,
    logits: &mut [f32],
    own: f32,
    log_expected: &[f32],
    items: &[u32],
    next: u32,
) -> (f32, f64) {
    for ((logit, log_expected), &item) in logits.iter_mut().zip(log_expected).zip(items) {
        *logit = if item == next {
            f32::MIN
        } else {
            *logit - log_expected
        };
    }
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    // The sum that the softmax divides by follows from the largest likelihood it gave.
    kernels::softmax(cpu, logits, 1.0);
    let largest = logits.iter().copied().fold(0.0, f32::max);
    let log_sum = if most == f32::MIN {
        f32::MIN
    } else {
        most - largest.ln()
    };
    // Of the next item against all drawn ones together.
    let own_likelihood = 1.0 / (1.0 + (log_sum - own).exp());
    kernels::scale(cpu, logits, 1.0 - own_likelihood);
    let loss = f64::from((log_sum - own).exp()).ln_1p();
    (
        own_likelihood,
        if loss.is_finite() {
            loss
        } else {
            f64::from(log_sum - own)
        },
    )
}

/// BCE of the actions; adds to the gradients of the head and of the outputs.
pub(crate) fn actions(
    pass: &Pass<'_>,
    asks: &[Asked],
    output: &[f32],
    gradients: &mut [f32],
    d_output: &mut [f32],
) -> f64 {
    let width = pass.width;
    let (weight, bias) = pass.tables.actions.of(pass.parameters);
    let (d_weight, d_bias) = pass.tables.actions.of_mut(gradients);
    let mut loss = 0.0;
    for ask in asks {
        let hidden = &output[ask.token * width..][..width];
        let d_hidden = &mut d_output[ask.token * width..][..width];
        for (action, done) in ask.actions.into_iter().enumerate() {
            let row = action * width..(action + 1) * width;
            let logit = bias[action]
                + weight[row.clone()]
                    .iter()
                    .zip(hidden)
                    .map(|(a, b)| a * b)
                    .sum::<f32>();
            // −log σ(z) for what was done, −log σ(−z) for what was not.
            let wrong = if done { -logit } else { logit };
            loss += f64::from(wrong.max(0.0) + (-wrong.abs()).exp().ln_1p());
            let slope = (sigmoid(logit) - f32::from(u8::from(done))) * pass.actions_weight;
            add_scaled(d_hidden, slope, &weight[row.clone()]);
            add_scaled(&mut d_weight[row], slope, hidden);
            d_bias[action] += slope;
        }
    }
    loss
}

pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

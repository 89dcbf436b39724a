//! The blocks of the affinity Transformer, packed for the kernels. All but attention is row by
//! row; attention is to tokens that are kept and to the row itself. What is kept, a shopper, an
//! event or a query, goes through every block and is not told apart here; candidates go through
//! the last ones and end in the logits of the actions.

use super::config::ACTIONS;
use super::weights::AffinityWeights;
use kernels::{
    Activation, Cpu, Format, LayerNorm, Left, Linear, Matrix, Room, Seen, Sight, add, attend,
};

/// Added to the variance of a layer norm.
const EPSILON: f32 = 1e-5;

/// Every block and the norm behind the last.
#[derive(Debug)]
pub(super) struct Network {
    cpu: Cpu,
    width: usize,
    heads: usize,
    layers: Vec<Layer>,
    /// The layer in which candidates join.
    joined: usize,
    norm: LayerNorm,
    actions: Actions,
}

/// The last feed-forward of a candidate and its head in one: the logits are linear in what both
/// take in, so that `[actions, 4 · width]` stands for `[width, 4 · width]`.
#[derive(Debug)]
struct Actions {
    /// `W_action · W_out`, `[actions, 4 · width]`, and both biases.
    of_wide: Matrix,
    /// `W_action`, `[actions, width]`, without its bias.
    of_token: Matrix,
}

#[derive(Debug)]
struct Layer {
    attention_norm: LayerNorm,
    /// Query, key and value in one product, `[3 · width, width]`.
    projections: Matrix,
    attention_output: Matrix,
    feed_forward_norm: LayerNorm,
    feed_forward_in: Matrix,
    feed_forward_out: Matrix,
}

/// The memory of a pass; kept, it allocates once.
#[derive(Debug, Default)]
pub(super) struct Work {
    left: Left,
    /// The left side of the product after that.
    next: Left,
    room: Room,
    /// A norm, then what attention found, `[rows, width]`.
    narrow: Vec<f32>,
    /// What a half of a block adds, `[rows, width]`; or to logits, `[rows, actions]`.
    sum: Vec<f32>,
    /// `[rows, 3 · width]`
    projections: Vec<f32>,
    /// `[rows, 4 · width]`; empty where the product is a left side at once.
    wide: Vec<f32>,
}

impl Network {
    pub fn new(weights: &AffinityWeights, cpu: Cpu, format: Format) -> Self {
        let config = weights.config();
        let loader = Loader {
            weights,
            cpu,
            format,
        };
        Self {
            cpu,
            width: config.width,
            heads: config.heads,
            layers: (0..config.layers)
                .map(|layer| loader.layer(&format!("layers.{layer}")))
                .collect(),
            joined: config.layers - config.candidate_layers,
            norm: loader.norm("norm"),
            actions: loader.actions(config.layers - 1),
        }
    }

    /// No tokens kept, one for each block.
    pub fn nothing_seen(&self) -> Vec<Seen> {
        let none = Seen::new(self.cpu, self.width, self.heads);
        vec![none; self.layers.len()]
    }

    /// Keeps tokens, `[tokens, width]`, in `seen`, as yet nothing, each having seen those before
    /// it. The last one becomes its last hidden state.
    pub fn keep_sequence(&self, tokens: &mut [f32], seen: &mut [Seen], work: &mut Work) {
        let Some(before) = tokens.len().checked_sub(self.width) else {
            return;
        };
        for (at, (layer, seen)) in self.layers.iter().zip(seen).enumerate() {
            self.project(layer, tokens, work);
            if at + 1 < self.layers.len() {
                seen.push(&work.projections);
                self.finish(layer, seen, Sight::Before, tokens, work);
            } else {
                // Of the others nobody asks what they become.
                seen.push(&work.projections[..3 * before]);
                work.projections.drain(..3 * before);
                self.finish(layer, seen, Sight::All, &mut tokens[before..], work);
                seen.push(&work.projections);
            }
        }
    }

    /// One more token, `[width]`, that sees all those kept is kept as well.
    pub fn keep_token(&self, token: &mut [f32], seen: &mut [Seen], work: &mut Work) {
        for (at, (layer, seen)) in self.layers.iter().zip(seen).enumerate() {
            self.project(layer, token, work);
            if at + 1 < self.layers.len() {
                self.finish(layer, seen, Sight::All, token, work);
            }
            // Its own projections are still there; it must not see itself twice.
            seen.push(&work.projections);
        }
    }

    /// The logits of the actions on candidates, `[rows, actions]`, each having seen what is
    /// kept and itself. Of the candidates, `[rows, width]`, nothing of use is left.
    pub fn judge(&self, rows: &mut [f32], seen: &[Seen], work: &mut Work, logits: &mut Vec<f32>) {
        let last = self.layers.len() - 1;
        for (at, (layer, seen)) in self.layers.iter().zip(seen).enumerate().skip(self.joined) {
            self.project(layer, rows, work);
            if at < last {
                self.finish(layer, seen, Sight::All, rows, work);
                continue;
            }
            let Actions { of_wide, of_token } = &self.actions;
            self.find(layer, seen, Sight::All, rows, work);
            self.widen(layer, of_wide, rows, work);
            let outputs = rows.len() / self.width * ACTIONS.len();
            logits.resize(outputs, 0.0);
            work.sum.resize(outputs, 0.0);
            of_wide.multiply(&work.next, Activation::None, logits);
            work.left.fill(of_token, rows);
            of_token.multiply(&work.left, Activation::None, &mut work.sum);
            add(self.cpu, logits, &work.sum);
        }
    }

    /// The norm behind the last block, `[rows, width]` both.
    pub fn normalise(&self, rows: &[f32], out: &mut [f32]) {
        self.norm.apply(self.cpu, rows, out);
    }

    /// The projections of rows at the start of a block, in `work.projections`.
    fn project(&self, layer: &Layer, rows: &[f32], work: &mut Work) {
        work.narrow.resize(rows.len(), 0.0);
        work.projections.resize(3 * rows.len(), 0.0);
        layer.attention_norm.apply(self.cpu, rows, &mut work.narrow);
        work.left.fill(&layer.projections, &work.narrow);
        let projections = &mut work.projections;
        layer
            .projections
            .multiply(&work.left, Activation::None, projections);
    }

    /// The rest of a block after [`Network::project`].
    fn finish(&self, layer: &Layer, seen: &Seen, sight: Sight, rows: &mut [f32], work: &mut Work) {
        self.find(layer, seen, sight, rows, work);
        let then = &layer.feed_forward_out;
        self.widen(layer, then, rows, work);
        then.multiply(&work.next, Activation::None, &mut work.sum);
        add(self.cpu, rows, &work.sum);
    }

    /// Adds to rows what their attention finds.
    fn find(&self, layer: &Layer, seen: &Seen, sight: Sight, rows: &mut [f32], work: &mut Work) {
        let Work {
            left,
            room,
            narrow,
            sum,
            projections,
            ..
        } = work;
        narrow.resize(rows.len(), 0.0);
        sum.resize(rows.len(), 0.0);
        attend(seen, projections, sight, room, narrow);
        left.fill(&layer.attention_output, narrow);
        layer.attention_output.multiply(left, Activation::None, sum);
        add(self.cpu, rows, sum);
    }

    /// The first half of a feed-forward, in `work.next` as the left side of the matrix after it.
    fn widen(&self, layer: &Layer, then: &Matrix, rows: &[f32], work: &mut Work) {
        let Work {
            left,
            next,
            narrow,
            wide,
            ..
        } = work;
        layer.feed_forward_norm.apply(self.cpu, rows, narrow);
        let matrix = &layer.feed_forward_in;
        left.fill(matrix, narrow);
        if then.takes_products() {
            for part in matrix.parts_for(then, 1, rows.len() / self.width, next) {
                matrix.multiply_part(left, Activation::Relu, part);
            }
        } else {
            wide.resize(4 * rows.len(), 0.0);
            matrix.multiply(left, Activation::Relu, wide);
            next.fill(then, wide);
        }
    }
}

/// Packs the tensors of a network.
pub(super) struct Loader<'a> {
    pub weights: &'a AffinityWeights,
    pub cpu: Cpu,
    pub format: Format,
}

impl Loader<'_> {
    fn layer(&self, name: &str) -> Layer {
        Layer {
            attention_norm: self.norm(&format!("{name}.attention.norm")),
            projections: self.matrix(&format!("{name}.attention.in")),
            attention_output: self.matrix(&format!("{name}.attention.out")),
            feed_forward_norm: self.norm(&format!("{name}.feed_forward.norm")),
            feed_forward_in: self.matrix(&format!("{name}.feed_forward.in")),
            feed_forward_out: self.matrix(&format!("{name}.feed_forward.out")),
        }
    }

    /// Multiplies the head of the actions with the last feed-forward, before anything is packed.
    fn actions(&self, last: usize) -> Actions {
        let width = self.weights.config().width;
        let [head, head_bias, out, out_bias] = [
            "actions.weight".to_owned(),
            "actions.bias".to_owned(),
            format!("layers.{last}.feed_forward.out.weight"),
            format!("layers.{last}.feed_forward.out.bias"),
        ]
        .map(|name| self.weights.tensor(&name));
        let mut weights = vec![0.0; ACTIONS.len() * 4 * width];
        let mut bias = head_bias.to_vec();
        for (action, head) in head.chunks_exact(width).enumerate() {
            let sums = &mut weights[action * 4 * width..][..4 * width];
            for ((weight, row), out_bias) in
                head.iter().zip(out.chunks_exact(4 * width)).zip(out_bias)
            {
                add_scaled(sums, *weight, row);
                bias[action] += weight * out_bias;
            }
        }
        Actions {
            of_wide: self.pack(self.format, &weights, &bias),
            of_token: self.pack(Format::Float, head, &[0.0; ACTIONS.len()]),
        }
    }

    fn matrix(&self, name: &str) -> Matrix {
        let weights = self.weights.tensor(&format!("{name}.weight"));
        self.pack(
            self.format,
            weights,
            self.weights.tensor(&format!("{name}.bias")),
        )
    }

    /// A layer without a bias; none where its tensor has no numbers.
    pub fn unbiased(&self, name: &str) -> Option<Matrix> {
        let weights = self.weights.tensor(&format!("{name}.weight"));
        let bias = vec![0.0; self.weights.config().width];
        (!weights.is_empty()).then(|| self.pack(self.format, weights, &bias))
    }

    fn pack(&self, format: Format, weights: &[f32], bias: &[f32]) -> Matrix {
        let linear = Linear {
            weights,
            bias,
            magnitudes: &[],
            precise_from: 0,
        };
        Matrix::pack(self.cpu, format, linear)
    }

    fn norm(&self, name: &str) -> LayerNorm {
        LayerNorm {
            weight: self.weights.tensor(&format!("{name}.weight")).to_vec(),
            bias: self.weights.tensor(&format!("{name}.bias")).to_vec(),
            epsilon: EPSILON,
        }
    }
}

fn add_scaled(to: &mut [f32], scale: f32, from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

//! What is minimised, on tensors: [`crate::losses`] once more.

use super::inputs::Inputs;
use super::weights::Weights;
use burn_tensor::Tensor;
use burn_tensor::activation::{log_sigmoid, log_softmax};
use burn_tensor::backend::AutodiffBackend;

/// What takes a drawn item out that is the next one itself.
const NEVER: f32 = -1e30;

/// The sum of the negative log likelihoods of the next items. `output` is of the tokens of
/// histories, `vectors` of the items of the batch.
pub(super) fn retrieval<B: AutodiffBackend>(
    inputs: &Inputs<B>,
    output: Tensor<B, 2>,
    vectors: Tensor<B, 2>,
) -> Tensor<B, 1> {
    let hidden = output.select(0, inputs.next_tokens.clone());
    let rows = inputs.next_rows.clone();
    let Some(log_expected) = &inputs.log_expected else {
        let logits = hidden.matmul(vectors.transpose());
        let likelihoods = log_softmax(logits, 1);
        return likelihoods.gather(1, rows.unsqueeze_dim(1)).sum().neg();
    };
    let columns = log_expected.dims()[1];
    let own = (hidden.clone() * vectors.clone().select(0, rows.clone())).sum_dim(1);
    let drawn = vectors.narrow(0, 0, columns);
    let logits = hidden.matmul(drawn.transpose()) - log_expected.clone();
    let items = inputs.items.clone();
    let nexts = items.clone().select(0, rows);
    let shape = logits.dims();
    let is_next = nexts.unsqueeze_dim::<2>(1).expand(shape).equal(
        items
            .narrow(0, 0, columns)
            .unsqueeze_dim::<2>(0)
            .expand(shape),
    );
    let logits = Tensor::cat(vec![own, logits.mask_fill(is_next, NEVER)], 1);
    log_softmax(logits, 1).narrow(1, 0, 1).sum().neg()
}

/// The sum of the binary cross-entropies of the asks, all actions. `output` is of candidates.
pub(super) fn actions<B: AutodiffBackend>(
    weights: &Weights<'_, B>,
    inputs: &Inputs<B>,
    output: Tensor<B, 2>,
) -> Tensor<B, 1> {
    let hidden = output.select(0, inputs.ask_tokens.clone());
    let weight = weights.matrix("actions.weight");
    let logits = hidden.matmul(weight.transpose()) + weights.row("actions.bias");
    log_sigmoid(logits * inputs.signs.clone()).sum().neg()
}

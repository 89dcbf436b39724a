//! The parameters of a model as tensors by name, cut out of the one row of numbers that they
//! are everywhere else.

use crate::layout::Layout;
use burn_tensor::Tensor;
use burn_tensor::backend::AutodiffBackend;
use std::collections::HashMap;

/// The parameters, each a leaf that gradients are asked for.
pub(super) struct Weights<'a, B: AutodiffBackend> {
    layout: &'a Layout,
    /// In the order of the layout, each with its shape still to come.
    leaves: Vec<Tensor<B, 1>>,
    places: HashMap<&'a str, usize>,
}

impl<'a, B: AutodiffBackend> Weights<'a, B> {
    /// Cuts the row into its tensors.
    pub fn new(layout: &'a Layout, row: &Tensor<B::InnerBackend, 1>) -> Self {
        let tensors = layout.tensors();
        let leaf = |range: std::ops::Range<usize>| {
            Tensor::from_inner(row.clone().slice([range])).require_grad()
        };
        Self {
            layout,
            leaves: tensors
                .iter()
                .map(|placed| leaf(placed.range.clone()))
                .collect(),
            places: tensors
                .iter()
                .enumerate()
                .map(|(at, placed)| (placed.name.as_str(), at))
                .collect(),
        }
    }

    /// A tensor of one dimension, as a row beside others.
    ///
    /// # Panics
    /// When there is none of the name: the layout is made by this crate.
    pub fn row(&self, name: &str) -> Tensor<B, 2> {
        let leaf = self.leaves[self.place(name)].clone();
        let [len] = leaf.dims();
        leaf.reshape([1, len])
    }

    /// A matrix.
    ///
    /// # Panics
    /// When there is none of the name: the layout is made by this crate.
    pub fn matrix(&self, name: &str) -> Tensor<B, 2> {
        let at = self.place(name);
        let shape = &self.layout.tensors()[at].shape;
        self.leaves[at].clone().reshape([shape[0], shape[1]])
    }

    /// The gradients as one row, in the order of the parameters.
    pub fn gradients(&self, found: &B::Gradients) -> Tensor<B::InnerBackend, 1> {
        let gradients = self.leaves.iter().map(|leaf| {
            // What a batch has no use for, a query or a profile, is in no product.
            leaf.grad(found)
                .unwrap_or_else(|| leaf.clone().inner().zeros_like())
        });
        Tensor::cat(gradients.collect(), 0)
    }

    fn place(&self, name: &str) -> usize {
        *self.places.get(name).expect("a tensor of the layout")
    }
}

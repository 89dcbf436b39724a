//! Where each tensor lies among all parameters, which are one row of numbers: so the
//! optimiser, the sum of gradients and a checkpoint need not know what they mean.

use std::ops::Range;

/// The places of named tensors.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    tensors: Vec<Placed>,
    len: usize,
}

/// One tensor.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub name: String,
    pub shape: Vec<usize>,
    pub range: Range<usize>,
}

/// A weight and the bias that follows it.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    weight: Range<usize>,
    bias: Range<usize>,
}

impl Layout {
    /// Lays tensors one behind the other, in the order given.
    pub fn new(tensors: impl IntoIterator<Item = (String, Vec<usize>)>) -> Self {
        let mut len = 0;
        let tensors = tensors
            .into_iter()
            .map(|(name, shape)| {
                let start = len;
                len += shape.iter().product::<usize>();
                Placed {
                    name,
                    shape,
                    range: start..len,
                }
            })
            .collect();
        Self { tensors, len }
    }

    /// The tensors from a place on, as if there were no others.
    pub fn behind(&self, start: usize) -> Self {
        let later = self
            .tensors
            .iter()
            .filter(|placed| placed.range.start >= start);
        Self::new(later.map(|placed| (placed.name.clone(), placed.shape.clone())))
    }

    /// Numbers in all tensors.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn tensors(&self) -> &[Placed] {
        &self.tensors
    }

    /// The place of a tensor, if it is there.
    pub fn find(&self, name: &str) -> Option<Range<usize>> {
        let found = self.tensors.iter().find(|placed| placed.name == name)?;
        Some(found.range.clone())
    }

    /// The weight and the bias of a layer.
    ///
    /// # Panics
    /// When they are not there, one behind the other: the layout is made by this crate.
    pub fn pair(&self, layer: &str) -> Pair {
        let place = |part: &str| {
            self.find(&format!("{layer}.{part}"))
                .expect("a tensor of the layout")
        };
        let pair = Pair {
            weight: place("weight"),
            bias: place("bias"),
        };
        assert_eq!(
            pair.weight.end, pair.bias.start,
            "a bias follows its weight"
        );
        pair
    }
}

impl Pair {
    pub fn of<'a>(&self, numbers: &'a [f32]) -> (&'a [f32], &'a [f32]) {
        numbers[self.weight.start..self.bias.end].split_at(self.weight.len())
    }

    pub fn of_mut<'a>(&self, numbers: &'a mut [f32]) -> (&'a mut [f32], &'a mut [f32]) {
        numbers[self.weight.start..self.bias.end].split_at_mut(self.weight.len())
    }
}

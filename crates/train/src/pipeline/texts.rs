//! The vectors of items' texts and of queries as one table each. Vectors from outside may be
//! missing, of another size or no numbers; those are left out.

use super::input::Input;

/// The vectors that can be used.
pub(crate) struct Texts {
    pub dimensions: usize,
    /// `[items, dimensions]`, zeros where an item has none.
    pub items: Vec<f32>,
    pub items_with_text: usize,
    /// `[queries, dimensions]`
    pub queries: Vec<f32>,
    /// The row of each query of the input that has a vector.
    pub query_rows: Vec<Option<u32>>,
}

impl Texts {
    /// Those of some items, and of all queries; their size is that of the first item's.
    pub fn of(input: &Input, rows: &[u32]) -> Self {
        let vector = |item: &u32| input.items[*item as usize].vector.as_deref().filter(usable);
        let dimensions = rows.iter().find_map(vector).map_or(0, <[f32]>::len);
        let fits = |vector: &&[f32]| usable(vector) && vector.len() == dimensions;
        let mut texts = Self {
            dimensions,
            items: vec![0.0; dimensions * rows.len()],
            items_with_text: 0,
            queries: Vec::new(),
            query_rows: Vec::with_capacity(input.queries.len()),
        };
        let places = texts.items.chunks_exact_mut(dimensions.max(1));
        for (place, item) in places.zip(rows) {
            if let Some(vector) = vector(item).filter(fits) {
                place.copy_from_slice(vector);
                texts.items_with_text += 1;
            }
        }
        let mut next = 0;
        for query in &input.queries {
            let vector = query.as_deref().filter(fits);
            texts.query_rows.push(vector.map(|vector| {
                texts.queries.extend_from_slice(vector);
                next += 1;
                next - 1
            }));
        }
        texts
    }
}

fn usable(vector: &&[f32]) -> bool {
    !vector.is_empty() && vector.iter().all(|number| number.is_finite())
}

//! What a shopper did before the events that the model sees: the mean of the texts of those
//! items, `u` of `docs/affinity.md`.

use crate::data::{Dataset, Event};
use crate::sums::add_scaled;
use models::affinity::{DISLIKE, PROFILE_EVENTS};

/// The profile of events; none where no event has a text.
pub(crate) fn profile(data: &Dataset, older: &[Event]) -> Option<Vec<f32>> {
    let newest = &older[older.len().saturating_sub(PROFILE_EVENTS)..];
    let size = data.text_dimensions;
    let texts: Vec<&[f32]> = newest
        .iter()
        .filter(|event| event.kind != DISLIKE)
        .filter_map(|event| {
            data.texts
                .chunks_exact(size.max(1))
                .nth(event.item as usize)
        })
        .filter(|text| text.iter().any(|number| *number != 0.0))
        .collect();
    if texts.is_empty() {
        return None;
    }
    let mut mean = vec![0.0; size];
    for text in &texts {
        add_scaled(&mut mean, 1.0 / texts.len() as f32, text);
    }
    Some(mean)
}

//! How texts become batches. A text is cut into windows that fit the model; windows are
//! packed one behind the other until a batch has tokens enough to keep the kernels busy; in
//! the end the windows of a text become one vector again.

use crate::bert::Packed;
use crate::encoder::{Encoded, LongText};
use std::ops::Range;

/// Tokens of a batch, more or less: enough that a weight read from memory is used many times, few enough
/// that the batch stays in the second cache.
const BATCH_TOKENS: usize = 128;
/// The tokens before and after every window.
const SPECIAL: usize = 2;

/// A part of a text that fits the model.
#[derive(Clone, Debug)]
struct Window {
    text: usize,
    /// Its tokens among those of the text.
    content: Range<usize>,
}

/// The windows of some texts, in the order of the texts.
#[derive(Debug)]
pub(crate) struct Windows(Vec<Window>);

impl Windows {
    /// Cuts texts, given by their tokens, into windows of at most `max_tokens`.
    pub fn cut(contents: &[Vec<u32>], max_tokens: usize, long: LongText) -> Self {
        let most = max_tokens.saturating_sub(SPECIAL).max(1);
        let mut windows = Vec::with_capacity(contents.len());
        for (text, content) in contents.iter().enumerate() {
            let len = match long {
                LongText::Cut => content.len().min(most),
                LongText::Window => content.len(),
            };
            // Windows of one length: a last one of three words would say little.
            let size = len.div_ceil(len.div_ceil(most).max(1)).max(1);
            let mut start = 0;
            loop {
                let end = (start + size).min(len);
                windows.push(Window {
                    text,
                    content: start..end,
                });
                start = end;
                if start >= len {
                    break;
                }
            }
        }
        Self(windows)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Ranges of windows that are encoded together, of nearly as many tokens each and as many
    /// for every thread, so that none waits long for the last one.
    pub fn batches(&self, threads: usize) -> Vec<Range<usize>> {
        let size = |window: &Window| window.content.len() + SPECIAL;
        let all: usize = self.0.iter().map(size).sum();
        let round = BATCH_TOKENS * threads.max(1);
        let count = threads.max(1) * ((all + round / 2) / round).max(1);
        let mut batches: Vec<Range<usize>> = Vec::with_capacity(count);
        let (mut tokens, mut last) = (0, 0);
        for (place, window) in self.0.iter().enumerate() {
            // A window belongs where its middle is.
            let number = (2 * tokens + size(window)) * count / (2 * all);
            tokens += size(window);
            match batches.last_mut() {
                Some(batch) if number == last => batch.end = place + 1,
                _ => batches.push(place..place + 1),
            }
            last = number;
        }
        batches
    }

    /// The tokens of some windows, each with the special ones around.
    pub fn pack(&self, contents: &[Vec<u32>], batch: Range<usize>, around: (u32, u32)) -> Packed {
        let mut packed = Packed::default();
        for window in &self.0[batch] {
            packed.tokens.push(around.0);
            let content = &contents[window.text][window.content.clone()];
            packed.tokens.extend_from_slice(content);
            packed.tokens.push(around.1);
            packed.ends.push(packed.tokens.len());
        }
        packed
    }

    /// The vectors of the texts from those of their windows, `[windows, hidden]`: averaged by
    /// tokens, not yet of length one.
    pub fn join(&self, pooled: &[f32], hidden: usize, texts: usize) -> Encoded {
        let mut encoded = Encoded {
            vectors: vec![0.0; texts * hidden],
            tokens: vec![0; texts],
        };
        for (window, vector) in self.0.iter().zip(pooled.chunks_exact(hidden)) {
            let tokens = window.content.len() + SPECIAL;
            encoded.tokens[window.text] += tokens;
            let sums = &mut encoded.vectors[window.text * hidden..][..hidden];
            for (sum, number) in sums.iter_mut().zip(vector) {
                *sum += number * tokens as f32;
            }
        }
        encoded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(lengths: &[usize]) -> Vec<Vec<u32>> {
        lengths
            .iter()
            .map(|&len| (0..len as u32).collect())
            .collect()
    }

    fn lengths(windows: &Windows) -> Vec<(usize, usize)> {
        let windows = windows.0.iter();
        windows
            .map(|window| (window.text, window.content.len()))
            .collect()
    }

    #[test]
    fn a_long_text_is_cut_or_becomes_windows_of_one_length() {
        let texts = texts(&[0, 8, 9, 17]);
        let cut = Windows::cut(&texts, 10, LongText::Cut);
        assert_eq!(lengths(&cut), [(0, 0), (1, 8), (2, 8), (3, 8)]);
        let windows = Windows::cut(&texts, 10, LongText::Window);
        let expected = [(0, 0), (1, 8), (2, 5), (2, 4), (3, 6), (3, 6), (3, 5)];
        assert_eq!(lengths(&windows), expected);
    }

    #[test]
    fn every_window_is_in_one_batch_in_order() {
        let texts = texts(&[3, 200, 1, 90, 90, 0, 40, 40, 40]);
        for threads in 1..5 {
            let windows = Windows::cut(&texts, 128, LongText::Window);
            let batches = windows.batches(threads);
            let places: Vec<usize> = batches.into_iter().flatten().collect();
            assert_eq!(places, (0..windows.len()).collect::<Vec<_>>());
        }
        assert!(Windows::cut(&[], 128, LongText::Cut).batches(2).is_empty());
    }

    #[test]
    fn batches_are_of_one_size_and_as_many_for_each_thread() {
        let texts = texts(&[16; 64]);
        let windows = Windows::cut(&texts, 128, LongText::Cut);
        for (threads, count) in [(1, 9), (2, 10), (3, 9), (64, 64)] {
            let batches = windows.batches(threads);
            assert_eq!(batches.len(), count, "{threads} threads");
            let sizes = batches.iter().map(Range::len);
            let (least, most) = (sizes.clone().min(), sizes.max());
            assert!(
                most <= least.map(|least| least + 1),
                "{least:?} to {most:?}"
            );
        }
    }

    #[test]
    fn windows_are_packed_with_special_tokens_and_joined_by_their_tokens() {
        let texts = vec![vec![7, 8, 9], vec![]];
        let windows = Windows::cut(&texts, 4, LongText::Window);
        let packed = windows.pack(&texts, 0..3, (1, 2));
        assert_eq!(packed.tokens, [1, 7, 8, 2, 1, 9, 2, 1, 2]);
        assert_eq!(packed.ends, [4, 7, 9]);
        let joined = windows.join(&[1.0, 0.0, 0.0, 1.0, 5.0, 5.0], 2, 2);
        assert_eq!(joined.tokens, [7, 2]);
        assert_eq!(joined.vectors, [4.0, 3.0, 10.0, 10.0]);
    }
}

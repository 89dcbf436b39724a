//! Reading postings: documents with a word, or with words side by side.
//!
//! A word is read in whole blocks. Words side by side are found by walking
//! their lists together and comparing positions.

use crate::bits::Bits;
use crate::snapshot::{Core, Segment, Text};
use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, InvertedIndexReader, TERMINATED, TantivyError, Term};

/// Calls `meet` with every document that has the word, and how often.
pub(crate) fn each_word(
    postings: &InvertedIndexReader,
    field: Field,
    word: &str,
    mut meet: impl FnMut(u32, u32),
) -> Result<(), TantivyError> {
    let term = Term::from_field_text(field, word);
    if let Some(mut block) = postings.read_block_postings(&term, IndexRecordOption::WithFreqs)? {
        while block.block_len() > 0 {
            for (doc, count) in block.docs().iter().zip(block.freqs()) {
                meet(*doc, *count);
            }
            block.advance();
        }
    }
    Ok(())
}

/// The documents of a segment that carry a term of a field without frequencies.
pub(crate) fn insert_all(
    postings: &InvertedIndexReader,
    field: Field,
    word: &str,
    bits: &mut Bits,
) -> Result<(), TantivyError> {
    let term = Term::from_field_text(field, word);
    if let Some(mut block) = postings.read_block_postings(&term, IndexRecordOption::Basic)? {
        while block.block_len() > 0 {
            block.docs().iter().for_each(|doc| bits.insert(*doc));
            block.advance();
        }
    }
    Ok(())
}

/// The documents of a segment that have any of the words or phrases, wherever.
pub(crate) fn excluded(
    core: &Core,
    segment: &Segment,
    unwanted: &[Vec<String>],
) -> Result<Bits, TantivyError> {
    let mut bits = Bits::none(segment.reader.max_doc());
    for words in unwanted {
        if let [word] = words.as_slice() {
            insert_all(&segment.words, core.fields.words, word, &mut bits)?;
            continue;
        }
        for (field, text) in segment.texts.iter().enumerate() {
            each_phrase(core, text, field, words, |doc, _| bits.insert(doc))?;
        }
    }
    Ok(bits)
}

/// Calls `meet` with every document that has the words side by side, and how often.
pub(crate) fn each_phrase(
    core: &Core,
    text: &Text,
    field: usize,
    words: &[String],
    mut meet: impl FnMut(u32, u32),
) -> Result<(), TantivyError> {
    let mut lists = Vec::with_capacity(words.len());
    for word in words {
        let term = Term::from_field_text(core.fields.texts[field].field, word);
        let option = IndexRecordOption::WithFreqsAndPositions;
        match text.postings.read_postings(&term, option)? {
            Some(list) => lists.push(list),
            None => return Ok(()),
        }
    }
    let mut doc = lists.first().map_or(TERMINATED, |list| list.doc());
    let (mut starts, mut positions) = (Vec::new(), Vec::new());
    'documents: while doc != TERMINATED {
        for list in &mut lists {
            if list.doc() < doc {
                list.seek(doc);
            }
            if list.doc() > doc {
                doc = list.doc();
                continue 'documents;
            }
        }
        for (offset, list) in lists.iter_mut().enumerate() {
            // Positions as if the word were the first of the phrase.
            list.positions(&mut positions);
            positions.retain(|position| *position >= offset as u32);
            positions
                .iter_mut()
                .for_each(|position| *position -= offset as u32);
            if offset == 0 {
                std::mem::swap(&mut starts, &mut positions);
            } else {
                starts.retain(|start| positions.binary_search(start).is_ok());
            }
        }
        if !starts.is_empty() {
            meet(doc, starts.len() as u32);
        }
        doc = lists.first_mut().map_or(TERMINATED, |list| list.advance());
    }
    Ok(())
}

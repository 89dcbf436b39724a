//! The scores of a trained affinity model, for whoever compares them with their own: questions
//! as lines of JSON on stdin, answers as lines of JSON on stdout. `examples/pytorch` asks them.
//!
//! `cargo run -p models --example affinity_scores -- FOLDER < questions.ndjson`

use kernels::{Cpu, Format};
use models::affinity::{Affinity, AffinityRoom, EventInput, ItemInput};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

#[derive(Deserialize)]
struct Question {
    items: Vec<Item>,
    events: Vec<Event>,
    /// Places among the items.
    candidates: Vec<usize>,
    shopper: Option<Vec<f32>>,
    query: Option<Vec<f32>>,
}

#[derive(Deserialize)]
struct Item {
    text: Option<Vec<f32>>,
    id: Option<u32>,
    fields: Vec<u32>,
}

#[derive(Deserialize)]
struct Event {
    /// A place among the items.
    item: usize,
    kind: u32,
    gap: u32,
    quantity: u32,
}

#[derive(Serialize)]
struct Answer {
    /// Of view, cart and purchase, for each candidate.
    probabilities: Vec<[f32; 3]>,
    /// The logit of each item being next.
    next: Vec<f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1);
    let folder = folder.ok_or("give the folder of a model")?;
    let (model, _) = Affinity::open(Path::new(&folder), Cpu::detect()?, Format::Float)?;
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = answer(&model, &serde_json::from_str(&line?)?);
        serde_json::to_writer(&mut out, &answer)?;
        writeln!(out)?;
    }
    Ok(())
}

fn answer(model: &Affinity, question: &Question) -> Answer {
    let size = model.config().vector_size();
    let inputs: Vec<ItemInput<'_>> = question
        .items
        .iter()
        .map(|item| ItemInput {
            text: item.text.as_deref(),
            id: item.id,
            fields: &item.fields,
        })
        .collect();
    let mut vectors = vec![0.0; inputs.len() * size];
    model.item_vectors(&inputs, &mut vectors);
    let vector = |place: usize| &vectors[place * size..][..size];
    let events: Vec<EventInput<'_>> = question
        .events
        .iter()
        .map(|event| EventInput {
            item: Some(vector(event.item)),
            kind: event.kind,
            gap: event.gap,
            quantity: event.quantity,
        })
        .collect();
    let mut room = AffinityRoom::default();
    let history = model.history(question.shopper.as_deref(), &events, &mut room);
    let candidates: Vec<f32> = question
        .candidates
        .iter()
        .flat_map(|&place| vector(place).to_vec())
        .collect();
    let mut scores = Vec::new();
    let query = question.query.as_deref();
    model.score(&history, query, &candidates, &mut room, &mut scores);
    let wanted = model.retrieval(&history).unwrap_or_default();
    let logit = |item: &[f32]| item.iter().zip(wanted).map(|(a, b)| a * b).sum();
    Answer {
        probabilities: scores
            .iter()
            .map(|score| [score.view, score.cart, score.purchase])
            .collect(),
        next: vectors.chunks_exact(size).map(logit).collect(),
    }
}

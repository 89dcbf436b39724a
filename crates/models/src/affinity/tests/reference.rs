//! The maths of `docs/affinity.md` in plain loops and double precision. One candidate behind a
//! history and a query is a sequence in which each token sees those before it and itself.

use crate::affinity::*;

pub(super) struct Reference<'a>(pub &'a AffinityWeights);

impl Reference<'_> {
    fn numbers(&self, name: &str) -> Vec<f64> {
        let numbers = self.0.tensor(name).iter();
        numbers.map(|&number| f64::from(number)).collect()
    }

    fn row(&self, name: &str, row: usize) -> Vec<f64> {
        let width = self.0.config().width;
        self.numbers(name)[row * width..][..width].to_vec()
    }

    pub fn item(&self, item: &ItemInput<'_>) -> Vec<f64> {
        let config = self.0.config();
        let mut vector = vec![0.0; config.width];
        if let Some(text) = item.text.filter(|text| !text.is_empty()) {
            add(
                &mut vector,
                &matrix(&self.numbers("item.text.weight"), &widened(text)),
            );
        }
        if let Some(id) = item.id {
            add(&mut vector, &self.row("item.id", id as usize));
        }
        for (field, &value) in config.fields.iter().zip(item.fields) {
            let table = format!("item.field.{}", field.name);
            add(&mut vector, &self.row(&table, value as usize));
        }
        vector
    }

    /// The likeness vector of an item.
    pub fn like(&self, item: &ItemInput<'_>) -> Vec<f64> {
        let Some(likeness) = self.0.config().likeness else {
            return Vec::new();
        };
        let Some(text) = item.text else {
            return vec![0.0; likeness.dimensions];
        };
        let mut like = matrix(&self.numbers("likeness.weight"), &widened(text));
        add(&mut like, &self.numbers("likeness.bias"));
        unit(like)
    }

    /// What a history wants of likeness.
    pub fn wanted(&self, events: &[EventInput<'_>]) -> Vec<f64> {
        let Some(likeness) = self.0.config().likeness else {
            return Vec::new();
        };
        let mut sum = vec![0.0; likeness.dimensions];
        let start = events.len().saturating_sub(self.0.config().max_history);
        let items = events[start..].iter().filter(|event| event.kind != 5);
        let items: Vec<&[f32]> = items.filter_map(|event| event.item).collect();
        for (back, item) in items.iter().rev().enumerate() {
            let weight = f64::from(likeness.fading).powi(back as i32);
            let like = widened(&item[self.0.config().width..]);
            add(
                &mut sum,
                &like.iter().map(|x| x * weight).collect::<Vec<_>>(),
            );
        }
        let strength = f64::from(likeness.strength);
        unit(sum).into_iter().map(|x| x * strength).collect()
    }

    fn text(&self, name: &str, text: &[f32], mark: usize) -> Vec<f64> {
        let mut token = self.row("marks", mark);
        if !text.is_empty() {
            add(&mut token, &matrix(&self.numbers(name), &widened(text)));
        }
        token
    }

    /// The tokens of a shopper and the newest events.
    pub fn history(&self, shopper: Option<&[f32]>, events: &[EventInput<'_>]) -> Vec<Vec<f64>> {
        let mut tokens = Vec::new();
        if let Some(profile) = shopper {
            tokens.push(self.text("shopper.weight", profile, 1));
        }
        for (at, event) in events.iter().enumerate() {
            let position = events.len() - 1 - at;
            if position >= self.0.config().max_history {
                continue;
            }
            let width = self.0.config().width;
            let mut token = event
                .item
                .map_or(vec![0.0; width], |item| widened(&item[..width]));
            add(&mut token, &self.row("event.kind", event.kind as usize));
            add(&mut token, &self.row("event.gap", event.gap as usize));
            add(
                &mut token,
                &self.row("event.quantity", event.quantity as usize),
            );
            add(&mut token, &self.row("event.position", position));
            tokens.push(token);
        }
        tokens
    }

    fn query(&self, query: &[f32]) -> Vec<f64> {
        self.text("query.weight", query, 0)
    }

    /// The probabilities of the actions on an item behind some tokens, and a query behind them.
    pub fn score(&self, before: &[Vec<f64>], query: Option<&[f32]>, item: &[f32]) -> Vec<f64> {
        let mut candidate = self.row("marks", 2);
        add(&mut candidate, &widened(&item[..self.0.config().width]));
        let calibration = self.0.config().calibration(query.is_some());
        let query = query.map(|query| self.query(query));
        if let Some(query) = &query {
            candidate
                .iter_mut()
                .zip(query)
                .for_each(|(x, by)| *x *= 1.0 + by);
        }
        let config = self.0.config();
        let joined = config.layers - config.candidate_layers;
        let tokens = before
            .iter()
            .cloned()
            .chain(query)
            .chain([candidate])
            .collect();
        let token = self.last_token(tokens, joined);
        let mut logits = matrix(&self.numbers("actions.weight"), &token);
        add(&mut logits, &self.numbers("actions.bias"));
        let calibrated = logits.iter().zip(calibration);
        calibrated
            .map(|(logit, Calibration { scale, offset })| {
                1.0 / (1.0 + (-(logit * f64::from(*scale) + f64::from(*offset))).exp())
            })
            .collect()
    }

    /// `h` of the last token, which goes through all layers.
    pub fn last_hidden(&self, tokens: Vec<Vec<f64>>) -> Vec<f64> {
        self.norm("norm", &self.last_token(tokens, 0))
    }

    /// What becomes of the last token, which joins in a layer.
    fn last_token(&self, mut tokens: Vec<Vec<f64>>, joined: usize) -> Vec<f64> {
        for layer in 0..self.0.config().layers {
            let present = tokens.len() - usize::from(layer < joined);
            let part = |name: &str| format!("layers.{layer}.{name}");
            let normal: Vec<Vec<f64>> = tokens
                .iter()
                .map(|token| self.norm(&part("attention.norm"), token))
                .collect();
            let projected: Vec<Vec<f64>> = normal
                .iter()
                .map(|token| self.linear(&part("attention.in"), token))
                .collect();
            for (at, token) in tokens[..present].iter_mut().enumerate() {
                let found = self.attention(&projected[..=at]);
                add(token, &self.linear(&part("attention.out"), &found));
                let normal = self.norm(&part("feed_forward.norm"), token);
                let wide = self.linear(&part("feed_forward.in"), &normal);
                let wide: Vec<f64> = wide.into_iter().map(|x| x.max(0.0)).collect();
                add(token, &self.linear(&part("feed_forward.out"), &wide));
            }
        }
        tokens.pop().expect("a token")
    }

    /// What the last of some tokens finds in all of them.
    fn attention(&self, projected: &[Vec<f64>]) -> Vec<f64> {
        let config = self.0.config();
        let (width, size) = (config.width, config.width / config.heads);
        let query = &projected[projected.len() - 1][..width];
        let mut out = Vec::new();
        for head in 0..config.heads {
            let part = head * size..(head + 1) * size;
            let scores = projected.iter().map(|token| {
                let key = &token[width..2 * width][part.clone()];
                dot(&query[part.clone()], key) / (size as f64).sqrt()
            });
            let scores: Vec<f64> = scores.collect();
            let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
            let total: f64 = shares.iter().sum();
            for at in part {
                let values = projected.iter().zip(&shares);
                out.push(
                    values
                        .map(|(t, share)| t[2 * width + at] * share / total)
                        .sum(),
                );
            }
        }
        out
    }

    fn linear(&self, name: &str, input: &[f64]) -> Vec<f64> {
        let mut out = matrix(&self.numbers(&format!("{name}.weight")), input);
        add(&mut out, &self.numbers(&format!("{name}.bias")));
        out
    }

    fn norm(&self, name: &str, row: &[f64]) -> Vec<f64> {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let squares: f64 = row.iter().map(|x| (x - mean) * (x - mean)).sum();
        let deviation = (squares / row.len() as f64 + 1e-5).sqrt();
        let weight = self.numbers(&format!("{name}.weight"));
        let bias = self.numbers(&format!("{name}.bias"));
        let parameters = weight.iter().zip(&bias);
        row.iter()
            .zip(parameters)
            .map(|(x, (weight, bias))| (x - mean) / deviation * weight + bias)
            .collect()
    }
}

fn widened(row: &[f32]) -> Vec<f64> {
    row.iter().map(|&number| f64::from(number)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// At length one; zeros stay zeros.
fn unit(row: Vec<f64>) -> Vec<f64> {
    let length = dot(&row, &row).sqrt();
    match length > 0.0 {
        true => row.into_iter().map(|x| x / length).collect(),
        false => row,
    }
}

fn add(row: &mut [f64], more: &[f64]) {
    for (number, more) in row.iter_mut().zip(more) {
        *number += more;
    }
}

/// `[outputs, inputs]` times `[inputs]`.
fn matrix(weights: &[f64], input: &[f64]) -> Vec<f64> {
    let rows = weights.chunks_exact(input.len());
    rows.map(|row| dot(row, input)).collect()
}

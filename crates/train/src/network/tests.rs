//! Gradients against differences of the loss.

use super::*;

const WIDTH: usize = 8;

fn network(candidate_layers: usize) -> (Layout, Network, Vec<f32>) {
    let mut tensors = Vec::new();
    let mut pair = |name: String, outputs: usize, inputs: Option<usize>| {
        let shape = inputs.map_or(vec![outputs], |inputs| vec![outputs, inputs]);
        tensors.push((format!("{name}.weight"), shape));
        tensors.push((format!("{name}.bias"), vec![outputs]));
    };
    for layer in 0..2 {
        let name = |part: &str| format!("layers.{layer}.{part}");
        pair(name("attention.norm"), WIDTH, None);
        pair(name("attention.in"), 3 * WIDTH, Some(WIDTH));
        pair(name("attention.out"), WIDTH, Some(WIDTH));
        pair(name("feed_forward.norm"), WIDTH, None);
        pair(name("feed_forward.in"), 4 * WIDTH, Some(WIDTH));
        pair(name("feed_forward.out"), WIDTH, Some(4 * WIDTH));
    }
    pair("norm".to_owned(), WIDTH, None);
    let layout = Layout::new(tensors);
    let config = AffinityConfig {
        width: WIDTH,
        heads: 2,
        candidate_layers,
        ..AffinityConfig::new(0, 0, Vec::new())
    };
    let network = Network::new(&layout, &config);
    let mut rng = Rng::with_seed(7);
    let parameters = (0..layout.len()).map(|_| rng.f32() - 0.5).collect();
    (layout, network, parameters)
}

/// Tokens of [`sights`] that are no candidates.
const EARLY: usize = 5;

/// Two histories of three and two tokens, and two candidates of the first, one with another
/// token in sight.
fn sights() -> Vec<Sight> {
    let see = |run, other| Sight { run, other };
    vec![
        see(0..0, None),
        see(0..1, None),
        see(0..2, None),
        see(3..3, None),
        see(3..4, None),
        see(0..2, None),
        see(0..2, Some(2)),
    ]
}

fn tokens(sights: &[Sight]) -> Tokens<'_> {
    Tokens {
        sights,
        early: EARLY,
    }
}

#[test]
fn gradients_are_those_of_the_loss() {
    for candidate_layers in [1, 2] {
        check_gradients(candidate_layers);
    }
}

fn check_gradients(candidate_layers: usize) {
    let (_, network, mut parameters) = network(candidate_layers);
    let sights = sights();
    let sight = tokens(&sights);
    let mut rng = Rng::with_seed(3);
    let mut numbers = |count: usize| (0..count).map(|_| rng.f32() - 0.5).collect::<Vec<f32>>();
    let tokens = numbers(sights.len() * WIDTH);
    let slopes = numbers(sights.len() * WIDTH);
    let loss = |parameters: &[f32], tokens: &[f32]| {
        let mut trace = Trace::default();
        let mut rng = Rng::with_seed(11);
        let dropout = Dropout {
            rate: 0.3,
            rng: &mut rng,
        };
        network.forward(
            parameters,
            &mut tokens.to_vec(),
            sight,
            Some(dropout),
            &mut trace,
        );
        let loss: f64 = trace
            .output
            .iter()
            .zip(&slopes)
            .map(|(a, b)| f64::from(a * b))
            .sum();
        (loss, trace)
    };
    let (_, trace) = loss(&parameters, &tokens);
    let mut gradients = vec![0.0; parameters.len()];
    let mut dx = Vec::new();
    network.backward(
        &parameters,
        &slopes,
        sight,
        &trace,
        &mut Back::default(),
        &mut gradients,
        &mut dx,
    );

    const STEP: f32 = 2e-3;
    let near = |gradient: f32, slope: f64, what: &str| {
        let error = (f64::from(gradient) - slope).abs();
        assert!(
            error < 2e-2 + 0.05 * slope.abs(),
            "{what}: {gradient} is not {slope}"
        );
    };
    let slope = |up: f64, down: f64| (up - down) / f64::from(2.0 * STEP);
    for at in (0..parameters.len()).step_by(5) {
        let old = parameters[at];
        parameters[at] = old + STEP;
        let up = loss(&parameters, &tokens).0;
        parameters[at] = old - STEP;
        let down = loss(&parameters, &tokens).0;
        parameters[at] = old;
        near(gradients[at], slope(up, down), &format!("parameter {at}"));
    }
    let mut tokens = tokens;
    for at in 0..tokens.len() {
        let old = tokens[at];
        tokens[at] = old + STEP;
        let up = loss(&parameters, &tokens).0;
        tokens[at] = old - STEP;
        let down = loss(&parameters, &tokens).0;
        tokens[at] = old;
        near(dx[at], slope(up, down), &format!("token {at}"));
    }
}

#[test]
fn a_candidate_changes_nothing_else() {
    let (_, network, parameters) = network(1);
    let sights = sights();
    let sight = tokens(&sights);
    let mut tokens: Vec<f32> = (0..sights.len() * WIDTH)
        .map(|at| (at as f32).sin())
        .collect();
    let run = |tokens: &[f32]| {
        let mut trace = Trace::default();
        network.forward(&parameters, &mut tokens.to_vec(), sight, None, &mut trace);
        trace.output
    };
    let before = run(&tokens);
    tokens[6 * WIDTH] += 1.0;
    let after = run(&tokens);
    for token in 0..sights.len() {
        let row = token * WIDTH..(token + 1) * WIDTH;
        assert_eq!(
            before[row.clone()] == after[row],
            token != 6,
            "token {token}"
        );
    }
}

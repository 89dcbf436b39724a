//! Splits of small sequences by hand, and what a ranker is and is not allowed.

use super::*;

const TEXT: &str = "a 1 2 3 4\nb 2 3 9\nc 3 1\nd 5\n";

fn read() -> Sequences {
    Sequences::read(TEXT.as_bytes()).unwrap()
}

/// Writes a split with the tokens of the file, so that it can be read.
fn printed(split: &Split, sequences: &Sequences) -> String {
    let words = |items: &[u32]| {
        let words: Vec<&str> = items
            .iter()
            .map(|&item| sequences.items[item as usize].as_str())
            .collect();
        words.join(" ")
    };
    let training: Vec<String> = split.training.iter().map(|items| words(items)).collect();
    let cases: Vec<String> = split
        .cases
        .iter()
        .map(|case| {
            format!(
                "{}: {} -> {}",
                sequences.users[case.user],
                words(&case.history),
                words(&[case.target])
            )
        })
        .collect();
    format!("{} | {}", training.join(", "), cases.join(", "))
}

#[test]
fn the_splits_of_both_protocols() {
    let all = read();
    let known = all.without_last();
    for (split, sequences, expected) in [
        // 4 and 9 occur nowhere in training, d has no history.
        (
            SequenceProtocol::P2.test(&all),
            &all,
            "1 2 3, 2 3, 3,  | c: 3 -> 1",
        ),
        (SequenceProtocol::P2.inner(&all), &known, "1 2, 2, ,  | "),
        (
            SequenceProtocol::P1.test(&all),
            &all,
            "1 2, 2, ,  | a: 1 2 3 -> 4, b: 2 3 -> 9, c: 3 -> 1",
        ),
        (
            SequenceProtocol::P1.inner(&all),
            &known,
            "1 2, 2, ,  | a: 1 2 -> 3, b: 2 -> 3",
        ),
    ] {
        assert_eq!(printed(&split, sequences), expected);
        assert_eq!(split.items, sequences.items.len());
    }
}

/// Settings are chosen on this split, so nothing of what they are judged by may be in it.
#[test]
fn the_inner_split_is_the_same_whatever_the_last_items_are() {
    let others = "a 1 2 3 3\nb 2 3 new\nc 3 7\nd 1\n";
    let others = Sequences::read(others.as_bytes()).unwrap();
    for protocol in [SequenceProtocol::P1, SequenceProtocol::P2] {
        assert_eq!(protocol.inner(&read()), protocol.inner(&others));
        assert_ne!(protocol.test(&read()), protocol.test(&others));
    }
}

#[test]
fn seen_items_count_for_p1_and_not_for_p2() {
    let sequences = Sequences::read("a 1 2 3\nb 2 3 1\n".as_bytes()).unwrap();
    let everything = |_: &[u32], _: &dyn Fn(u32) -> bool| vec![0, 1, 2];
    let obedient =
        |_: &[u32], keep: &dyn Fn(u32) -> bool| (0..3).filter(|&item| keep(item)).collect();
    let p2 = SequenceProtocol::P2.test(&sequences);
    assert_eq!(p2.ranks(1, everything), [Some(1), Some(1)]);
    assert_eq!(p2.ranks(1, obedient), [Some(1), Some(1)]);
    let p1 = SequenceProtocol::P1.test(&sequences);
    assert_eq!(p1.ranks(1, obedient), [Some(3), Some(1)]);
}

#[test]
fn the_report_is_the_mean_over_all_users() {
    let report = SequenceReport::of(SequenceProtocol::P1, &[Some(1), Some(3), Some(7), None]);
    let expected_5 = (1.0 + 0.5) / 4.0;
    let expected_10 = (1.0 + 0.5 + 1.0 / 3.0) / 4.0;
    assert_eq!(
        (report.recall_5, report.recall_10, report.users),
        (0.5, 0.75, 4)
    );
    assert!((report.ndcg_5 - expected_5).abs() < 1e-12);
    assert!((report.ndcg_10 - expected_10).abs() < 1e-12);
    assert_eq!(SequenceReport::of(SequenceProtocol::P1, &[]).ndcg_10, 0.0);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let text: String = (0..50)
        .map(|user| format!("u{user} {} {} {}\n", user % 5, user % 7, user % 3))
        .collect();
    let sequences = Sequences::read(text.as_bytes()).unwrap();
    let split = SequenceProtocol::P1.test(&sequences);
    let rank = |history: &[u32], _: &dyn Fn(u32) -> bool| {
        history.iter().map(|item| (item + 1) % 7).collect()
    };
    let one = split.ranks(1, rank);
    assert!(one.iter().any(Option::is_some) && one.iter().any(Option::is_none));
    for threads in [0, 2, 3, 100] {
        assert_eq!(split.ranks(threads, rank), one);
    }
}

#[test]
fn protocols_are_named_in_any_case() {
    assert_eq!("P1".parse(), Ok(SequenceProtocol::P1));
    assert_eq!(" p2 ".parse(), Ok(SequenceProtocol::P2));
    let wrong = "p3".parse::<SequenceProtocol>().unwrap_err();
    assert_eq!(wrong.to_string(), "`p3` is not a protocol: use p1 or p2");
}

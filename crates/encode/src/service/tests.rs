//! What callers of a shared encoder may rely on, with an encoder that tests can hold up.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::ThreadId;

/// One call of the fake encoder.
#[derive(Debug)]
struct Call {
    texts: Vec<String>,
    prefix: Prefix,
    thread: ThreadId,
}

/// A service whose encoder reports each call and waits for a word to go on.
struct Held {
    service: Service,
    calls: Receiver<Call>,
    go: Sender<()>,
}

const PATIENCE: Duration = Duration::from_secs(20);

/// The vector of a text is its length and its first byte; `boom` panics and `bad` fails.
fn fake(texts: &[&str]) -> Result<Encoded, ModelError> {
    if texts.contains(&"boom") {
        panic!("no more");
    }
    if texts.contains(&"bad") {
        return Err(ModelError::NotFound { path: "bad".into() });
    }
    let row = |text: &&str| [text.len() as f32, f32::from(text.as_bytes()[0])];
    Ok(Encoded {
        vectors: texts.iter().flat_map(row).collect(),
        tokens: texts.iter().map(|text| text.len()).collect(),
    })
}

impl Held {
    fn with(options: ServiceOptions) -> Self {
        let (report, calls) = channel();
        let (go, gate) = channel();
        let gate = Mutex::new(gate);
        let work = move |texts: &[&str], prefix: Prefix| {
            let call = Call {
                texts: texts.iter().map(|text| (*text).to_owned()).collect(),
                prefix,
                thread: thread::current().id(),
            };
            report.send(call).expect("the test listens");
            let _ = gate.lock().recv_timeout(PATIENCE);
            fake(texts)
        };
        let service = Service::over(Box::new(work), options).expect("a thread");
        Self { service, calls, go }
    }

    fn begin(&self, texts: &[&str]) -> Begun {
        self.service
            .begin(owned(texts), Prefix::None)
            .expect("room")
    }

    /// Waits for the end of a batch: its callers are answered a moment before.
    fn wait_until_free(&self) {
        let start = Instant::now();
        while self.service.shared.state.lock().is_busy {
            assert!(start.elapsed() < PATIENCE, "the encoder stays busy");
            thread::yield_now();
        }
    }

    /// Waits for the next call and lets it end.
    fn step(&self) -> Vec<String> {
        let call = self.calls.recv_timeout(PATIENCE).expect("a call");
        self.go.send(()).expect("the encoder waits");
        call.texts
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn free() -> Service {
    Service::over(Box::new(|texts, _| fake(texts)), ServiceOptions::default()).expect("a thread")
}

#[track_caller]
fn turn(begun: Begun) -> Turn {
    match begun {
        Begun::Turn(turn) => turn,
        Begun::Queued(_) => panic!("the encoder is not free"),
    }
}

#[track_caller]
fn queued(begun: Begun) -> Reply {
    match begun {
        Begun::Queued(reply) => reply,
        Begun::Turn(_) => panic!("the encoder is free"),
    }
}

#[test]
fn a_request_alone_runs_on_its_callers_thread() {
    let held = Held::with(ServiceOptions::default());
    held.go.send(()).expect("the service lives");
    let encoded = held
        .service
        .encode(owned(&["ab", "c"]), Prefix::Query)
        .expect("encoded");
    assert_eq!(encoded.vectors, [2.0, 97.0, 1.0, 99.0]);
    assert_eq!(encoded.tokens, [2, 1]);
    let call = held.calls.recv().expect("one call");
    assert_eq!(call.thread, thread::current().id());
    assert_eq!(call.prefix, Prefix::Query);
}

#[test]
fn what_comes_while_the_encoder_is_busy_is_one_batch() {
    let held = Held::with(ServiceOptions::default());
    let first = turn(held.begin(&["first"]));
    let replies: Vec<Reply> = ["a", "bb", "ccc"]
        .iter()
        .map(|text| queued(held.begin(&[text])))
        .collect();
    thread::scope(|scope| {
        let running = scope.spawn(|| first.run());
        assert_eq!(held.step(), ["first"]);
        assert_eq!(held.step(), ["a", "bb", "ccc"]);
        assert_eq!(
            running.join().expect("no panic").expect("encoded").tokens,
            [5]
        );
    });
    for (reply, text) in replies.into_iter().zip(["a", "bb", "ccc"]) {
        let expected = fake(&[text]).expect("encoded");
        assert_eq!(reply.wait().expect("encoded").vectors, expected.vectors);
    }
    held.wait_until_free();
    // Idle again: the next caller does not wait for the thread.
    drop(turn(held.begin(&["next"])));
    let _ = turn(held.begin(&["and the one after a turn that was given up"]));
}

#[test]
fn prefixes_are_not_mixed() {
    let held = Held::with(ServiceOptions::default());
    let first = turn(held.begin(&["first"]));
    let begin =
        |text: &str, prefix| queued(held.service.begin(owned(&[text]), prefix).expect("room"));
    let replies = [
        begin("q1", Prefix::Query),
        begin("p1", Prefix::Passage),
        begin("q2", Prefix::Query),
    ];
    drop(first);
    assert_eq!(held.step(), ["q1", "q2"]);
    let call = held.calls.recv_timeout(PATIENCE).expect("a call");
    assert_eq!((call.texts, call.prefix), (owned(&["p1"]), Prefix::Passage));
    held.go.send(()).expect("the encoder waits");
    for reply in replies {
        assert_eq!(reply.wait().expect("encoded").tokens, [2]);
    }
}

#[test]
fn a_large_request_gives_way_to_small_ones() {
    let held = Held::with(ServiceOptions {
        batch_texts: 4,
        ..ServiceOptions::default()
    });
    let many: Vec<String> = (10..20).map(|number| number.to_string()).collect();
    // Too large for a turn, even though the encoder is free.
    let large = queued(
        held.service
            .begin(many.clone(), Prefix::None)
            .expect("room"),
    );
    let call = held.calls.recv_timeout(PATIENCE).expect("a call");
    assert_eq!(call.texts, ["10", "11", "12", "13"]);
    let small = queued(held.begin(&["small"]));
    held.go.send(()).expect("the encoder waits");
    assert_eq!(held.step(), ["small", "14", "15"]);
    assert_eq!(small.wait().expect("encoded").tokens, [5]);
    assert_eq!(held.step(), ["16", "17", "18", "19"]);
    let texts: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        large.wait().expect("encoded").vectors,
        fake(&texts).expect("encoded").vectors
    );
}

#[test]
fn a_batch_has_a_budget_of_bytes_but_a_text_at_least() {
    let held = Held::with(ServiceOptions {
        batch_bytes: 300,
        ..ServiceOptions::default()
    });
    let first = turn(held.begin(&["first"]));
    let (long, longer) = ("x".repeat(200), "y".repeat(10_000));
    let replies: Vec<Reply> = [&long, &long, &longer]
        .iter()
        .map(|text| queued(held.begin(&[text])))
        .collect();
    drop(first);
    for expected in [&long, &long, &longer] {
        assert_eq!(held.step(), [expected.as_str()]);
    }
    for reply in replies {
        assert_eq!(reply.wait().expect("encoded").tokens.len(), 1);
    }
}

#[test]
fn one_bad_request_does_not_spoil_its_batch_or_the_service() {
    for bad in ["boom", "bad"] {
        let service = free();
        let first = turn(
            service
                .begin(owned(&["first"]), Prefix::None)
                .expect("room"),
        );
        let texts = ["one", bad, "three"];
        let replies: Vec<Reply> = texts
            .iter()
            .map(|text| queued(service.begin(owned(&[text]), Prefix::None).expect("room")))
            .collect();
        first.run().expect("encoded");
        for (reply, text) in replies.into_iter().zip(texts) {
            match (reply.wait(), text) {
                (Err(ServiceError::Failed { reason }), "boom") => assert_eq!(reason, "no more"),
                (Err(ServiceError::Model(_)), "bad") => (),
                (answer, _) => assert_eq!(answer.expect("encoded").tokens, [text.len()]),
            }
        }
        assert!(service.encode(owned(&[bad]), Prefix::None).is_err());
        let again = service.encode(owned(&["again"]), Prefix::None);
        assert_eq!(again.expect("encoded").tokens, [5]);
    }
}

#[test]
fn whoever_waits_too_long_is_told() {
    let held = Held::with(ServiceOptions {
        deadline: Duration::ZERO,
        ..ServiceOptions::default()
    });
    let first = turn(held.begin(&["first"]));
    let late = queued(held.begin(&["late"]));
    thread::sleep(Duration::from_millis(2));
    drop(first);
    match late.wait() {
        Err(ServiceError::Deadline { .. }) => (),
        answer => panic!("not too late: {answer:?}"),
    }
    assert!(held.calls.try_recv().is_err(), "it was not encoded");
}

#[test]
fn the_queue_is_bounded() {
    let service = Service::over(
        Box::new(|texts, _| fake(texts)),
        ServiceOptions {
            waiting_requests: 2,
            waiting_bytes: 10,
            ..ServiceOptions::default()
        },
    )
    .expect("a thread");
    let first = turn(
        service
            .begin(owned(&["first"]), Prefix::None)
            .expect("room"),
    );
    let begin = |text: &str| service.begin(owned(&[text]), Prefix::None);
    let one = queued(begin("a").expect("room"));
    assert!(
        matches!(begin("ten bytes!"), Err(ServiceError::Full)),
        "too many bytes"
    );
    let two = queued(begin("b").expect("room"));
    assert!(
        matches!(begin("c"), Err(ServiceError::Full)),
        "too many requests"
    );
    drop(first);
    for reply in [one, two] {
        assert_eq!(reply.wait().expect("encoded").tokens, [1]);
    }
    assert_eq!(
        service
            .encode(owned(&["room again"]), Prefix::None)
            .expect("encoded")
            .tokens,
        [10]
    );
}

#[test]
fn nobody_encodes_for_a_caller_who_has_gone() {
    let held = Held::with(ServiceOptions::default());
    let first = turn(held.begin(&["first"]));
    drop(queued(held.begin(&["gone"])));
    let stays = queued(held.begin(&["stays"]));
    drop(first);
    assert_eq!(held.step(), ["stays"]);
    assert_eq!(stays.wait().expect("encoded").tokens, [5]);
}

#[test]
fn who_still_waits_when_the_service_ends_is_told() {
    let held = Held::with(ServiceOptions::default());
    let first = turn(held.begin(&["first"]));
    let waiting = queued(held.begin(&["waiting"]));
    drop(held);
    assert!(matches!(waiting.wait(), Err(ServiceError::Stopped)));
    drop(first);
}

#[test]
fn a_task_can_wait_as_well_as_a_thread() {
    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let service = free();
    let first = turn(
        service
            .begin(owned(&["first"]), Prefix::None)
            .expect("room"),
    );
    let mut reply = std::pin::pin!(queued(
        service.begin(owned(&["task"]), Prefix::None).expect("room")
    ));
    let woken = Arc::new(Count(AtomicUsize::new(0)));
    let waker = woken.clone().into();
    let mut context = std::task::Context::from_waker(&waker);
    assert!(reply.as_mut().poll(&mut context).is_pending());
    drop(first);
    let started = Instant::now();
    while woken.0.load(Ordering::SeqCst) == 0 {
        assert!(started.elapsed() < PATIENCE, "the task is not woken");
        thread::yield_now();
    }
    match reply.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => assert_eq!(answer.expect("encoded").tokens, [4]),
        std::task::Poll::Pending => panic!("woken without an answer"),
    }
}

#[test]
fn many_callers_each_get_their_own_vectors() {
    let service = free();
    thread::scope(|scope| {
        for caller in 0..8 {
            let service = &service;
            scope.spawn(move || {
                for round in 0..50 {
                    let texts: Vec<String> = (0..=(round % 5) * 40)
                        .map(|place| format!("{caller}{}", "x".repeat(place % 7)))
                        .collect();
                    let expected: Vec<&str> = texts.iter().map(String::as_str).collect();
                    let expected = fake(&expected).expect("encoded");
                    let found = service.encode(texts, Prefix::None).expect("encoded");
                    assert_eq!(found.vectors, expected.vectors);
                    assert_eq!(found.tokens, expected.tokens);
                }
            });
        }
    });
}

//! Training beside answers: threads that yield to all others.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Of the 19 steps down that there are; a thread at this one gets about a tenth of a
/// processor that another wants too.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A pool as wide as the machine whose threads the system prefers all others to. Where
/// the system does not know priorities of threads they are ordinary ones.
///
/// # Errors
/// When the threads cannot be started.
pub fn background() -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .thread_name(|number| format!("training-{number}"))
        .start_handler(|_| yield_to_others())
        .build()
}

#[cfg(target_os = "linux")]
fn yield_to_others() {
    // Linux keeps the priority of each thread, under its own number. Where it is refused,
    // training is only less polite.
    let thread = rustix::thread::gettid();
    let _ = rustix::process::setpriority_process(Some(thread), NICENESS);
}

#[cfg(not(target_os = "linux"))]
fn yield_to_others() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_threads_of_the_pool_yield() {
        let before = rustix::process::getpriority_process(None).expect("a priority");
        let pool = background().expect("threads");
        let inside =
            pool.install(|| rustix::process::getpriority_process(Some(rustix::thread::gettid())));
        assert_eq!(inside.expect("a priority"), NICENESS.max(before));
        let after = rustix::process::getpriority_process(None).expect("a priority");
        assert_eq!(after, before);
    }
}

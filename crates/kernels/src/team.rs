//! A few threads that do one short task together, step by step. A single text takes half a
//! millisecond and dozens of steps, in each of which all threads must have finished before
//! the next begins: that is too often for threads that sleep in between, so those of a team
//! spin, and yield when there is nothing for them for longer.
//!
//! Nobody waits for a thread that has not come yet. The leader begins alone; a helper takes
//! what is open when it arrives, and one that arrives too late finds the team dismissed.

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The leader's side of a team; dropped, it lets the helpers go.
#[derive(Debug)]
pub struct Team {
    shared: Arc<Shared>,
    size: usize,
}

/// A place in a team for one more thread.
#[derive(Debug)]
pub struct Helper {
    shared: Arc<Shared>,
}

#[repr(align(64))]
#[derive(Debug)]
struct Shared {
    /// Parts of the current step that nobody has taken yet.
    open: AtomicUsize,
    /// Parts of the current step that are not done yet.
    undone: AtomicUsize,
    /// What is done with each part. Written by the leader while nothing is open or undone;
    /// read by whoever has taken a part and not done it yet.
    job: UnsafeCell<Job>,
    failed: AtomicBool,
    dismissed: AtomicBool,
}

type Job = *const (dyn Fn(usize) + Sync + 'static);

#[expect(
    unsafe_code,
    reason = "the job is shared by the protocol of the counters"
)]
// SAFETY: `job` is written by the leader only, between steps, and read between taking a part
// and finishing it. The counters order the two (see `Team::run`); what it points to is `Sync`.
unsafe impl Sync for Shared {}
#[expect(
    unsafe_code,
    reason = "the job is shared by the protocol of the counters"
)]
// SAFETY: as above; the pointer is followed by threads that hold a part only.
unsafe impl Send for Shared {}

impl Team {
    /// A team for `size` threads, the leader among them.
    pub fn new(size: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                open: AtomicUsize::new(0),
                undone: AtomicUsize::new(0),
                job: UnsafeCell::new(&|_| ()),
                failed: AtomicBool::new(false),
                dismissed: AtomicBool::new(false),
            }),
            size: size.max(1),
        }
    }

    /// A place for another thread, which may be taken at any time or never.
    pub fn helper(&self) -> Helper {
        Helper {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Threads of the team, the leader among them.
    pub fn size(&self) -> usize {
        self.size
    }

    /// One step: every item is given to `run`, on whichever thread takes it first.
    ///
    /// # Panics
    /// When `run` does, after all of the step has ended.
    pub fn each<T: Send>(&mut self, items: Vec<T>, run: impl Fn(T) + Sync) {
        if items.len() <= 1 {
            return items.into_iter().for_each(run);
        }
        let places: Vec<_> = items
            .into_iter()
            .map(|item| Mutex::new(Some(item)))
            .collect();
        self.run(places.len(), &|part| {
            let mut place = places[part].lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(item) = place.take() {
                run(item);
            }
        });
    }

    #[expect(
        unsafe_code,
        reason = "the job is borrowed for longer than the compiler can see"
    )]
    fn run(&mut self, parts: usize, job: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. A thread follows the pointer while it has a part
        // that is not done, and this function does not return, nor unwind, before all are.
        let job = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Job>(job) };
        // SAFETY: nothing is open and nothing is undone, so no thread reads the job: the last
        // reads came before the last decrements of `undone`, which were waited for below.
        unsafe { *shared.job.get() = job };
        shared.undone.store(parts, Ordering::Relaxed);
        shared.open.store(parts, Ordering::Release);
        shared.work();
        let mut patience = Patience::default();
        while shared.undone.load(Ordering::Acquire) > 0 {
            patience.wait();
        }
        assert!(
            !shared.failed.swap(false, Ordering::Relaxed),
            "a part of a step panicked"
        );
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.dismissed.store(true, Ordering::Release);
    }
}

impl Helper {
    /// Takes part until the team is dismissed.
    pub fn help(self) {
        let mut patience = Patience::default();
        while !self.shared.dismissed.load(Ordering::Acquire) {
            if self.shared.work() {
                patience = Patience::default();
            }
            patience.wait();
        }
    }
}

impl Shared {
    /// Does open parts until there is none; whether there was one.
    #[expect(unsafe_code, reason = "follows the pointer to the job")]
    fn work(&self) -> bool {
        let mut worked = false;
        while let Some(part) = self.take() {
            worked = true;
            // SAFETY: this thread has a part that is not done, so the job stays; taking the
            // part came after `open` was stored, and that after the job was written.
            let job = unsafe { &**self.job.get() };
            if catch_unwind(AssertUnwindSafe(|| job(part))).is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            self.undone.fetch_sub(1, Ordering::Release);
        }
        worked
    }

    fn take(&self) -> Option<usize> {
        // Looking first leaves the cache line with the threads that work.
        if self.open.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let less = |open: usize| open.checked_sub(1);
        let before = self
            .open
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, less);
        before.ok().map(|open| open - 1)
    }
}

/// Waits that get longer: most steps end within microseconds, but where there are more
/// threads than processors, the one that is waited for may need this one's.
#[derive(Default)]
struct Patience {
    spins: u32,
}

impl Patience {
    /// About 20 microseconds.
    const SPINS: u32 = 1000;

    fn wait(&mut self) {
        if self.spins < Self::SPINS {
            self.spins += 1;
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_helpers(size: usize, lead: impl FnOnce(&mut Team)) {
        std::thread::scope(|scope| {
            let mut team = Team::new(size);
            for _ in 1..size {
                let helper = team.helper();
                scope.spawn(|| helper.help());
            }
            lead(&mut team);
        });
    }

    #[test]
    fn every_item_of_every_step_is_done_once_and_before_the_next() {
        for size in 1..5 {
            with_helpers(size, |team| {
                let mut numbers = [0_u64; 7];
                for step in 1..2000 {
                    team.each(numbers.iter_mut().collect(), |number| {
                        *number = *number * 3 + step;
                    });
                    let first = numbers[0];
                    assert!(numbers.iter().all(|&number| number == first), "{step}");
                    numbers.fill(step);
                }
            });
        }
    }

    #[test]
    fn a_leader_whose_helpers_never_come_does_it_alone() {
        let mut team = Team::new(3);
        let mut numbers = [1, 2, 3];
        team.each(numbers.iter_mut().collect(), |number| *number += 1);
        assert_eq!(numbers, [2, 3, 4]);
        let late = team.helper();
        drop(team);
        late.help();
    }

    #[test]
    fn a_part_that_panics_ends_the_step_and_nothing_else() {
        with_helpers(2, |team| {
            let step = catch_unwind(AssertUnwindSafe(|| {
                team.each(vec![0, 1, 2, 3], |item| assert!(item != 2, "two"));
            }));
            assert!(step.is_err());
            team.each(vec![0, 1], |_| ());
        });
    }
}

//! Threads that stay awake for a moment after a text, because another often follows.
//!
//! To wake a thread whose processor sleeps takes up to half a millisecond, most of all on a
//! virtual machine, and that is as long as a short text takes. So a thread that has helped
//! with one waits a little for the next before it goes back to its pool.

use kernels::Helper;
use parking_lot::Mutex;
use rayon::ThreadPool;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread stays awake. It yields meanwhile, so it takes time from nobody on this
/// machine; runtimes of inference commonly wait as long.
const AWAKE: Duration = Duration::from_millis(1);

/// Where threads of a pool wait for a place in a team.
#[derive(Debug, Default)]
pub(crate) struct Standby {
    desk: Mutex<Desk>,
    /// Whether the desk has places, for those who wait without the lock.
    has_places: AtomicBool,
}

#[derive(Debug, Default)]
struct Desk {
    /// Places in teams that nobody has taken.
    places: VecDeque<Helper>,
    /// Threads that are awake and have no place.
    awake: usize,
}

impl Standby {
    /// Offers a place to a thread that is awake, or wakes one of the pool.
    pub(crate) fn invite(self: &Arc<Self>, pool: &ThreadPool, place: Helper) {
        let mut desk = self.desk.lock();
        desk.places.push_back(place);
        self.has_places.store(true, Ordering::Release);
        if desk.places.len() > desk.awake {
            desk.awake += 1;
            drop(desk);
            let standby = Arc::clone(self);
            pool.spawn(move || standby.serve());
        }
    }

    /// Helps one team after the other, until none has wanted help for a moment.
    fn serve(&self) {
        let mut since = Instant::now();
        loop {
            if self.has_places.load(Ordering::Acquire) {
                if let Some(place) = self.take() {
                    place.help();
                    self.desk.lock().awake += 1;
                    since = Instant::now();
                }
            } else if since.elapsed() < AWAKE {
                std::hint::spin_loop();
                std::thread::yield_now();
            } else if self.leave() {
                return;
            }
        }
    }

    fn take(&self) -> Option<Helper> {
        let mut desk = self.desk.lock();
        let place = desk.places.pop_front()?;
        desk.awake -= 1;
        self.has_places
            .store(!desk.places.is_empty(), Ordering::Release);
        Some(place)
    }

    /// Goes to sleep, unless a place was offered in the meantime.
    fn leave(&self) -> bool {
        let mut desk = self.desk.lock();
        let idle = desk.places.is_empty();
        if idle {
            desk.awake -= 1;
        }
        idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernels::Team;
    use rayon::ThreadPoolBuilder;

    fn lead(standby: &Arc<Standby>, pool: &ThreadPool) {
        let mut team = Team::new(3);
        standby.invite(pool, team.helper());
        standby.invite(pool, team.helper());
        let mut numbers = [1, 2, 3, 4];
        for _ in 0..20 {
            team.each(numbers.iter_mut().collect(), |number| *number += 1);
        }
        assert_eq!(numbers, [21, 22, 23, 24]);
    }

    #[test]
    fn threads_that_wait_and_threads_that_sleep_both_take_places_and_none_is_lost() {
        let pool = ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .expect("threads");
        let standby = Arc::new(Standby::default());
        for round in 0..60 {
            lead(&standby, &pool);
            if round % 20 == 0 {
                std::thread::sleep(3 * AWAKE);
            }
        }
        // All places were taken or their teams dismissed, and everyone goes to sleep.
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let desk = standby.desk.lock();
            if desk.awake == 0 && desk.places.is_empty() {
                break;
            }
            assert!(Instant::now() < end, "{desk:?}");
        }
    }

    #[test]
    fn leaders_on_several_threads_share_the_helpers() {
        let pool = ThreadPoolBuilder::new()
            .num_threads(2)
            .build()
            .expect("threads");
        let standby = Arc::new(Standby::default());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| (0..100).for_each(|_| lead(&standby, &pool)));
            }
        });
    }
}

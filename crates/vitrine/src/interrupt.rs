//! Ctrl-C and SIGTERM, for work that has something to save before it ends.
//!
//! The first asks the work to end, the second ends the process at once.

use crate::outcome;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Runtime;

/// Whether someone wants the work to end.
pub struct Interrupt {
    asked: Arc<AtomicBool>,
    /// Listens as long as it lives.
    _runtime: Runtime,
}

impl Interrupt {
    /// Listens from now on.
    pub fn listen() -> std::io::Result<Self> {
        let runtime = Runtime::new()?;
        let asked = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&asked);
        runtime.spawn(async move {
            while crate::hosted::signal().await.is_ok() {
                if told.swap(true, Ordering::Relaxed) {
                    std::process::exit(i32::from(outcome::FAILED));
                }
            }
        });
        Ok(Self {
            asked,
            _runtime: runtime,
        })
    }

    /// Whether it was asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

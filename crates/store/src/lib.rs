//! The durable log and the key-value views, and nothing about what they hold.
//!
//! The [`Log`] is the truth: append-only segment files with a checksum on every
//! record, whose sequence numbers never change. The [`Views`] are folded from it
//! by whoever knows what the records mean; they live in one embedded database,
//! survive a crash as a consistent prefix of their batches, and can be thrown
//! away and rebuilt. [`backup`] and [`restore`] move the log as one file, and
//! [`FolderLock`] keeps a second process out of the data folder.

mod acknowledged;
mod append;
mod backup;
mod disk;
mod error;
mod frame;
mod header;
mod lock;
mod log;
mod read;
mod recover;
mod repair;
mod restore;
mod rewrite;
mod scan;
mod segment;
mod view_batch;
mod view_error;
mod view_snapshot;
mod views;

pub use backup::{BackupError, BackupFile, BackupReport, backup};
pub use error::{Damage, LogError, is_full};
pub use frame::{LOST, NewRecord, Record};
pub use lock::{FolderLock, Holder, LockError};
pub use log::{Log, LogOptions, Recovery, SegmentInfo, VerifyReport};
pub use read::RecordIter;
pub use repair::{RepairReport, repair};
pub use restore::{RestoreError, RestoreReport, restore};
pub use rewrite::{RewriteReport, Rewritten};
pub use scan::{Decoded, Ending, decode_frames, decode_segment};
pub use view_batch::ViewBatch;
pub use view_error::ViewsError;
pub use view_snapshot::{ViewIter, ViewSnapshot};
pub use views::{Bytes, View, Views};

//! The affinity Transformer from outside: its files, and its answers against plain loops.

mod answers;
mod files;
mod reference;

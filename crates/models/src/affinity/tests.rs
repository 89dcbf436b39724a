//! The affinity Transformer from outside: its files, and its answers against plain loops.

mod files;

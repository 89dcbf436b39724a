//! scratch
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
pub fn p(name: &'static str, default: f32) -> f32 {
    static CACHE: OnceLock<Mutex<HashMap<&'static str, f32>>> = OnceLock::new();
    let mut cache = CACHE.get_or_init(Mutex::default).lock().unwrap();
    *cache.entry(name).or_insert_with(|| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default))
}

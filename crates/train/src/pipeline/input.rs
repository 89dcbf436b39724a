//! What a shop hands over: its items and what its shoppers did, as plain data, and the file
//! that keeps it beside a run, so that the run goes on with the same data when it is
//! interrupted and the shop is not.

use crate::checked;
use crate::error::TrainError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub id: String,
    /// The encoder's vector of its text.
    pub vector: Option<Vec<f32>>,
    pub category: Option<String>,
    pub brand: Option<String>,
    pub price: Option<f64>,
}

/// One thing a shopper did with an item.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Place in [`Input::items`].
    pub item: u32,
    /// Place in the order view, click, cart, purchase, like, dislike, rate, search.
    pub kind: u8,
    /// Milliseconds since 1970.
    pub time: i64,
    /// Pieces bought; below zero when they were brought back.
    pub quantity: Option<f64>,
    /// Place in [`Input::queries`] of the query that led to it.
    pub query: Option<u32>,
}

/// A shop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    pub items: Vec<Item>,
    /// The encoder's vectors of what was asked for.
    pub queries: Vec<Option<Vec<f32>>>,
    /// What each shopper did, in any order.
    pub shoppers: Vec<Vec<Action>>,
}

/// Mark and version at the start of the file; the data and a check sum follow.
const MAGIC: &[u8; 8] = b"VTRNINP2";

impl Input {
    /// Keeps the data in a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let mut bytes = postcard::to_extend(self, MAGIC.to_vec()).map_err(TrainError::Encode)?;
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        crate::checkpoint::write_beside(path, &bytes)
    }

    /// Reads what [`Input::save`] kept.
    ///
    /// # Errors
    /// When the file cannot be read, or is damaged or another one.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let damaged = || TrainError::Damaged {
            path: path.to_owned(),
        };
        let data = checked::read(path, MAGIC)?;
        postcard::from_bytes(&data).map_err(|_| damaged())
    }
}

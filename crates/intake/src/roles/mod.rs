//! Which attribute plays which role.
//!
//! Roles are how the rest of the engine speaks of attributes whose names it
//! cannot know. They are guessed from names and values, shown to the user,
//! and overridden in settings.

mod evidence;
mod guess;
mod known;

#[cfg(test)]
mod tests;

pub use guess::{Guess, RoleReason, guess_roles};

use crate::Names;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What an attribute is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Title,
    Text,
    Brand,
    Categories,
    Price,
    Image,
    Rating,
    Stock,
    Language,
    Created,
}

impl Role {
    /// Every role, in the order of the enum.
    pub const ALL: [Self; 10] = [
        Self::Title,
        Self::Text,
        Self::Brand,
        Self::Categories,
        Self::Price,
        Self::Image,
        Self::Rating,
        Self::Stock,
        Self::Language,
        Self::Created,
    ];

    /// The word used in every interface.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
            Self::Brand => "brand",
            Self::Categories => "categories",
            Self::Price => "price",
            Self::Image => "image",
            Self::Rating => "rating",
            Self::Stock => "stock",
            Self::Language => "language",
            Self::Created => "created",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// For each role the attributes that play it, best first. Paths are dotted (`rating.average`).
///
/// In JSON a role is a name, a list of names or `null`: `{"title": "name", "text": ["brief", "body"]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Role, Names>")]
pub struct Roles(BTreeMap<Role, Names>);

impl Roles {
    /// The attributes of a role; none when nobody plays it.
    pub fn get(&self, role: Role) -> &[String] {
        self.0.get(&role).map(Names::as_slice).unwrap_or_default()
    }

    /// The best attribute of a role.
    pub fn first(&self, role: Role) -> Option<&str> {
        self.get(role).first().map(String::as_str)
    }

    /// Gives a role to these attributes alone; to none when the list is empty.
    pub fn set(&mut self, role: Role, paths: Vec<String>) {
        if paths.is_empty() {
            self.0.remove(&role);
        } else {
            self.0.insert(role, Names(paths));
        }
    }

    /// The roles that are played, with their attributes.
    pub fn iter(&self) -> impl Iterator<Item = (Role, &[String])> {
        self.0.iter().map(|(role, names)| (*role, names.as_slice()))
    }

    /// True when no role is played.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<Role, Names>> for Roles {
    fn from(mut roles: BTreeMap<Role, Names>) -> Self {
        roles.retain(|_, names| !names.is_empty());
        Self(roles)
    }
}

//! Guesses the roles of a catalogue from a sample of it.
//!
//! Names propose, values dispose; where no name fits, values that leave hardly
//! a doubt may still win a role. Each guess comes with its reason, for the
//! person who will check it.

use super::evidence::{Attribute, attributes};
use super::known::{fit, words};
use super::{Role, Roles};
use crate::Map;
use serde::{Deserialize, Serialize};

/// Roles in the order in which they choose: an attribute plays one only.
const ORDER: [Role; 10] = [
    Role::Title,
    Role::Price,
    Role::Image,
    Role::Categories,
    Role::Brand,
    Role::Rating,
    Role::Stock,
    Role::Language,
    Role::Created,
    Role::Text,
];
/// Attributes of one role, at most: a few texts, a category and its subcategory, one of the rest.
const MOST_TEXTS: usize = 4;
const MOST_CATEGORIES: usize = 2;

/// The guessed roles and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Guess {
    pub roles: Roles,
    pub reasons: Vec<RoleReason>,
}

/// Why an attribute was given a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleReason {
    pub role: Role,
    pub attribute: String,
    pub reason: String,
}

/// Guesses from a sample of documents; a few hundred are plenty.
pub fn guess_roles(sample: &[&Map]) -> Guess {
    let attributes = attributes(sample);
    let names: Vec<String> = attributes
        .iter()
        .map(|attribute| words(&attribute.path))
        .collect();
    let mut free = vec![true; attributes.len()];
    let mut guess = Guess::default();
    for role in ORDER {
        let mut candidates: Vec<(u32, usize)> = Vec::new();
        for (at, (attribute, name)) in attributes.iter().zip(&names).enumerate() {
            let is_free = free.get(at).copied().unwrap_or_default();
            if is_free
                && let Some(fit) = fit(role, name)
                && attribute.could_be(role)
            {
                candidates.push((fit * 10 + attribute.fullness(), at));
            }
        }
        // The best first; the earlier attribute where two are as good.
        candidates.sort_by_key(|&(fit, at)| (std::cmp::Reverse(fit), at));
        candidates.truncate(most(role));
        let by_name = !candidates.is_empty();
        let chosen: Vec<usize> = if by_name {
            candidates.into_iter().map(|(_, at)| at).collect()
        } else {
            let undoubted = |at: &usize| {
                let is_free = free.get(*at).copied().unwrap_or_default();
                is_free
                    && attributes
                        .get(*at)
                        .is_some_and(|attribute| attribute.must_be(role))
            };
            (0..attributes.len()).find(undoubted).into_iter().collect()
        };
        let mut paths = Vec::with_capacity(chosen.len());
        for at in chosen {
            if let (Some(free), Some(attribute)) = (free.get_mut(at), attributes.get(at)) {
                *free = false;
                paths.push(attribute.path.clone());
                guess.reasons.push(reason(role, attribute, by_name));
            }
        }
        guess.roles.set(role, paths);
    }
    guess.reasons.sort_by_key(|reason| reason.role);
    guess
}

fn most(role: Role) -> usize {
    match role {
        Role::Text => MOST_TEXTS,
        Role::Categories => MOST_CATEGORIES,
        _ => 1,
    }
}

fn reason(role: Role, attribute: &Attribute<'_>, by_name: bool) -> RoleReason {
    let ground = if by_name {
        "its name says so"
    } else {
        "its values say so"
    };
    RoleReason {
        role,
        attribute: attribute.path.clone(),
        reason: format!("{ground}; {}", attribute.facts(role)),
    }
}

//! stub
use crate::{Map, Names};
use serde::{Serialize, Deserialize};
use std::collections::BTreeMap;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role { Title, Text, Brand, Categories, Price, Image, Rating, Stock, Language, Created }
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Role, Names>")]
pub struct Roles(BTreeMap<Role, Names>);
impl From<BTreeMap<Role, Names>> for Roles { fn from(mut m: BTreeMap<Role, Names>) -> Self { m.retain(|_, n| !n.is_empty()); Self(m) } }
impl Roles {
    pub fn get(&self, role: Role) -> &[String] { self.0.get(&role).map(Names::as_slice).unwrap_or_default() }
    pub fn first(&self, role: Role) -> Option<&str> { self.get(role).first().map(String::as_str) }
    pub fn set(&mut self, role: Role, paths: Vec<String>) { self.0.insert(role, Names(paths)); }
    pub fn is_empty(&self) -> bool { self.0.is_empty() }
    pub fn iter(&self) -> impl Iterator<Item = (Role, &[String])> { self.0.iter().map(|(r, n)| (*r, n.as_slice())) }
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleReason { pub role: Role, pub attribute: String, pub reason: String }
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Guess { pub roles: Roles, pub reasons: Vec<RoleReason> }
pub fn guess_roles(_sample: &[&Map]) -> Guess { Guess::default() }

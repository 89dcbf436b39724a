//! From parsed words to units of scoring: every form a word may take, with how
//! much each counts and how rare the word is.
//!
//! A unit is one word or one phrase. Its variants are added up as one word
//! (BM25F over forms as well as fields), so a document gains nothing from
//! matching the same query word in two spellings.

use crate::answer::{MatchedTerms, Matching, Understood, WordKind};
use crate::expand::Form;
use crate::parse::{Parsed, Part, Word};
use crate::query_plan::CompiledPlan;
use crate::snapshot::Core;
use tantivy::TantivyError;
use text::typos_allowed;

/// What a longer word counts against the word as typed.
const LONGER: f32 = 0.5;
/// What one forgiven typo costs.
pub(crate) const TYPO: f32 = 0.4;
/// What another name for the same thing counts.
const SYNONYM: f32 = 0.9;
/// What standing side by side adds, against the weight of the two words.
const SIDE_BY_SIDE: f32 = 0.3;
/// What a number with its unit counts, against a word in a text of usual length and weight 1.
const MEASURE: f32 = 1.5;
/// Typos are looked for where a word as typed is found in fewer documents.
pub(crate) const RARE: u64 = 10;

/// One word or phrase of a query.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    /// Fewest typos first.
    pub variants: Vec<Variant>,
    /// How much the unit tells: its inverse document frequency.
    pub weight: f32,
    /// A phrase must be there.
    pub mandatory: bool,
    /// Documents that have it, about.
    pub frequency: u64,
    /// Documents that have it as it was typed.
    pub exact: u64,
    /// What it was taken for, where that is not the word itself.
    pub taken: Option<Taken>,
}

/// What a word was taken for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taken {
    pub kind: WordKind,
    pub meant: String,
}

/// One form of a unit: a word, or several that must stand side by side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    pub words: Vec<String>,
    /// What an occurrence counts against one of the word as typed.
    pub factor: f32,
    pub typos: u8,
    /// Looked up among all words of a document, whatever attribute has them: measures stand
    /// in no text.
    pub anywhere: bool,
}

/// A query ready to be scored.
#[derive(Debug, Default)]
pub(crate) struct Units {
    /// In the order in which they may be dropped from the end; all of them occur in the index.
    pub units: Vec<Unit>,
    pub excluded: Vec<Vec<String>>,
    /// How many words and phrases were asked for, also those that occur nowhere.
    pub asked: usize,
    /// How many units a document must have at least; the others may be dropped.
    pub needed: usize,
    /// The weight of everything that was asked, also of what occurs nowhere.
    pub weight: f32,
    /// A word that may not be missing occurs nowhere.
    pub hopeless: bool,
    /// Neighbouring words of the query, which count more when they stand side by side.
    pub pairs: Vec<(Variant, f32)>,
    pub terms: MatchedTerms,
    pub understood: Vec<Understood>,
}

/// Builds the units of one query.
pub(crate) struct Builder<'a> {
    pub core: &'a Core,
    pub plan: &'a CompiledPlan,
    pub matching: Matching,
    /// Say what the words were taken for.
    pub explain: bool,
    /// Words are also looked up as they were typed, for attributes in which none are folded.
    pub as_typed_too: bool,
}

impl Builder<'_> {
    pub fn build(&self, parsed: Parsed) -> Result<Units, TantivyError> {
        let mut units: Vec<Unit> = Vec::with_capacity(parsed.parts.len());
        for part in &parsed.parts {
            units.push(match part {
                Part::Word(word) => self.word(word)?,
                Part::Phrase(words) => self.phrase(words)?,
            });
        }
        self.add_corrections(&parsed.parts, &mut units)?;
        self.add_translations(&parsed.parts, &mut units)?;
        self.add_neighbours(&parsed.parts, &mut units)?;
        self.add_synonyms(&parsed.parts, &mut units)?;
        for unit in units.iter_mut().filter(|unit| !unit.mandatory) {
            let known = if unit.exact > 0 {
                unit.exact
            } else {
                unit.frequency
            };
            unit.weight = self.rarity(known);
        }
        let understood = if self.explain {
            self.understood(&parsed, &units)?
        } else {
            Vec::new()
        };
        let mut done = Units {
            understood,
            excluded: parsed.excluded,
            asked: units.len(),
            pairs: if self.plan.plan.nearness {
                pairs(&parsed.parts, &units)
            } else {
                Vec::new()
            },
            ..Units::default()
        };
        let open = match parsed.parts.last() {
            Some(Part::Word(word)) if word.open => Some(word),
            _ => None,
        };
        let last = units.len().saturating_sub(1);
        for (place, unit) in units.iter_mut().enumerate() {
            unit.variants.sort_by_key(|variant| variant.typos);
            done.weight += unit.weight;
            done.hopeless |=
                unit.frequency == 0 && (unit.mandatory || self.matching == Matching::All);
            let words = unit.variants.iter().flat_map(|variant| &variant.words);
            let forms = match open {
                Some(_) if place == last => &mut done.terms.open_forms,
                _ => &mut done.terms.forms,
            };
            forms.extend(words.cloned());
        }
        done.terms.prefix = open.map(|word| word.surface.clone());
        // A word that occurs nowhere cannot tell documents apart.
        units.retain(|unit| unit.frequency > 0);
        if self.matching == Matching::Frequency {
            units.sort_by_key(|unit| unit.frequency);
        }
        done.needed = if self.matching == Matching::All {
            units.len()
        } else {
            1
        };
        done.units = units;
        Ok(done)
    }

    fn word(&self, word: &Word) -> Result<Unit, TantivyError> {
        let exact = self.core.frequency(&word.text)?;
        let mut unit = Unit {
            frequency: exact,
            exact,
            ..Unit::default()
        };
        if exact > 0 {
            unit.add(vec![word.text.clone()], 1.0, 0);
        }
        if self.as_typed_too && word.surface != word.text {
            let typed = self.core.frequency(&word.surface)?;
            if typed > 0 {
                unit.add(vec![word.surface.clone()], 1.0, 0);
                unit.frequency += typed;
                unit.exact += typed;
            }
        }
        if word.open {
            let forms = self.core.longer(&word.surface)?;
            let longer: u64 = forms.iter().map(|form| form.frequency).sum();
            // Common longer words must not gain from the rarity of the word as typed.
            let share = if exact == 0 {
                1.0
            } else {
                (self.rarity(longer) / self.rarity(exact)).min(1.0)
            };
            for form in forms.iter().filter(|form| form.text != word.text) {
                unit.add(vec![form.text.clone()], LONGER * share, 0);
            }
            unit.frequency += longer;
        }
        if let Some(measure) = &word.measure {
            self.add_measure(measure, &word.text, &mut unit)?;
        }
        if self.add_pinyin(word, &mut unit)? {
            return Ok(unit);
        }
        let allowed = typos_allowed(&word.surface, &self.plan.plan.typo);
        if allowed > 0 && unit.frequency < RARE {
            self.add_misspelt(word, allowed, &mut unit)?;
        }
        Ok(unit)
    }

    /// The number with its unit, however it was written.
    fn add_measure(&self, measure: &str, typed: &str, unit: &mut Unit) -> Result<(), TantivyError> {
        let frequency = self.core.frequency(measure)?;
        if frequency > 0 {
            unit.variants.push(Variant {
                words: vec![measure.to_owned()],
                factor: MEASURE,
                typos: 0,
                anywhere: true,
            });
            // Where it was typed as one word, its documents are counted already.
            if measure != typed {
                unit.frequency += frequency;
            }
        }
        unit.note(WordKind::Unit, Some(measure));
        Ok(())
    }

    /// Words with one typo; only where there are none, words with two; only where there are
    /// none either, beginnings with typos.
    fn add_misspelt(&self, word: &Word, allowed: u8, unit: &mut Unit) -> Result<(), TantivyError> {
        for typos in 1..=allowed {
            // Folding takes the last letter of `wireles` for a plural, so both are tried.
            let folded = unit.add_forms(&self.core.similar(&word.text, typos, WHOLE)?);
            let typed = unit.add_forms(&self.core.similar(&word.surface, typos, WHOLE)?);
            if folded || typed {
                return Ok(());
            }
        }
        if word.open && unit.frequency == 0 {
            for typos in 1..=allowed {
                if unit.add_forms(&self.core.similar(&word.surface, typos, OPEN)?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn phrase(&self, words: &[String]) -> Result<Unit, TantivyError> {
        let mut unit = Unit {
            mandatory: true,
            frequency: u64::MAX,
            ..Unit::default()
        };
        for word in words {
            let frequency = self.core.frequency(word)?;
            unit.weight += self.rarity(frequency);
            unit.frequency = unit.frequency.min(frequency);
        }
        unit.add(words.to_vec(), 1.0, 0);
        Ok(unit)
    }

    fn add_synonyms(&self, parts: &[Part], units: &mut [Unit]) -> Result<(), TantivyError> {
        let words: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Part::Word(word) => word.text.clone(),
                // No synonym has an empty word, so none reaches over a phrase.
                Part::Phrase(_) => String::new(),
            })
            .collect();
        for start in 0..words.len() {
            for synonym in self.plan.synonyms(words.get(start..).unwrap_or_default()) {
                for alternative in &synonym.alternatives {
                    let mut frequency = u64::MAX;
                    for word in alternative {
                        frequency = frequency.min(self.core.frequency(word)?);
                    }
                    if frequency == 0 {
                        continue;
                    }
                    for unit in units.iter_mut().skip(start).take(synonym.words.len()) {
                        unit.add(alternative.clone(), SYNONYM, 0);
                        unit.frequency += frequency;
                    }
                }
            }
        }
        Ok(())
    }

    /// The inverse document frequency of BM25, which is never negative.
    fn rarity(&self, frequency: u64) -> f32 {
        let all = self.core.count().max(1) as f32;
        let frequency = (frequency as f32).min(all);
        (1.0 + (all - frequency + 0.5) / (frequency + 0.5)).ln()
    }
}

/// The neighbours among the words, with what it adds when they stand side by side.
fn pairs(parts: &[Part], units: &[Unit]) -> Vec<(Variant, f32)> {
    let mut pairs = Vec::new();
    for (neighbours, weights) in parts.windows(2).zip(units.windows(2)) {
        if let [Part::Word(left), Part::Word(right)] = neighbours {
            let weight: f32 = weights.iter().map(|unit| unit.weight).sum();
            let pair = Variant {
                words: vec![left.text.clone(), right.text.clone()],
                factor: 1.0,
                typos: 0,
                anywhere: false,
            };
            pairs.push((pair, weight * SIDE_BY_SIDE));
        }
    }
    pairs
}

/// Whether a misspelt word is complete or may go on.
const WHOLE: bool = false;
const OPEN: bool = true;

impl Unit {
    /// Adds a form, unless it is there already.
    pub fn add(&mut self, words: Vec<String>, factor: f32, typos: u8) -> bool {
        let new = self.variants.iter().all(|variant| variant.words != words);
        if new {
            self.variants.push(Variant {
                words,
                factor,
                typos,
                anywhere: false,
            });
        }
        new
    }

    /// Keeps what the word was taken for, unless something is known already.
    pub fn note(&mut self, kind: WordKind, meant: Option<&str>) {
        if let Some(meant) = meant.filter(|_| self.taken.is_none()) {
            let meant = meant.to_owned();
            self.taken = Some(Taken { kind, meant });
        }
    }

    /// Adds misspelt forms; says whether there are any.
    fn add_forms(&mut self, forms: &[Form]) -> bool {
        if self.frequency == 0 {
            let best = forms.first().map(|form| form.text.as_str());
            self.note(WordKind::Typo, best);
        }
        for form in forms {
            let factor = TYPO.powi(i32::from(form.typos));
            if self.add(vec![form.text.clone()], factor, form.typos) {
                self.frequency += form.frequency;
            }
        }
        !forms.is_empty()
    }
}

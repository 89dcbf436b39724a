//! What a query was taken for, word by word, for those who want to see it.

use crate::answer::{Understood, WordKind};
use crate::parse::{Parsed, Part};
use crate::units::{Builder, Taken, Unit};
use tantivy::TantivyError;

impl Builder<'_> {
    /// What each word of a query was taken for, values of the catalogue as a whole.
    pub fn understood(
        &self,
        parsed: &Parsed,
        units: &[Unit],
    ) -> Result<Vec<Understood>, TantivyError> {
        let mut understood: Vec<Understood> = Vec::new();
        let values = self.recognise(&parsed.parts)?;
        for (place, (part, unit)) in parsed.parts.iter().zip(units).enumerate() {
            let value = values.iter().find(|value| value.words.contains(&place));
            let last = understood.last_mut();
            if let Some(value) = value {
                match last.filter(|_| value.words.start < place) {
                    Some(last) => last.append(part),
                    None => understood.push(Understood {
                        text: text_of(part),
                        kind: value.kind,
                        meant: Some(value.value.clone()),
                        attribute: Some(value.attribute.clone()),
                    }),
                }
                continue;
            }
            let (kind, meant) = match (&unit.taken, part) {
                (Some(Taken { kind, meant }), _) => (*kind, Some(meant.clone())),
                (None, Part::Phrase(_)) => (WordKind::Phrase, None),
                (None, Part::Word(_)) => (WordKind::Word, None),
            };
            match last.filter(|last| kind.runs_on() && last.kind == kind && last.meant == meant) {
                // `xing li xiang` is one word, and `55 inch` one measure.
                Some(last) => last.append(part),
                None => understood.push(Understood {
                    text: text_of(part),
                    kind,
                    meant,
                    attribute: None,
                }),
            }
        }
        understood.extend(parsed.excluded.iter().map(|words| Understood {
            text: words.join(" "),
            kind: WordKind::Excluded,
            meant: None,
            attribute: None,
        }));
        Ok(understood)
    }
}

impl Understood {
    fn append(&mut self, part: &Part) {
        if !matches!(part, Part::Word(word) if word.joins) {
            self.text.push(' ');
        }
        self.text.push_str(&text_of(part));
    }
}

impl WordKind {
    /// Whether several words of a query may make up one of this kind.
    fn runs_on(self) -> bool {
        matches!(
            self,
            Self::Pinyin | Self::Typo | Self::Translation | Self::Unit
        )
    }
}

fn text_of(part: &Part) -> String {
    match part {
        Part::Word(word) => word.surface.clone(),
        Part::Phrase(words) => words.join(" "),
    }
}

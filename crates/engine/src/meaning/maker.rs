//! What makes the vectors of an embedder: which model, chosen by the languages of the catalogue
//! where the shop leaves it open, and what is common to a language in its vectors.

use super::describe::{Template, describe};
use super::embedder::Surroundings;
use super::embedders::{Plan, Source};
use super::notes::GIVEN;
use crate::encoders::{ModelName, OpenEncoder};
use crate::tables::{DOCUMENTS, Document, from_json};
use crate::{EncoderError, EngineError};
use encode::{
    Centring, CentringLearner, Encoder, Precision, Prefix, common_words, has_common_words,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use text::{Language, LanguageSample, Languages};

/// Documents that the choice of a model by language rests on.
const SAMPLE: usize = 2_000;
/// Samples of a language without common words from which its mean is learnt.
const LANGUAGE_SAMPLES: usize = 200;
/// Counts up when vectors of one maker are no longer made in the same way.
const MANNER: u32 = 1;

/// The maker of an embedder's vectors, chosen.
pub(super) struct Maker {
    pub model: Option<ModelName>,
    pub encoder: Option<Arc<OpenEncoder>>,
    pub dimensions: usize,
    pub languages: Languages,
    /// Documents there were when the languages were sampled.
    pub sampled_at: u64,
    /// Vectors made by another one are of no use to it.
    pub text: String,
}

impl Maker {
    /// Chooses; `Err` inside says why nothing can be chosen, `Ok(None)` that there is nothing to
    /// choose from yet.
    pub fn choose(
        around: &Surroundings<'_>,
        plan: &Plan,
    ) -> Result<Result<Option<Self>, String>, EngineError> {
        let (languages, sampled_at) = match plan.source {
            Source::Given { dimensions } => {
                return Ok(Ok(Some(Self {
                    model: None,
                    encoder: None,
                    dimensions,
                    languages: Languages::default(),
                    sampled_at: 0,
                    text: format!("{GIVEN} {dimensions}"),
                })));
            }
            Source::Foreign(ref source) => {
                return Ok(Err(format!(
                    "the source `{source}` is not asked from here: use `vitrine`, or give the vectors (`userProvided`)"
                )));
            }
            Source::Auto | Source::Model(_) => languages(around, plan.template.as_ref())?,
        };
        if sampled_at == 0 {
            return Ok(Ok(None));
        }
        let name = match &plan.source {
            Source::Model(name) => Ok(name.clone()),
            _ if languages.is_english() => ModelName::new("minilm"),
            _ => ModelName::new("e5"),
        };
        let opened = name.and_then(|name| {
            let Some(encoders) = around.encoders else {
                return Err(EncoderError::NotInstalled(name));
            };
            let open = encoders.get(&name, plan.precision)?;
            Ok((name, open))
        });
        let (name, open) = match opened {
            Ok(opened) => opened,
            Err(err) => return Ok(Err(err.to_string())),
        };
        let precision = match plan.precision {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
        };
        Ok(Ok(Some(Self {
            text: format!("{name} {precision} {MANNER}"),
            model: Some(name),
            dimensions: open.encoder.dimensions(),
            encoder: Some(open),
            languages,
            sampled_at,
        })))
    }

    /// The means to subtract: those in the folder, or learnt now and put there.
    pub fn centring(
        &self,
        around: &Surroundings<'_>,
        folder: &Path,
    ) -> Result<Centring, EngineError> {
        let Some(open) = self.encoder.as_ref().filter(|_| self.needs_centring()) else {
            return Ok(Centring::none(self.dimensions));
        };
        let path = folder.join("means");
        if let Ok(bytes) = fs::read(&path)
            && let Ok(centring) = Centring::from_bytes(&bytes)
            && centring.dimensions() == self.dimensions
        {
            return Ok(centring);
        }
        let centring = learn(around, self, &open.encoder)?;
        let io = |source| EngineError::Folder {
            path: path.clone(),
            source,
        };
        fs::write(&path, centring.to_bytes()).map_err(io)?;
        Ok(centring)
    }

    /// Whether the model puts texts of one language near each other.
    fn needs_centring(&self) -> bool {
        self.model
            .as_ref()
            .is_some_and(|model| model.as_str() == "e5")
    }
}

/// The languages of a sample of the catalogue, and of how many documents it is.
fn languages(
    around: &Surroundings<'_>,
    template: Option<&Template>,
) -> Result<(Languages, u64), EngineError> {
    let mut sample = LanguageSample::default();
    let mut documents = 0;
    each_sampled(around, template, |text| {
        documents += 1;
        sample.add(text);
    })?;
    let all = around.state.words.count();
    Ok((sample.finish(), if documents == 0 { 0 } else { all.max(1) }))
}

fn each_sampled(
    around: &Surroundings<'_>,
    template: Option<&Template>,
    mut each: impl FnMut(&str),
) -> Result<(), EngineError> {
    let prefix = around.state.meta.no.0.to_be_bytes();
    for entry in around.views.prefix(DOCUMENTS, &prefix)?.take(SAMPLE) {
        let document = Document::decode(&entry?.1)?;
        let object: Map<String, Value> = from_json(document.json.as_bytes())?;
        each(&describe(template, &around.state.roles, &object));
    }
    Ok(())
}

fn learn(
    around: &Surroundings<'_>,
    maker: &Maker,
    encoder: &Encoder,
) -> Result<Centring, EngineError> {
    let mut learner = CentringLearner::new(maker.dimensions);
    let mut add = |texts: &[&str], language: &str| -> Result<(), EngineError> {
        for prefix in [Prefix::Query, Prefix::Passage] {
            let encoded = encoder.encode(texts, prefix).map_err(Box::new)?;
            for vector in encoded.vectors.chunks_exact(maker.dimensions) {
                learner.add(prefix, language, vector);
            }
        }
        Ok(())
    };
    for (language, words) in common_words() {
        add(&words, language)?;
    }
    let mut others: BTreeMap<Language, Vec<String>> = BTreeMap::new();
    each_sampled(around, None, |text| {
        let language = maker.languages.of(text);
        if !has_common_words(language.code()) && !text.is_empty() {
            others.entry(language).or_default().push(text.to_owned());
        }
    })?;
    for (language, texts) in &others {
        let texts: Vec<&str> = texts
            .iter()
            .map(String::as_str)
            .take(LANGUAGE_SAMPLES)
            .collect();
        add(&texts, language.code())?;
    }
    Ok(learner.finish())
}

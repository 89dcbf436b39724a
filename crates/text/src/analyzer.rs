//! From a text to the tokens that are indexed and looked up.
//!
//! Documents and queries go through the same steps (fold, segment, stem), so
//! that what is typed meets what was written. They differ in what is indexed beside a
//! word and not asked for: the parts of Chinese compounds, and numbers with their units.

use crate::characters::is_han;
use crate::chinese::Segmenter;
use crate::fold::{Folded, fold, normalise};
use crate::measure::{Measure, Placed, with_measures};
use crate::phrases::Phrases;
use crate::plural::singular;
use crate::segment::{Rules, SegmentKind};
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// The bytes of a word that are indexed; longer ones meet by their beginning.
const LONGEST_TOKEN: usize = 200;

/// Which word forms count as the same word, and what separates words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzerConfig {
    /// Plural folding: `holders` is `holder`. Off for catalogues that are not English.
    pub english_folding: bool,
    /// Words that stay one token when met in the text (`t-light`, `J. R. R.`);
    /// Chinese ones become known to the segmenter.
    pub dictionary: Vec<String>,
    /// Strings that separate words although they would not by themselves.
    pub separators: Vec<String>,
    /// Strings that do not separate words although they would by themselves.
    pub non_separators: Vec<String>,
}

impl Default for AnalyzerConfig {
    fn default() -> Self {
        Self {
            english_folding: true,
            dictionary: Vec::new(),
            separators: Vec::new(),
            non_separators: Vec::new(),
        }
    }
}

/// One word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The form that is indexed and looked up: normalised, and the plural folded.
    pub text: String,
    /// Normalised but not folded, for prefixes and typos of what was typed.
    pub surface: String,
    /// Byte offsets in the original text, on character boundaries.
    pub start: usize,
    pub end: usize,
    /// The number of the word; sub-words have that of their compound.
    pub position: u32,
    /// A number with its unit, which stands beside the words it is written in.
    pub is_measure: bool,
}

/// Splits text into tokens. Cheap to clone.
///
/// ```
/// use text::{Analyzer, AnalyzerConfig};
///
/// let analyzer = Analyzer::new(AnalyzerConfig::default());
/// let tokens = analyzer.tokens("Women's T-light HOLDERS");
/// let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
/// assert_eq!(words, ["women", "t", "light", "holder"]);
/// ```
#[derive(Clone, Debug)]
pub struct Analyzer {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    english_folding: bool,
    rules: Rules,
    segmenter: Segmenter,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Document,
    Query,
}

impl Analyzer {
    /// An analyser that follows `config`; its Chinese dictionary loads when first needed.
    pub fn new(config: AnalyzerConfig) -> Self {
        let words = config.dictionary.iter().map(|word| normalise(word));
        let (chinese, others): (Vec<String>, Vec<String>) =
            words.partition(|word| word.chars().all(is_han));
        let folded =
            |list: &[String]| -> Vec<String> { list.iter().map(|text| fold(text).text).collect() };
        let rules = Rules::new(
            Phrases::new(others),
            &folded(&config.separators),
            &folded(&config.non_separators),
        );
        Self {
            inner: Arc::new(Inner {
                english_folding: config.english_folding,
                rules,
                segmenter: Segmenter::new(chinese),
            }),
        }
    }

    /// For documents: every token in order, Chinese compounds followed by their parts, numbers
    /// with a unit by their measure.
    pub fn tokens(&self, text: &str) -> Vec<Token> {
        let (tokens, measures) = self.analyze(text, Mode::Document);
        with_measures(tokens, measures)
    }

    /// For queries: no overlapping parts. A compound the dictionary knows is one word.
    pub fn query_tokens(&self, text: &str) -> Vec<Token> {
        self.query_measures(text).0
    }

    /// As [`query_tokens`](Self::query_tokens), with the numbers that have a unit.
    ///
    /// ```
    /// use text::{Analyzer, AnalyzerConfig};
    ///
    /// let analyzer = Analyzer::new(AnalyzerConfig::default());
    /// let (_, found) = analyzer.query_measures("TV 55-inch 20英寸 2TB 6.5\"");
    /// let found: Vec<&str> = found.iter().map(|measure| measure.text.as_str()).collect();
    /// assert_eq!(found, ["55in", "20in", "2tb", "6.5in"]);
    /// ```
    pub fn query_measures(&self, text: &str) -> (Vec<Token>, Vec<Measure>) {
        self.analyze(text, Mode::Query)
    }

    /// The stem that is indexed for an already normalised word (`holders` gives `holder`).
    pub fn fold(&self, word: &str) -> String {
        self.stem(word).into_owned()
    }

    fn stem<'w>(&self, word: &'w str) -> Cow<'w, str> {
        // A word of the dictionary is indexed as it stands.
        if self.inner.english_folding
            && word.ends_with('s')
            && !self.inner.rules.phrases.contains(word)
        {
            singular(word)
        } else {
            Cow::Borrowed(word)
        }
    }

    fn analyze(&self, text: &str, mode: Mode) -> (Vec<Token>, Vec<Measure>) {
        let folded = fold(text);
        let mut collector = Collector {
            analyzer: self,
            folded: &folded,
            // Six bytes a word are usual; a document that is one long word needs few.
            tokens: Vec::with_capacity((text.len() / 6).min(1024) + 1),
            spans: Vec::with_capacity((text.len() / 6).min(1024) + 1),
            position: 0,
        };
        for segment in self.inner.rules.segments(&folded.text) {
            let range = segment.start..segment.end;
            match segment.kind {
                SegmentKind::Word => collector.word(range),
                SegmentKind::WordWithApostrophes => collector.word_with_apostrophes(range),
                SegmentKind::Phrase(phrase) => collector.phrase(phrase, range),
                SegmentKind::Han => collector.han(range, mode),
            }
        }
        let placed = Placed {
            folded: &folded.text,
            tokens: &collector.tokens,
            spans: &collector.spans,
        };
        let mut measures = placed.measures();
        for measure in &mut measures {
            measure.end = folded.offsets.end(measure.end);
        }
        (collector.tokens, measures)
    }
}

/// Makes tokens out of the segments of one text.
struct Collector<'c> {
    analyzer: &'c Analyzer,
    folded: &'c Folded,
    tokens: Vec<Token>,
    /// Where each token stands in the folded text.
    spans: Vec<Range<usize>>,
    position: u32,
}

impl Collector<'_> {
    fn word(&mut self, range: Range<usize>) {
        let surface = shortened(self.slice(&range)).to_owned();
        self.add_stemmed(surface, range);
    }

    fn word_with_apostrophes(&mut self, range: Range<usize>) {
        let mut surface = self.slice(&range).replace('\'', "");
        surface.truncate(shortened(&surface).len());
        self.add_stemmed(surface, range);
    }

    fn add_stemmed(&mut self, surface: String, range: Range<usize>) {
        let text = self.analyzer.stem(&surface).into_owned();
        self.push(text, surface, range);
        self.position += 1;
    }

    fn phrase(&mut self, phrase: &str, range: Range<usize>) {
        self.add_as_is(shortened(phrase), range);
        self.position += 1;
    }

    fn han(&mut self, run: Range<usize>, mode: Mode) {
        let folded = self.folded;
        let segmenter = &self.analyzer.inner.segmenter;
        let text = folded.text.get(run.clone()).unwrap_or_default();
        for word in segmenter.words(text) {
            let start = run.start + word.start;
            let whole = text.get(word.clone()).unwrap_or_default();
            self.add_as_is(shortened(whole), start..run.start + word.end);
            if mode == Mode::Document {
                for part in segmenter.sub_words(whole) {
                    let sub_word = whole.get(part.clone()).unwrap_or_default();
                    self.add_as_is(sub_word, start + part.start..start + part.end);
                }
            }
            self.position += 1;
        }
    }

    fn add_as_is(&mut self, word: &str, range: Range<usize>) {
        self.push(word.to_owned(), word.to_owned(), range);
    }

    fn push(&mut self, text: String, surface: String, range: Range<usize>) {
        self.tokens.push(Token {
            text,
            surface,
            start: self.folded.offsets.start(range.start),
            end: self.folded.offsets.end(range.end),
            position: self.position,
            is_measure: false,
        });
        self.spans.push(range);
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.folded.text.get(range.clone()).unwrap_or_default()
    }
}

/// The beginning of `word` that is indexed.
fn shortened(word: &str) -> &str {
    word.get(..word.floor_char_boundary(LONGEST_TOKEN))
        .unwrap_or(word)
}

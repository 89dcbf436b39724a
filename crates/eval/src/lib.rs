//! How good a ranking is, and whether a difference is real.
//!
//! Plain metrics over plain numbers, readers for query and judgement files, the
//! two leave-one-out protocols of sequential recommendation, reports on lists of
//! recommendations, and a paired bootstrap. `eval` knows no engine and no model: what is measured comes in as
//! a closure or as lists.
//!
//! ```
//! use eval::{SequenceProtocol, Sequences};
//!
//! let sequences = Sequences::read("ann 10 20 30\nbob 20 30 10\n".as_bytes())?;
//! let split = SequenceProtocol::P2.test(&sequences);
//! // A ranker that always proposes everything in the order of the numbers.
//! let report = split.evaluate(1, |_history, keep| (0..3).filter(|&item| keep(item)).collect());
//! assert_eq!(report.users, 2);
//! assert_eq!(report.recall_5, 1.0);
//! # Ok::<(), eval::SequencesError>(())
//! ```

mod bootstrap;
mod metrics;
mod protocol;
mod recommendation;
mod relevance;
mod sequences;
mod tables;
mod tuning;

pub use bootstrap::{Difference, paired_bootstrap};
pub use metrics::{
    auc, average_precision, coverage, dcg, diversity, graded_gain, log_loss, ndcg, novelty, recall,
    reciprocal_rank,
};
pub use protocol::{Case, SequenceProtocol, SequenceReport, Split, UnknownProtocol};
pub use recommendation::{
    CaseFigures, Ranked, RecommendationDifference, RecommendationReport, Recommended, Shopper,
};
pub use relevance::{QueryRelevance, RelevanceReport, relevance};
pub use sequences::{Sequences, SequencesError};
pub use tables::{Qrels, QueryLine, TableError, read_qrels, read_queries};
pub use tuning::{Tuning, tune};

//! How many typos a word may have, and how many lie between two words.
//!
//! The distance is the restricted Damerau-Levenshtein distance: insertion,
//! deletion, substitution, and exchange of two neighbouring characters, where
//! no stretch is edited twice. It is what the typo automata of the words index accept.

use crate::characters::is_cjk;
use crate::normalise;

/// When typos are forgiven. The defaults are those of Meilisearch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypoPolicy {
    pub enabled: bool,
    /// Words from this many characters may have one typo.
    pub one_from: usize,
    /// Words from this many characters may have two.
    pub two_from: usize,
    /// Words that must be typed as they are.
    pub disabled_words: Vec<String>,
    pub no_typos_on_numbers: bool,
}

impl Default for TypoPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            one_from: 5,
            two_from: 9,
            disabled_words: Vec::new(),
            no_typos_on_numbers: false,
        }
    }
}

/// The number of typos forgiven in a normalised `word`: 0, 1 or 2.
///
/// Words in Chinese, Japanese or Korean script get none: one character there
/// is a syllable or a word, and exchanging it makes another word.
pub fn typos_allowed(word: &str, policy: &TypoPolicy) -> u8 {
    let has_number = || word.chars().any(char::is_numeric);
    if !policy.enabled
        || word.chars().any(is_cjk)
        || (policy.no_typos_on_numbers && has_number())
        || is_listed(word, &policy.disabled_words)
    {
        return 0;
    }
    let letters = word.chars().count();
    if letters >= policy.two_from {
        2
    } else if letters >= policy.one_from {
        1
    } else {
        0
    }
}

fn is_listed(word: &str, list: &[String]) -> bool {
    list.iter()
        .any(|listed| listed == word || normalise(listed) == word)
}

/// The typos between `a` and `b`, counted in characters; `None` above `max`.
pub fn damerau_levenshtein(a: &str, b: &str, max: u8) -> Option<u8> {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let (a, b) = without_common_ends(&a, &b);
    let max = usize::from(max);
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    u8::try_from(banded_distance(a, b, max))
        .ok()
        .filter(|&distance| usize::from(distance) <= max)
}

/// The distance, or some number above `max` when it is above `max`.
///
/// Cells further than `max` from the diagonal are above `max`, so each row holds
/// only the `2 max + 1` cells about it: cell `k` of row `i` is column `i + k - max`.
fn banded_distance(a: &[char], b: &[char], max: usize) -> usize {
    let width = 2 * max + 1;
    let far = max + 1;
    let mut two_back = vec![far; width];
    // Row 0: column j costs j insertions.
    let mut one_back: Vec<usize> = (0..width)
        .map(|k| k.checked_sub(max).unwrap_or(far))
        .collect();
    let mut row = vec![far; width];
    let cell = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(far);
    for (i, &x) in a.iter().enumerate() {
        let row_number = i + 1;
        let mut best = far;
        for k in 0..width {
            let Some(column) = (row_number + k)
                .checked_sub(max)
                .filter(|&column| column <= b.len())
            else {
                row[k] = far;
                continue;
            };
            let mut cost = cell(&one_back, k + 1) + 1;
            if let Some(j) = column.checked_sub(1) {
                let left = k.checked_sub(1).map_or(far, |k| row[k]);
                cost = cost.min(left + 1).min(one_back[k] + usize::from(x != b[j]));
                if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == b[j] {
                    cost = cost.min(two_back[k] + 1);
                }
            }
            row[k] = cost.min(far);
            best = best.min(row[k]);
        }
        // An exchange reaches over one row, so it takes two rows above `max` to be sure.
        if best > max && one_back.iter().all(|&cost| cost > max) {
            return far;
        }
        std::mem::swap(&mut two_back, &mut one_back);
        std::mem::swap(&mut one_back, &mut row);
    }
    // The last column of the last row.
    (b.len() + max)
        .checked_sub(a.len())
        .map_or(far, |k| cell(&one_back, k))
}

/// Both words without the beginning and the end they share.
fn without_common_ends<'w>(a: &'w [char], b: &'w [char]) -> (&'w [char], &'w [char]) {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    (&a[..a.len() - tail], &b[..b.len() - tail])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typos_grow_with_the_word() {
        let check = |word: &str, policy: &TypoPolicy, expected: u8| {
            assert_eq!(typos_allowed(word, policy), expected, "{word}");
        };
        let default = TypoPolicy::default();
        for (word, expected) in [
            ("", 0),
            ("lamp", 0),
            ("light", 1),
            ("öööö", 0),
            ("ööööö", 1),
            ("lanterns", 1),
            ("lanternes", 2),
            ("006r90321", 2),
            ("四件套四件套", 0),
            ("イヤホン", 0),
            ("무선이어폰", 0),
        ] {
            check(word, &default, expected);
        }
        let off = TypoPolicy {
            enabled: false,
            ..TypoPolicy::default()
        };
        check("lanternes", &off, 0);
        let strict = TypoPolicy {
            disabled_words: vec!["Café Crème".to_owned(), "Lanterns".to_owned()],
            no_typos_on_numbers: true,
            one_from: 3,
            ..TypoPolicy::default()
        };
        check("lanterns", &strict, 0);
        check("lantern", &strict, 1);
        check("cup", &strict, 1);
        check("006r90321", &strict, 0);
    }

    #[test]
    fn distances_are_those_of_the_words() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("lamp", "lamp", 0),
            ("lamp", "lamps", 1),
            ("holder", "hodler", 1),
            ("holder", "hlodre", 2),
            ("ca", "abc", 3),
            ("行李箱", "行箱李", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(damerau_levenshtein(a, b, 9), Some(expected), "{a} {b}");
            assert_eq!(
                damerau_levenshtein(a, b, expected),
                Some(expected),
                "{a} {b}"
            );
            if let Some(less) = expected.checked_sub(1) {
                assert_eq!(damerau_levenshtein(a, b, less), None, "{a} {b}");
            }
        }
    }

    #[test]
    fn huge_words_are_compared_quickly() {
        let long = "ab".repeat(1 << 19);
        let other = format!("b{long}");
        assert_eq!(damerau_levenshtein(&long, &other, 2), Some(1));
        assert_eq!(damerau_levenshtein(&long, &"ba".repeat(1 << 19), 1), None);
    }

    /// The definition, with the whole matrix.
    fn full_matrix(a: &str, b: &str) -> usize {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let mut cost = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                if i == 0 || j == 0 {
                    cost[i][j] = i + j;
                    continue;
                }
                let changed = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (cost[i - 1][j] + 1)
                    .min(cost[i][j - 1] + 1)
                    .min(cost[i - 1][j - 1] + changed);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(cost[i - 2][j - 2] + 1);
                }
                cost[i][j] = best;
            }
        }
        cost[a.len()][b.len()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn bounded_distance_is_the_full_one(a in "[abé]{0,9}", b in "[abé]{0,9}", max in 0_u8..12) {
            let full = full_matrix(&a, &b);
            let expected = u8::try_from(full).ok().filter(|&distance| distance <= max);
            prop_assert_eq!(damerau_levenshtein(&a, &b, max), expected);
            prop_assert_eq!(damerau_levenshtein(&b, &a, max), expected);
        }
    }
}

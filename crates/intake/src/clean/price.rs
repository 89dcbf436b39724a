//! Reads prices as people write them.
//!
//! Currency signs and names fall away; the decimal mark is told by the last
//! separator and the size of the groups. A price that could not be right is
//! refused rather than guessed, because a wrong price is worse than none.

use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceFault {
    #[error("the price is negative")]
    Negative,
    #[error("this cannot be read as a price")]
    Unreadable,
}

/// Words that may stand beside the number, in lower case.
static WORDS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    "a ab aed ars aud au bgn brl c ca cad chf clp cny cop czk dkk dollar dollars each eur euro \
     euros from ft gbp hk hkd huf idr ils incl inkl inr jpy kr krw kč lei mwst mxn myr nok nt \
     nur nz nzd only php pln pound pounds r rmb ron rp rs rub sar sek sg sgd thb tl try twd uah \
     us usd vat vnd zar zł лв руб"
        .split_whitespace()
        .collect()
});
/// The same for Chinese and Japanese, which write no space between them and the number.
const CJK_WORDS: [&str; 8] = ["人民币", "元", "円", "圆", "块", "원", "起", "约"];
const SIGNS: &str = "$£€¥₩₹₽₺₫฿₴₪₦₱₡₲₵₸₼₾﷼¢￥.,:/+~*()";
/// Above this a number is a code, not a price.
const HIGHEST: f64 = 1e15;

/// The amount in a price text: `£1,299.00`, `1.299,00 €`, `EUR 12`, `1 299,95`, `¥899`.
///
/// `1,299` is one thousand two hundred and ninety-nine; a bare `1.299`, as
/// machines write it, is a little more than one.
///
/// ```
/// assert_eq!(intake::parse_price("1.299,00 €"), Ok(1299.0));
/// assert_eq!(intake::parse_price("$12.5"), Ok(12.5));
/// ```
pub fn parse_price(text: &str) -> Result<f64, PriceFault> {
    let normal = super::text::normalized(text);
    let text = normal.as_deref().unwrap_or(text);
    if let Some(number) = well_formed(text) {
        return within(number);
    }
    let is_digit = |c: char| c.is_ascii_digit();
    let first = text.find(is_digit).ok_or(PriceFault::Unreadable)?;
    let last = text.rfind(is_digit).ok_or(PriceFault::Unreadable)?;
    let (before, rest) = text.split_at(first);
    let (core, after) = rest.split_at(last + 1 - first);
    let negative = sign(before)?;
    // Behind the number a dash stands for no cents, as in `12,-`.
    let after = after
        .trim_start_matches(['.', ','])
        .trim_start_matches(['-', '–', '—']);
    if !is_currency(after) {
        return Err(PriceFault::Unreadable);
    }
    let number = amount(core).ok_or(PriceFault::Unreadable)?;
    within(if negative { -number } else { number })
}

/// A plain number as machines write it, such as `-12.50`.
pub(super) fn well_formed(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// A number with groups and either decimal mark, as in `1.299,00`.
pub(super) fn amount(core: &str) -> Option<f64> {
    let core = core.replace('’', "'");
    let last_mark = core.rfind(['.', ',']);
    let decimal = last_mark.filter(|&at| is_decimal(&core, at));
    let (whole, fraction) = match decimal {
        Some(at) => (core.get(..at)?, core.get(at + 1..)?),
        None => (core.as_str(), ""),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = ungrouped(whole)?;
    format!("{whole}.{fraction}0").parse().ok()
}

/// Whether the last `.` or `,` of a number is its decimal mark.
fn is_decimal(core: &str, at: usize) -> bool {
    let (whole, fraction) = core.split_at(at);
    let mark = if fraction.starts_with('.') { '.' } else { ',' };
    let digits = fraction.len() - 1;
    if whole.contains(mark) {
        // A mark that stands there twice is a group mark.
        return false;
    }
    let grouped_otherwise = whole.contains(|c: char| !c.is_ascii_digit());
    grouped_otherwise || digits != 3 || whole.len() > 3 || whole == "0"
}

/// Takes group marks out, if the groups are groups: three digits each, or two as in India.
fn ungrouped(whole: &str) -> Option<String> {
    let Some(mark) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return Some(whole.to_owned());
    };
    if !matches!(mark, '.' | ',' | '\'' | ' ' | '_') {
        return None;
    }
    let groups: Vec<&str> = whole.split(mark).collect();
    let (last, before) = groups.split_last()?;
    let (first, middle) = before.split_first()?;
    let all_digits = groups
        .iter()
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let threes = middle.iter().all(|group| group.len() == 3);
    let twos = mark == ',' && first.len() <= 2 && middle.iter().all(|group| group.len() == 2);
    (all_digits && first.len() <= 3 && last.len() == 3 && (threes || twos)).then(|| groups.concat())
}

/// Whether a minus stands before the number; an error when something else does.
fn sign(before: &str) -> Result<bool, PriceFault> {
    let minus = before.contains(['-', '−', '–']);
    let rest: String = before
        .chars()
        .filter(|c| !matches!(c, '-' | '−' | '–'))
        .collect();
    if is_currency(&rest) {
        Ok(minus)
    } else {
        Err(PriceFault::Unreadable)
    }
}

/// Whether a text consists of currency signs and the words that go with a price.
fn is_currency(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || SIGNS.contains(c))
        .all(|word| {
            word.is_empty()
                || WORDS.contains(word.to_lowercase().as_str())
                || CJK_WORDS.contains(&word)
        })
}

fn within(number: f64) -> Result<f64, PriceFault> {
    if number < 0.0 {
        Err(PriceFault::Negative)
    } else if number <= HIGHEST {
        // Adding zero turns a negative zero into zero.
        Ok(number + 0.0)
    } else {
        Err(PriceFault::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_read_in_many_styles() {
        for (text, expected) in [
            ("£1,299.00", 1299.0),
            ("1.299,00 €", 1299.0),
            ("EUR 12", 12.0),
            ("1 299,95", 1299.95),
            ("¥899", 899.0),
            ("￥８９９", 899.0),
            ("$1,234", 1234.0),
            ("1,299", 1299.0),
            ("1.299", 1.299),
            ("1.299 €", 1299.0),
            ("0,299", 0.299),
            ("12,5", 12.5),
            ("12.", 12.0),
            ("12,- €", 12.0),
            ("CHF 1'299.–", 1299.0),
            ("1’299.50 CHF", 1299.5),
            ("₹1,23,456.50", 123_456.5),
            ("1.234.567", 1_234_567.0),
            ("1,234,567.89", 1_234_567.89),
            ("Rs. 1,299", 1299.0),
            ("US$ 12.00", 12.0),
            ("from £5.95 each", 5.95),
            ("899.00元", 899.0),
            ("人民币 12 起", 12.0),
            ("0", 0.0),
            ("-0", 0.0),
            ("12345,678", 12345.678),
        ] {
            assert_eq!(parse_price(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "",
            "free",
            "NaN",
            "Infinity",
            "inf",
            "1e5",
            "10 - 20",
            "£10 - £20",
            "12 50",
            "1.2.3",
            "1,2,3",
            "12 pieces",
            "call 555",
            "1,23,45",
            "99999999999999999999",
        ] {
            assert_eq!(parse_price(text), Err(PriceFault::Unreadable), "{text}");
        }
        for text in ["-5", "-£5.00", "£-5", "−5 €"] {
            assert_eq!(parse_price(text), Err(PriceFault::Negative), "{text}");
        }
    }

    fn grouped(whole: u64, mark: &str) -> String {
        let digits = whole.to_string();
        let mut out = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push_str(mark);
            }
            out.push(digit);
        }
        out
    }

    proptest! {
        #[test]
        fn formatted_prices_are_read_back(cents in 0_u64..10_000_000_000) {
            let (whole, rest) = (cents / 100, cents % 100);
            let expected = format!("{whole}.{rest:02}").parse::<f64>().expect("a number");
            for text in [
                format!("£{}.{rest:02}", grouped(whole, ",")),
                format!("${whole}.{rest:02}"),
                format!("{},{rest:02} €", grouped(whole, ".")),
                format!("{},{rest:02}", grouped(whole, " ")),
                format!("{},{rest:02} kr", grouped(whole, "\u{a0}")),
                format!("CHF {}.{rest:02}", grouped(whole, "’")),
                format!("{whole},{rest:02} EUR"),
                format!("{whole}.{rest:02}"),
            ] {
                prop_assert_eq!(parse_price(&text), Ok(expected), "{}", text);
            }
            for text in [format!("¥{}", grouped(whole, ",")), format!("{} €", grouped(whole, ".")), format!("EUR {whole}")] {
                prop_assert_eq!(parse_price(&text), Ok(whole as f64), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in "[-0-9.,' €£a]{0,12}|\\PC{0,12}") {
            if let Ok(price) = parse_price(&text) {
                prop_assert!(price.is_finite() && price >= 0.0);
            }
        }
    }
}

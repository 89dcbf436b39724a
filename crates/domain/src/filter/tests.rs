use super::{Comparison, Filter, FilterUse, FilterValue};
use crate::{GeoArea, GeoPoint};
use proptest::prelude::*;

fn compare(attribute: &str, comparison: Comparison, value: &str) -> Filter {
    Filter::Compare {
        attribute: attribute.to_owned(),
        comparison,
        value: FilterValue::new(value),
    }
}

fn equal(attribute: &str, value: &str) -> Filter {
    compare(attribute, Comparison::Equal, value)
}

fn between(attribute: &str, low: f64, high: f64) -> Filter {
    Filter::Between {
        attribute: attribute.to_owned(),
        low,
        high,
    }
}

fn within(attribute: &str, values: &[&str]) -> Filter {
    Filter::In {
        attribute: attribute.to_owned(),
        values: values.iter().copied().map(FilterValue::new).collect(),
    }
}

fn check(text: &str, expected: &Filter) {
    let parsed = Filter::parse(text);
    assert_eq!(parsed.as_ref(), Ok(expected), "{text}");
    let printed = expected.to_string();
    assert_eq!(
        Filter::parse(&printed).as_ref(),
        Ok(expected),
        "{text} was printed as {printed}"
    );
}

#[test]
fn every_operator_is_read() {
    let attribute = || "a".to_owned();
    let exists = Filter::Exists {
        attribute: attribute(),
    };
    let null = Filter::IsNull {
        attribute: attribute(),
    };
    let empty = Filter::IsEmpty {
        attribute: attribute(),
    };
    let contains = Filter::Contains {
        attribute: attribute(),
        text: "red cup".to_owned(),
    };
    let starts = Filter::StartsWith {
        attribute: attribute(),
        text: "red".to_owned(),
    };
    check("a = red", &equal("a", "red"));
    check("a=red", &equal("a", "red"));
    check("a != red", &Filter::not(equal("a", "red")));
    check("a > 5", &compare("a", Comparison::Greater, "5"));
    check("a>=-5.5", &compare("a", Comparison::GreaterOrEqual, "-5.5"));
    check("a < 1e3", &compare("a", Comparison::Less, "1e3"));
    check("a <= \"5\"", &compare("a", Comparison::LessOrEqual, "5"));
    check("a 5 TO 10", &between("a", 5.0, 10.0));
    check("\"a\" -0.5 to 1e300", &between("a", -0.5, 1e300));
    check("a IN [x, \"b c\",]", &within("a", &["x", "b c"]));
    check("a in[]", &within("a", &[]));
    check(
        "a NOT IN ['it\\'s', \"IN\"]",
        &Filter::not(within("a", &["it's", "IN"])),
    );
    check("a EXISTS", &exists);
    check("a NOT EXISTS", &Filter::not(exists.clone()));
    check("NOT a exists", &Filter::not(exists));
    check("a IS NULL", &null);
    check("a IS NOT NULL", &Filter::not(null));
    check("a IS EMPTY", &empty);
    check("a IS NOT EMPTY", &Filter::not(empty));
    check("a CONTAINS 'red cup'", &contains);
    check("a NOT CONTAINS 'red cup'", &Filter::not(contains));
    check("a STARTS WITH red", &starts);
    check("a not starts with red", &Filter::not(starts));
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    let [a, b, c] = ["a", "b", "c"].map(|name| equal(name, "1"));
    let and = |parts: &[&Filter]| Filter::and(parts.iter().copied().cloned().collect());
    let or = |parts: &[&Filter]| Filter::or(parts.iter().copied().cloned().collect());
    let not = |part: &Filter| Filter::not(part.clone());
    check("a=1 OR b=1 AND c=1", &or(&[&a, &and(&[&b, &c])]));
    check("a=1 AND b=1 or c=1", &or(&[&and(&[&a, &b]), &c]));
    check("(a=1 OR b=1) AND c=1", &and(&[&or(&[&a, &b]), &c]));
    check("a=1 AND b=1 AND c=1", &and(&[&a, &b, &c]));
    check("a=1 AND (b=1 AND c=1)", &and(&[&a, &and(&[&b, &c])]));
    check("a=1 OR (b=1 OR c=1)", &or(&[&a, &or(&[&b, &c])]));
    check("NOT a=1 AND b=1", &and(&[&not(&a), &b]));
    check("NOT (a=1 AND b=1)", &not(&and(&[&a, &b])));
    check("NOT NOT NOT a=1", &not(&not(&not(&a))));
    check("NOT a > 1", &not(&compare("a", Comparison::Greater, "1")));
    check("((((a=1))))", &a);
    check("NOT(a=1)OR(b=1)", &or(&[&not(&a), &b]));
}

#[test]
fn words_are_bare_or_quoted() {
    check(
        "specs.colour = dark-red",
        &equal("specs.colour", "dark-red"),
    );
    check("颜色 = 深红", &equal("颜色", "深红"));
    check("größe = 5/6:7@8+9_0", &equal("größe", "5/6:7@8+9_0"));
    check(
        "\"first name\" = 'O\\'Neil \"x\" \\\\'",
        &equal("first name", "O'Neil \"x\" \\"),
    );
    check("\"and\" = \"\"", &equal("and", ""));
    check("'a' = \"\\n\"", &equal("a", "n"));
    check("_geo = \"x\n\ty\"", &equal("_geo", "x\n\ty"));
}

fn refused(text: &str, position: usize, reason: &str) {
    let error = Filter::parse(text).expect_err(text);
    assert_eq!(
        (error.position, error.reason.as_str()),
        (position, reason),
        "{text}"
    );
}

#[test]
fn errors_say_what_was_expected_and_where() {
    let operators = super::parse::parse("a").expect_err("no operator").reason;
    assert!(
        operators.starts_with("expected `=`, `!=`,")
            && operators.ends_with("after the attribute `a` but the filter ends"),
        "{operators}"
    );
    refused("", 1, "expected a condition but the filter is empty");
    refused("  \n", 4, "expected a condition but the filter is empty");
    refused("a =", 4, "expected a value after `=` but the filter ends");
    refused("颜色 = )", 6, "expected a value after `=` but found `)`");
    refused("a > red", 5, "expected a number after `>` but found `red`");
    refused(
        "a >= 2020-01-01",
        6,
        "expected a number after `>=` but found `2020-01-01`",
    );
    refused("a > inf", 5, "expected a number after `>` but found `inf`");
    refused("a x TO 5", 3, "expected a number before `TO` but found `x`");
    refused(
        "a 5 TO",
        7,
        "expected a number after `TO` but the filter ends",
    );
    refused(
        "(a = 1",
        7,
        "expected `AND`, `OR` or a closing `)` but the filter ends",
    );
    refused(
        "a = 1)",
        6,
        "expected `AND`, `OR` or the end of the filter but found `)`",
    );
    refused(
        "a = 1 b = 2",
        7,
        "expected `AND`, `OR` or the end of the filter but found `b`",
    );
    refused("a = 1 AND", 10, "expected an attribute but the filter ends");
    refused(
        "AND a = 1",
        1,
        "expected an attribute but `AND` is a keyword; quotes make it an ordinary word",
    );
    refused(
        "a = to",
        5,
        "expected a value after `=` but `to` is a keyword; quotes make it an ordinary word",
    );
    refused(
        "a IN x",
        6,
        "expected a list in `[` and `]` after `IN` but found `x`",
    );
    refused(
        "a IN [x y]",
        9,
        "expected `,` or `]` after a value of the list but found `y`",
    );
    refused(
        "a IN [x",
        8,
        "expected `,` or `]` after a value of the list but the filter ends",
    );
    refused("a IN [,]", 7, "expected a value or `]` but found `,`");
    refused(
        "a STARTS red",
        10,
        "expected `WITH` after `STARTS` but found `red`",
    );
    refused(
        "a IS 5",
        6,
        "expected `NULL`, `EMPTY`, `NOT NULL` or `NOT EMPTY` after `IS` but found `5`",
    );
    refused(
        "a IS NOT 5",
        10,
        "expected `NULL` or `EMPTY` after `IS NOT` but found `5`",
    );
    refused(
        "a NOT = 5",
        7,
        "expected `IN`, `EXISTS`, `CONTAINS` or `STARTS WITH` after `NOT` but found `=`",
    );
    refused(
        "a = 'x",
        5,
        "expected a closing ' for the quote that begins",
    );
    refused(
        "a = 'x\\",
        5,
        "expected a closing ' for the quote that begins",
    );
    refused(
        "a ! 5",
        3,
        "`!` is not part of the filter grammar outside quotes",
    );
    refused(
        "a = #5",
        5,
        "`#` is not part of the filter grammar outside quotes",
    );
}

#[test]
fn areas_are_read_and_printed() {
    let at = |lat, lng| GeoPoint::new(lat, lng).expect("a place");
    let radius = GeoArea::radius(at(45.4, -9.1), 2000.0).expect("an area");
    check(
        "_geoRadius(45.4, -9.1, 2000)",
        &Filter::Within(radius.clone()),
    );
    check(
        "_geoRadius(45.4,-9.1,2000,64)",
        &Filter::Within(radius.clone()),
    );
    check(
        "NOT _geoRadius(45.4, -9.1, 2e3)",
        &Filter::not(Filter::Within(radius.clone())),
    );
    let rectangle = GeoArea::rectangle(at(3.0, 4.0), at(1.0, -2.0)).expect("an area");
    check(
        "a = 1 AND _geoBoundingBox([3, 4], [1, -2])",
        &Filter::and(vec![equal("a", "1"), Filter::Within(rectangle)]),
    );
    let corners = vec![at(1.0, 2.0), at(3.0, 4.0), at(5.0, -6.5)];
    let polygon = GeoArea::polygon(corners).expect("an area");
    let both = Filter::or(vec![Filter::Within(polygon), Filter::Within(radius)]);
    check(
        "_geoPolygon([1, 2], [3, 4], [5, -6.5]) OR _geoRadius(45.4,-9.1,2000)",
        &both,
    );
    assert_eq!(both.attributes(), ["_geo"]);
    // Without a bracket it is an attribute like every other.
    check("_geoRadius = 1", &equal("_geoRadius", "1"));
}

#[test]
fn every_use_of_an_attribute_is_told() {
    let filter = Filter::parse(
        "a = 1 AND NOT a > 2 OR (b 1 TO 2 AND a != 3) OR c EXISTS OR d STARTS WITH x OR _geoRadius(1, 2, 3)",
    )
    .expect("a good filter");
    assert_eq!(
        filter.uses(),
        [
            ("a", FilterUse::Equality),
            ("a", FilterUse::Order),
            ("b", FilterUse::Order),
            ("c", FilterUse::Presence),
            ("d", FilterUse::Equality),
            ("_geo", FilterUse::Presence),
        ]
    );
}

#[test]
fn areas_that_are_none_say_why() {
    for (text, reason) in [
        ("_geoRadius(95, 9, 1)", "bad latitude `95`"),
        ("_geoRadius(5, 190, 1)", "bad longitude `190`"),
        ("_geoRadius(5, 9, -1)", "bad radius `-1`"),
        ("_geoRadius(5, 9)", "expected `,` but found `)`"),
        ("_geoRadius(5, a, 1)", "expected a number for the longitude"),
        ("_geoRadius(5, 9, 1", "expected `)` but the filter ends"),
        (
            "_geoBoundingBox([1, 2], [3, 4])",
            "the top latitude `1` is below",
        ),
        ("_geoBoundingBox([1, 2])", "expected `,`"),
        ("_geoBoundingBox(1, 2, 3, 4)", "expected `[`"),
        (
            "_geoPolygon([1, 2], [3, 4])",
            "a polygon needs 3 to 1000 corners",
        ),
        ("_geoPoint(1, 2)", "`_geoPoint` is a reserved keyword"),
        ("_geoDistance(1)", "`_geoDistance` is a reserved keyword"),
    ] {
        let error = Filter::parse(text).expect_err(text);
        assert!(error.reason.starts_with(reason), "{text}: {error}");
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    let nested = |levels: usize| format!("{}a=1{}", "(".repeat(levels), ")".repeat(levels));
    let negated = |levels: usize| format!("{}a=1", "NOT ".repeat(levels));
    assert!(Filter::parse(&nested(64)).is_ok());
    assert!(Filter::parse(&negated(64)).is_ok());
    assert_eq!(
        Filter::parse(&nested(65)).expect_err("too deep").position,
        65
    );
    assert_eq!(
        Filter::parse(&negated(65)).expect_err("too deep").position,
        64 * 4 + 1
    );
    for text in [nested(5_000), negated(4_000)] {
        let error = Filter::parse(&text).expect_err("too deep");
        assert!(error.reason.contains("at most 64 levels"), "{error}");
    }
    for text in [
        nested(100_000),
        negated(100_000),
        "a".repeat(20_001),
        "é".repeat(1 << 20),
    ] {
        let error = Filter::parse(&text).expect_err("too long");
        assert!(error.reason.contains("at most 20000 characters"), "{error}");
        assert!(error.to_string().chars().count() < 250, "{error}");
    }
    let wide = vec!["a=1"; 2_000].join(" OR ");
    assert!(matches!(Filter::parse(&wide), Ok(Filter::Or(parts)) if parts.len() == 2_000));
}

#[test]
fn a_far_error_shows_the_text_around_it() {
    let text = format!(
        "{} AND b ? 5 AND {}",
        vec!["a = 1"; 50].join(" AND "),
        "c = 1"
    );
    let error = Filter::parse(&text).expect_err("no such operator");
    assert!(error.excerpt.contains("b ? 5"), "{error}");
    assert!(error.excerpt.starts_with('…'), "{error}");
}

#[test]
fn attributes_come_once_in_order() {
    let filter = Filter::parse("b = 1 AND (a IN [1] OR NOT b EXISTS) AND c 1 TO 2 AND d IS NULL")
        .expect("valid");
    assert_eq!(filter.attributes(), ["b", "a", "c", "d"]);
}

#[test]
fn values_know_their_number() {
    for (text, number) in [
        ("5", Some(5.0)),
        ("-0.5e1", Some(-5.0)),
        ("+7", Some(7.0)),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("1e999", None),
        ("5 kg", None),
    ] {
        assert_eq!(FilterValue::new(text).number, number, "{text}");
    }
}

#[test]
fn one_filter_joined_is_itself() {
    let a = equal("a", "1");
    assert_eq!(Filter::and(vec![a.clone()]), a);
    assert_eq!(Filter::or(vec![a.clone()]), a);
    assert_eq!(Filter::and(vec![]), Filter::And(vec![]));
    assert_eq!(
        Filter::or(vec![a.clone(), a.clone()]),
        Filter::Or(vec![a.clone(), a])
    );
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_][a-z0-9_.]{0,6}",
        "[ -~]{0,8}",
        "\\PC{0,4}",
        prop::sample::select(vec![
            "AND", "not", "In", "5", "-1.5", "颜色", "\\", "\"", "'"
        ])
        .prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = Filter> {
    let comparison = prop::sample::select(vec![
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]);
    let number = prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO;
    prop_oneof![
        (word(), word()).prop_map(|(attribute, value)| equal(&attribute, &value)),
        (word(), comparison, number).prop_map(|(attribute, comparison, number)| compare(
            &attribute,
            comparison,
            &number.to_string()
        )),
        (word(), number, number).prop_map(|(attribute, low, high)| between(&attribute, low, high)),
        (word(), prop::collection::vec(word(), 0..4)).prop_map(|(attribute, values)| Filter::In {
            attribute,
            values: values.into_iter().map(FilterValue::new).collect(),
        }),
        word().prop_map(|attribute| Filter::Exists { attribute }),
        word().prop_map(|attribute| Filter::IsNull { attribute }),
        word().prop_map(|attribute| Filter::IsEmpty { attribute }),
        (word(), word()).prop_map(|(attribute, text)| Filter::Contains { attribute, text }),
        (word(), word()).prop_map(|(attribute, text)| Filter::StartsWith { attribute, text }),
    ]
}

fn tree() -> impl Strategy<Value = Filter> {
    condition().prop_recursive(5, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(Filter::not),
        ]
    })
}

proptest! {
    #[test]
    fn printed_trees_read_back_equal(filter in tree()) {
        let printed = filter.to_string();
        prop_assume!(printed.chars().count() <= 20_000);
        prop_assert_eq!(Filter::parse(&printed), Ok(filter), "{}", printed);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,80}") {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.position >= 1 && error.position <= text.chars().count() + 1);
        }
    }

    #[test]
    fn any_mix_of_grammar_is_answered(
        parts in prop::collection::vec(prop::sample::select(vec![
            "AND", "OR", "NOT", "(", ")", "[", "]", ",", "IN", "TO", "IS", "NULL", "EMPTY", "EXISTS", "CONTAINS",
            "STARTS", "WITH", "=", "!=", ">", "a", "5", "'", "\"", "\\", "_geoRadius(", "é",
        ]), 0..24)
    ) {
        let text = parts.join(" ");
        match Filter::parse(&text) {
            Ok(filter) => prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter)),
            Err(error) => prop_assert!(error.position <= text.chars().count() + 1),
        }
    }
}

//! Filters against a naive evaluation over the JSON.

use super::{Shop, plan};
use crate::{QueryError, QueryPlan, geo_point};
use domain::{Comparison, Filter, FilterValue, GeoArea, GeoPoint};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const PATHS: [&str; 6] = ["a", "b", "o", "o.a", "o.b", "missing"];

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!("")),
        Just(json!([])),
        Just(json!({})),
        any::<bool>().prop_map(Value::from),
        (-3i64..4).prop_map(Value::from),
        prop_oneof![Just(0.5), Just(-1.5), Just(2.0), Just(-0.0)].prop_map(Value::from),
        prop_oneof![
            Just("red"),
            Just("Red"),
            Just("Réd"),
            Just("dark red"),
            Just("2"),
            Just("2010-05-01T00:00:00Z"),
            Just("2012"),
            Just("true")
        ]
        .prop_map(Value::from),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let nested = || proptest::option::of(scalars());
    let object = || {
        (nested(), nested()).prop_map(|(a, b)| {
            let mut object = Map::new();
            object.extend(a.map(|a| ("a".to_owned(), a)));
            object.extend(b.map(|b| ("b".to_owned(), b)));
            Value::Object(object)
        })
    };
    prop_oneof![
        4 => scalars(),
        2 => object(),
        2 => vec(prop_oneof![scalars(), object()], 0..3).prop_map(Value::Array),
    ]
}

fn documents() -> impl Strategy<Value = Vec<Value>> {
    let field = || proptest::option::of(values());
    let place = proptest::option::of(prop_oneof![
        4 => (-4i8..5, -4i8..5).prop_map(|(lat, lng)| json!({ "lat": lat, "lng": lng.to_string() })),
        1 => values(),
        1 => Just(json!({ "lat": 95, "lng": 0 })),
    ]);
    let document = (field(), field(), field(), place).prop_map(|(a, b, o, place)| {
        let mut document = Map::new();
        for (name, value) in [("a", a), ("b", b), ("o", o), ("_geo", place)] {
            document.extend(value.map(|value| (name.to_owned(), value)));
        }
        Value::Object(document)
    });
    vec(document, 1..25)
}

fn literal() -> impl Strategy<Value = FilterValue> {
    prop_oneof![
        Just("red"),
        Just("RED"),
        Just("2"),
        Just("-1.5"),
        Just("0"),
        Just("true"),
        Just("2011"),
        Just(""),
        Just("zzz")
    ]
    .prop_map(|text| FilterValue {
        text: text.to_owned(),
        number: text.parse().ok(),
    })
}

fn areas() -> impl Strategy<Value = GeoArea> {
    let point = || {
        (-4i8..5, -4i8..5)
            .prop_map(|(lat, lng)| GeoPoint::new(f64::from(lat), f64::from(lng)).expect("a place"))
    };
    prop_oneof![
        (point(), 0.0..600_000.0).prop_map(|(centre, metres)| GeoArea::Radius { centre, metres }),
        (point(), point()).prop_map(|(top_right, bottom_left)| GeoArea::Box {
            top_right,
            bottom_left
        }),
        vec(point(), 3..6).prop_map(|corners| GeoArea::Polygon { corners }),
    ]
}

fn filters() -> impl Strategy<Value = Filter> {
    let attribute = || prop::sample::select(&PATHS[..]).prop_map(str::to_owned);
    let comparison = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]);
    let text = || {
        prop::sample::select(vec!["r", "RED", "éd", "k r", "", "2", "x"]).prop_map(str::to_owned)
    };
    let leaf = prop_oneof![
        3 => (attribute(), comparison, literal())
            .prop_map(|(attribute, comparison, value)| Filter::Compare { attribute, comparison, value }),
        1 => (attribute(), -3i8..4, 0i8..4).prop_map(|(attribute, low, more)| Filter::Between {
            attribute,
            low: f64::from(low),
            high: f64::from(low + more - 1),
        }),
        1 => (attribute(), vec(literal(), 0..6)).prop_map(|(attribute, values)| Filter::In { attribute, values }),
        1 => attribute().prop_map(|attribute| Filter::Exists { attribute }),
        1 => attribute().prop_map(|attribute| Filter::IsNull { attribute }),
        1 => attribute().prop_map(|attribute| Filter::IsEmpty { attribute }),
        2 => areas().prop_map(Filter::Within),
        1 => (attribute(), text()).prop_map(|(attribute, text)| Filter::Contains { attribute, text }),
        1 => (attribute(), text()).prop_map(|(attribute, text)| Filter::StartsWith { attribute, text }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::And),
            vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

/// Every value that stands at a path, lists of objects opened.
fn at<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    let Some((name, rest)) = path.split_first() else {
        return vec![value];
    };
    match value {
        Value::Object(object) => object
            .get(*name)
            .map(|inner| at(inner, rest))
            .unwrap_or_default(),
        Value::Array(items) => items.iter().flat_map(|item| at(item, path)).collect(),
        _ => Vec::new(),
    }
}

/// Texts and numbers at a path, lists opened.
fn leaves(value: &Value) -> Vec<(String, Option<f64>)> {
    match value {
        Value::String(text) => vec![(text::normalise(text), None)],
        Value::Bool(flag) => vec![(flag.to_string(), None)],
        Value::Number(number) => vec![(String::new(), number.as_f64())],
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        _ => Vec::new(),
    }
}

fn naive(filter: &Filter, document: &Value) -> bool {
    let found = |attribute: &str| at(document, &attribute.split('.').collect::<Vec<_>>());
    let any = |attribute: &str, test: &dyn Fn(&str, Option<f64>) -> bool| {
        let all = found(attribute).into_iter().flat_map(leaves);
        all.into_iter().any(|(text, number)| test(&text, number))
    };
    let is = |text: &str, number: Option<f64>, value: &FilterValue| match number {
        Some(number) => value.number == Some(number),
        None => text == text::normalise(&value.text),
    };
    match filter {
        Filter::And(parts) => parts.iter().all(|part| naive(part, document)),
        Filter::Or(parts) => parts.iter().any(|part| naive(part, document)),
        Filter::Not(inner) => !naive(inner, document),
        Filter::Compare {
            attribute,
            comparison,
            value,
        } => any(attribute, &|text, number| {
            let order = match (value.number, number) {
                _ if *comparison == Comparison::Equal => return is(text, number, value),
                (Some(bound), Some(number)) => number.partial_cmp(&bound),
                (None, None) => Some(text.cmp(&text::normalise(&value.text))),
                _ => None,
            };
            order.is_some_and(|order| match comparison {
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
                Comparison::Less => order.is_lt(),
                _ => order.is_le(),
            })
        }),
        Filter::Between {
            attribute,
            low,
            high,
        } => any(attribute, &|_, number| {
            number.is_some_and(|number| *low <= number && number <= *high)
        }),
        Filter::In { attribute, values } => any(attribute, &|text, number| {
            values.iter().any(|value| is(text, number, value))
        }),
        Filter::Exists { attribute } => !found(attribute).is_empty(),
        Filter::IsNull { attribute } => found(attribute).iter().any(|value| value.is_null()),
        Filter::IsEmpty { attribute } => found(attribute)
            .iter()
            .any(|value| **value == json!("") || **value == json!([]) || **value == json!({})),
        Filter::Contains { attribute, text } => any(attribute, &|value, number| {
            number.is_none() && value.contains(&text::normalise(text))
        }),
        Filter::Within(area) => {
            let place = document.get("_geo").and_then(geo_point);
            place.is_some_and(|place| area.contains(place))
        }
        Filter::StartsWith { attribute, text } => any(attribute, &|value, number| {
            number.is_none() && value.starts_with(&text::normalise(text))
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn filters_agree_with_a_naive_evaluation(documents in documents(), filters in vec(filters(), 40), split in 0usize..25) {
        let mut shop = Shop::new(plan());
        for (number, document) in documents.iter().enumerate() {
            shop.put(&format!("{number:02}"), document);
            if number == split {
                shop.index.commit(1).unwrap();
            }
        }
        shop.index.commit(2).unwrap();
        let words = shop.words();
        for filter in &filters {
            let expected: Vec<String> = (0..documents.len())
                .filter(|number| naive(filter, &documents[*number]))
                .map(|number| format!("{number:02}"))
                .collect();
            prop_assert_eq!(words.ids(Some(filter)).unwrap(), expected.clone(), "{:?}", filter);
            let set = words.filter_set(filter).unwrap();
            prop_assert_eq!(set.len(), expected.len());
            for number in 0..documents.len() {
                let id = format!("{number:02}");
                prop_assert_eq!(set.contains(&id).unwrap(), expected.contains(&id));
            }
        }
    }
}

#[test]
fn attributes_that_are_not_listed_are_refused() {
    let mut plan = plan();
    plan.filterable = vec!["specs".to_owned()];
    let shop = Shop::new(plan);
    let words = shop.index.words(&QueryPlan::default());
    let exists = |attribute: &str| Filter::Exists {
        attribute: attribute.to_owned(),
    };
    assert!(words.filter_set(&exists("specs.colour")).is_ok());
    let nested = Filter::Not(Box::new(Filter::And(vec![exists("price")])));
    match words.filter_set(&nested) {
        Err(QueryError::NotFilterable {
            attribute,
            available,
        }) => {
            assert_eq!(
                (attribute.as_str(), available),
                ("price", vec!["specs".to_owned()])
            );
        }
        other => panic!("{other:?}"),
    }
}

/// tantivy answers a range below everything a column holds with the smallest value.
#[test]
fn a_range_below_every_value_is_empty() {
    let words = Shop::of(&[json!({ "n": 5, "s": "m" }), json!({ "n": 7, "s": "p" })]).words();
    let between = |low, high| Filter::Between {
        attribute: "n".to_owned(),
        low,
        high,
    };
    let found = |filter: &Filter| words.filter_set(filter).unwrap().len();
    assert_eq!(found(&between(-3.0, 4.5)), 0);
    assert_eq!(found(&between(-3.0, 5.0)), 1);
    assert_eq!(found(&between(7.5, 9.0)), 0);
    let before = Filter::Compare {
        attribute: "s".to_owned(),
        comparison: Comparison::Less,
        value: FilterValue {
            text: "a".to_owned(),
            number: None,
        },
    };
    assert_eq!(found(&before), 0);
}

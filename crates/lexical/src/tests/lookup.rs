//! Items looked up one at a time agree with filters, also over several segments.

use super::{Shop, plan};
use domain::Filter;
use serde_json::json;

#[test]
fn an_item_has_its_texts_as_numbers() {
    let mut shop = Shop::new(plan());
    shop.put(
        "a",
        &json!({"title": "a", "category": ["Lamps", "Oak"], "brand": "Lumen"}),
    );
    shop.index.commit(1).unwrap();
    // Another segment, in which the same texts have other numbers of their own.
    shop.put(
        "b",
        &json!({"title": "b", "category": ["Art", "lamps"], "price": 3}),
    );
    shop.index.commit(2).unwrap();
    let words = shop.words();
    let place = |id: &str| words.place_of(id).unwrap();
    assert_eq!(place("c"), None);
    let (a, b) = (place("a").unwrap(), place("b").unwrap());
    assert_eq!(Some(words.number_at(b)), words.number_of("b").unwrap());

    let category = words.column("category").unwrap();
    let (of_a, of_b) = (category.texts(a).unwrap(), category.texts(b).unwrap());
    assert_eq!((of_a.len(), of_b.len()), (2, 2));
    let common: Vec<&u32> = of_a.iter().filter(|text| of_b.contains(text)).collect();
    assert_eq!(common.len(), 1, "Lamps and lamps: {of_a:?} {of_b:?}");
    let brand = words.column("brand").unwrap();
    assert_eq!(brand.texts(b).unwrap(), [0_u32; 0]);
    let nothing = words.column("nothing").unwrap();
    assert_eq!(nothing.texts(a).unwrap(), [0_u32; 0]);

    let priced = words
        .filter_set(&Filter::parse("price > 1").unwrap())
        .unwrap();
    assert!(priced.has_place(b) && !priced.has_place(a));
}

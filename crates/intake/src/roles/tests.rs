//! Roles on rows shaped like real catalogues.

use super::known::words;
use super::*;
use crate::Map;
use serde_json::{Value, json};

#[track_caller]
fn check(rows: Value, expected: Value) {
    let rows: Vec<Map> = serde_json::from_value(rows).expect("a list of objects");
    let guess = guess_roles(&rows.iter().collect::<Vec<_>>());
    assert_eq!(
        serde_json::to_value(&guess.roles).expect("serializes"),
        expected,
        "{:#?}",
        guess.reasons
    );
    let played: usize = guess.roles.iter().map(|(_, paths)| paths.len()).sum();
    assert_eq!(guess.reasons.len(), played, "every guess has its reason");
}

#[test]
fn an_electronics_catalogue() {
    check(
        json!([
            {
                "id": "3920564", "name": "006R90321", "title": "Xerox 006R90321 toner cartridge Original Black",
                "ean": ["0095205603217"], "short_description": "Toner (6 Per Box) for CopyCentre C65",
                "img_low": "http://x.biz/low/1.jpg", "img_high": "http://x.biz/high/1.jpg", "img_500x500": "http://x.biz/m/1.jpg",
                "img_thumb": "http://x.biz/t/1.jpg", "date_released": "2009-12-10T00:00:00Z", "supplier": "Xerox", "price": 4995,
                "attr_t_type": "Original", "attr_n_quantity_per_pack": 6.0,
            },
            {
                "id": "2101957", "name": "dv7-1211ea", "title": "HP Pavilion dv7-1211ea Notebook Silver", "ean": [],
                "short_description": "Intel Core 2 Duo Processor P7450", "img_low": "http://x.biz/low/2.jpg",
                "img_high": "http://x.biz/high/2.jpg", "img_500x500": "http://x.biz/m/2.jpg", "img_thumb": "http://x.biz/t/2.jpg",
                "date_released": "2008-12-19T00:00:00Z", "supplier": "HP", "price": 10995,
                "attr_t_processor_manufacturer": "Intel", "attr_n_weight": 3460.0, "attr_b_manual": true,
            },
        ]),
        json!({
            "title": "title", "text": "short_description", "brand": "supplier", "price": "price", "image": "img_high",
            "created": "date_released",
        }),
    );
}

#[test]
fn a_table_of_gifts() {
    check(
        json!([
            {"StockCode": "10002", "Description": "INFLATABLE POLITICAL GLOBE", "median_price": "0.85", "n": "307"},
            {"StockCode": "10080", "Description": "GROOVY CACTUS INFLATABLE", "median_price": "0.39", "n": "27"},
            {"StockCode": "15056N", "Description": "EDWARDIAN PARASOL NATURAL", "median_price": "145.0", "n": "1"},
        ]),
        json!({"title": "Description", "price": "median_price"}),
    );
}

#[test]
fn a_chinese_catalogue() {
    let row = |number: u32, brand: &str, keywords: &str| {
        json!({
            "product_id": format!("lm{number}"), "title": format!("轻奢纯棉刺绣水洗四件套{number}"), "brief": "设计师原款，精致绣花",
            "keywords": keywords, "category": "床品件套", "brand": brand, "price": 899.0, "counter_price": 919.0,
            "image": format!("http://y.net/{number}.png"), "attributes": {"材质": "100%棉", "数量": "4"}, "source": "litemall",
        })
    };
    let mut rows: Vec<Value> = (0..30)
        .map(|number| row(number, if number % 5 == 0 { "MUJI制造商" } else { "" }, ""))
        .collect();
    rows.push(row(31, "", "ddd"));
    check(
        json!(rows),
        json!({
            "title": "title", "text": "brief", "brand": "brand", "categories": "category", "price": "price", "image": "image",
        }),
    );
    check(
        json!([{"编号": "1", "名称": "羊毛被", "价格": "￥899", "品牌": "MUJI", "分类": "被枕", "库存": 3, "上架时间": "2020-01-01"}]),
        json!({"title": "名称", "brand": "品牌", "categories": "分类", "price": "价格", "stock": "库存", "created": "上架时间"}),
    );
}

#[test]
fn beauty_with_nested_categories() {
    check(
        json!([
            {"item": 1, "title": "OPI Nail Lacquer", "categories": [["Beauty", "Makeup", "Nails", "Nail Polish"]]},
            {"item": 2, "title": "SKIN79 The Prestige", "categories": [["Beauty", "Skin Care"], ["Gifts"]]},
        ]),
        json!({"title": "title", "categories": "categories"}),
    );
}

#[test]
fn exports_of_shop_systems() {
    check(
        json!([{
            "Handle": "tea", "Title": "Green tea", "Body (HTML)": "<p>Fine tea</p>", "Vendor": "Acme",
            "Product Category": "Food > Tea", "Variant Price": "12.00", "Variant Inventory Qty": "3",
            "Image Src": "https://cdn.x/tea.jpg?v=1", "Tags": "tea, green",
        }]),
        json!({
            "title": "Title", "text": ["Body (HTML)", "Tags"], "brand": "Vendor", "categories": "Product Category",
            "price": "Variant Price", "image": "Image Src", "stock": "Variant Inventory Qty",
        }),
    );
    check(
        json!([{
            "id": 1, "title": "Backpack", "price": 109.95, "description": "Your perfect pack for everyday use",
            "category": "men's clothing", "image": "https://x/81.jpg", "rating": {"rate": 3.9, "count": 120}, "language": "en",
            "inStock": true,
        }]),
        json!({
            "title": "title", "text": "description", "categories": "category", "price": "price", "image": "image",
            "rating": "rating.rate", "stock": "inStock", "language": "language",
        }),
    );
}

#[test]
fn names_do_not_win_against_values() {
    check(
        json!([{"title": "Lamp of brass", "price": "on request", "stock": "shelf", "rating": "good", "created": "soon", "image": "none"}]),
        json!({"title": "title"}),
    );
}

#[test]
fn values_win_where_no_name_fits() {
    check(
        json!([
            {"a": "https://x/1.png", "b": "£1.50", "c": "Brass lamp with shade", "d": "Home > Light"},
            {"a": "https://x/2.png", "b": "£2", "c": "Wooden chair, oak", "d": "Home > Seats"},
        ]),
        json!({"title": "c", "categories": "d", "price": "b", "image": "a"}),
    );
}

#[test]
fn an_empty_sample_has_no_roles() {
    check(json!([]), json!({}));
    check(json!([{}]), json!({}));
}

#[test]
fn roles_are_written_short() {
    let json = json!({"title": "name", "text": ["brief", "body"]});
    let roles: Roles = serde_json::from_value(json.clone()).expect("roles");
    assert_eq!(roles.get(Role::Text), ["brief", "body"]);
    assert_eq!(
        (roles.first(Role::Title), roles.first(Role::Price)),
        (Some("name"), None)
    );
    assert_eq!(serde_json::to_value(&roles).expect("serializes"), json);
    let same: Roles = serde_json::from_value(
        json!({"title": ["name"], "text": ["brief", "body"], "price": null, "brand": []}),
    )
    .expect("roles");
    assert_eq!(same, roles);
    assert!(serde_json::from_value::<Roles>(json!({"colour": "x"})).is_err());
    for role in Role::ALL {
        assert_eq!(
            serde_json::to_value(role).expect("serializes"),
            json!(role.as_str())
        );
    }
}

#[test]
fn names_are_split_into_words() {
    for (path, expected) in [
        ("imageURL", "image_url"),
        ("Body (HTML)", "body_html"),
        ("rating.rate", "rating_rate"),
        ("in-stock", "in_stock"),
        ("StockCode", "stock_code"),
        ("商品名称", "商品名称"),
        ("__", ""),
    ] {
        assert_eq!(words(path), expected, "{path}");
    }
}

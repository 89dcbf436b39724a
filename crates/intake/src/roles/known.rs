//! The names under which shops keep each role.
//!
//! Names are compared word by word in lower case: `imageURL`, `image_url` and
//! `Image URL` are all `image_url`. The nearer the front, the surer.

use super::Role;

/// How sure a name is when only one of its words fits, as in `variant_price`.
const BY_WORD: u32 = 40;
/// How sure the last name of a list is at least.
const BY_NAME: u32 = 100;

/// How well a name fits a role; `None` when it does not.
pub(super) fn fit(role: Role, name: &str) -> Option<u32> {
    let mut names = names(role).split_whitespace().rev();
    if let Some(sureness) = names.position(|known| known == name) {
        return Some(BY_NAME + sureness as u32);
    }
    let words: Vec<&str> = name.split('_').collect();
    let (first, last) = (words.first()?, words.last()?);
    // A long name is a detail of something, such as `attr_t_processor_manufacturer`.
    if words.len() < 2 || words.len() > 3 {
        return None;
    }
    match role {
        Role::Price if *last == "price" || *first == "price" => Some(BY_WORD),
        Role::Text if *last == "description" => Some(BY_WORD),
        Role::Image if PICTURES.contains(first) || PICTURES.contains(last) => {
            let has = |list: &[&str]| words.iter().any(|word| list.contains(word));
            Some(if has(&LARGE) {
                BY_WORD + 20
            } else if has(&SMALL) {
                BY_WORD - 20
            } else {
                BY_WORD
            })
        }
        _ => None,
    }
}

const PICTURES: [&str; 7] = [
    "image",
    "images",
    "img",
    "picture",
    "photo",
    "thumbnail",
    "thumb",
];
const LARGE: [&str; 8] = [
    "high", "large", "main", "full", "original", "big", "xl", "primary",
];
const SMALL: [&str; 7] = ["low", "small", "thumb", "thumbnail", "mini", "icon", "tiny"];

fn names(role: Role) -> &'static str {
    match role {
        Role::Title => {
            "title product_title item_title product_name item_name name display_name post_title \
             标题 商品标题 商品名称 产品名称 商品名 名称 品名 titel titre titulo nombre nom bezeichnung artikelname \
             headline label product designation description"
        }
        Role::Text => {
            "description product_description short_description long_description full_description \
             body_html body content brief summary intro excerpt details subtitle features \
             bullet_points highlights text beschreibung kurzbeschreibung descripcion 描述 商品描述 简介 \
             商品简介 详情 商品详情 副标题 卖点 关键词 keywords tags"
        }
        Role::Brand => {
            "brand brand_name brands product_brand manufacturer manufacturer_name maker vendor \
             supplier supplier_name vendor_name marke hersteller marque marca publisher 品牌 品牌名称 \
             制造商 厂商 供应商"
        }
        Role::Categories => {
            "categories category category_path category_name category_names product_category \
             product_categories google_product_category product_type taxonomy breadcrumbs \
             breadcrumb department collections collection kategorie kategorien categorie \
             categoria 分类 商品分类 类别 品类 类目 目录 sub_category subcategory type genres genre"
        }
        Role::Price => {
            "price sale_price selling_price current_price final_price special_price offer_price \
             price_amount price_value unit_price median_price 价格 售价 现价 单价 零售价 商品价格 preis prix \
             precio prezzo retail_price regular_price list_price market_price original_price \
             msrp rrp 市场价 原价"
        }
        Role::Image => {
            "image image_url main_image primary_image image_link image_src img_high img img_url \
             picture picture_url photo photo_url featured_image images pictures photos 图片 主图 \
             商品图片 图片地址 封面 bild"
        }
        Role::Rating => {
            "rating average_rating avg_rating rating_average rating_value rating_rate \
             star_rating stars review_rating review_score customer_rating overall_rating 评分 星级 \
             用户评分 bewertung rate score"
        }
        Role::Stock => {
            "stock in_stock stock_quantity quantity_in_stock inventory inventory_quantity \
             inventory_qty stock_level stock_status qty_in_stock quantity_available \
             available_quantity is_in_stock availability available is_available \
             variant_inventory_qty lagerbestand bestand 库存 库存数量 现货 quantity qty 数量"
        }
        Role::Language => {
            "language lang locale language_code lang_code sprache langue idioma 语言 语种"
        }
        Role::Created => {
            "created_at created date_created creation_date created_time created_on release_date \
             date_released released_at released published_at publish_date date_published \
             publication_date date_added added_at launch_date first_available \
             date_first_available 创建时间 上架时间 发布时间 创建日期 上架日期 发布日期 date timestamp"
        }
    }
}

/// Splits a path at everything but letters and digits, and where a capital begins a word.
pub(super) fn words(path: &str) -> String {
    let mut name = String::with_capacity(path.len() + 4);
    let mut before = '_';
    for c in path.chars() {
        if !c.is_alphanumeric() {
            if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
        } else {
            if c.is_uppercase() && before.is_lowercase() {
                name.push('_');
            }
            name.extend(c.to_lowercase());
        }
        before = c;
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

//! Recognises the columns of shop exports by their names.
//!
//! Names are compared by their letters and digits alone, so `Customer ID`,
//! `customer_id` and `customerId` are one.

use super::mapping::EventMapping;
use super::part::Part;
use crate::Names;
use domain::EventKind;

/// A header that does not say who did what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no column for {} among {}; name the columns, as in `user=CustomerID,item=StockCode,kind:=purchase`",
    missing.join(", "),
    quoted(found)
)]
pub struct MissingColumns {
    /// Parts of an event that no column holds, or columns that were named and are not there.
    pub missing: Vec<String>,
    /// The columns that are there.
    pub found: Vec<String>,
}

/// Column names in lower case, the most telling first.
fn known(part: Part) -> &'static str {
    match part {
        Part::User => {
            "userid user customerid customer customernumber customerno clientid shopperid \
             visitorid memberid buyerid accountid customeremail email 用户id 用户 会员id 客户id 买家id"
        }
        Part::Kind => {
            "kind eventtype event eventname type action behavior behaviortype 行为 行为类型 事件"
        }
        Part::Item => {
            "itemid item documentid productid stockcode sku productsku variantsku lineitemsku \
             productcode itemcode articlenumber articleid asin product 商品id 商品编号 产品id"
        }
        Part::Query => "query q searchquery searchterm searchterms 搜索词 关键词",
        Part::Time => {
            "time timestamp at eventtime createdat invoicedate orderdate purchasedate \
             purchasedat occurredat datetime date ts paidat 下单时间 时间 日期"
        }
        Part::Value => "value rating stars score 评分",
        Part::Price => "price unitprice itemprice lineitemprice 单价 价格",
        Part::Quantity => "quantity qty lineitemquantity units pieces 数量",
        Part::Basket => {
            "basket basketid orderid order invoiceno invoice invoicenumber invoiceid ordernumber \
             orderno transactionid 订单号 订单id 订单编号"
        }
        Part::QueryId => "queryid queryuid",
        Part::Id => "eventid eventuid id",
    }
}

/// Fills what the mapping leaves open and checks that it suffices for an event.
pub(super) fn complete(mapping: &mut EventMapping, columns: &[&str]) -> Result<(), MissingColumns> {
    let mut missing = absent(mapping, columns);
    let mut taken: Vec<String> = Part::ALL
        .into_iter()
        .flat_map(|part| mapping.names(part).as_slice().to_vec())
        .collect();
    let letters: Vec<String> = columns.iter().map(|column| letters_of(column)).collect();
    for part in Part::ALL {
        let given =
            !mapping.names(part).is_empty() || (part == Part::Kind && mapping.fixed_kind.is_some());
        if given {
            continue;
        }
        let column = known(part).split_whitespace().find_map(|name| {
            // An `id` beside a kind is the event's; in a list of orders it repeats and would drop lines.
            if name == "id" && mapping.kind.is_empty() {
                return None;
            }
            let matching = columns
                .iter()
                .zip(&letters)
                .filter(|(_, letters)| *letters == name);
            matching
                .map(|(column, _)| *column)
                .find(|column| !taken.iter().any(|name| name == column))
        });
        if let Some(column) = column {
            taken.push(column.to_owned());
            *mapping.names_mut(part) = Names(vec![column.to_owned()]);
        }
    }
    if mapping.kind.is_empty() && mapping.fixed_kind.is_none() {
        mapping.fixed_kind = kind_of_export(mapping);
    }
    missing.extend(unfilled(mapping));
    if missing.is_empty() {
        return Ok(());
    }
    Err(MissingColumns {
        missing,
        found: columns.iter().map(|column| (*column).to_owned()).collect(),
    })
}

/// Files without a kind: lines with orders, amounts or prices were bought, lines with a rating were rated.
fn kind_of_export(mapping: &EventMapping) -> Option<EventKind> {
    if !mapping.basket.is_empty() || !mapping.quantity.is_empty() || !mapping.price.is_empty() {
        Some(EventKind::Purchase)
    } else if !mapping.value.is_empty() {
        Some(EventKind::Rate)
    } else {
        None
    }
}

/// Parts whose given columns are all absent.
fn absent(mapping: &EventMapping, columns: &[&str]) -> Vec<String> {
    let mut missing = Vec::new();
    for part in Part::ALL {
        let names = mapping.names(part).as_slice();
        if !names.is_empty() && !names.iter().any(|name| columns.contains(&name.as_str())) {
            missing.push(format!("`{part}` (named {})", quoted(names)));
        }
    }
    missing
}

fn unfilled(mapping: &EventMapping) -> Vec<String> {
    let mut missing = Vec::new();
    if mapping.user.is_empty() {
        missing.push("`user`".to_owned());
    }
    if mapping.kind.is_empty() && mapping.fixed_kind.is_none() {
        missing.push("`kind`".to_owned());
    }
    if mapping.item.is_empty() && mapping.query.is_empty() {
        missing.push("`item`".to_owned());
    }
    missing
}

fn letters_of(column: &str) -> String {
    column
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn quoted(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(20)
        .map(|name| format!("`{}`", crate::error::excerpt(name)))
        .collect();
    let more = if names.len() > 20 { " …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

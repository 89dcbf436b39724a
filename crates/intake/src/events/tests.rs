//! What a shop's rows become, and in which words they are refused.

use super::*;
use crate::{Format, Limits, Names, Row, Rows, open};
use domain::{Event, EventKind, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000_000;

fn rows_of(text: &str, format: Format) -> Rows {
    let reader = open(std::io::Cursor::new(text.to_owned().into_bytes())).expect("it is UTF-8");
    Rows::new(reader, format, Limits::default())
}

fn events(text: &str, format: Format, mapping: Option<&str>) -> Vec<Result<Event, String>> {
    let mapping = mapping.map(|text| EventMapping::parse(text).expect("a mapping"));
    let rows = EventRows::new(rows_of(text, format), mapping, Timestamp::from_millis(NOW));
    rows.map(|event| event.map_err(|rejected| rejected.to_string()))
        .collect()
}

#[track_caller]
fn native(object: Value) -> Result<Event, String> {
    let row = Row {
        number: 7,
        object: object.as_object().expect("an object").clone(),
    };
    EventMapping::native()
        .event(&row, Timestamp::from_millis(NOW))
        .map_err(|rejected| rejected.to_string())
}

#[test]
fn our_own_names_are_read() {
    let event = native(json!({
        "eventId": "e1", "userId": 42, "kind": "Purchase", "itemId": 17.0, "time": "2011-12-09T12:50:00Z", "price": "1.50",
        "quantity": -2, "orderId": 9, "queryUid": "q", "unknown": [1],
    }))
    .expect("an event");
    assert_eq!(event.id.as_deref(), Some("e1"));
    assert_eq!(
        (event.user.as_str(), event.kind),
        ("42", EventKind::Purchase)
    );
    assert_eq!(event.item.as_ref().map(|item| item.as_str()), Some("17"));
    assert_eq!(event.time.to_string(), "2011-12-09T12:50:00Z");
    assert_eq!(
        (event.price, event.quantity, event.value),
        (Some(1.5), Some(-2.0), None)
    );
    assert_eq!(
        (event.basket.as_deref(), event.query_id.as_deref()),
        (Some("9"), Some("q"))
    );

    let search = native(json!({"user": "u", "type": "search", "q": "lamp", "at": 1_259_653_500}))
        .expect("an event");
    assert_eq!((search.item, search.query.as_deref()), (None, Some("lamp")));
    assert_eq!(search.time.to_string(), "2009-12-01T07:45:00Z");
    let view = native(json!({"user": "u", "event": "view", "documentId": "a", "time": null}))
        .expect("an event");
    assert_eq!(view.time.millis(), NOW);
}

#[test]
fn a_refused_event_names_row_and_field() {
    for (object, reason) in [
        (
            json!({"kind": "view", "itemId": "a"}),
            "row 7, field `userId`: it is missing",
        ),
        (
            json!({"user": "", "kind": "view", "itemId": "a"}),
            "row 7, field `user`: it is missing",
        ),
        (
            json!({"user": "u", "itemId": "a"}),
            "row 7, field `kind`: it is missing: use one of view, click, cart, purchase, like, dislike, rate, search",
        ),
        (
            json!({"user": "u", "type": "buy", "itemId": "a"}),
            "row 7, field `type`: `buy` is not a kind of event: use view, click, cart, purchase, like, dislike, rate or search",
        ),
        (
            json!({"user": "u", "kind": "view"}),
            "row 7, field `itemId`: it is missing; an event `view` needs an item",
        ),
        (
            json!({"user": "u", "kind": "search"}),
            "row 7, field `query`: it is missing; an event `search` needs a query",
        ),
        (
            json!({"user": "u", "kind": "rate", "item": "a"}),
            "row 7, field `value`: it is missing; an event `rate` needs the rating as its value",
        ),
        (
            json!({"user": "u", "kind": "rate", "item": "a", "rating": "NaN"}),
            "row 7, field `rating`: `NaN` is not a finite number",
        ),
        (
            json!({"user": "u", "kind": "view", "item": "a", "price": "cheap"}),
            "row 7, field `price`: `cheap`: this cannot be read as a price",
        ),
        (
            json!({"user": ["u"], "kind": "view", "item": "a"}),
            "row 7, field `user`: expected a text or a number, found a list",
        ),
        (
            json!({"user": "u", "kind": "view", "item": "a", "quantity": true}),
            "row 7, field `quantity`: expected a number, found a boolean",
        ),
        (
            json!({"user": "u", "kind": "view", "item": "a", "id": "x".repeat(513)}),
            "row 7, field `id`: it is longer than the limit of 512 bytes",
        ),
        (
            json!({"user": "u", "kind": "view", "item": "a\tb"}),
            "row 7, field `item`: an item id must have 1 to 511 bytes and no control characters",
        ),
    ] {
        assert_eq!(native(object), Err(reason.to_owned()));
    }
    let bad_time = native(json!({"user": "u", "kind": "view", "item": "a", "at": "soon"}))
        .expect_err("no time");
    assert!(
        bad_time.starts_with("row 7, field `at`: `soon` is not a time"),
        "{bad_time}"
    );
}

#[test]
fn a_time_well_ahead_of_the_clock_is_taken_as_now() {
    let at = |millis: i64| {
        let object = json!({"user": "u", "kind": "view", "item": "a", "at": millis});
        native(object).map(|event| event.time.millis())
    };
    let hour = 3_600_000;
    assert_eq!(at(NOW - hour), Ok(NOW - hour));
    assert_eq!(at(NOW + hour), Ok(NOW + hour));
    assert_eq!(at(NOW + 48 * hour), Ok(NOW));
}

#[test]
fn the_online_retail_file_is_recognised() {
    let found = events(
        "CustomerID,InvoiceNo,StockCode,Quantity,UnitPrice,InvoiceDate,Country\n\
         13085,489434,21232,24,1.25,2009-12-01 07:45:00,United Kingdom\n\
         13085,C489449,22087,-12,2.95,2009-12-01 10:33:00,Australia\n\
         ,489434,21232,24,1.25,2009-12-01 07:45:00,United Kingdom\n\
         12533,C1,BANK CHARGES,1,15,2009-12-01 07:45:00,France\n",
        Format::Csv,
        None,
    );
    let [Ok(bought), Ok(returned), Err(nobody), Ok(charges)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (bought.user.as_str(), bought.kind),
        ("13085", EventKind::Purchase)
    );
    assert_eq!(
        bought.item.as_ref().map(|item| item.as_str()),
        Some("21232")
    );
    assert_eq!(
        (bought.quantity, bought.price, bought.basket.as_deref()),
        (Some(24.0), Some(1.25), Some("489434"))
    );
    assert_eq!(
        (bought.time.to_string().as_str(), &bought.id),
        ("2009-12-01T07:45:00Z", &None)
    );
    assert_eq!(
        (returned.kind, returned.quantity),
        (EventKind::Purchase, Some(-12.0))
    );
    assert_eq!(nobody, "row 3, field `CustomerID`: it is missing");
    // No document can have this id, but the event is kept.
    let item = charges.item.as_ref().map(ToString::to_string);
    assert_eq!(item.as_deref(), Some("BANK CHARGES"));
}

#[track_caller]
fn check_guess(columns: &str, expected: &str) {
    let columns: Vec<&str> = columns.split(',').collect();
    let expected = EventMapping::parse(expected).expect("a mapping");
    assert_eq!(EventMapping::guess(&columns), Ok(expected));
}

#[test]
fn usual_exports_are_recognised() {
    check_guess(
        "order_id,customer_id,sku,qty,unit_price,created_at,status",
        "user=customer_id,item=sku,time=created_at,price=unit_price,quantity=qty,basket=order_id,kind:=purchase",
    );
    check_guess(
        "id,userId,kind,itemId,time",
        "id=id,user=userId,kind=kind,item=itemId,time=time",
    );
    check_guess(
        "id,customer_id,product_id,quantity",
        "user=customer_id,item=product_id,quantity=quantity,kind:=purchase",
    );
    check_guess(
        "User ID,Product ID,Rating,Timestamp",
        "user=User ID,item=Product ID,value=Rating,time=Timestamp,kind:=rate",
    );
    check_guess(
        "用户ID,商品ID,行为类型,时间",
        "user=用户ID,item=商品ID,kind=行为类型,time=时间",
    );
    check_guess("user,kind,query", "user=user,kind=kind,query=query");
}

#[test]
fn a_header_that_does_not_suffice_says_so() {
    let error = EventMapping::guess(&["a", "sku"]).expect_err("no user");
    assert_eq!(
        error.to_string(),
        "no column for `user`, `kind` among `a`, `sku`; name the columns, as in `user=CustomerID,item=StockCode,kind:=purchase`"
    );
    let mut rows = EventRows::new(
        rows_of("a,sku\n1,2\n", Format::Csv),
        None,
        Timestamp::from_millis(NOW),
    );
    let first = rows.next().expect("an item").expect_err("a fault");
    assert!(
        first.to_string().starts_with("row 1: no column for `user`"),
        "{first}"
    );
    assert!(rows.next().is_none());
    assert!(rows.fault().is_some());

    let mapping = EventMapping::parse("user=Customer,kind:=view,item=sku").expect("a mapping");
    let error = mapping
        .completed_by(&["customer", "sku"])
        .expect_err("no such column");
    assert_eq!(error.missing, ["`user` (named `Customer`)"]);
}

#[test]
fn a_given_mapping_wins_and_the_rest_is_guessed() {
    let found = events(
        "who;what;order;price\nu1;a;7;1,95\n",
        Format::Csv,
        Some("user=who, item=what, kind:=cart"),
    );
    let [Ok(event)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (event.kind, event.price, event.basket.as_deref()),
        (EventKind::Cart, Some(1.95), Some("7"))
    );

    let found = events(
        "{\"who\":\"u1\",\"itemId\":\"a\",\"kind\":\"view\"}",
        Format::Ndjson,
        Some("user=who"),
    );
    assert!(
        matches!(found.as_slice(), [Ok(event)] if event.kind == EventKind::View),
        "{found:?}"
    );
    let found = events(
        "{\"who\":\"u1\",\"itemId\":\"a\",\"kind\":\"x\"}",
        Format::Json,
        Some("user=who,kind:=view"),
    );
    assert!(
        matches!(found.as_slice(), [Ok(event)] if event.kind == EventKind::View),
        "{found:?}"
    );
}

#[test]
fn the_syntax_of_a_mapping_is_told() {
    let mapping =
        EventMapping::parse(" user = a|b , queryid=q,kind:=Purchase,").expect("a mapping");
    assert_eq!(
        (mapping.user, mapping.query_id),
        (Names::from(["a", "b"]), Names::from(["q"]))
    );
    assert_eq!(mapping.fixed_kind, Some(EventKind::Purchase));
    for (text, reason) in [
        (
            "user",
            "`user` is not `part=column`; write for example `user=CustomerID,item=StockCode,kind:=purchase`",
        ),
        (
            "user=",
            "`user=` is not `part=column`; write for example `user=CustomerID,item=StockCode,kind:=purchase`",
        ),
        (
            "shopper=x",
            "`shopper` is no part of an event: use user, kind, item, query, time, value, price, quantity, basket, queryId or id",
        ),
        (
            "user:=x",
            "`user` cannot be fixed with `:=`; only `kind` can",
        ),
        ("user=x,user=y", "`user` is mapped twice"),
        (
            "kind:=buy",
            "`buy` is not a kind of event: use view, click, cart, purchase, like, dislike, rate or search",
        ),
    ] {
        assert_eq!(
            EventMapping::parse(text).expect_err(text).to_string(),
            reason
        );
    }
    let written =
        serde_json::to_value(EventMapping::parse("user=a,kind:=view").expect("a mapping"))
            .expect("serializes");
    assert_eq!(written, json!({"user": "a", "fixedKind": "view"}));
    assert!(serde_json::from_value::<EventMapping>(json!({"shopper": "a"})).is_err());
}

fn ids(text: &str, format: Format, now: i64) -> Vec<String> {
    let rows =
        EventRows::new(rows_of(text, format), None, Timestamp::from_millis(now)).with_file_ids();
    rows.map(|event| event.expect("an event").id.expect("an id"))
        .collect()
}

#[test]
fn the_same_file_gives_the_same_ids_and_equal_lines_stay_apart() {
    let file =
        "user,kind,item,time\nu,view,a,2011-01-01\nu,view,a,2011-01-01\nu,view,b,2011-01-01\n";
    let first = ids(file, Format::Csv, NOW);
    assert_eq!(first, ids(file, Format::Csv, NOW + 1));
    let mut different = first.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 3);
    assert!(first.iter().all(|id| id.len() == 32));

    let undated = "{\"user\":\"u\",\"kind\":\"view\",\"item\":\"a\"}\n{\"user\":\"u\",\"kind\":\"view\",\"item\":\"a\",\"id\":\"e\"}";
    let first = ids(undated, Format::Ndjson, NOW);
    assert_eq!(
        first,
        ids(undated, Format::Ndjson, NOW + 1),
        "a time that was filled in is no content"
    );
    assert_eq!(first[1], "e");
}

#[test]
fn file_ids_are_row_digests() {
    let mut event =
        native(json!({"user": "u", "kind": "view", "item": "a", "time": 5})).expect("an event");
    let mut ids = FileIds::new();
    for occurrence in 0..3 {
        event.id = None;
        let expected = row_digest(&event, occurrence);
        ids.assign(&mut event);
        assert_eq!(event.id.as_ref(), Some(&expected));
    }
}

proptest! {
    #[test]
    fn csv_and_json_give_the_same_events(
        rows in prop::collection::vec(("[a-z0-9]{0,3}", "(view|rate|x|search)?", "[a-z ]{0,2}", "[-0-9.]{0,3}", "[0-9£,]{0,3}"), 1..8)
    ) {
        let mut csv = "userId,kind,itemId,value,price,query\n".to_owned();
        let mut ndjson = String::new();
        for (user, kind, item, value, price) in &rows {
            csv.push_str(&format!("{user},{kind},{item},{value},\"{price}\",lamp\n"));
            let object = json!({"userId": user, "kind": kind, "itemId": item, "value": value, "price": price, "query": "lamp"});
            ndjson.push_str(&format!("{object}\n"));
        }
        prop_assert_eq!(events(&csv, Format::Csv, None), events(&ndjson, Format::Ndjson, None));
    }

    #[test]
    fn contents_that_differ_have_ids_that_differ(a in "[ab]{0,3}", b in "[ab]{0,3}", c in "[ab]{0,3}", d in "[ab]{0,3}") {
        let event = |basket: &str, query: &str| {
            let object = json!({"user": "u", "kind": "view", "item": "a", "time": 5, "basket": basket, "query": query});
            row_digest(&native(object).expect("an event"), 0)
        };
        prop_assert_eq!(event(&a, &b) == event(&c, &d), (a, b) == (c, d));
    }
}

//! What searches and listings find, by id: for those who need no documents, or few of them.
//!
//! A document costs a read and often a parse, which for one with a vector takes longer than
//! all the rest.

use crate::allowed::{check_filterable, check_search, check_sortable};
use crate::snapshot::IndexReader;
use crate::{DocumentsQuery, EngineError, SearchRequest};
use domain::Filter;
use lexical::{ItemSet, WordsQuery};
use rustc_hash::FxHashSet;

impl IndexReader {
    /// The ids of the hits of a search.
    pub fn search_ids(&self, request: &SearchRequest) -> Result<Vec<String>, EngineError> {
        check_search(&self.state.meta, request)?;
        let (narrowed, _) = self.suited_search(request)?;
        let hits = self.find(&narrowed)?.hits.into_iter();
        Ok(hits.map(|hit| hit.id).collect())
    }

    /// The ids of a page of documents, and how many there are in all.
    pub fn document_ids(&self, query: &DocumentsQuery) -> Result<(Vec<String>, u64), EngineError> {
        if let Some(filter) = &query.filter {
            check_filterable(&self.state.meta, filter)?;
        }
        check_sortable(&self.state.meta, &query.sort)?;
        if let Some(ids) = &query.ids {
            return self.named(ids, query);
        }
        let words = WordsQuery {
            filter: query.filter.as_ref(),
            sort: &query.sort,
            offset: query.offset,
            limit: query.limit,
            ..WordsQuery::new("")
        };
        let answer = self.state.words.search(&words)?;
        let ids = answer.hits.into_iter().map(|hit| hit.id).collect();
        Ok((ids, answer.total as u64))
    }

    /// The items that a filter lets through.
    pub fn passing(&self, filter: &Filter) -> Result<ItemSet, EngineError> {
        check_filterable(&self.state.meta, filter)?;
        Ok(self.state.words.filter_set(filter)?)
    }

    fn named(
        &self,
        ids: &[String],
        query: &DocumentsQuery,
    ) -> Result<(Vec<String>, u64), EngineError> {
        let kept = match &query.filter {
            Some(filter) => Some(self.state.words.filter_set(filter)?),
            None => None,
        };
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        for id in ids {
            let passes = match &kept {
                Some(set) => set.contains(id)?,
                None => self.state.words.contains(id)?,
            };
            if passes && seen.insert(id) {
                found.push(id.clone());
            }
        }
        let total = found.len() as u64;
        let page = found
            .into_iter()
            .skip(query.offset)
            .take(query.limit)
            .collect();
        Ok((page, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::PARSED;
    use crate::{
        DocumentsWrite, Engine, Learn, OpenOptions, RecommendKind, RecommendRequest, SettingsPatch,
        Write, WriteMode,
    };
    use domain::{Event, EventKind, IndexUid, ItemId, Timestamp, UserId};
    use serde_json::{Map, Value, json};
    use std::time::Duration;

    const ITEMS: i64 = 300;
    const DAY: i64 = 86_400;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().expect("an object")
    }

    /// Items of one day each, all equally popular, in a shop where they age.
    fn shop(engine: &Engine) -> IndexUid {
        let uid = IndexUid::new("shop").expect("a uid");
        let settings = json!({
            "filterableAttributes": ["shelf"], "roles": { "title": "title", "created": "created" },
            "freshness": { "halfLifeHours": 24.0 }, "embedders": {
                "own": { "source": "userProvided", "dimensions": 2 },
            },
        });
        let patch = SettingsPatch::new(object(settings)).expect("settings");
        let item = |number: i64| {
            object(json!({
                "id": format!("i{number}"), "title": format!("item {number}"),
                "shelf": number % 2, "created": 1_600_000_000 + number * DAY,
                "_vectors": { "own": [1, number] },
            }))
        };
        let documents = Write::Documents(DocumentsWrite {
            uid: uid.clone(),
            primary_key: Some("id".to_owned()),
            mode: WriteMode::Replace,
            documents: (0..ITEMS).map(item).collect(),
            rows: Vec::new(),
            rejected: Vec::new(),
        });
        let settings = Write::Settings {
            uid: uid.clone(),
            patch,
        };
        for write in [settings, documents] {
            let accepted = engine.write(write).expect("a write");
            let task = engine.wait(accepted.task_uid, Duration::from_secs(60));
            assert_eq!(task.expect("a task").error, None);
        }
        let sold = |number: i64| Event {
            id: None,
            user: UserId::new(format!("u{number}")).expect("a user"),
            kind: EventKind::Purchase,
            item: Some(ItemId::new(format!("i{number}")).expect("an item")),
            query: None,
            time: Timestamp::from_millis((1_600_000_000 + ITEMS * DAY) * 1000),
            value: None,
            price: None,
            quantity: None,
            basket: None,
            query_id: None,
        };
        let events = (0..ITEMS).map(sold).collect();
        let events = Write::Events {
            uid: uid.clone(),
            events,
        };
        engine.write(events).expect("events");
        uid
    }

    #[test]
    fn documents_are_parsed_for_the_page_and_for_nothing_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let options = OpenOptions {
            learn: Learn::AtClose,
            encoders: None,
        };
        let engine = Engine::open(dir.path(), options).expect("the folder opens");
        let uid = shop(&engine);
        let reader = engine.index(uid.as_str()).expect("the index");
        let parsed = |work: &dyn Fn()| {
            let before = PARSED.get();
            work();
            PARSED.get() - before
        };
        let popular = RecommendRequest {
            limit: 5,
            ..RecommendRequest::new(RecommendKind::Popular)
        };
        let newest_first = |ids: Vec<String>| {
            let expected: Vec<String> = (ITEMS - 5..ITEMS)
                .rev()
                .map(|no| format!("i{no}"))
                .collect();
            assert_eq!(ids, expected);
        };
        let with_documents = parsed(&|| {
            let hits = reader.recommend(&popular).expect("an answer").hits;
            newest_first(hits.iter().map(|hit| hit.item.to_string()).collect());
        });
        assert_eq!(with_documents, 5);
        let without = parsed(&|| {
            let items = reader.recommended_items(&popular).expect("an answer");
            newest_first(items.iter().map(|(item, _)| item.to_string()).collect());
        });
        assert_eq!(without, 0);
        let found = parsed(&|| {
            let search = SearchRequest {
                q: "item".to_owned(),
                limit: 50,
                ..SearchRequest::default()
            };
            assert_eq!(reader.search_ids(&search).expect("an answer").len(), 50);
            let listing = DocumentsQuery {
                limit: 50,
                ..DocumentsQuery::default()
            };
            let (ids, total) = reader.document_ids(&listing).expect("a page");
            assert_eq!((ids.len(), total), (50, ITEMS as u64));
        });
        assert_eq!(found, 0);
    }
}

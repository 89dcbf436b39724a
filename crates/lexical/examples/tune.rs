use lexical::*;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Instant;
fn env(name: &str, default: f32) -> f32 { std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default) }
fn main() {
    let dir = std::env::var("DIR").unwrap_or("/tmp/lexical/index".into());
    let dir = Path::new(&dir);
    let ws: Vec<(&str, f32)> = vec![("title", env("TITLE", 2.0)), ("short_description", env("SHORT", 1.0)), ("supplier", env("BRAND", 1.0)), ("name", env("NAME", 0.0))];
    let plan = IndexPlan {
        searchable: ws.iter().filter(|w| w.1 > 0.0).map(|(p, w)| Searchable { path: p.to_string(), weight: *w }).collect(),
        search_rest: (env("REST", 0.0) > 0.0).then(|| env("REST", 0.0)),
        filterable: vec!["supplier".into(), "price".into(), "attr_*".into(), "date_released".into()],
        sortable: vec!["price".into(), "title".into(), "date_released".into()],
        distinct: None, analyzer: AnalyzerPlan::default(),
    };
    let _ = std::fs::remove_dir_all(dir);
    let t = Instant::now();
    let mut index = WordsIndex::create(dir, plan).unwrap();
    let text = std::fs::read_to_string("/tmp/lexical/products.jsonl").unwrap();
    let mut n = 0;
    for line in text.lines() {
        let doc: Map<String, Value> = serde_json::from_str(line).unwrap();
        let id = doc["id"].as_str().unwrap().to_owned();
        index.put(&id, &doc).unwrap(); n += 1;
    }
    index.commit(1).unwrap();
    eprintln!("indexed {n} in {:?}", t.elapsed());
    index.release_writer();
    let t = Instant::now();
    let index2 = { drop(index); WordsIndex::open(dir).unwrap() };
    eprintln!("open {:?}", t.elapsed());
    let words = index2.words(&QueryPlan { prefix: env("PFX", 1.0) > 0.0, ranking_rules: if env("TIERS", 1.0) > 0.0 { RankingRule::defaults() } else { vec![] }, ..QueryPlan::default() });
    let queries = std::fs::read_to_string("/work/shared/data/chorus-icecat/queries.tsv").unwrap();
    let mut qrels: HashMap<String, BTreeMap<String, f64>> = HashMap::new();
    for l in std::fs::read_to_string("/work/shared/data/chorus-icecat/qrels.tsv").unwrap().lines().skip(1) {
        let mut f = l.split('\t'); let (q, p, r) = (f.next().unwrap(), f.next().unwrap(), f.next().unwrap());
        qrels.entry(q.into()).or_default().insert(p.into(), r.parse().unwrap());
    }
    let matching = match std::env::var("MATCH").as_deref() { Ok("all") => Matching::All, Ok("freq") => Matching::Frequency, _ => Matching::Last };
    let (mut sums, mut judged) = ([0.0; 2], 0);
    let mut total_sum = 0; let mut recall = 0.0;
    let verbose = std::env::var("V").is_ok();
    let mut all = vec![];
    for l in queries.lines().skip(1) {
        let (q, text) = l.split_once('\t').unwrap();
        all.push(text.to_owned());
        let empty = BTreeMap::new();
        let rel = qrels.get(q).unwrap_or(&empty);
        let mut ideal: Vec<f64> = rel.values().map(|r| 2f64.powf(*r) - 1.0).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let idcg: f64 = ideal.iter().take(10).enumerate().map(|(i, g)| g / (i as f64 + 2.0).log2()).sum();
        if idcg <= 0.0 { continue; }
        let answer = words.search(&WordsQuery { limit: 100, matching, ..WordsQuery::new(text) }).unwrap();
        let dcg: f64 = answer.hits.iter().take(10).enumerate().map(|(i, h)| (2f64.powf(*rel.get(&h.id).unwrap_or(&0.0)) - 1.0) / (i as f64 + 2.0).log2()).sum();
        sums[judged % 2] += dcg / idcg;
        let relevant = rel.values().filter(|r| **r > 0.0).count();
        recall += answer.hits.iter().filter(|h| rel.get(&h.id).copied().unwrap_or(0.0) > 0.0).count() as f64 / relevant as f64;
        judged += 1;
        total_sum += answer.total;
        if verbose { println!("{q} {:.3} total {} {text}", dcg / idcg, answer.total); }
    }
    let half = judged as f64 / 2.0;
    println!("ndcg {:.4}  halves {:.4} {:.4}  n {judged} mean total {} recall100 {:.3}", (sums[0] + sums[1]) / judged as f64, sums[0] / half, sums[1] / half, total_sum / judged, recall / judged as f64);
    if let Ok(list) = std::env::var("SHOW") {
        for q in list.split('|') {
            let a = words.search(&WordsQuery::new(q)).unwrap();
            println!("== {q}: {}", a.total);
            for h in a.hits.iter().take(5) {
                let line = text.lines().find(|l| l.contains(&format!("\"id\": \"{}\"", h.id))).unwrap();
                let d: Map<String, Value> = serde_json::from_str(line).unwrap();
                println!("  {:.3} w{} t{} {}", h.score, h.words, h.typos, d["title"].as_str().unwrap().chars().take(90).collect::<String>());
            }
        }
    }
    if std::env::var("TIME").is_ok() {
        for fresh in [true, false] {
            let mut times: Vec<(std::time::Duration, String)> = vec![];
            for _ in 0..if fresh { 1 } else { 20 } {
                for q in &all { let t = Instant::now(); words.search(&WordsQuery::new(q)).unwrap(); times.push((t.elapsed(), q.clone())); }
            }
            times.sort();
            println!("fresh {fresh} p50 {:?} p95 {:?} max {:?}", times[times.len() / 2].0, times[times.len() * 95 / 100].0, times.last().unwrap());
        }
        for (name, f) in [("filter", 0), ("facets *", 1), ("sort title", 2), ("placeholder", 3), ("prefix", 4), ("typo", 5)] {
            let mut times = vec![];
            let filter = domain::Filter::Compare { attribute: "supplier".into(), comparison: domain::Comparison::Equal, value: domain::FilterValue { text: "hp".into(), number: None } };
            let star = vec!["*".to_owned()];
            let sort = vec![SortBy { path: "title".into(), order: SortOrder::Ascending }];
            for i in 0..200 { let q = &all[i % all.len()];
                let short: String = q.chars().take(1 + i % 4).collect();
                let mut typo: Vec<char> = q.chars().collect(); let at = (i * 7 + 2) % typo.len().max(1); if typo.len() > 6 { typo.remove(at); } let typo: String = typo.into_iter().collect();
                let mut wq = WordsQuery::new(q);
                match f { 0 => wq.filter = Some(&filter), 1 => wq.facets = &star, 2 => wq.sort = &sort, 3 => wq.text = "", 4 => wq.text = &short, _ => wq.text = &typo }
                let t = Instant::now(); words.search(&wq).unwrap(); times.push(t.elapsed()); }
            times.sort();
            println!("{name}: p50 {:?} p95 {:?} max {:?}", times[100], times[190], times[199]);
        }
    }
}

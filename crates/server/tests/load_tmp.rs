//! scratch
use engine::{Engine, OpenOptions};
use serde_json::json;
use server::ServerConfig;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

struct Conn { stream: TcpStream, buffer: Vec<u8> }
impl Conn {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 1 << 20] }
    }
    fn ask(&mut self, request: &[u8]) -> (u16, usize) {
        self.stream.write_all(request).unwrap();
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).unwrap();
            let text = &self.buffer[..filled];
            if let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = std::str::from_utf8(&text[..end]).unwrap().to_ascii_lowercase();
                let length: usize = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
                while filled < end + 4 + length {
                    filled += self.stream.read(&mut self.buffer[filled..]).unwrap();
                }
                return (head[9..12].parse().unwrap(), length);
            }
        }
    }
}
fn post(path: &str, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
fn quantiles(name: &str, mut times: Vec<Duration>, wall: Duration, per: usize) {
    times.sort();
    let q = |p: f64| times[((times.len() - 1) as f64 * p) as usize];
    eprintln!("{name}: n={} {:.0}/s p50={:?} p95={:?} p99={:?} max={:?}", times.len(), (times.len() * per) as f64 / wall.as_secs_f64(), q(0.5), q(0.95), q(0.99), q(1.0));
}

#[test]
fn load() {
    let dir = tempfile::TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let engine = Engine::open(dir.path(), OpenOptions::default()).unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let handle = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(server::serve(engine, ServerConfig::new(address, None).unwrap(), listener, async { let _ = stopped.await; })).unwrap();
    });
    let mut conn = Conn::new(address);
    let filler = "lorem ipsum dolor sit amet consectetur ".repeat(95);
    let documents: Vec<_> = testkit::bulk_items(1).take(20_000).enumerate().map(|(n, mut d)| { if n < 20000 { d.insert("filler".into(), json!(filler)); } d }).collect();
    let titles: Vec<String> = documents.iter().map(|d| d["title"].as_str().unwrap().to_owned()).collect();
    eprintln!("{}", serde_json::to_string(&documents[0]).unwrap().len());
    let settings = json!({"searchableAttributes": ["title"], "filterableAttributes": ["*"]}).to_string();
    let t = Instant::now();
    let mut patch = post("/indexes/p/settings", &settings); patch.splice(0..4, *b"PATCH");
    assert_eq!(conn.ask(&patch).0, 202);
    for chunk in documents.chunks(5000) {
        let body = serde_json::to_string(chunk).unwrap();
        let t = Instant::now();
        assert_eq!(conn.ask(&post("/indexes/p/documents", &body)).0, 202);
        eprintln!("documents accepted {} MB in {:?}", body.len() / 1_000_000, t.elapsed());
    }
    loop {
        let (_, n) = conn.ask(b"GET /indexes/p/stats HTTP/1.1\r\nHost: a\r\n\r\n");
        let text = String::from_utf8_lossy(&conn.buffer[..n + 300]).to_string();
        if text.contains("\"numberOfDocuments\":20000") && text.contains("\"isIndexing\":false") { break; }
        std::thread::sleep(Duration::from_millis(50));
    }
    eprintln!("indexed in {:?}", t.elapsed());
    for (name, request) in [("health", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n".to_vec())] {
        let mut times = Vec::new(); let t = Instant::now();
        for _ in 0..2000 { let s = Instant::now(); conn.ask(&request); times.push(s.elapsed()); }
        quantiles(name, times, t.elapsed(), 1);
    }
    for connections in [1usize, 4, 32] {
        let t = Instant::now();
        let times: Vec<Duration> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..connections).map(|c| { let titles = &titles; scope.spawn(move || {
                let mut conn = Conn::new(address);
                let mut times = Vec::new(); let mut bytes = 0;
                for n in 0..1500 / connections.min(8) {
                    let title = &titles[(n * 37 + c * 101) % titles.len()];
                    let words: Vec<&str> = title.split(' ').take(3).collect();
                    let request = post("/indexes/p/search", &json!({"q": words.join(" "), "limit": 20}).to_string());
                    let s = Instant::now();
                    let (status, length) = conn.ask(&request);
                    times.push(s.elapsed()); bytes += length;
                    assert_eq!(status, 200);
                }
                if c == 0 { eprintln!("mean bytes {}", bytes / times.len()); }
                times
            })}).collect();
            handles.into_iter().flat_map(|h| h.join().unwrap()).collect()
        });
        quantiles(&format!("search x{connections}"), times, t.elapsed(), 1);
    }
    // events
    for (per, connections, each) in [(1usize, 64usize, 400usize), (1000, 4, 60), (1000, 16, 20)] {
        let t = Instant::now();
        let times: Vec<Duration> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..connections).map(|c| { scope.spawn(move || {
                let mut conn = Conn::new(address);
                let requests: Vec<Vec<u8>> = (0..each).map(|n| {
                    let event = |k: usize| json!({"eventId": format!("e{per}-{connections}-{c}-{n}-{k}"), "userId": format!("u{}", (c * 7919 + n * 31 + k) % 20000), "kind": "view", "itemId": format!("{}", (n * 17 + k * 3 + c) % 20000), "time": "2024-05-01T10:00:00Z"});
                    let body = if per == 1 { event(0).to_string() } else { json!((0..per).map(event).collect::<Vec<_>>()).to_string() };
                    post("/indexes/p/events", &body)
                }).collect();
                let mut times = Vec::new();
                for request in &requests { let s = Instant::now(); let (status, _) = conn.ask(request); times.push(s.elapsed()); assert_eq!(status, 200); }
                times
            })}).collect();
            handles.into_iter().flat_map(|h| h.join().unwrap()).collect()
        });
        quantiles(&format!("events {per} x{connections}"), times, t.elapsed(), per);
    }
    let _ = stop.send(());
    handle.join().unwrap();
}

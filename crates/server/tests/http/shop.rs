//! A server with the small shop in it, and a tiny client that speaks to it.

use engine::{Engine, ModelFolders, OpenOptions};
use serde_json::{Value, json};
use server::{Limits, ServeError, ServerConfig};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::Agent;
use ureq::http::Request;

pub const SEED: u64 = 7;

/// One running server.
pub struct Shop {
    pub address: SocketAddr,
    pub dir: TempDir,
    agent: Agent,
    key: Option<String>,
    limits: Limits,
    bearer: Mutex<Option<String>>,
    headers: Vec<(&'static str, String)>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<Result<(), ServeError>>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|err| panic!("{err}: {}", self.text))
    }

    /// Status and code of an error object, after a look at its shape.
    #[track_caller]
    pub fn error(&self) -> (u16, String) {
        let body = self.json();
        let code = body["code"]
            .as_str()
            .unwrap_or_else(|| panic!("no error: {}", self.text));
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{body}"
        );
        assert_eq!(body["link"], json!(format!("docs/http-api.md#{code}")));
        assert!(
            ["invalid_request", "auth", "system", "internal"]
                .iter()
                .any(|kind| body["type"] == *kind),
            "{body}"
        );
        (self.status, code.to_owned())
    }
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

fn start(dir: &Path, key: Option<&str>, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let config = ServerConfig::new(address, key.map(str::to_owned))
        .expect("a good configuration")
        .with_limits(limits)
        .with_models(ModelFolders::new(Some(dir), None));
    let engine = Engine::open(dir, OpenOptions::default()).expect("a data folder");
    let (stop, stopped) = oneshot::channel();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(server::serve(engine, config, listener, async {
            let _ = stopped.await;
        }))
    });
    Running {
        address,
        stop,
        server,
    }
}

impl Shop {
    /// An empty server without a key.
    pub fn empty() -> Self {
        Self::with(None, Limits::default())
    }

    pub fn with(key: Option<&str>, limits: Limits) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let Running {
            address,
            stop,
            server,
        } = start(dir.path(), key, limits.clone());
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .new_agent();
        Self {
            address,
            dir,
            agent,
            key: key.map(str::to_owned),
            limits,
            bearer: Mutex::default(),
            headers: Vec::new(),
            stop: Some(stop),
            server: Some(server),
        }
    }

    /// The forty products as index `products`, with everything filterable and sortable.
    pub fn stocked() -> Self {
        let shop = Self::empty();
        shop.stock();
        shop
    }

    pub fn stock(&self) {
        let settings = json!({ "filterableAttributes": ["*"], "sortableAttributes": ["*"] });
        self.patch("/indexes/products/settings", settings)
            .done(self);
        self.post(
            "/indexes/products/documents",
            json!(testkit::catalogue(SEED)),
        )
        .done(self);
    }

    /// Sends this header with every request.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Asks with another key for a while.
    pub fn as_bearer(&self, key: &str, asking: impl FnOnce(&Self)) {
        *self.bearer.lock().expect("no panic") = Some(format!("Bearer {key}"));
        asking(self);
        *self.bearer.lock().expect("no panic") = None;
    }

    /// Stops the server and starts it again on the same folder.
    pub fn restart(&mut self) {
        self.stop().expect("a clean stop");
        let running = start(self.dir.path(), self.key.as_deref(), self.limits.clone());
        self.address = running.address;
        self.stop = Some(running.stop);
        self.server = Some(running.server);
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, None)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.send(
            "POST",
            path,
            Some("application/json"),
            Some(body.to_string().into_bytes()),
        )
    }

    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.send(
            "PUT",
            path,
            Some("application/json"),
            Some(body.to_string().into_bytes()),
        )
    }

    pub fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(
            "PATCH",
            path,
            Some("application/json"),
            Some(body.to_string().into_bytes()),
        )
    }

    pub fn send(
        &self,
        method: &str,
        path: &str,
        media: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        let bearer = self.bearer.lock().expect("no panic").clone();
        for (name, value) in &self.headers {
            let other = bearer.as_ref().filter(|_| *name == "Authorization");
            request = request.header(*name, other.unwrap_or(value));
        }
        if let Some(media) = media {
            request = request.header("Content-Type", media);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).expect("a request")),
            None => self.agent.run(request.body(()).expect("a request")),
        };
        let mut response = response.expect("an answer");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string().expect("a body"),
        }
    }

    /// The task once it is finished.
    #[track_caller]
    pub fn wait(&self, uid: u64) -> Value {
        let started = Instant::now();
        loop {
            let task = self.get(&format!("/tasks/{uid}")).json();
            if task["status"] != "enqueued" && task["status"] != "processing" {
                return task;
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "unfinished: {task}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops the server as a signal would and gives what it ended with.
    pub fn stop(&mut self) -> Result<(), ServeError> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        match self.server.take() {
            Some(server) => server.join().expect("the server does not panic"),
            None => Ok(()),
        }
    }
}

impl Answer {
    /// The finished task, which must have succeeded.
    #[track_caller]
    pub fn done(&self, shop: &Shop) -> Value {
        let task = self.finished(shop);
        assert_eq!(task["status"], "succeeded", "{task}");
        task
    }

    /// The finished task of a 202, or of the 200 of what is done to tasks.
    #[track_caller]
    pub fn finished(&self, shop: &Shop) -> Value {
        assert!([200, 202].contains(&self.status), "{}", self.text);
        let summary = self.json();
        assert_eq!(summary["status"], "enqueued");
        shop.wait(summary["taskUid"].as_u64().expect("a task uid"))
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let outcome = self.stop();
        if !std::thread::panicking() {
            outcome.expect("a clean stop");
        }
    }
}

/// The ids of a list of documents.
pub fn ids(documents: &Value) -> Vec<&str> {
    let list = documents.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|document| document["id"].as_str())
        .collect()
}

/// An error as tests write it.
pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

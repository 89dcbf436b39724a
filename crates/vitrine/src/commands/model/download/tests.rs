//! Downloads from a server on this machine that behaves as badly as the network.

use super::*;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// How the server answers.
#[derive(Clone, Copy)]
struct Manners {
    /// Bytes of the file after which a connection breaks.
    cut: usize,
    /// Whether a range is listened to.
    knows_ranges: bool,
    /// The status of every answer, when it is not to be 200 or 206.
    status: Option<&'static str>,
}

const GOOD: Manners = Manners {
    cut: usize::MAX,
    knows_ranges: true,
    status: None,
};

struct Hub {
    url: String,
    /// The `Range` of each request; empty where there was none.
    ranges: Arc<Mutex<Vec<String>>>,
    dir: TempDir,
}

impl Hub {
    fn serving(file: Vec<u8>, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/file", listener.local_addr().expect("bound"));
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = ranges.clone();
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &file, manners, &seen);
            }
        });
        Self {
            url,
            ranges,
            dir: TempDir::new().expect("a temporary folder"),
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("sub/file")
    }

    fn fetch(&self) -> anyhow::Result<Vec<u8>> {
        fetch(&self.url, &self.file(), &ProgressBar::hidden())?;
        Ok(fs::read(self.file())?)
    }

    fn ranges(&self) -> Vec<String> {
        self.ranges.lock().expect("no panic").clone()
    }
}

fn answer(mut stream: TcpStream, file: &[u8], manners: Manners, seen: &Mutex<Vec<String>>) {
    let mut range = String::new();
    let head = BufReader::new(stream.try_clone().expect("a handle")).lines();
    for line in head
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
    {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = value.to_owned();
        }
    }
    seen.lock().expect("no panic").push(range.clone());
    let start: usize = match range.trim_end_matches('-').parse() {
        Ok(start) if manners.knows_ranges => start,
        _ => 0,
    };
    let size = file.len();
    let (status, more, body) = match (manners.status, file.get(start..)) {
        (Some(status), _) => (status, String::new(), &b"no"[..]),
        (None, None) => ("416 Range Not Satisfiable", String::new(), &b""[..]),
        (None, Some(_)) if start >= size && start > 0 => {
            ("416 Range Not Satisfiable", String::new(), &b""[..])
        }
        (None, Some(body)) if start > 0 => {
            let last = size - 1;
            let range = format!("Content-Range: bytes {start}-{last}/{size}\r\n");
            ("206 Partial Content", range, body)
        }
        (None, Some(body)) => ("200 OK", String::new(), body),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n",
        body.len()
    );
    let cut = body.len().min(manners.cut);
    // A client that has hung up is no concern of this server.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body[..cut]);
}

fn content() -> Vec<u8> {
    (0..200_000_u32)
        .map(|place| (place * 7 % 251) as u8)
        .collect()
}

#[test]
fn a_connection_that_breaks_is_continued_where_it_broke() {
    let hub = Hub::serving(
        content(),
        Manners {
            cut: 60_000,
            ..GOOD
        },
    );
    assert_eq!(hub.fetch().expect("fetched"), content());
    assert_eq!(hub.ranges(), ["", "60000-", "120000-", "180000-"]);
    assert!(!part_of(&hub.file()).exists());
}

#[test]
fn what_an_earlier_run_left_is_not_fetched_again() {
    let hub = Hub::serving(content(), GOOD);
    make_parent(&hub.file()).expect("made");
    fs::write(part_of(&hub.file()), &content()[..150_000]).expect("written");
    assert_eq!(hub.fetch().expect("fetched"), content());
    assert_eq!(hub.ranges(), ["150000-"]);
    // A file that is there is not asked for at all.
    assert_eq!(hub.fetch().expect("there"), content());
    assert_eq!(hub.ranges().len(), 1);
}

#[test]
fn a_server_without_ranges_is_asked_for_all_of_it() {
    let hub = Hub::serving(
        content(),
        Manners {
            knows_ranges: false,
            ..GOOD
        },
    );
    make_parent(&hub.file()).expect("made");
    fs::write(part_of(&hub.file()), b"something else").expect("written");
    assert_eq!(hub.fetch().expect("fetched"), content());
}

#[test]
fn a_part_longer_than_the_file_is_dropped() {
    let hub = Hub::serving(content(), GOOD);
    make_parent(&hub.file()).expect("made");
    fs::write(part_of(&hub.file()), vec![1; 300_000]).expect("written");
    assert_eq!(hub.fetch().expect("fetched"), content());
    assert_eq!(hub.ranges(), ["300000-", ""]);
}

#[test]
fn a_server_that_brings_nothing_new_is_given_up() {
    let hub = Hub::serving(content(), Manners { cut: 0, ..GOOD });
    let message = format!("{:#}", hub.fetch().expect_err("nothing came"));
    assert!(message.contains("broke off after 0 bytes"), "{message}");
    assert_eq!(hub.ranges().len(), 1);
    assert!(!hub.file().exists());
}

#[test]
fn a_refusal_names_address_and_status_and_is_final() {
    let hub = Hub::serving(
        content(),
        Manners {
            status: Some("404 Not Found"),
            ..GOOD
        },
    );
    let message = format!("{:#}", hub.fetch().expect_err("refused"));
    assert!(
        message.contains(&hub.url) && message.contains("404"),
        "{message}"
    );
    assert_eq!(hub.ranges().len(), 1);
}

#[test]
fn nobody_there_is_said_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    let dir = TempDir::new().expect("a temporary folder");
    let url = format!("http://{address}/file");
    let error = fetch(&url, &dir.path().join("file"), &ProgressBar::hidden());
    let message = format!("{:#}", error.expect_err("nobody there"));
    assert!(message.contains("does not answer"), "{message}");
}

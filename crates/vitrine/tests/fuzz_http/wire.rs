//! Requests as bytes, and what comes back, whatever it is.
//!
//! A client library would refuse to send most of this and to read some of the answers.

use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A request that HTTP allows, whatever its parts say.
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Option<Vec<u8>>,
}

impl Request {
    pub fn bytes(&self) -> Vec<u8> {
        let (method, target) = (&self.method, &self.target);
        let mut bytes =
            format!("{method} {target} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n")
                .into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(name.bytes());
            bytes.extend(b": ");
            bytes.extend(value);
            bytes.extend(b"\r\n");
        }
        if let Some(body) = &self.body {
            bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(self.body.iter().flatten());
        bytes
    }
}

/// What a request led to.
pub enum Outcome {
    Answered(Answer),
    /// The connection was closed without a whole answer.
    Closed,
    /// Nothing came, and the connection stayed open.
    Silent,
}

pub struct Answer {
    pub status: u16,
    pub is_json: bool,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What a client does when it has sent everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Wait,
    /// Ends its side, so that the server waits for nothing more.
    HangUp,
}

/// Sends bytes over a connection of their own and reads until the server ends it.
pub fn exchange(address: SocketAddr, bytes: &[u8], then: Then, patience: Duration) -> Outcome {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return Outcome::Closed;
    };
    for timed in [
        stream.set_read_timeout(Some(patience)),
        stream.set_write_timeout(Some(patience)),
    ] {
        timed.expect("a time above zero");
    }
    // The server may refuse before it has read everything; what it said is read below.
    let _ = stream.write_all(bytes);
    if then == Then::HangUp {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if is_timeout(&error) && answer.is_empty() => Outcome::Silent,
        // A reset after the answer, because of bytes that nobody read.
        _ => parse(&answer).map_or(Outcome::Closed, Outcome::Answered),
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// The first answer of a connection, if it is whole.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?)
        .ok()?
        .to_ascii_lowercase();
    let body = bytes.get(end + 4..)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parse(body);
    }
    let header = |name: &str| {
        head.split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
    };
    let body = match header("content-length") {
        Some(length) => body.get(..length.parse().ok()?)?.to_vec(),
        None if header("transfer-encoding").is_some() => unchunked(body)?,
        None => body.to_vec(),
    };
    Some(Answer {
        status,
        is_json: header("content-type").is_some_and(|media| media.contains("json")),
        body,
    })
}

fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let length = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend(bytes.get(end + 2..end + 2 + length)?);
        bytes = bytes.get(end + 4 + length..)?;
    }
}

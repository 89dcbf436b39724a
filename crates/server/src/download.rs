//! Files that are written while they are sent.
//!
//! They are written on a thread that may block, a few chunks ahead of the client. Where that
//! fails midway the connection breaks off, so that no client takes what it has for the whole.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Bytes of one chunk, and how many may wait for a slow client.
const CHUNK: usize = 256 << 10;
const AHEAD: usize = 4;

type Chunk = io::Result<Bytes>;

/// Where a file is written to.
pub(crate) type Out = BufWriter<Pipe>;

/// The answer with a file of this name.
pub(crate) fn file(
    name: &str,
    write: impl FnOnce(&mut Out) -> io::Result<()> + Send + 'static,
) -> Response {
    let (sender, receiver) = channel::<Chunk>(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(CHUNK, Pipe(sender.clone()));
        if let Err(error) = write(&mut out).and_then(|()| out.flush()) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "download broken off"
            );
            // The client may be the one who is gone.
            let _ = sender.blocking_send(Err(error));
        }
    });
    let headers = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    (headers, Body::new(Chunks(receiver))).into_response()
}

/// The writing end: blocks while the client is behind.
pub(crate) struct Pipe(Sender<Chunk>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The reading end, as a body.
struct Chunks(Receiver<Chunk>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|chunk| chunk.map(|bytes| bytes.map(Frame::data)))
    }
}

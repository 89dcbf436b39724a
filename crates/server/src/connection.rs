//! Connections that do not wait for ever.
//!
//! Hyper is not given a timer here, so the stream itself keeps time: for the
//! next request, for the head of a request, and for a client that does not read
//! its answer. While a request is being answered reads are not timed; the body
//! has its own clock in `payload`. A [`Phase`] tells the stream where its
//! connection stands.

use crate::config::Limits;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Duration, Instant, Sleep, sleep_until};

/// Counts the beginnings and ends of requests: odd while one is being answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phase(Arc<AtomicU64>);

impl Phase {
    /// Marks a request as being answered until the guard is dropped.
    pub(crate) fn answering(&self) -> Answering {
        self.0.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends the answering phase when dropped, also when the request is given up.
pub(crate) struct Answering(Phase);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A TCP listener that accepts a limited number of [`PatientStream`]s.
pub(crate) struct PatientListener {
    inner: TcpListener,
    places: Arc<Semaphore>,
    limits: Limits,
}

impl PatientListener {
    pub(crate) fn new(inner: TcpListener, limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self {
            inner,
            places,
            limits,
        }
    }
}

impl Listener for PatientListener {
    type Io = PatientStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (PatientStream, SocketAddr) {
        // The semaphore is never closed; without a permit the stream is just not counted.
        let place = self.places.clone().acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.inner).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        (PatientStream::new(stream, &self.limits, place), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Connected<IncomingStream<'_, PatientListener>> for Phase {
    fn connect_info(stream: IncomingStream<'_, PatientListener>) -> Self {
        stream.io().phase.clone()
    }
}

/// A TCP stream that gives up on a client that is too slow.
pub(crate) struct PatientStream {
    inner: TcpStream,
    phase: Phase,
    /// The phase that `head_since` and `idle_since` belong to.
    seen: u64,
    head_since: Option<Instant>,
    idle_since: Option<Instant>,
    write_since: Option<Instant>,
    head_time: Duration,
    idle_time: Duration,
    write_time: Duration,
    alarm: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl PatientStream {
    fn new(inner: TcpStream, limits: &Limits, place: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            inner,
            phase: Phase::default(),
            seen: 0,
            head_since: None,
            idle_since: None,
            write_since: None,
            head_time: limits.head_time,
            idle_time: limits.idle_time,
            write_time: limits.write_time,
            alarm: Box::pin(sleep_until(Instant::now() + limits.idle_time)),
            _place: place,
        }
    }

    /// Whether a request is being answered; forgets the times of an earlier phase.
    fn is_answering(&mut self) -> bool {
        let count = self.phase.count();
        if count != self.seen {
            self.seen = count;
            self.head_since = None;
            self.idle_since = None;
        }
        count % 2 == 1
    }

    /// Wakes the task at the deadline; an error once it has passed.
    ///
    /// The alarm is moved only when it would ring too late. An early ring costs one
    /// more look at the clock, which is far rarer than moving it for every request.
    fn poll_deadline(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            if Instant::now() >= deadline {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            if self.alarm.is_elapsed() || self.alarm.deadline() > deadline {
                self.alarm.as_mut().reset(deadline);
            }
            ready!(self.alarm.as_mut().poll(cx));
        }
    }

    fn timed_write(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write_since = None;
            return written;
        }
        let since = *self.write_since.get_or_insert_with(Instant::now);
        self.poll_deadline(since + self.write_time, cx).map(Err)
    }
}

impl AsyncRead for PatientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if this.is_answering() {
            return read;
        }
        if read.is_ready() {
            let since = *this.head_since.get_or_insert_with(Instant::now);
            if since.elapsed() > this.head_time {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            return read;
        }
        let deadline = match this.head_since {
            Some(since) => since + this.head_time,
            None => *this.idle_since.get_or_insert_with(Instant::now) + this.idle_time,
        };
        this.poll_deadline(deadline, cx).map(Err)
    }
}

impl AsyncWrite for PatientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.timed_write(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.timed_write(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

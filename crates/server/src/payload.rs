//! Reading request bodies within their limits.
//!
//! A body has a size limit before and after inflating, and a clock that a steady
//! client never meets. Gzip is known by `Content-Encoding` or by its first bytes.
//! Large bodies wait for one of a few places, so that memory stays bounded.

use crate::app::App;
use crate::config::Limits;
use crate::error::ApiError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};

/// From here on a body needs a place among the large ones.
const LARGE: usize = 1_000_000;
/// Up to here a body is parsed on the spot, in well under a millisecond.
const SMALL: usize = 16_384;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ACCEPTED: &str = "`application/json`, `application/x-ndjson`, and `text/csv`";

/// A JSON body of a request that is no upload: a search, settings, an index.
pub(crate) struct JsonBody(pub(crate) Value);

impl FromRequest<App> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        match media_type(request.headers())? {
            Some(media) if media == "application/json" => (),
            Some(other) => return Err(unknown_media(&other, "`application/json`")),
            None => return Err(no_media("`application/json`")),
        }
        let bytes = read(request, app, app.limits().request_bytes).await?.bytes;
        if bytes.trim_ascii().is_empty() {
            return Err(ApiError::invalid(
                "missing_payload",
                "A json payload is missing.",
            ));
        }
        parse(&bytes).map(Self)
    }
}

/// Parses one JSON value. Depth is limited to 128 by the parser.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::invalid(
            "malformed_payload",
            format!("The json payload provided is malformed. `{error}`."),
        )
    })
}

/// The content type without parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|_| unknown_media("?", ACCEPTED))?;
    let essence = text.split(';').next().unwrap_or_default();
    Ok(Some(essence.trim().to_ascii_lowercase()))
}

/// 415 for a content type that is not read here.
pub(crate) fn unknown_media(media: &str, accepted: &str) -> ApiError {
    ApiError::refused(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "invalid_content_type",
        format!(
            "The Content-Type `{media}` is invalid. Accepted values for the Content-Type header are: {accepted}"
        ),
    )
}

/// 415 for a missing content type.
pub(crate) fn no_media(accepted: &str) -> ApiError {
    ApiError::refused(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "missing_content_type",
        format!(
            "A Content-Type header is missing. Accepted values for the Content-Type header are: {accepted}"
        ),
    )
}

/// 415 as for documents, which come in three formats.
pub(crate) fn unknown_upload(media: Option<&str>) -> ApiError {
    match media {
        Some(media) => unknown_media(media, ACCEPTED),
        None => no_media(ACCEPTED),
    }
}

/// A body, and its place among the large ones for as long as it is worked on.
pub(crate) struct Received<'a> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) place: Option<SemaphorePermit<'a>>,
}

/// Receives a whole body, inflated.
pub(crate) async fn read(
    request: Request,
    app: &App,
    limit: usize,
) -> Result<Received<'_>, ApiError> {
    let encoded = is_gzip_encoded(request.headers())?;
    let declared = content_length(request.headers());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut body = Pieces::new(request.into_body());
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0).min(LARGE));
    receive(&mut body, &mut bytes, LARGE.min(limit + 1), app.limits()).await?;
    let mut place = None;
    if bytes.len() >= LARGE {
        place = app.large_body().await;
        receive(&mut body, &mut bytes, limit + 1, app.limits()).await?;
    }
    if bytes.len() > limit {
        return Err(too_large(limit));
    }
    if encoded || bytes.starts_with(&GZIP_MAGIC) {
        if place.is_none() {
            place = app.large_body().await;
        }
        bytes = in_background(move || inflate(&bytes, limit)).await?;
    }
    Ok(Received { bytes, place })
}

/// Runs work on a body: at once when it is small, else where blocking is allowed.
pub(crate) async fn near<T: Send + 'static>(
    bytes: Vec<u8>,
    work: impl FnOnce(Vec<u8>) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    if bytes.len() < SMALL {
        work(bytes)
    } else {
        in_background(move || work(bytes)).await
    }
}

/// Runs work that takes longer than a moment on a thread that may block.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(ApiError::internal(error)),
    }
}

/// A body as it comes in, piece by piece.
pub(crate) struct Pieces {
    body: Body,
    received: usize,
    waited: Duration,
}

impl Pieces {
    /// Of a body that is not compressed.
    pub(crate) fn of(request: Request) -> Result<Self, ApiError> {
        if is_gzip_encoded(request.headers())? {
            return Err(ApiError::refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_content_encoding",
                "The Content-Encoding header is invalid: this body must not be compressed.",
            ));
        }
        Ok(Self::new(request.into_body()))
    }

    fn new(body: Body) -> Self {
        Self {
            body,
            received: 0,
            waited: Duration::ZERO,
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// What has arrived earns time for what follows: a client may pause, but not crawl. The
    /// clock stands still while nobody waits for the client.
    pub(crate) async fn next(&mut self, limits: &Limits) -> Result<Option<Bytes>, ApiError> {
        loop {
            let earned = self.received / limits.body_bytes_per_second.max(1);
            let time = limits.body_time + Duration::from_secs(earned as u64);
            let asked = Instant::now();
            let body = &mut self.body;
            let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx));
            let frame = timeout(time.saturating_sub(self.waited), frame).await;
            self.waited += asked.elapsed();
            match frame {
                Ok(Some(Ok(frame))) => {
                    // What is no data are trailers, which nobody reads.
                    if let Ok(data) = frame.into_data() {
                        self.received += data.len();
                        return Ok(Some(data));
                    }
                }
                Ok(Some(Err(error))) => {
                    return Err(ApiError::invalid(
                        "malformed_payload",
                        format!("The payload could not be received: {error}."),
                    ));
                }
                Ok(None) => return Ok(None),
                Err(_) => {
                    return Err(ApiError::refused(
                        StatusCode::REQUEST_TIMEOUT,
                        "payload_too_slow",
                        format!(
                            "The payload did not arrive in time; {} bytes came.",
                            self.received
                        ),
                    ));
                }
            }
        }
    }
}

/// Appends pieces until `bytes` has at least `enough` bytes or the body ends.
async fn receive(
    body: &mut Pieces,
    bytes: &mut Vec<u8>,
    enough: usize,
    limits: &Limits,
) -> Result<(), ApiError> {
    while bytes.len() < enough {
        match body.next(limits).await? {
            Some(piece) => bytes.extend_from_slice(&piece),
            None => break,
        }
    }
    Ok(())
}

fn is_gzip_encoded(headers: &HeaderMap) -> Result<bool, ApiError> {
    let Some(encoding) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(false);
    };
    match encoding
        .to_str()
        .map(|text| text.trim().to_ascii_lowercase())
        .as_deref()
    {
        Ok("gzip" | "x-gzip") => Ok(true),
        Ok("" | "identity") => Ok(false),
        _ => Err(ApiError::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_content_encoding",
            "The Content-Encoding header is invalid: only `gzip` and `identity` are accepted.",
        )),
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Inflates gzip, one byte past the limit at most.
fn inflate(bytes: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut inflated = Vec::with_capacity(bytes.len().saturating_mul(4).min(limit));
    let mut decoder = MultiGzDecoder::new(bytes).take(limit as u64 + 1);
    decoder.read_to_end(&mut inflated).map_err(|error| {
        ApiError::invalid(
            "malformed_payload",
            format!(
                "The gzip payload is cut short or damaged after {} inflated bytes: {error}.",
                inflated.len()
            ),
        )
    })?;
    if inflated.len() > limit {
        return Err(too_large(limit));
    }
    Ok(inflated)
}

fn too_large(limit: usize) -> ApiError {
    ApiError::refused(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        format!(
            "The provided payload reached the limit. The maximum accepted payload size is {limit} bytes."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b' '; 1_000_000]);
        let refusal = inflate(&bomb, 10_000).expect_err("over the limit");
        assert_eq!(refusal.code(), "payload_too_large");
        assert_eq!(
            inflate(&bomb, 1_000_000).map(|bytes| bytes.len()).ok(),
            Some(1_000_000)
        );
    }

    #[test]
    fn truncated_gzip_is_malformed() {
        let whole = gzip(b"[{\"id\":1}]");
        let half = whole.get(..whole.len() - 6).expect("longer than that");
        let refusal = inflate(half, 10_000).expect_err("cut short");
        assert_eq!(refusal.code(), "malformed_payload");
    }

    #[test]
    fn json_that_is_too_deep_is_malformed() {
        let deep = "[".repeat(100_000);
        assert_eq!(
            parse(deep.as_bytes()).expect_err("too deep").code(),
            "malformed_payload"
        );
    }
}

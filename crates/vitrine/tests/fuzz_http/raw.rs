//! Bytes that are no request, or only the beginning of one.

use testkit::SplitMix64;

const WHOLE: &[&str] = &[
    "",
    "\r\n\r\n",
    "GET\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/0.9\r\n\r\n",
    "get / http/1.1\r\n\r\n",
    "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a b c HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET \u{0} HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://elsewhere/health HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET //health HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /health#x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /häalth HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}",
    "GET /health HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: a\r\n: none\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: a\r\nX: \u{7f}\u{1}\r\n\r\n",
    "GET /health HTTP/1.1\nHost: a\n\n",
    "GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: a\r\n",
];

/// What stands between the head of a post and its body.
const LENGTHS: &[&str] = &[
    "Content-Length: -1",
    "Content-Length: 1e3",
    "Content-Length: 99999999999999999999999",
    "Content-Length: 18446744073709551615",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 5, 5",
    "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "Content-Length: 100",
    "Content-Length: 2",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Expect: 100-continue\r\nContent-Length: 2",
    "Expect: 200-ok\r\nContent-Length: 2",
    "X: y",
];

const BODIES: &[&str] = &[
    "",
    "{}",
    "[",
    "5\r\n[1,2]\r\n0\r\n\r\n",
    "5\r\n[1,",
    "5\r\n[1,2]\r\n",
    "zz\r\n{}\r\n0\r\n\r\n",
    "-1\r\n{}\r\n",
    "FFFFFFFFFFFFFFFFF\r\n{}",
    "7fffffffffffffff\r\n{}",
    "2;ext=\"a\r\n{}\r\n0\r\n\r\n",
    "2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n",
    "2\r\n{}XX0\r\n\r\n",
];

/// Bytes for one connection.
pub fn bytes(random: &mut SplitMix64) -> Vec<u8> {
    match random.below(8) {
        0 => (0..random.below(2_000))
            .map(|_| random.next() as u8)
            .collect(),
        1 => {
            let value = "x".repeat(random.below(700_000));
            format!("GET /health HTTP/1.1\r\nHost: a\r\nX: {value}\r\n\r\n").into_bytes()
        }
        2 => {
            let count = random.below(3_000);
            let headers: String = (0..count).map(|at| format!("X-{at}: y\r\n")).collect();
            format!("GET /health HTTP/1.1\r\nHost: a\r\n{headers}\r\n").into_bytes()
        }
        3 => {
            let path = "a/".repeat(random.below(100_000));
            format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
        }
        4 | 5 => {
            let paths = [
                "/indexes/products/search",
                "/indexes/products/documents",
                "/multi-search",
                "/v1/embeddings",
            ];
            let path = random.pick(&paths).unwrap_or(&"/");
            let length = random.pick(LENGTHS).unwrap_or(&"");
            let body = random.pick(BODIES).unwrap_or(&"");
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\n\r\n{body}").into_bytes()
        }
        _ => {
            let mut bytes = random.pick(WHOLE).unwrap_or(&"").as_bytes().to_vec();
            if random.below(3) == 0 && !bytes.is_empty() {
                let at = random.below(bytes.len());
                bytes[at] = random.next() as u8;
            }
            bytes
        }
    }
}

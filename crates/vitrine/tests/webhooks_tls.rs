//! Finished tasks are posted over TLS, to those whom the machine trusts and to nobody else.
//!
//! `tls/` has a certificate for 127.0.0.1 and the authority that signed it. It was made with
//! `openssl`, is good for a hundred years, and the authority's own key was thrown away.

mod support;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use support::{Server, Shop};

const AUTHORITY: &str = include_str!("tls/authority.pem");

/// An address that speaks TLS; gives the first bytes of each request it was sent.
fn receiver() -> (String, Receiver<String>) {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut first = [0; 512];
            // Whoever does not trust the certificate ends the handshake here.
            if let Ok(length) = stream.read(&mut first) {
                let _ = sender.send(String::from_utf8_lossy(&first[..length]).into_owned());
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
            }
        }
    });
    (url, requests)
}

/// Finishes a task on a server that trusts this authority.
fn finish_a_task(shop: &Shop, url: &str, trusted: &str) -> Server {
    let server = Server::start_in(shop.data(), &[("SSL_CERT_FILE", trusted)]);
    let (status, _) = server.post("/webhooks", &json!({ "url": url }));
    assert_eq!(status, 201);
    let (status, _) = server.post("/indexes", &json!({ "uid": "mugs" }));
    assert_eq!(status, 202);
    server
}

#[test]
fn tasks_are_posted_to_an_address_whose_certificate_is_trusted() {
    let shop = Shop::new();
    let (url, requests) = receiver();
    let trusted = shop.file("authority.pem", AUTHORITY);
    let _server = finish_a_task(&shop, &url, &trusted);
    let request = requests.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(request.starts_with("POST /hook HTTP/1.1"), "{request}");
}

#[test]
fn nothing_is_posted_to_an_address_whose_certificate_is_not_trusted() {
    let shop = Shop::new();
    let (url, requests) = receiver();
    let trusted = shop.file("other.pem", include_str!("tls/other.pem"));
    let _server = finish_a_task(&shop, &url, &trusted);
    let request = requests.recv_timeout(Duration::from_secs(4));
    assert_eq!(request, Err(RecvTimeoutError::Timeout));
}

//! A plain HTTP client for our own server.
//!
//! Commands speak to a server in the same JSON as everybody else. A refusal of the
//! server becomes a [`Refused`] error that keeps the status, so that a command can
//! tell "nothing there" from "you asked wrongly".

use anyhow::{Context as _, bail};
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

/// How long the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// One server, and the key for it if it wants one.
pub struct Client {
    agent: ureq::Agent,
    base: String,
    key: Option<String>,
}

/// The server said no.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    /// Stable code such as `index_not_found`; empty when the answer was not ours.
    pub code: String,
    message: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message.trim_end_matches('.'))
    }
}

impl std::error::Error for Refused {}

impl Client {
    /// A client of the server at `http://host:port`.
    pub fn new(base: &str, key: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .proxy(None)
            .build();
        Self {
            agent: config.into(),
            base: base.trim_end_matches('/').to_owned(),
            key,
        }
    }

    /// The address of the server.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// `GET path`.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.authorised(self.agent.get(self.url(path)));
        self.read(request.call(), path)
    }

    /// `POST path` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.post_bytes(path, &serde_json::to_vec(body)?)
    }

    /// `POST path` with a JSON body that is written already.
    pub fn post_bytes(&self, path: &str, body: &[u8]) -> anyhow::Result<Value> {
        let request = self.authorised(self.agent.post(self.url(path)));
        self.read(request.content_type("application/json").send(body), path)
    }

    /// `PUT path` with a JSON body that is written already.
    pub fn put_bytes(&self, path: &str, body: &[u8]) -> anyhow::Result<Value> {
        let request = self.authorised(self.agent.put(self.url(path)));
        self.read(request.content_type("application/json").send(body), path)
    }

    /// `PATCH path` with a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.authorised(self.agent.patch(self.url(path)));
        self.read(
            request
                .content_type("application/json")
                .send(&serde_json::to_vec(body)?),
            path,
        )
    }

    /// `DELETE path`.
    pub fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.authorised(self.agent.delete(self.url(path)));
        self.read(request.call(), path)
    }

    /// Copies what `GET path` answers to `out`.
    pub fn download(&self, path: &str, out: &mut dyn Write) -> anyhow::Result<u64> {
        let request = self.authorised(self.agent.get(self.url(path)));
        let response = request.call();
        if response
            .as_ref()
            .is_ok_and(|response| response.status().is_success())
        {
            let mut response = response?;
            let mut body = response.body_mut().as_reader();
            return std::io::copy(&mut body, out)
                .with_context(|| format!("the answer of {}{path} broke off", self.base));
        }
        self.read(response, path)?;
        bail!("{} answered {path} with nothing", self.base)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn authorised<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.key {
            Some(key) => request.header("Authorization", format!("Bearer {key}")),
            None => request,
        }
    }

    fn read(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        path: &str,
    ) -> anyhow::Result<Value> {
        let mut response = response.with_context(|| {
            format!(
                "the server at {} did not answer {path}; is it running?",
                self.base
            )
        })?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_string()
            .with_context(|| format!("the answer of {}{path} broke off", self.base))?;
        let body: Option<Value> = serde_json::from_str(&text).ok();
        if (200..300).contains(&status) {
            return body.with_context(|| {
                format!(
                    "{} answered {path} with something else than JSON; is it a vitrine server?",
                    self.base
                )
            });
        }
        Err(refusal(status, body.as_ref()).into())
    }
}

fn refusal(status: u16, body: Option<&Value>) -> Refused {
    let field = |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str);
    let mut message = match field("message") {
        Some(message) => message.to_owned(),
        None => format!("the server answered with status {status}"),
    };
    if matches!(status, 401 | 403) {
        message.push_str(" Give the key with --master-key or in VITRINE_MASTER_KEY");
    }
    Refused {
        status,
        code: field("code").unwrap_or_default().to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_says_what_the_server_said_and_what_to_do() {
        let body =
            json!({"message": "The provided API key is invalid.", "code": "invalid_api_key"});
        let refused = refusal(403, Some(&body));
        assert_eq!(refused.code, "invalid_api_key");
        assert_eq!(
            refused.to_string(),
            "The provided API key is invalid. Give the key with --master-key or in VITRINE_MASTER_KEY"
        );
        assert_eq!(
            refusal(500, None).to_string(),
            "the server answered with status 500"
        );
    }
}

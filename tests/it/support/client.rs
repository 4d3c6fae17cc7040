//! A plain HTTP client that says what was answered, whatever the status. Speaks Vault's paths; knows
//! nothing else of the broker.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

/// One caller: a base address and a token.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
    /// The body as JSON; null when it is empty or something else.
    pub json: Value,
}

impl Client {
    pub fn new(base: &str, token: Option<&str>) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        Self { agent, base: base.to_owned(), token: token.map(str::to_owned), headers: Vec::new() }
    }

    /// The same server, another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The token that it sends.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The same server, no token.
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Sends a header with every request.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// Sends `body` as it is; `path` is below `/v1/`.
    pub fn raw(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("{}/v1/{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("X-Vault-Token", token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut response = self.agent.run(request.body(body.to_vec()).unwrap()).unwrap();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.raw(method, path, body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> Reply {
        self.raw("GET", path, b"")
    }

    pub fn list(&self, path: &str) -> Reply {
        self.raw("LIST", path, b"")
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.raw("DELETE", path, b"")
    }

    /// As the Vault CLI writes: PUT.
    pub fn put(&self, path: &str, body: &Value) -> Reply {
        self.send("PUT", path, body)
    }

    /// As hvac and curl write: POST.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, body)
    }
}

impl Reply {
    /// Fails the test unless the status is `status`, showing the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the body was: {}", self.text);
        self
    }

    pub fn data(&self) -> &Value {
        &self.json["data"]
    }

    /// A member of `data` as text.
    #[track_caller]
    pub fn text_of(&self, name: &str) -> String {
        self.json["data"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}` in {}", self.text))
            .to_owned()
    }

    #[track_caller]
    pub fn lease_id(&self) -> String {
        let id = self.json["lease_id"].as_str().unwrap_or_default();
        assert!(!id.is_empty(), "no lease in {}", self.text);
        id.to_owned()
    }

    /// The texts of `errors`.
    pub fn errors(&self) -> Vec<String> {
        texts(&self.json["errors"])
    }

    /// The texts of `warnings`.
    pub fn warnings(&self) -> Vec<String> {
        texts(&self.json["warnings"])
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}

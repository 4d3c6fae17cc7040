//! What a stranger sends by HTTP, from raw bytes to data: method, query, headers, body, and the fields of a route that has one
//! of every kind. Any bytes must end in a request that holds what requests promise, or in an error that has a status below
//! 500. The lines of the input are the parts. See README.md.

#![no_main]

use leasehold::http::fields::{Field, Fields, Kind, field, path_field};
use leasehold::http::path::{self, Target};
use leasehold::http::request::{Body, Headers, Incoming, Request};
use libfuzzer_sys::fuzz_target;

const FIELDS: &[Field] = &[
    path_field("name"),
    field("text", Kind::Text),
    field("secret", Kind::Secret),
    field("int", Kind::Int),
    field("bool", Kind::Bool),
    field("ttl", Kind::Seconds),
    field("list", Kind::List),
    field("names", Kind::Names),
    field("tags", Kind::Pairs),
    field("any", Kind::Any),
];

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(6, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (method, raw, query) = (text(), text(), text());
    let (content_type, wrap_ttl) = (text(), text());
    let body = lines.next().unwrap_or_default().to_vec();
    let Target::Api(path) = path::read(&raw) else { return };
    let headers = Headers {
        content_type,
        wrap_ttl: (!wrap_ttl.is_empty()).then_some(wrap_ttl),
        ..Headers::default()
    };
    let incoming = Incoming {
        method,
        path: raw,
        query,
        headers,
        body: Body::Read(body.into()),
        remote: None,
        open_metrics: false,
    };
    match Request::read(&incoming, path) {
        Err(error) => assert!(error.told().status < 500),
        Ok(request) => {
            assert!(request.wrap_seconds.is_none_or(|seconds| (1..=2_764_800).contains(&seconds)));
            if let Err(error) = Fields::read(FIELDS, request.data) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
});

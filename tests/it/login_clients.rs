//! hvac from `PyPI` logs in by every method for machines, with an issuer and a cluster on loopback.

use std::process::Command;

use serde_json::json;

use crate::clients::tool;
use crate::support::broker::{ROOT, TestBroker};
use crate::support::https_server::{CA, HttpsServer};
use crate::support::signer::{Signer, jwks};

#[test]
fn hvac_logs_in_by_every_method_for_machines() {
    let Some(python) = tool("LEASEHOLD_PYTHON") else { return };
    let (issuer, signer) = (HttpsServer::start(), Signer::rsa("k1"));
    issuer.says("/keys", 200, jwks(&[&signer]).to_string());
    let user = json!({ "username": "system:serviceaccount:ci:deployer", "uid": "u-1" });
    issuer.answers("/apis/authentication.k8s.io/v1/tokenreviews", move |_asked| {
        (201, json!({ "status": { "authenticated": true, "user": user } }).to_string())
    });
    // The second at which every test broker begins.
    let now = 1_780_000_000;
    let job = signer.token(&json!({
        "iss": "https://gitlab.example.com", "aud": "leasehold", "user_login": "sample-user",
        "project_path": "group/project", "iat": now, "exp": now + 300,
    }));
    let pod = signer.token(&json!({
        "iat": now, "exp": now + 300,
        "kubernetes.io": {
            "namespace": "ci", "serviceaccount": { "name": "deployer", "uid": "u-1" },
        },
    }));
    let broker = TestBroker::new();
    let done = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/hvac_logins.py"))
        .env("VAULT_ADDR", format!("http://{}", broker.socket()))
        .env("VAULT_TOKEN", ROOT)
        .env("FLOW_ISSUER", &issuer.url)
        .env("FLOW_CA", CA)
        .env("FLOW_JWT", job)
        .env("FLOW_POD_JWT", pod)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&done.stdout).trim(), "DONE");
}

//! Logins of pods over HTTP, with a Kubernetes API on loopback: what is asked of the cluster, and who gets in when it says
//! what.

use serde_json::{Value, json};

use crate::support::broker::TestBroker;
use crate::support::client::{Client, Reply};
use crate::support::https_server::{CA, HttpsServer};
use crate::support::signer::Signer;

/// The second at which every test broker begins.
const BEGIN: i64 = 1_780_000_000;
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const UID: &str = "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798";

/// The token of the reviewer: it is sealed, and sent to the cluster alone.
fn reviewer() -> String {
    Signer::ed25519("cluster").token(&json!({ "sub": "system:serviceaccount:leasehold:reviewer" }))
}

/// A broker with a `kubernetes` mount for the cluster and a role of these fields.
fn broker(cluster: &HttpsServer, reviewer: &str, role: &Value) -> TestBroker {
    let broker = TestBroker::new().with_role();
    let root = broker.root();
    let policy = r#"path "aws/creds/r" { capabilities = ["read"] }"#;
    root.put("sys/policies/acl/ci", &json!({ "policy": policy })).expect(204);
    root.post("sys/auth/kubernetes", &json!({ "type": "kubernetes" })).expect(204);
    let config = json!({
        "kubernetes_host": cluster.url, "kubernetes_ca_cert": CA, "token_reviewer_jwt": reviewer,
        "disable_local_ca_jwt": true,
    });
    root.post("auth/kubernetes/config", &config).expect(204);
    root.post("auth/kubernetes/role/Deploy", role).expect(200);
    confirms(cluster, "deployer", UID);
    broker
}

fn role() -> Value {
    json!({
        "bound_service_account_names": ["deployer", "runner-*"],
        "bound_service_account_namespaces": "ci-*",
        "token_policies": ["ci"], "token_ttl": "10m",
    })
}

/// The cluster says that every token is that account's of `ci-prod`, for whom it was asked.
fn confirms(cluster: &HttpsServer, name: &str, uid: &str) {
    let user = json!({ "username": format!("system:serviceaccount:ci-prod:{name}"), "uid": uid });
    cluster.answers(REVIEWS, move |asked| {
        let status = json!({
            "authenticated": true, "user": user, "audiences": asked.body["spec"]["audiences"],
        });
        (201, json!({ "kind": "TokenReview", "status": status }).to_string())
    });
}

fn claims() -> Value {
    json!({
        "aud": ["https://kubernetes.default.svc"],
        "exp": BEGIN + 3600, "iat": BEGIN, "nbf": BEGIN,
        "iss": "https://kubernetes.default.svc",
        "kubernetes.io": {
            "namespace": "ci-prod",
            "pod": { "name": "deployer-x", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3" },
            "serviceaccount": { "name": "deployer", "uid": UID },
        },
        "sub": "system:serviceaccount:ci-prod:deployer",
    })
}

fn log_in(root: &Client, token: &str) -> Reply {
    let body = json!({ "role": "deploy", "jwt": token });
    root.anonymous().post("auth/kubernetes/login", &body)
}

#[test]
fn a_pod_logs_in_when_its_cluster_knows_it() {
    let (cluster, signer, reviewer) = (HttpsServer::start(), Signer::rsa("cluster"), reviewer());
    let broker = broker(&cluster, &reviewer, &role());
    let root = broker.root();
    let token = signer.token(&claims());
    let auth = log_in(&root, &token).expect(200).json["auth"].clone();
    let meta = json!({
        "role": "deploy", "service_account_name": "deployer",
        "service_account_namespace": "ci-prod", "service_account_uid": UID,
        "service_account_secret_name": "",
    });
    assert_eq!(auth["metadata"], meta);
    assert_eq!(auth["policies"], json!(["ci", "default"]));
    let pod = root.with_token(auth["client_token"].as_str().unwrap());
    let own = pod.get("auth/token/lookup-self").expect(200);
    assert_eq!(own.text_of("display_name"), "kubernetes-ci-prod-deployer");
    assert_eq!(own.text_of("path"), "auth/kubernetes/login");
    pod.get("aws/creds/r").expect(200);

    let asked = cluster.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", REVIEWS));
    assert_eq!(asked[0].bearer.as_deref(), Some(reviewer.as_str()));
    assert_eq!(asked[0].body["kind"], "TokenReview");
    assert_eq!(asked[0].body["spec"]["token"], token.as_str());
    assert_eq!(asked[0].body["spec"]["audiences"], json!(["https://kubernetes.default.svc"]));
}

#[test]
fn a_pod_whose_cluster_says_no_or_nothing_is_refused() {
    let (cluster, signer) = (HttpsServer::start(), Signer::rsa("cluster"));
    let broker = broker(&cluster, &reviewer(), &role());
    let root = broker.root();
    let token = signer.token(&claims());
    let refused = || assert_eq!(log_in(&root, &token).expect(403).errors(), ["permission denied"]);
    for (status, body) in [
        (201, json!({ "status": { "authenticated": false, "error": "token expired" } })),
        (201, json!({ "status": {} })),
        (201, json!({})),
        (201, json!([])),
        (401, json!({ "kind": "Status" })),
        (403, json!({ "kind": "Status" })),
        (500, json!({})),
        (302, json!({})),
    ] {
        cluster.says(REVIEWS, status, body.to_string());
        refused();
    }
    // Somebody else's token, by the cluster's word.
    confirms(&cluster, "admin", UID);
    refused();
    confirms(&cluster, "deployer", "another-uid");
    refused();
    confirms(&cluster, "deployer", UID);
    log_in(&root, &token).expect(200);
    drop(cluster);
    refused();
}

#[test]
fn a_pod_that_the_role_does_not_name_is_refused_without_a_question() {
    let (cluster, signer) = (HttpsServer::start(), Signer::rsa("cluster"));
    let broker = broker(&cluster, &reviewer(), &role());
    let root = broker.root();
    let told = |claims: &Value, status: u16| {
        log_in(&root, &signer.token(claims)).expect(status).errors().remove(0)
    };
    let named = |name: &str, namespace: &str| {
        let mut claims = claims();
        claims["kubernetes.io"]["serviceaccount"]["name"] = json!(name);
        claims["kubernetes.io"]["namespace"] = json!(namespace);
        claims
    };
    let name = "service account name not authorized";
    assert_eq!(told(&named("deployer2", "ci-prod"), 403), name);
    assert_eq!(told(&named("deployer", "prod"), 403), "namespace not authorized");
    let mut expired = claims();
    expired["exp"] = json!(BEGIN - 61);
    assert!(told(&expired, 403).contains("token is expired"));
    assert!(told(&json!({ "sub": "x" }), 403).contains("could not parse UID"));
    let nobody = root.anonymous();
    let body = |body: Value| nobody.post("auth/kubernetes/login", &body).expect(400).errors();
    assert_eq!(body(json!({ "jwt": "x" })), ["missing role"]);
    assert_eq!(body(json!({ "role": "deploy" })), ["missing jwt"]);
    assert_eq!(body(json!({ "role": "x", "jwt": "y" })), ["invalid role name \"x\""]);
    assert!(cluster.asked().is_empty());
    confirms(&cluster, "runner-7", UID);
    log_in(&root, &signer.token(&named("runner-7", "ci-prod"))).expect(200);
}

#[test]
fn an_audience_has_to_be_in_the_token_and_in_the_clusters_answer() {
    let (cluster, signer) = (HttpsServer::start(), Signer::rsa("cluster"));
    let broker = broker(&cluster, &reviewer(), &role());
    let root = broker.root();
    let mut own = role();
    own["audience"] = json!("leasehold");
    root.post("auth/kubernetes/role/deploy", &own).expect(204);
    let told = log_in(&root, &signer.token(&claims())).expect(403).errors();
    assert!(told[0].contains("invalid audience (aud) claim"), "{told:?}");
    assert!(cluster.asked().is_empty());
    let mut claims = claims();
    claims["aud"] = json!(["leasehold", "x"]);
    log_in(&root, &signer.token(&claims)).expect(200);
    assert_eq!(cluster.asked()[0].body["spec"]["audiences"], json!(["leasehold"]));
    let user = json!({ "username": "system:serviceaccount:ci-prod:deployer", "uid": UID });
    cluster.says(
        REVIEWS,
        201,
        json!({ "status": { "authenticated": true, "user": user } }).to_string(),
    );
    log_in(&root, &signer.token(&claims)).expect(403);
}

#[test]
fn keys_that_are_given_refuse_other_signatures_without_a_question() {
    let (cluster, signer) = (HttpsServer::start(), Signer::rsa("cluster"));
    let broker = broker(&cluster, &reviewer(), &role());
    let root = broker.root();
    let pem = include_str!("../fixtures/logins/rsa.pub.pem");
    let config = json!({
        "kubernetes_host": cluster.url, "kubernetes_ca_cert": CA, "disable_local_ca_jwt": true,
        "pem_keys": [pem], "issuer": "https://kubernetes.default.svc",
        "disable_iss_validation": false,
    });
    root.post("auth/kubernetes/config", &config).expect(204);
    let forged = Signer::p256("cluster").token(&claims());
    assert_eq!(log_in(&root, &forged).expect(403).errors(), ["permission denied"]);
    let mut foreign = claims();
    foreign["iss"] = json!("https://elsewhere");
    let told = log_in(&root, &signer.token(&foreign)).expect(403).errors();
    assert_eq!(told, ["invalid issuer (iss) claim"]);
    assert!(cluster.asked().is_empty());
    // Without a reviewer, the token speaks for itself.
    let token = signer.token(&claims());
    log_in(&root, &token).expect(200);
    assert_eq!(cluster.asked()[0].bearer.as_deref(), Some(token.as_str()));
}

#[test]
fn the_reviewers_token_is_shown_nowhere_and_lies_sealed() {
    let (cluster, reviewer) = (HttpsServer::start(), reviewer());
    let mut broker = broker(&cluster, &reviewer, &role());
    let read = broker.root().get("auth/kubernetes/config").expect(200);
    assert_eq!(read.data()["token_reviewer_jwt_set"], true);
    assert_eq!(read.text_of("kubernetes_host"), cluster.url);
    assert!(!read.text.contains(&reviewer), "{}", read.text);
    broker.restart();
    for entry in std::fs::read_dir(broker.data_dir()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let found = bytes.windows(reviewer.len()).any(|window| window == reviewer.as_bytes());
        assert!(!found, "{}", path.display());
    }
    log_in(&broker.root(), &Signer::rsa("cluster").token(&claims())).expect(200);
    assert_eq!(cluster.asked()[0].bearer.as_deref(), Some(reviewer.as_str()));
}

#[test]
fn configurations_and_roles_that_cannot_be_are_refused() {
    let cluster = HttpsServer::start();
    let broker = broker(&cluster, &reviewer(), &role());
    let root = broker.root();
    let told = |path: &str, body: Value| root.post(path, &body).expect(400).errors().remove(0);
    let config = |body| told("auth/kubernetes/config", body);
    assert_eq!(config(json!({})), "no host provided");
    assert!(config(json!({ "kubernetes_host": "http://x" })).contains("is no HTTPS URL"));
    let bad = json!({ "kubernetes_host": "x", "kubernetes_ca_cert": "y" });
    assert!(config(bad).starts_with("error checking kubernetes_ca_cert: "));
    let role_of = |body| told("auth/kubernetes/role/x", body);
    let names = role_of(json!({ "bound_service_account_namespaces": "a" }));
    assert_eq!(names, "\"bound_service_account_names\" can not be empty");
    let mixed =
        json!({ "bound_service_account_names": "a,*", "bound_service_account_namespaces": "b" });
    assert_eq!(role_of(mixed), "can not mix \"*\" with values");
    let selector = json!({
        "bound_service_account_names": "a", "bound_service_account_namespace_selector": "{}",
    });
    assert!(role_of(selector).contains("is not offered"));

    let read = root.get("auth/kubernetes/role/deploy").expect(200);
    assert_eq!(read.data()["bound_service_account_names"], json!(["deployer", "runner-*"]));
    assert_eq!(read.data()["bound_service_account_namespaces"], json!(["ci-*"]));
    assert_eq!(read.text_of("alias_name_source"), "serviceaccount_uid");
    assert_eq!(read.data()["token_ttl"], 600);
    assert_eq!(root.list("auth/kubernetes/role").expect(200).data()["keys"], json!(["deploy"]));
    root.delete("auth/kubernetes/role/deploy").expect(204);
    root.get("auth/kubernetes/role/deploy").expect(404);
    root.post("sys/auth/k2", &json!({ "type": "kubernetes" })).expect(204);
    root.get("auth/k2/config").expect(404);
    root.post("auth/k2/role/deploy", &role()).expect(200);
    let body = json!({ "role": "deploy", "jwt": Signer::ed25519("x").token(&claims()) });
    let told = root.anonymous().post("auth/k2/login", &body).expect(500).errors();
    assert_eq!(told, ["could not load backend configuration"]);
}

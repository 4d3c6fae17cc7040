//! Every secret of a run is looked for afterwards: in the log at trace level, in every file of the data
//! directory, in every reply but the one that was to carry it.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::broker::TestBroker;
use crate::support::client::Client;
use crate::support::{NARROW, log};

/// All bytes of all files under `folder`.
pub fn bytes(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else {
            all.extend(fs::read(&path).unwrap());
        }
    }
    all
}

pub fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Temporary credentials of a role that asks for a second factor from then on: both secrets, the lease.
fn session(root: &Client) -> [String; 3] {
    root.post("aws/roles/s", &json!({ "credential_type": "session_token" })).expect(204);
    let issued = root.get("aws/sts/s").expect(200);
    let serial = "arn:aws:iam::123456789012:mfa/canary";
    root.post("aws/roles/s", &json!({ "mfa_serial_number": serial })).expect(204);
    [issued.text_of("secret_key"), issued.text_of("session_token"), issued.lease_id()]
}

/// The first secret of a static role, and the answer to its writing.
fn static_key(broker: &TestBroker) -> (String, String) {
    broker.aws.create_user("fixed", "/", &[]).unwrap();
    let role = json!({ "username": "fixed", "rotation_period": "1d" });
    let written = broker.root().post("aws/static-roles/fixed", &role).expect(200).text;
    let read = broker.root().get("aws/static-creds/fixed").expect(200);
    (read.text_of("secret_key"), written)
}

#[test]
fn a_secret_is_in_one_reply_and_nowhere_else() {
    let mut broker = TestBroker::new();
    let root = broker.root();
    let config_secret = "canary-root-secret-0000000000000000000000";
    root.post("sys/mounts/aws", &json!({ "type": "aws" })).expect(204);
    let binding = json!({ "access_key": "AKIACANARY0000000000", "secret_key": config_secret });
    root.post("aws/config/root", &binding).expect(204);
    broker.write_role("r", NARROW).expect(204);
    let issued = broker.issue().expect(200);
    let secret = issued.text_of("secret_key");
    let lease = issued.lease_id();
    let [session_secret, session_token, session_lease] = session(&root);
    let (static_secret, written) = static_key(&broker);
    let child =
        root.post("auth/token/create", &json!({ "policies": ["ci"], "ttl": "1h" })).expect(200);
    let token = child.json["auth"]["client_token"].as_str().unwrap().to_owned();
    root.with_token(&token).get("auth/token/lookup-self").expect(200);
    root.with_token("hvs.canary-wrong-token-000000000000").get("aws/roles/r").expect(403);
    let mut replies = vec![
        root.get("aws/config/root").text,
        written,
        root.get("aws/static-roles/fixed").text,
        root.post("aws/static-roles/fixed/rotate", &json!({})).expect(200).text,
        root.get("aws/roles/r").text,
        root.get("aws/sts/s?mfa_code=314159").expect(400).text,
        broker.lookup(&session_lease).text,
        broker.lookup(&lease).text,
        root.get("sys/mounts").text,
        root.put("sys/leases/renew", &json!({ "lease_id": lease })).text,
    ];
    broker.faults.fail_next("DeleteUser", embedded_aws::faults::Fault::refuse(403, "AccessDenied"));
    replies.push(broker.revoke(&lease).expect(400).text);
    broker.settle();
    broker.restart();
    assert_eq!(
        broker.root().get("aws/config/root").expect(200).text_of("access_key"),
        "AKIACANARY0000000000"
    );

    let files = bytes(broker.data_dir());
    assert!(holds(&files, &lease), "the rows are in what is searched");
    assert!(!log::with(&lease).is_empty(), "the log is in what is searched");
    let wrong = "hvs.canary-wrong-token-000000000000";
    for (what, value) in [
        ("second factor of the request", "mfa_code=314159"),
        ("second factor of the call", "TokenCode=314159"),
        ("issued secret", secret.as_str()),
        ("session secret", &session_secret),
        ("session token", &session_token),
        ("root secret", config_secret),
        ("secret of a static role", &static_secret),
        ("token", &token),
        ("wrong token", wrong),
    ] {
        assert!(!holds(&files, value), "the {what} is in a file");
        assert_eq!(log::with(value), Vec::<String>::new(), "the {what} is in the log");
        assert!(
            !replies.iter().any(|reply| reply.contains(value)),
            "the {what} is in another reply"
        );
    }
}

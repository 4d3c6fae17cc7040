//! The seal: init, shares, sealing and what it stops, new shares, a new key, a root token by shares, and installations
//! from before there were keyrings. The real binary's part is `seal_process`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use leasehold::config::{AwsKms, Seal};
use serde_json::{Value, json};

use crate::canary::{bytes, holds};
use crate::support::broker::{ROOT, TestBroker};
use crate::support::client::{Client, Reply};
use crate::support::{NARROW, log};

/// The shares of a broker, base64.
type Shares = Vec<String>;

pub fn texts(value: &Value) -> Shares {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Initialised with shares, sealed; and its first root token.
fn initialised(shares: u8, threshold: u8) -> (TestBroker, Shares, String) {
    let broker = TestBroker::sealed_by(Seal::Shamir);
    let body = json!({ "secret_shares": shares, "secret_threshold": threshold });
    let made = broker.anyone().put("sys/init", &body).expect(200).json;
    let token = made["root_token"].as_str().unwrap().to_owned();
    (broker, texts(&made["keys_base64"]), token)
}

pub fn give(broker: &TestBroker, share: &str) -> Reply {
    broker.anyone().put("sys/unseal", &json!({ "key": share }))
}

pub fn unseal(broker: &TestBroker, shares: &[String]) -> Value {
    let given: Vec<Value> =
        shares.iter().map(|share| give(broker, share).expect(200).json).collect();
    given.last().unwrap().clone()
}

/// Unsealed, with the root token that every test has and a role `r`.
pub fn unsealed(shares: u8, threshold: u8) -> (TestBroker, Shares) {
    let (broker, keys, token) = initialised(shares, threshold);
    unseal(&broker, &keys[..usize::from(threshold)]);
    let root = broker.anyone().with_token(&token);
    root.post("auth/token/create", &json!({ "id": ROOT, "policies": ["root"] })).expect(200);
    (broker.with_role(), keys)
}

fn is_sealed(reply: Reply) {
    assert_eq!(reply.expect(503).errors(), ["Vault is sealed"]);
}

fn status(broker: &TestBroker) -> Value {
    broker.anyone().get("sys/seal-status").expect(200).json
}

#[test]
fn a_new_server_is_initialised_with_shares_once_and_is_sealed_then() {
    let broker = TestBroker::sealed_by(Seal::Shamir);
    let anyone = broker.anyone();
    assert_eq!(anyone.get("sys/init").expect(200).json, json!({ "initialized": false }));
    anyone.get("sys/health").expect(501);
    let before = status(&broker);
    assert_eq!((&before["type"], &before["initialized"]), (&json!("shamir"), &json!(false)));
    assert_eq!(
        (&before["sealed"], &before["t"], &before["n"]),
        (&json!(true), &json!(0), &json!(0))
    );
    is_sealed(broker.root().get("sys/mounts"));
    assert_eq!(
        anyone.put("sys/unseal", &json!({ "key": "00".repeat(32) })).expect(400).errors(),
        ["Vault is not initialized"]
    );
    for (body, told) in [
        (json!({}), "invalid seal configuration: shares must be at least one"),
        (
            json!({ "secret_shares": 5, "secret_threshold": 6 }),
            "invalid seal configuration: threshold cannot be larger than shares",
        ),
        (
            json!({ "secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["x"] }),
            "parameters pgp_keys not applicable to seal type shamir",
        ),
    ] {
        assert_eq!(anyone.put("sys/init", &body).expect(400).errors(), [told]);
    }
    let body = json!({ "secret_shares": 5, "secret_threshold": 3 });
    let made = anyone.put("sys/init", &body).expect(200).json;
    let shares = texts(&made["keys_base64"]);
    assert_eq!(shares.len(), 5);
    for (share, hex) in shares.iter().zip(texts(&made["keys"])) {
        let decoded = STANDARD.decode(share).unwrap();
        assert_eq!(decoded.len(), 33);
        let digits: Vec<String> = decoded.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, digits.concat());
    }
    assert!(made.get("recovery_keys").is_none());
    assert_eq!(
        anyone.put("sys/init", &body).expect(400).errors(),
        ["Vault is already initialized"]
    );
    anyone.get("sys/health").expect(503);
    anyone.get("sys/health?sealedcode=299").expect(299);
    let after = status(&broker);
    assert_eq!((&after["t"], &after["n"], &after["progress"]), (&json!(3), &json!(5), &json!(0)));
    assert_eq!(
        (&after["recovery_seal"], &after["storage_type"]),
        (&json!(false), &json!("sqlite"))
    );
}

#[test]
fn shares_unseal_one_by_one_and_a_wrong_one_begins_it_anew() {
    let (broker, shares, token) = initialised(3, 2);
    let anyone = broker.anyone();
    let root = anyone.with_token(&token);
    let first = give(&broker, &shares[0]).expect(200).json;
    assert_eq!((&first["sealed"], &first["progress"]), (&json!(true), &json!(1)));
    let nonce = first["nonce"].as_str().unwrap().to_owned();
    assert_eq!(nonce.len(), 36);
    let again = give(&broker, &shares[0]).expect(200).json;
    assert_eq!((&again["progress"], &again["nonce"]), (&json!(1), &json!(nonce)), "counted once");
    is_sealed(root.get("sys/mounts"));

    let mut wrong = STANDARD.decode(&shares[1]).unwrap();
    wrong[3] ^= 1;
    let told = give(&broker, &STANDARD.encode(wrong)).expect(400).errors();
    assert_eq!(
        told,
        [
            "unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed"
        ]
    );
    assert_eq!(
        (status(&broker)["progress"].clone(), status(&broker)["nonce"].clone()),
        (json!(0), json!(""))
    );

    give(&broker, &shares[2]).expect(200);
    let reset = anyone.put("sys/unseal", &json!({ "reset": true })).expect(200).json;
    assert_eq!((&reset["progress"], &reset["sealed"]), (&json!(0), &json!(true)));
    for (body, told) in [
        (json!({}), "'key' must be specified in request body as JSON, or 'reset' set to true"),
        (json!({ "key": "!!" }), "'key' must be a valid hex or base64 string"),
        (json!({ "key": "AAAA" }), "invalid key: key is shorter than minimum 16 bytes"),
    ] {
        assert_eq!(anyone.put("sys/unseal", &body).expect(400).errors(), [told]);
    }
    let migrate = json!({ "key": shares[0], "migrate": true });
    assert!(anyone.put("sys/unseal", &migrate).expect(400).errors()[0].contains("`migrate`"));

    give(&broker, &shares[2]).expect(200);
    let open = give(&broker, &shares[0]).expect(200).json;
    assert_eq!((&open["sealed"], &open["progress"]), (&json!(false), &json!(0)));
    root.get("sys/mounts").expect(200);
    assert_eq!(
        give(&broker, &shares[1]).expect(200).json["sealed"],
        false,
        "nothing is left to do"
    );
    let reset = anyone.put("sys/unseal", &json!({ "reset": true }));
    assert_eq!(reset.expect(400).errors(), ["vault is unsealed"]);
}

#[test]
fn one_share_alone_is_the_key_itself() {
    let (broker, shares, token) = initialised(1, 1);
    assert_eq!(STANDARD.decode(&shares[0]).unwrap().len(), 32);
    assert_eq!(unseal(&broker, &shares)["sealed"], false);
    broker.anyone().with_token(&token).get("sys/mounts").expect(200);
}

#[test]
fn a_sealed_broker_serves_nobody_and_leaves_leases_alone_until_it_is_unsealed() {
    let (broker, shares) = unsealed(3, 2);
    let root = broker.root();
    let lasting = broker.issue().expect(200).lease_id();
    root.post("aws/config/lease", &json!({ "lease": "60s", "lease_max": "60s" })).expect(204);
    let short = broker.issue().expect(200).lease_id();
    let limited = json!({ "policies": ["sealer"] });
    let policy = json!({ "policy": r#"path "sys/seal" { capabilities = ["update"] }"# });
    root.post("sys/policies/acl/sealer", &policy).expect(204);
    let token = root.post("auth/token/create", &limited).expect(200);
    let token = token.json["auth"]["client_token"].as_str().unwrap().to_owned();
    root.with_token(&token).put("sys/seal", &json!({})).expect(403);
    assert_eq!(root.get("sys/seal").expect(405).json, json!({ "errors": [] }));
    broker.issue().expect(200);

    root.put("sys/seal", &json!({})).expect(204);
    broker.anyone().put("sys/seal", &json!({})).expect(204);
    for path in ["sys/mounts", "aws/roles/r", "aws/creds/r", "sys/key-status", "sys/metrics"] {
        is_sealed(root.get(path));
    }
    for path in ["sys/rekey/init", "sys/generate-root/attempt", "sys/rotate", "sys/wrapping/unwrap"]
    {
        is_sealed(root.put(path, &json!({ "secret_shares": 1, "secret_threshold": 1 })));
    }
    is_sealed(broker.revoke(&lasting));
    // The Vault CLI takes 503 for a sign of high availability.
    let leader = broker.anyone().get("sys/leader").expect(200);
    assert_eq!(leader.json["ha_enabled"], json!(false));
    broker.anyone().get("sys/health").expect(503);

    let users = broker.users().len();
    broker.faults.clear_calls();
    broker.clock.advance(Duration::from_secs(3600));
    broker.run_due_in_quarantine();
    assert_eq!(broker.users().len(), users, "what is due waits");
    assert_eq!(broker.faults.calls().len(), 0, "a sealed broker asks AWS nothing");
    assert!(broker.unfinished().contains(&short));

    unseal(&broker, &shares[1..]);
    broker.run_due();
    broker.lookup(&lasting).expect(200);
    assert_eq!(broker.lookup(&short).expect(400).errors(), ["invalid lease"]);
    assert_eq!(broker.users().len(), users - 2, "the two short ones are gone");
    broker.issue().expect(200);
}

#[test]
fn a_restart_seals_and_what_is_due_waits_for_the_shares() {
    let (mut broker, shares) = unsealed(3, 2);
    broker
        .root()
        .post("aws/config/lease", &json!({ "lease": "60s", "lease_max": "60s" }))
        .expect(204);
    broker.issue().expect(200);
    give(&broker, &shares[0]).expect(200);
    broker.lose_power();
    broker.clock.advance(Duration::from_secs(3600));
    broker.run_due_in_quarantine();
    assert_eq!((broker.users().len(), status(&broker)["progress"].clone()), (1, json!(0)));
    is_sealed(broker.root().get("aws/roles/r"));
    unseal(&broker, &shares[..2]);
    broker.run_due();
    assert_eq!(broker.users().len(), 0);
    broker.issue().expect(200);
}

#[test]
fn what_cannot_be_read_leaves_the_broker_sealed() {
    let (mut broker, shares) = unsealed(1, 1);
    broker.restart();
    broker.store().power_off();
    give(&broker, &shares[0]).expect(500);
    broker.store().power_on();
    assert_eq!(status(&broker)["sealed"], true);
    assert_eq!(unseal(&broker, &shares)["sealed"], false);
}

#[test]
fn new_shares_take_the_place_of_the_old_when_enough_of_the_old_were_given() {
    let (broker, old) = unsealed(3, 2);
    let anyone = broker.anyone();
    let idle = anyone.get("sys/rekey/init").expect(200).json;
    assert_eq!((&idle["started"], &idle["required"]), (&json!(false), &json!(2)));
    for (body, told) in [
        (json!({ "secret_shares": 2, "secret_threshold": 3 }), "provided threshold greater"),
        (json!({ "secret_shares": 2, "secret_threshold": 2, "backup": true }), "`backup`"),
        (json!({ "secret_shares": 2, "secret_threshold": 2, "pgp_keys": ["k"] }), "`pgp_keys`"),
    ] {
        let errors = anyone.put("sys/rekey/init", &body).expect(400).errors();
        assert!(errors[0].contains(told), "{errors:?}");
    }
    let wish = json!({ "secret_shares": 4, "secret_threshold": 3 });
    let begun = anyone.put("sys/rekey/init", &wish).expect(200).json;
    assert_eq!((&begun["t"], &begun["n"], &begun["started"]), (&json!(3), &json!(4), &json!(true)));
    assert_eq!(
        anyone.put("sys/rekey/init", &wish).expect(400).errors(),
        ["rekey already in progress"]
    );
    let nonce = begun["nonce"].as_str().unwrap();
    let update = |nonce: &str, key: &str| {
        anyone.put("sys/rekey/update", &json!({ "nonce": nonce, "key": key }))
    };
    let told = update("other", &old[0]).expect(400).errors();
    assert_eq!(
        told,
        [format!("incorrect nonce supplied; nonce for this rekey operation is \"{nonce}\"")]
    );
    assert_eq!(update(nonce, &old[0]).expect(200).json["progress"], 1);
    update(nonce, &old[0]).expect(400);
    let mut wrong = STANDARD.decode(&old[1]).unwrap();
    wrong[0] ^= 1;
    let told = update(nonce, &STANDARD.encode(wrong)).expect(400).errors();
    assert_eq!(told, ["root key verification failed: cipher: message authentication failed"]);
    update(nonce, &old[2]).expect(200);
    let done = update(nonce, &old[1]).expect(200).json;
    assert_eq!((&done["complete"], &done["verification_required"]), (&json!(true), &json!(false)));
    let new = texts(&done["keys_base64"]);
    assert_eq!(new.len(), 4);
    assert_eq!(anyone.get("sys/rekey/init").expect(200).json["required"], 3);

    broker.root().put("sys/seal", &json!({})).expect(204);
    give(&broker, &old[0]).expect(200);
    give(&broker, &old[1]).expect(200);
    give(&broker, &old[2]).expect(400);
    assert_eq!(unseal(&broker, &new[1..])["sealed"], false);
    broker.issue().expect(200);
}

#[test]
fn shares_that_are_to_be_given_back_count_only_then() {
    let (mut broker, old) = unsealed(1, 1);
    let anyone = broker.anyone();
    let wish = json!({ "secret_shares": 2, "secret_threshold": 2, "require_verification": true });
    let rekeyed = |anyone: &Client| {
        let begun = anyone.put("sys/rekey/init", &wish).expect(200).json;
        let body = json!({ "nonce": begun["nonce"], "key": old[0] });
        anyone.put("sys/rekey/update", &body).expect(200).json
    };
    let done = rekeyed(&anyone);
    assert_eq!(done["verification_required"], true);
    broker.restart();
    assert_eq!(unseal(&broker, &old)["sealed"], false, "the old share is good");

    let anyone = broker.anyone();
    let done = rekeyed(&anyone);
    let (new, nonce) = (texts(&done["keys_base64"]), &done["verification_nonce"]);
    let verify = |key: &str| anyone.put("sys/rekey/verify", &json!({ "nonce": nonce, "key": key }));
    assert_eq!(verify(&new[0]).expect(200).json["progress"], 1);
    assert_eq!(anyone.get("sys/rekey/verify").expect(200).json["progress"], 1);
    anyone.put("sys/rekey/update", &json!({ "nonce": done["nonce"], "key": old[0] })).expect(400);
    let complete = verify(&new[1]).expect(200).json;
    assert_eq!(complete, json!({ "nonce": nonce, "complete": true }));
    broker.restart();
    assert!(give(&broker, &old[0]).expect(200).json["sealed"] == true);
    anyone_resets(&broker);
    assert_eq!(unseal(&broker, &new)["sealed"], false);
}

fn anyone_resets(broker: &TestBroker) {
    broker.anyone().put("sys/unseal", &json!({ "reset": true })).expect(200);
}

#[test]
fn a_new_key_seals_from_now_on_and_old_rows_stay_readable() {
    let (mut broker, shares) = unsealed(1, 1);
    let root = broker.root();
    let configured = |path: &str, secret: &str| {
        root.post(&format!("sys/mounts/{path}"), &json!({ "type": "aws" })).expect(204);
        let binding = json!({ "access_key": "AKIAROTATED000000000", "secret_key": secret });
        root.post(&format!("{path}/config/root"), &binding).expect(204);
    };
    configured("one", "first-secret-000000000000000000000000000");
    let wrapped = root.with_header("X-Vault-Wrap-TTL", "1h").get("aws/roles/r").expect(200);
    let before = root.get("sys/key-status").expect(200);
    assert_eq!((before.data()["term"].clone(), before.json["term"].clone()), (json!(1), json!(1)));
    assert!(before.data()["encryptions"].as_u64().unwrap() >= 2);
    root.put("sys/rotate", &json!({})).expect(204);
    let after = root.get("sys/key-status").expect(200);
    assert_eq!(
        (after.data()["term"].clone(), after.data()["encryptions"].clone()),
        (json!(2), json!(0))
    );
    configured("two", "second-secret-00000000000000000000000000");
    broker.lose_power();
    unseal(&broker, &shares);
    assert_eq!(broker.root().get("sys/key-status").expect(200).data()["term"], 2);
    let token = wrapped.json["wrap_info"]["token"].as_str().unwrap();
    let unwrapped =
        broker.root().with_token(token).put("sys/wrapping/unwrap", &json!({})).expect(200);
    assert!(unwrapped.text.contains("s3:GetObject"));
    broker.issue().expect(200);
}

/// A root token by shares, decoded as the command line does it.
fn root_by_shares(broker: &TestBroker, shares: &[String]) -> String {
    let anyone = broker.anyone();
    let begun = anyone.put("sys/generate-root/attempt", &json!({})).expect(200).json;
    let otp = begun["otp"].as_str().unwrap().to_owned();
    assert_eq!(begun["otp_length"], otp.len());
    let give = |share: &String| {
        let body = json!({ "nonce": begun["nonce"], "key": share });
        anyone.put("sys/generate-root/update", &body).expect(200).json
    };
    let given: Vec<Value> = shares.iter().map(give).collect();
    let done = given.last().unwrap();
    assert_eq!((&done["complete"], &done["progress"]), (&json!(true), &done["required"]));
    let encoded = STANDARD_NO_PAD.decode(done["encoded_token"].as_str().unwrap()).unwrap();
    let token = encoded.iter().zip(otp.bytes()).map(|(one, two)| one ^ two).collect();
    String::from_utf8(token).unwrap()
}

#[test]
fn shares_make_a_root_token_that_only_its_password_shows() {
    let (broker, shares) = unsealed(3, 2);
    let anyone = broker.anyone();
    let idle = anyone.get("sys/generate-root/attempt").expect(200).json;
    assert_eq!((&idle["started"], &idle["required"]), (&json!(false), &json!(2)));
    let short = anyone.put("sys/generate-root/attempt", &json!({ "otp": "short" }));
    assert_eq!(short.expect(400).errors(), ["OTP string is wrong length"]);
    let begun = anyone.put("sys/generate-root/attempt", &json!({})).expect(200).json;
    let update = |key: &str| {
        anyone.put("sys/generate-root/update", &json!({ "nonce": begun["nonce"], "key": key }))
    };
    update(&shares[0]).expect(200);
    let mut wrong = STANDARD.decode(&shares[1]).unwrap();
    wrong[0] ^= 1;
    update(&STANDARD.encode(wrong)).expect(400);
    anyone.delete("sys/generate-root/attempt").expect(204);
    assert_eq!(update(&shares[0]).expect(400).errors(), ["no root generation in progress"]);
    let token = root_by_shares(&broker, &shares[1..]);
    let own = anyone.with_token(&token).get("auth/token/lookup-self").expect(200);
    assert_eq!(own.data()["policies"], json!(["root"]));
}

#[test]
fn a_key_file_unseals_by_itself_and_recovery_shares_do_after_somebody_sealed_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut broker = TestBroker::sealed_by(Seal::KeyFile(dir.path().join("key")));
    let body = json!({ "recovery_shares": 3, "recovery_threshold": 2 });
    let made = broker.anyone().put("sys/init", &body).expect(200).json;
    let (shares, token) =
        (texts(&made["recovery_keys_base64"]), made["root_token"].as_str().unwrap());
    assert_eq!((&made["keys"], shares.len()), (&json!([]), 3));
    let seal = status(&broker);
    assert_eq!((&seal["type"], &seal["sealed"]), (&json!("static"), &json!(false)));
    assert_eq!(
        (&seal["recovery_seal"], &seal["t"], &seal["n"]),
        (&json!(true), &json!(2), &json!(3))
    );
    let root = broker.anyone().with_token(token);
    root.put("sys/seal", &json!({})).expect(204);
    is_sealed(root.get("sys/mounts"));
    give(&broker, &shares[0]).expect(200);
    let mut wrong = STANDARD.decode(&shares[1]).unwrap();
    wrong[0] ^= 1;
    give(&broker, &STANDARD.encode(wrong)).expect(400);
    assert_eq!(unseal(&broker, &shares[1..])["sealed"], false);
    let refused = broker
        .anyone()
        .put("sys/rekey/init", &json!({ "secret_shares": 1, "secret_threshold": 1 }));
    assert!(refused.expect(400).errors()[0].contains("not supported when stored key support"));

    let begun = broker
        .anyone()
        .put("sys/rekey-recovery-key/init", &json!({ "secret_shares": 1, "secret_threshold": 1 }));
    let nonce = begun.expect(200).json["nonce"].clone();
    let update = |key: &str| {
        let body = json!({ "nonce": nonce, "key": key });
        broker.anyone().put("sys/rekey-recovery-key/update", &body).expect(200).json
    };
    update(&shares[0]);
    let new = texts(&update(&shares[1])["keys_base64"]);
    root.put("sys/seal", &json!({})).expect(204);
    broker.restart();
    assert_eq!(status(&broker)["sealed"], false, "a restart unseals");
    let token = root_by_shares(&broker, &new);
    broker.anyone().with_token(&token).get("sys/mounts").expect(200);
}

#[test]
fn a_key_of_kms_unseals_by_itself_and_what_is_wrong_with_it_is_told() {
    let kms = |id: &str| {
        Seal::AwsKms(AwsKms {
            kms_key_id: id.to_owned(),
            region: String::new(),
            endpoint: String::new(),
        })
    };
    let mut broker = TestBroker::sealed_by(kms("alias/seal"));
    let told = broker.anyone().put("sys/init", &json!({})).expect(500).errors();
    assert!(told[0].starts_with("the key of AWS KMS could not be used"), "{told:?}");
    broker.anyone().get("sys/health").expect(501);
    let key = broker.aws.create_kms_key("alias/seal");
    let made = broker.anyone().put("sys/init", &json!({})).expect(200).json;
    let root = broker.anyone().with_token(made["root_token"].as_str().unwrap());
    root.post("auth/token/create", &json!({ "id": ROOT, "policies": ["root"] })).expect(200);
    let mut broker = {
        assert_eq!(status(&broker)["type"], "awskms");
        broker.restart();
        broker.with_role()
    };
    broker.issue().expect(200);

    broker.aws.disable_kms_key(&key);
    broker.restart();
    assert_eq!(status(&broker)["sealed"], true, "it starts, and waits for the key");
    is_sealed(broker.root().get("aws/roles/r"));
    assert!(!log::with("the broker stays sealed until AWS KMS").is_empty());
    broker.aws.enable_kms_key(&key);
    broker.restart();
    broker.issue().expect(200);
    assert!(broker.faults.actions().contains(&"Decrypt".to_owned()));
}

/// What the release before keyrings left: see the folder's README.
fn of_old() -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/key-file-install");
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    for name in ["leasehold.db", "seal.key"] {
        let file = dir.path().join(name);
        std::fs::copy(from.join(name), &file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    dir
}

const OLD_ROOT: &str = "hvs.UWVAxmsUVO4r3QoQTnQ5LbHh0J02fPPHEFKjfpLqLFKY4LaV45UQoPW8sU7Nmu17JIzoEXivdTePezIk8vzYjBjresN";
const OLD_WRAPPING: &str = "hvs.dadj1tatyQ2CB1d6EN4ULaMFJN461CcPFQ09o7adPms7wjSU9cSCB7OuTNwGzR1mWDpSw76iektWjVfQmHmGBcLm3EN";

#[test]
fn an_installation_from_before_keyrings_goes_on_with_all_that_it_sealed() {
    let mut broker = TestBroker::on_data(of_old());
    assert_eq!(status(&broker)["type"], "static");
    broker.anyone().with_token(OLD_ROOT).put("sys/rotate", &json!({})).expect(204);
    for restarted in [false, true] {
        if restarted {
            broker.lose_power();
        }
        let root = broker.anyone().with_token(OLD_ROOT);
        assert_eq!(root.get("sys/key-status").expect(200).data()["term"], 2);
        assert_eq!(
            root.get("aws/config/root").expect(200).text_of("access_key"),
            "AKIAOLDINSTALL000000"
        );
        let login = json!({ "password": "correct horse" });
        broker.anyone().post("auth/userpass/login/ann", &login).expect(200);
        let login = json!({
            "role_id": "830a4b81-9cb7-4d49-ad02-88745e0b17cd",
            "secret_id": "ad5a4cae-f7d5-42be-bdbd-11cd470ff4e7",
        });
        broker.anyone().post("auth/approle/login", &login).expect(200);
    }
    let wrapped = broker.anyone().with_token(OLD_WRAPPING);
    assert_eq!(
        wrapped.put("sys/wrapping/unwrap", &json!({})).expect(200).data()["wrapped"],
        "long ago"
    );
    let files = bytes(broker.data_dir());
    assert!(!holds(&files, "the-secret-of-an-old-installation-00000"));
}

#[test]
fn nothing_secret_can_be_read_in_the_database() {
    let (mut broker, shares) = unsealed(3, 2);
    let root = broker.root();
    let config_secret = "config-root-secret-000000000000000000000";
    root.post("sys/mounts/other", &json!({ "type": "aws" })).expect(204);
    let binding = json!({ "access_key": "AKIASEALTEST00000000", "secret_key": config_secret });
    root.post("other/config/root", &binding).expect(204);
    broker.aws.create_user("fixed", "/", &[]).unwrap();
    let role = json!({ "username": "fixed", "rotation_period": "1d" });
    root.post("aws/static-roles/fixed", &role).expect(200);
    let static_secret = root.get("aws/static-creds/fixed").expect(200).text_of("secret_key");
    root.post("sys/auth/userpass", &json!({ "type": "userpass" })).expect(204);
    let password = "a password of nobody else";
    root.post("auth/userpass/users/ann", &json!({ "password": password })).expect(204);
    root.post("sys/auth/approle", &json!({ "type": "approle" })).expect(204);
    root.post("auth/approle/role/ci", &json!({ "policies": "default" })).expect(204);
    let secret_id =
        root.post("auth/approle/role/ci/secret-id", &json!({})).expect(200).text_of("secret_id");
    let wrapped = root
        .with_header("X-Vault-Wrap-TTL", "1h")
        .post("sys/wrapping/wrap", &json!({ "w": "the wrapped text" }))
        .expect(200);
    let wrapping = wrapped.json["wrap_info"]["token"].as_str().unwrap().to_owned();
    let issued = broker.issue().expect(200);
    root.put("sys/rotate", &json!({})).expect(204);
    let by_shares = root_by_shares(&broker, &shares[..2]);
    assert_eq!(broker.write_role("again", NARROW).status, 204);

    let search = |broker: &TestBroker| {
        // The database, its WAL and all that lies beside them.
        let files = bytes(broker.data_dir());
        assert!(holds(&files, "AKIASEALTEST00000000"), "the rows are in what is searched");
        let mut secrets = vec![
            ("config/root", config_secret.to_owned()),
            ("static role", static_secret.clone()),
            ("password", password.to_owned()),
            ("secret id", secret_id.clone()),
            ("wrapped", "the wrapped text".to_owned()),
            ("wrapping token", wrapping.clone()),
            ("issued", issued.text_of("secret_key")),
            ("root token", ROOT.to_owned()),
            ("root token by shares", by_shares.clone()),
        ];
        for share in &shares {
            secrets.push(("share, base64", share.clone()));
        }
        for (what, secret) in secrets {
            assert!(!holds(&files, &secret), "the {what} is in a file");
            assert_eq!(log::with(&secret), Vec::<String>::new(), "the {what} is in the log");
        }
        for share in &shares {
            let share = STANDARD.decode(share).unwrap();
            assert!(!files.windows(16).any(|bytes| bytes == &share[..16]), "a share is in a file");
        }
    };
    search(&broker);
    broker.restart();
    search(&broker);
}

//! Tests of the store through its trait. Fixtures are here; [`domain`] checks what every method
//! promises, [`leases`] the same for leases, [`limits`] that counts are right, [`durability`] commits, crashes and
//! failures, [`query`] what can be asked of leases, [`plans`] that every look-up is an index's, [`tally`] that the
//! counts are those of the rows.

mod auth_methods;
mod backup;
mod domain;
mod durability;
mod guardrails;
mod leases;
mod limits;
mod plans;
mod plugins;
mod query;
mod reconcile;
mod seal;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::{
    Beside, CredentialType, LeaseLimits, LeaseState, MountState, MountTuning, Origin,
};
use crate::store::Show;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds.saturating_mul(1000))
}

fn mount_named(id: &str, path: &str) -> Mount {
    Mount {
        id: MountId(id.to_owned()),
        path: path.parse().unwrap(),
        accessor: "aws_01234567".to_owned(),
        description: "for tests".to_owned(),
        options: serde_json::Value::Null,
        local: false,
        seal_wrap: false,
        external_entropy_access: false,
        tuning: MountTuning::default(),
        state: MountState::Active,
    }
}

fn mount() -> Mount {
    mount_named("mount-1", "aws/")
}

fn role(name: &str, version: u64) -> Role {
    Role {
        mount: mount().id,
        name: name.parse().unwrap(),
        version,
        credential_type: CredentialType::IamUser,
        policy_arns: Some(Vec::new()),
        role_arns: None,
        policy_document: format!(r#"{{"Version":"2012-10-17","Id":"{version}"}}"#),
        iam_groups: None,
        iam_tags: Some([("team".to_owned(), "a".to_owned())].into()),
        session_tags: None,
        external_id: String::new(),
        default_sts_ttl: 0,
        max_sts_ttl: 0,
        user_path: String::new(),
        permissions_boundary_arn: String::new(),
        mfa_serial_number: String::new(),
        delivery: crate::model::Delivery::default(),
        ttl: 0,
        max_ttl: 0,
        legacy: None,
        strict_ttl: false,
        limits: LeaseLimits::default(),
    }
}

fn digest(name: &str) -> TokenDigest {
    TokenDigest(format!("digest-{name}"))
}

fn accessor(name: &str) -> Accessor {
    Accessor(format!("accessor-{name}"))
}

fn token(name: &str, parent: Option<&str>) -> Token {
    Token {
        parent: parent.map(digest),
        policies: vec!["default".to_owned(), "deploy".to_owned()],
        display_name: "token-ci".to_owned(),
        meta: Some([("team".to_owned(), "a".to_owned())].into()),
        creation_ttl: 3600,
        expires_at: Some(at(3601)),
        explicit_max_ttl: 7200,
        renewable: true,
        ..Token::new(digest(name), accessor(name), at(1))
    }
}

fn lease_id(number: u32) -> LeaseId {
    format!("aws/creds/deploy/{number:024}").parse().unwrap()
}

fn pending(number: u32, holder: &str) -> Lease {
    Lease {
        id: lease_id(number),
        mount: mount().id,
        role: "deploy".parse().unwrap(),
        role_version: 3,
        credential_type: CredentialType::IamUser,
        holder: accessor(holder),
        user: Some(format!("vault-token-ci-deploy-1700000000-{number:020}").parse().unwrap()),
        issued_at: at(10),
        role_ttl: Some(Duration::from_mins(10)),
        role_max_ttl: None,
        last_renewal: None,
        verdict: "0a".repeat(32),
        origin: Origin::default(),
        account: None,
        user_id: None,
        beside: Beside::default(),
        request_key: None,
        proven_at: None,
        forced: false,
        state: LeaseState::Pending,
        revision: 0,
    }
}

fn active(number: u32, holder: &str, expires_at: Timestamp) -> Lease {
    Lease {
        state: LeaseState::Active {
            access_key: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
            expires_at,
        },
        ..pending(number, holder)
    }
}

async fn store() -> Arc<Sqlite> {
    let store = Sqlite::temporary().unwrap();
    store.put_mount(&mount()).await.unwrap();
    store
}

async fn ids(store: &Sqlite, prefix: &str, show: Show) -> Vec<LeaseId> {
    let query = LeaseQuery { prefix, after: None, limit: 1000, show };
    store.lease_ids(query).await.unwrap()
}

async fn due(store: &Sqlite, now: Timestamp) -> Vec<(LeaseId, bool)> {
    let due = store.due_leases(now, 1000).await.unwrap();
    due.into_iter().map(|due| (due.id, due.holder_ended)).collect()
}

//! The walk-through by vaultrs 0.8. `tests/it/clients.rs` starts it and looks at AWS at each checkpoint.
//!
//! vaultrs has no lease calls, and its credential type wants an `arn`, which only assumed roles have:
//! those go through small endpoint types of our own over its client.

use std::{env, error::Error, io};

use rustify::Endpoint;
use rustify_derive::Endpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vaultrs::api::EndpointResult;
use vaultrs::api::aws::requests::{
    CreateUpdateRoleRequest, GenerateCredentialsStsRequest, SetConfigurationRequest,
};
use vaultrs::client::{Client, VaultClient, VaultClientSettingsBuilder};
use vaultrs::{aws, sys::mount};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Credentials with the fields that every type has.
#[derive(Deserialize, Serialize, Debug)]
struct Keys {
    access_key: String,
    secret_key: String,
    security_token: Option<String>,
    session_token: Option<String>,
}

#[derive(Endpoint, Debug)]
#[endpoint(path = "{self.path}", response = "Keys")]
struct Issue {
    #[endpoint(skip)]
    path: String,
}

#[derive(Endpoint, Debug)]
#[endpoint(path = "sys/leases/{self.verb}", method = "PUT", response = "Value")]
struct LeaseCall {
    #[endpoint(skip)]
    verb: &'static str,
    lease_id: String,
    increment: Option<u32>,
}

async fn send<E: Endpoint>(
    client: &VaultClient,
    endpoint: E,
) -> Outcome<EndpointResult<E::Response>>
where
    E::Response: for<'a> Deserialize<'a>,
{
    let sent = endpoint.with_middleware(client.middle()).exec(client.http()).await?;
    Ok(sent.wrap::<EndpointResult<_>>()?)
}

/// Tells the test what happened, and waits until it has looked at AWS.
fn checkpoint(name: &str, facts: &Value) -> Outcome<()> {
    println!("CHECKPOINT {name} {facts}");
    match io::stdin().read_line(&mut String::new())? {
        0 => Err("the test hung up".into()),
        _ => Ok(()),
    }
}

/// Each kind of temporary credentials. Only an assumed role's answer fits vaultrs' own type.
async fn temporary(client: &VaultClient, policy: &str) -> Outcome<()> {
    let mut role = CreateUpdateRoleRequest::builder();
    role.role_arns([env::var("FLOW_ROLE_ARN")?]);
    aws::roles::create_update(client, "aws", "assumed", "assumed_role", Some(&mut role)).await?;
    let mut role = CreateUpdateRoleRequest::builder();
    role.policy_document(policy);
    let kind = "federation_token";
    aws::roles::create_update(client, "aws", "federated", kind, Some(&mut role)).await?;
    aws::roles::create_update(client, "aws", "session", "session_token", None).await?;

    let mut wish = GenerateCredentialsStsRequest::builder();
    wish.ttl("20m");
    let typed = aws::roles::credentials_sts(client, "aws", "assumed", Some(&mut wish)).await?;
    assert!(typed.security_token.is_some() && typed.arn.contains(":assumed-role/"));
    let arn = typed.arn;
    let mut facts = json!({
        "assumed": { "access_key": typed.access_key, "security_token": typed.security_token, "arn": arn },
    });
    for (name, path) in [("federated", "aws/sts/federated"), ("session", "aws/creds/session")] {
        let issued = send(client, Issue { path: path.into() }).await?;
        let mut own = serde_json::to_value(issued.data.ok_or("no data")?)?;
        own["lease_id"] = issued.lease_id.into();
        own["seconds"] = issued.lease_duration.into();
        facts[name] = own;
    }
    checkpoint("temporary", &facts)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let (policy, endpoint) = (env::var("FLOW_POLICY")?, env::var("FLOW_AWS")?);
    let settings = VaultClientSettingsBuilder::default()
        .address(env::var("VAULT_ADDR")?)
        .token(env::var("VAULT_TOKEN")?)
        .build()?;
    let client = VaultClient::new(settings)?;

    mount::enable(&client, "aws", "aws", None).await?;
    let mut root = SetConfigurationRequest::builder();
    // Three retries on purpose: the default, -1, does not fit the type that reads it back.
    root.max_retries(3).region("us-east-1").iam_endpoint(&endpoint).sts_endpoint(&endpoint);
    aws::config::set(&client, "aws", "AKIAFLOWROOT00000000", "flow-secret", Some(&mut root)).await?;
    assert_eq!(aws::config::get(&client, "aws").await?.max_retries, 3);
    aws::config::set_lease(&client, "aws", "30m", "1h").await?;
    let lease = aws::config::read_lease(&client, "aws").await?;
    checkpoint("configured", &json!({ "lease": lease }))?;

    let mut role = CreateUpdateRoleRequest::builder();
    role.policy_document(&policy);
    aws::roles::create_update(&client, "aws", "my-role", "iam_user", Some(&mut role)).await?;
    let keys = aws::roles::list(&client, "aws").await?.keys;
    let document = aws::roles::read(&client, "aws", "my-role").await?.policy_document;
    checkpoint("role", &json!({ "keys": keys, "policy_document": document }))?;

    let missing = aws::roles::credentials(&client, "aws", "missing", None).await;
    assert!(missing.is_err(), "a missing role gave credentials");

    let issued = send(&client, Issue { path: "aws/creds/my-role".into() }).await?;
    let lease_id = issued.lease_id.clone();
    let data = issued.data.ok_or("no data")?;
    assert!(data.security_token.is_none() && data.secret_key.len() == 40);
    checkpoint("issued", &json!({ "lease_id": lease_id, "access_key": data.access_key }))?;

    let call = |verb, increment| LeaseCall { verb, lease_id: lease_id.clone(), increment };
    let looked = send(&client, call("lookup", None)).await?.data.ok_or("no data")?;
    let renewed = send(&client, call("renew", Some(600))).await?;
    let facts = json!({ "id": looked["id"], "seconds": renewed.lease_duration });
    checkpoint("renewed", &facts)?;

    vaultrs::api::exec_with_empty(&client, call("revoke", None)).await?;
    checkpoint("revoked", &json!({}))?;

    send(&client, Issue { path: "aws/creds/my-role".into() }).await?;
    checkpoint("issued again", &json!({}))?;

    temporary(&client, &policy).await?;
    aws::roles::delete(&client, "aws", "my-role").await?;
    mount::disable(&client, "aws").await?;
    checkpoint("disabled", &json!({}))
}

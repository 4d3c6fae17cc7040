//! The provider over the embedded AWS: what is sent, what is repeated, what failures become.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use embedded_aws::faults::{Fault, Times};

use super::*;
use crate::aws::testing::{BROKER, DOCUMENT, READ_ONLY, TestAws, name, new_user, tag, unknown_key};
use crate::aws::{Accounts, AwsBackend, BROKER_TAG, DocumentSource, LEASE_TAG};
use crate::clock::ManualClock;
use crate::model::MountId;

#[tokio::test]
async fn a_user_is_made_with_path_boundary_and_all_tags_in_the_one_call() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;

    let calls = test.faults.calls();
    let create = calls.iter().find(|seen| seen.call.action == "CreateUser").unwrap();
    let sent = &create.call.parameters;
    assert_eq!(sent["UserName"], "u-1");
    assert_eq!(sent["Path"], "/team/");
    assert_eq!(sent["PermissionsBoundary"], READ_ONLY);
    let tags: Vec<_> = (1..=3)
        .map(|n| {
            let part = |part| sent[&format!("Tags.member.{n}.{part}")].clone();
            (part("Key"), part("Value"))
        })
        .collect();
    let lease = tag('x');
    let wanted = [("cost", "42"), (BROKER_TAG, BROKER), (LEASE_TAG, lease.as_str())];
    assert_eq!(tags, wanted.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let put = calls.iter().find(|seen| seen.call.action == "PutUserPolicy").unwrap();
    assert_eq!(put.call.parameters["PolicyDocument"], DOCUMENT);
    assert_eq!(put.call.parameters["PolicyName"], "reader");
    assert!(!key.secret.is_empty());
    assert_eq!(test.provider().await.last_success().await, Some(test.clock.now()));
}

#[tokio::test]
async fn what_the_grant_does_not_hold_is_not_sent() {
    let test = TestAws::new();
    let provider = test.provider().await;
    let user = new_user("u-1", &tag('x'));
    let other = "arn:aws:iam::aws:policy/AdministratorAccess".parse().unwrap();
    let refused = provider.attach_user_policy(&user, &other).await;
    assert!(matches!(refused, Err(AwsError::NotConfigured(_))));
    let refused = provider.add_user_to_group(&user, &"admins".parse().unwrap()).await;
    assert!(matches!(refused, Err(AwsError::NotConfigured(_))));
    assert_eq!(test.faults.calls(), []);
}

#[tokio::test]
async fn ownership_and_belongings_are_read_and_none_where_there_is_no_user() {
    let test = TestAws::new();
    let key = test.user("u-1", &tag('x')).await;
    let provider = test.provider().await;
    let owner = provider.ownership(&name("u-1")).await.unwrap().unwrap();
    assert_eq!(owner.broker.as_deref(), Some(BROKER));
    assert_eq!(owner.lease.as_deref(), Some(tag('x').as_str()));
    let found = provider.belongings(&name("u-1")).await.unwrap().unwrap();
    assert_eq!(found.access_keys, [key.id]);
    assert_eq!(found.inline_policies, ["reader"]);
    assert_eq!(found.attached_policies, [READ_ONLY.parse().unwrap()]);
    assert_eq!(found.groups, ["readers".parse().unwrap()]);
    assert_eq!(provider.ownership(&name("nobody")).await.unwrap(), None);
    assert_eq!(provider.belongings(&name("nobody")).await.unwrap(), None);
    let gone = provider.deactivate_access_key(&name("nobody"), &unknown_key()).await;
    assert_eq!(gone, Ok(()));
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let asked = std::sync::Mutex::new(Vec::new());
    let all = call::every_page(|marker| {
        asked.lock().unwrap().push(marker.clone());
        async move {
            Ok(match marker.as_deref() {
                None => call::Page::new(vec![1, 2], true, Some("a")),
                Some("a") => call::Page::new(vec![3], true, Some("b")),
                Some(_) => call::Page::new(vec![4], false, Some("stale")),
            })
        }
    });
    assert_eq!(all.await, Ok(vec![1, 2, 3, 4]));
    let asked = asked.into_inner().unwrap();
    assert_eq!(asked, [None, Some("a".to_owned()), Some("b".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_repeated_after_throttling_and_never_after_doubt() {
    let test = TestAws::with(3, Duration::ZERO);
    let provider = test.provider().await;
    test.faults.inject("CreateUser", Times::First(2), Fault::Throttle);
    provider.create_user(&new_user("u-1", &tag('x'))).await.unwrap();
    assert_eq!(test.faults.actions(), ["CreateUser"; 3]);

    test.faults.reset();
    test.faults.fail_next("CreateUser", Fault::LostAfter);
    let lost = provider.create_user(&new_user("u-2", &tag('y'))).await;
    assert!(matches!(lost, Err(AwsError::Unclear { operation: "CreateUser", .. })), "{lost:?}");
    assert_eq!(test.faults.actions(), ["CreateUser"]);
    assert!(test.aws.user("u-2").is_some());
}

/// Hands the first call on, and then says that there was no connection, as a bad proxy may.
#[derive(Debug, Clone)]
struct Lying {
    inner: SharedHttpConnector,
    lied: Arc<AtomicBool>,
}

impl HttpConnector for Lying {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.inner.call(request);
        if self.lied.swap(true, Ordering::SeqCst) {
            return answer;
        }
        HttpConnectorFuture::new(async move {
            answer.await?;
            Err(ConnectorError::io("client error (Connect)".into()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_that_exists_after_a_connection_that_never_was_may_be_ours() {
    let test = TestAws::new();
    let http = test.faults.http_client();
    let lied = Arc::new(AtomicBool::new(false));
    let client = http_client_fn(move |settings, components| {
        let inner = http.http_connector(settings, components);
        SharedHttpConnector::new(Lying { inner, lied: Arc::clone(&lied) })
    });
    let clock = Arc::<ManualClock>::clone(&test.clock);
    let accounts = Accounts::new(AwsBackend::Embedded(client), clock);
    let provider = accounts.provider(&MountId("m".to_owned())).await.unwrap();
    let result = provider.create_user(&new_user("u-1", &tag('x'))).await;
    assert!(matches!(result, Err(AwsError::Unclear { .. })), "{result:?}");
    assert!(test.aws.user("u-1").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_repeated_after_doubt() {
    let test = TestAws::with(2, Duration::ZERO);
    test.aws.create_user("u-1", "/", &[]).unwrap();
    let provider = test.provider().await;
    test.faults.fail_next("DeleteUser", Fault::ServerErrorBefore(500));
    assert_eq!(provider.delete_user(&name("u-1")).await, Ok(()));
    assert_eq!(test.aws.users(), []);
    assert_eq!(provider.delete_user(&name("u-1")).await, Ok(()), "what is gone is done");
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_broken_connection_is_unclear() {
    let test = TestAws::new();
    let provider = test.provider().await;
    for fault in [
        Fault::LostBefore,
        Fault::TimeoutBefore,
        Fault::TimeoutAfter,
        Fault::ServerErrorAfter(503),
        Fault::SilentBefore,
    ] {
        test.faults.fail_next("DeleteUser", fault.clone());
        let result = provider.delete_user(&name("u-1")).await;
        assert!(matches!(result, Err(AwsError::Unclear { .. })), "{fault:?}: {result:?}");
    }
    test.faults.fail_next("DeleteUser", Fault::refuse(403, "AccessDenied"));
    let denied = provider.delete_user(&name("u-1")).await.unwrap_err();
    assert_eq!(denied.for_caller(), "AccessDenied: AccessDenied (injected)");
}

#[tokio::test]
async fn documents_come_decoded() {
    let test = TestAws::new();
    let arn = test.aws.create_managed_policy("mine", DOCUMENT).unwrap();
    test.aws.create_group("g", &[("one", DOCUMENT)], &[&arn]).unwrap();
    let provider = test.provider().await;
    let held = provider.managed_policy(&arn.parse().unwrap()).await.unwrap();
    assert_eq!(held.text, DOCUMENT);
    let (documents, arns) = provider.group_policies(&"g".parse().unwrap()).await.unwrap();
    assert_eq!(arns, [arn.parse().unwrap()]);
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0].text, DOCUMENT);
    let source = DocumentSource::Group { group: "g".parse().unwrap(), policy: "one".to_owned() };
    assert_eq!(documents[0].source, source);
}

#[tokio::test]
async fn what_is_missing_in_the_binding_is_said_at_the_first_use() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let accounts = Accounts::new(AwsBackend::Real, clock);
    let mount = MountId("m".to_owned());
    let half = AccountSettings { access_key: "AKIAX".to_owned(), ..AccountSettings::default() };
    let secret = Some(SecretAccessKey::new("s"));
    let whole = AccountSettings { secret_key: secret, ..half.clone() };
    let endpoint = AccountSettings { iam_endpoint: "nonsense".to_owned(), ..whole.clone() };
    for (settings, wanted) in [
        (None, "no AWS account is configured for this mount"),
        (Some(half), "config/root holds one of `access_key` and `secret_key`"),
        (Some(endpoint), "`iam_endpoint` `nonsense` is not a URL"),
    ] {
        if let Some(settings) = settings {
            accounts.bind(&mount, settings);
        }
        let error = accounts.provider(&mount).await.unwrap_err();
        assert!(error.to_string().starts_with(wanted), "{error}");
    }
    accounts.bind(&mount, whole);
    assert!(accounts.provider(&mount).await.is_ok());
}

#[tokio::test]
async fn a_connection_that_is_refused_is_told_as_such() {
    // Nobody listens on the port of a listener that is gone.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let accounts = Accounts::new(AwsBackend::Real, clock);
    let mount = MountId("m".to_owned());
    accounts.bind(
        &mount,
        AccountSettings {
            access_key: "AKIAX".to_owned(),
            secret_key: Some(SecretAccessKey::new("s")),
            region: "eu-west-1".to_owned(),
            iam_endpoint: format!("http://{address}"),
            max_retries: 0,
            ..AccountSettings::default()
        },
    );
    let provider = accounts.provider(&mount).await.unwrap();
    let AwsError::Unclear { message, .. } = provider.delete_user(&name("u")).await.unwrap_err()
    else {
        panic!("unclear")
    };
    assert!(message.starts_with("no connection: "), "{message}");
}

#[test]
fn retries_are_counted_from_the_first_attempt() {
    assert_eq!(attempts(-1), 3);
    assert_eq!(attempts(0), 1);
    assert_eq!(attempts(4), 5);
    assert_eq!(attempts(i64::MAX), 21);
}

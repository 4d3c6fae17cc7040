//! The cache of documents: what is read when, and what is never kept.

use embedded_aws::faults::Fault;

use super::*;
use crate::aws::AccountSettings;
use crate::aws::testing::{DOCUMENT, READ_ONLY, TestAws};
use crate::clock::ManualClock;

fn documents(test: &TestAws) -> Documents {
    Documents::new(Arc::clone(&test.accounts), Arc::<ManualClock>::clone(&test.clock))
}

#[tokio::test]
async fn documents_are_read_once_then_again_when_five_minutes_old() {
    let test = TestAws::new();
    test.aws.create_group("g", &[("one", DOCUMENT)], &[READ_ONLY]).unwrap();
    let documents = documents(&test);
    let groups = ["g".parse().unwrap()];
    let first = documents.fetch(&test.mount, &[], &groups).await;
    let sources: Vec<_> = first.iter().map(|fetched| fetched.source.to_string()).collect();
    assert_eq!(sources, ["g/one", READ_ONLY]);
    assert_eq!(first[0].result.as_ref().unwrap().text, DOCUMENT);
    assert_eq!(test.faults.actions().len(), 5);

    test.clock.advance(STALE);
    assert_eq!(documents.fetch(&test.mount, &[], &groups).await, first);
    assert_eq!(test.faults.actions().len(), 5);

    test.clock.advance(Duration::from_secs(1));
    assert_eq!(documents.fetch(&test.mount, &[], &groups).await, first);
    assert_eq!(test.faults.actions().len(), 10);
}

#[tokio::test]
async fn a_document_read_before_the_clock_was_set_back_is_read_again() {
    let test = TestAws::new();
    let documents = documents(&test);
    let arns = [READ_ONLY.parse().unwrap()];
    documents.fetch(&test.mount, &arns, &[]).await;
    test.faults.clear_calls();
    let hour_ago = test.clock.now().as_millis() - 3_600_000;
    test.clock.set(Timestamp::from_millis(hour_ago));
    documents.fetch(&test.mount, &arns, &[]).await;
    assert_eq!(test.faults.actions(), ["GetPolicy", "GetPolicyVersion"]);
}

#[tokio::test]
async fn what_is_in_use_is_refreshed_and_what_is_not_is_forgotten() {
    let test = TestAws::new();
    let documents = documents(&test);
    let arns = [READ_ONLY.parse().unwrap()];
    documents.fetch(&test.mount, &arns, &[]).await;
    test.faults.clear_calls();
    documents.refresh().await;
    assert_eq!(test.faults.calls(), []);
    test.clock.advance(REFRESH + Duration::from_secs(1));
    documents.refresh().await;
    assert_eq!(test.faults.actions(), ["GetPolicy", "GetPolicyVersion"]);
    test.faults.clear_calls();
    test.clock.advance(FORGET);
    documents.refresh().await;
    assert_eq!(test.faults.calls(), []);
    assert!(lock(&documents.slots).is_empty());
}

#[tokio::test]
async fn a_failure_is_told_and_not_kept() {
    let test = TestAws::new();
    let documents = documents(&test);
    let groups = ["nobody".parse().unwrap()];
    let failed = documents.fetch(&test.mount, &[], &groups).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].source.to_string(), "nobody/*");
    assert!(failed[0].result.is_err());
    test.aws.create_group("nobody", &[], &[]).unwrap();
    assert_eq!(documents.fetch(&test.mount, &[], &groups).await, []);

    test.faults.fail_next("GetPolicy", Fault::refuse(403, "AccessDenied"));
    let arns = [READ_ONLY.parse().unwrap()];
    assert!(documents.fetch(&test.mount, &arns, &[]).await[0].result.is_err());
    assert!(documents.fetch(&test.mount, &arns, &[]).await[0].result.is_ok());
}

#[tokio::test]
async fn other_settings_of_the_mount_mean_other_documents() {
    let test = TestAws::new();
    let documents = documents(&test);
    let arns = [READ_ONLY.parse().unwrap()];
    documents.fetch(&test.mount, &arns, &[]).await;
    test.faults.clear_calls();
    test.accounts.bind(&test.mount, AccountSettings::default());
    documents.fetch(&test.mount, &arns, &[]).await;
    assert_eq!(test.faults.actions(), ["GetPolicy", "GetPolicyVersion"]);
}

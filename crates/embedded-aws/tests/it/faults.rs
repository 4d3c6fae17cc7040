//! Broken connections: each fault does to AWS, and tells the caller, exactly what it says.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use aws_sdk_iam::error::SdkError;
use embedded_aws::faults::{Decision, Fault, FaultyHttp, Outcome, Times};

use crate::support::{World, admin, iam, key_of, refusal, refusal_of, sts};

struct Broken {
    world: World,
    http: FaultyHttp,
    iam: aws_sdk_iam::Client,
}

fn broken() -> Broken {
    let world = World::new();
    let http = FaultyHttp::new(world.aws.http_client());
    let iam = iam(http.http_client(), admin());
    Broken { world, http, iam }
}

#[tokio::test]
async fn each_fault_acts_or_not_and_says_what_it_says() {
    for (fault, acted, said) in [
        (Fault::LostBefore, false, "io"),
        (Fault::LostAfter, true, "io"),
        (Fault::TimeoutBefore, false, "timeout"),
        (Fault::TimeoutAfter, true, "timeout"),
        (Fault::refuse(409, "LimitExceeded"), false, "409 LimitExceeded"),
        (Fault::Throttle, false, "400 Throttling"),
        (Fault::ServerErrorBefore(500), false, "500 InternalFailure"),
        (Fault::ServerErrorAfter(503), true, "503 ServiceUnavailable"),
    ] {
        let b = broken();
        b.http.fail_next("CreateUser", fault.clone());
        let error = b.iam.create_user().user_name("a").send().await.unwrap_err();
        let got = if let SdkError::DispatchFailure(failure) = &error {
            assert_ne!(failure.is_io(), failure.is_timeout());
            if failure.is_io() { "io".to_owned() } else { "timeout".to_owned() }
        } else {
            refusal_of(&error)
        };
        assert_eq!(got, said, "{fault:?}");
        assert_eq!(b.world.aws.user("a").is_some(), acted, "{fault:?}");
        // The fault was for that call alone.
        b.iam.create_user().user_name("b").send().await.unwrap();
    }
}

#[tokio::test]
async fn faults_meet_the_calls_they_are_for() {
    let b = broken();
    b.http.fail_nth("CreateUser", 2, Fault::Throttle);
    b.http.inject("GetUser", Times::First(2), Fault::ServerErrorBefore(500));
    b.http.fail_every("ListUsers", Fault::Throttle);
    let mut got = Vec::new();
    for name in ["a", "b", "c"] {
        got.push(b.iam.create_user().user_name(name).send().await.is_ok());
    }
    for _ in 0..3 {
        got.push(b.iam.get_user().user_name("a").send().await.is_ok());
    }
    for _ in 0..2 {
        got.push(b.iam.list_users().send().await.is_ok());
    }
    assert_eq!(got, [true, false, true, false, false, true, false, false]);
    b.http.heal();
    b.iam.list_users().send().await.unwrap();
    assert_eq!(b.http.calls().len(), 9);
    assert_eq!(b.http.actions()[..3], ["CreateUser", "CreateUser", "CreateUser"]);
    assert_eq!(b.http.calls()[1].outcome, Outcome::Answered(400));
    assert_eq!(b.http.calls()[1].call.parameters.get("UserName").unwrap(), "b");
    b.http.clear_calls();
    assert!(b.http.calls().is_empty());
}

#[tokio::test]
async fn a_held_call_waits_for_its_release() {
    let b = broken();
    let gate = b.http.hold_next("CreateUser");
    let call = tokio::spawn(b.iam.create_user().user_name("a").send());
    gate.arrived().await;
    assert!(b.world.aws.user("a").is_none());
    assert_eq!(b.http.calls()[0].outcome, Outcome::Open);
    gate.release();
    call.await.unwrap().unwrap();
    assert!(b.world.aws.user("a").is_some());
    assert_eq!(b.http.calls()[0].outcome, Outcome::Answered(200));
}

#[tokio::test]
async fn a_silent_call_never_ends() {
    for (fault, acted) in [(Fault::SilentBefore, false), (Fault::SilentAfter, true)] {
        let b = broken();
        b.http.fail_next("CreateUser", fault);
        let mut call = pin!(b.iam.create_user().user_name("a").send());
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..100 {
            assert!(matches!(call.as_mut().poll(&mut context), Poll::Pending));
        }
        assert_eq!(b.world.aws.user("a").is_some(), acted);
    }
}

#[tokio::test]
async fn a_fresh_user_is_hidden_from_so_many_reads() {
    let b = broken();
    b.http.hide_fresh_user(2);
    b.iam.create_user().user_name("a").send().await.unwrap();
    let key = b.iam.create_access_key().user_name("a").send().await.unwrap();
    let tags = b.iam.list_user_tags().user_name("a").send().await;
    assert_eq!(refusal(tags), "404 NoSuchEntity");
    assert_eq!(refusal(b.iam.get_user().user_name("A").send().await), "404 NoSuchEntity");
    b.iam.get_user().user_name("a").send().await.unwrap();
    let sts = sts(b.http.http_client(), key_of(&key));
    for _ in 0..2 {
        assert_eq!(refusal(sts.get_caller_identity().send().await), "403 InvalidClientTokenId");
    }
    sts.get_caller_identity().send().await.unwrap();
    b.http.hide_fresh_user(0);
    b.iam.create_user().user_name("b").send().await.unwrap();
    b.iam.get_user().user_name("b").send().await.unwrap();
}

#[tokio::test]
async fn a_hook_can_cut_the_power_at_every_step() {
    // The story takes three calls; whatever step is cut, the steps before it are done.
    for cut in 0..3 {
        let b = broken();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        b.http.on_call(Box::new(move |call| {
            count.fetch_add(1, Ordering::SeqCst);
            if call.number == cut { Decision::Fault(Fault::LostBefore) } else { Decision::Pass }
        }));
        let story = async {
            b.iam.create_user().user_name("a").send().await.ok()?;
            b.iam.create_access_key().user_name("a").send().await.ok()?;
            b.iam.delete_user_policy().user_name("a").policy_name("p").send().await.ok()
        };
        assert!(story.await.is_none());
        assert_eq!(seen.load(Ordering::SeqCst), cut + 1);
        let user = b.world.aws.user("a");
        assert_eq!(user.is_some(), cut > 0);
        assert_eq!(user.map_or(0, |user| user.keys.len()), usize::from(cut > 1));
        assert_eq!(b.http.calls()[cut].outcome, Outcome::Lost);
    }
}

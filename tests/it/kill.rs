//! `kill -9` from outside: eight callers issue through the real binary while AWS is slow and the process is
//! killed at random moments. Afterwards every credential that a caller got is a lease, and once all are
//! revoked AWS holds no user. `LEASEHOLD_KILLS` says how often; twenty by default.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::Rng as _;

use crate::support::aws_server::{Act, AwsServer};
use crate::support::chance::{asked, generator, seed};
use crate::support::server::Server;
use crate::support::storm::{Mix, Storm};

/// How long AWS may hold a user after everything was revoked.
const A_MINUTE: Duration = Duration::from_secs(60);

#[test]
fn what_a_caller_got_is_a_lease_whenever_the_process_is_killed() {
    let kills = asked("LEASEHOLD_KILLS", 20);
    let seed = seed();
    let aws = AwsServer::start();
    let server = Arc::new(Server::start(&aws));
    aws.slow(Duration::from_millis(20));
    let mix = Mix { renew: 0, revoke: 0, sessions: 0, most: usize::MAX };
    let storm = Storm::new(&server, &aws, mix);

    storm.blow(8, seed, || {
        let mut rng = generator(seed, 1_000);
        for _ in 0..kills {
            std::thread::sleep(Duration::from_millis(rng.random_range(200..900)));
            server.kill_and_begin();
        }
        std::thread::sleep(Duration::from_millis(300));
    });

    storm.check_held();
    let (given, unanswered, broken) = storm.tally(|tally| {
        let unanswered = tally.counts.get("issue unanswered").copied().unwrap_or_default();
        (tally.held.len(), unanswered, tally.broken.clone())
    });
    println!("{kills} kills, {given} credentials given, {unanswered} callers without an answer");
    assert_eq!(broken, Vec::<String>::new());
    assert!(given > 0, "{:?}", storm.tally(|tally| tally.counts.clone()));
    assert!(aws.users().len() >= given);

    let began = std::time::Instant::now();
    storm.revoke_held();
    // A caller that was cut off after its lease began never heard of it: the server alone knows it.
    let unheard = aws.users().len();
    assert!(
        unheard <= usize::try_from(kills * 8).unwrap(),
        "{unheard} users nobody asked to revoke"
    );
    server.revoke_all();
    let revoked = began.elapsed().as_secs_f64();
    assert_eq!(aws.empty_within(A_MINUTE), Vec::<String>::new(), "these were left in AWS");
    let since = began.elapsed().as_secs_f64() - revoked;
    println!("revoking took {revoked:.1} s; AWS held no user {since:.1} s after that");
    storm.measure_containment();
    assert_eq!(storm.tally(|tally| tally.broken.clone()), Vec::<String>::new());
    assert_eq!(server.rows_left_in_the_end(), Vec::<String>::new());
    assert_eq!(aws.users(), Vec::<String>::new());
}

/// Found by the kill test with an AWS slower than a restart: nobody looked for such a user again before
/// five minutes were over.
#[test]
fn a_user_that_appears_after_the_restart_is_gone_within_a_minute() {
    let aws = AwsServer::start();
    let server = Arc::new(Server::start(&aws));
    let arrived = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&arrived);
    aws.decide(move |call| {
        if call.action == "CreateUser" {
            seen.store(true, Ordering::SeqCst);
            // Longer than a restart and the first look after it.
            std::thread::sleep(Duration::from_secs(3));
        }
        Act::Answer
    });
    let asking = {
        let server = Arc::clone(&server);
        std::thread::spawn(move || server.ask("GET", "aws/creds/r", &serde_json::Value::Null))
    };
    while !arrived.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    server.kill_and_begin();
    assert!(asking.join().unwrap().is_err(), "nobody answered");
    while aws.users().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(aws.empty_within(A_MINUTE), Vec::<String>::new(), "it was left in AWS");
    assert_eq!(server.rows_left_in_the_end(), Vec::<String>::new());
}

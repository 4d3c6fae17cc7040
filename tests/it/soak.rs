//! The soak: callers issue, renew and revoke for as long as asked while a fifth of all AWS calls goes wrong
//! and the process is killed every half minute. It ends with no user in AWS that no lease knows and no
//! credential without its lease, or it fails. Run it with `scripts/soak`; `docs/RELIABILITY.md` has figures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::json;

use crate::support::NARROW;
use crate::support::aws_server::{Act, AwsServer};
use crate::support::chance::{asked, generator, happens, seed};
use crate::support::server::Server;
use crate::support::storm::{Mix, Storm};

const CALLERS: u64 = 8;
/// Of a hundred AWS calls, how many go wrong.
const FAULTS: u32 = 20;
/// How long AWS may hold a user after everything was revoked and AWS works again.
const A_MINUTE: Duration = Duration::from_secs(60);

type Kinds = Arc<Mutex<BTreeMap<Act, u64>>>;

/// One of the ways in which a call goes wrong.
fn fault(rng: &mut StdRng) -> Act {
    match rng.random_range(0..8) {
        0 => Act::Refuse,
        1 => Act::Throttle,
        2 => Act::ResetBefore,
        3 => Act::ResetAfter,
        4 => Act::ErrorBefore,
        5 => Act::ErrorAfter,
        _ => Act::Late(Duration::from_millis(500)),
    }
}

fn injecting(aws: &AwsServer, seed: u64) -> Kinds {
    let kinds = Kinds::default();
    let (counted, rng) = (Arc::clone(&kinds), Mutex::new(generator(seed, 2_000)));
    aws.decide(move |_| {
        let act = {
            let mut rng = rng.lock().unwrap();
            if happens(&mut rng, FAULTS) { fault(&mut rng) } else { Act::Answer }
        };
        *counted.lock().unwrap().entry(act).or_default() += 1;
        act
    });
    kinds
}

/// Memory that the process has now, and the most it ever had, in MiB (`/proc`, so on Linux only).
fn memory(server: &Server) -> (u64, u64) {
    let pid = server.with_process(|process| process.pid());
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let digits = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        digits.unwrap_or_default() / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Kills the process every so often until the time is over; gives how often, the slowest start, and the
/// most memory that one had.
fn kill_until(server: &Server, end: Instant, every: Duration) -> (u64, Duration, u64) {
    let (mut kills, mut slowest, mut most) = (0, Duration::ZERO, 0);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        std::thread::sleep(left.min(every));
        most = most.max(memory(server).1);
        if left <= every {
            return (kills, slowest, most);
        }
        let dead = Instant::now();
        server.kill_and_begin();
        slowest = slowest.max(dead.elapsed());
        kills += 1;
    }
}

#[test]
#[ignore = "takes as long as it is told to: run scripts/soak"]
fn soak() {
    let seconds = asked("LEASEHOLD_SOAK_SECONDS", 600);
    let every = Duration::from_secs(asked("LEASEHOLD_SOAK_KILL_EVERY", 30));
    let plant = std::env::var("LEASEHOLD_SOAK_PLANT").unwrap_or_default();
    let seed = seed();
    let aws = AwsServer::start();
    let server = Arc::new(Server::start(&aws));
    let role = aws.aws.create_role("deploy", 43_200).unwrap();
    let managed = aws.aws.create_managed_policy("extra", NARROW).unwrap();
    server.write_role("r", &json!({
        "credential_type": "iam_user", "policy_document": NARROW, "policy_arns": [managed],
    }));
    server.write_role("s", &json!({
        "credential_type": "assumed_role", "role_arns": [role], "policy_document": NARROW,
    }));
    aws.slow(Duration::from_millis(5));
    let kinds = injecting(&aws, seed);
    let mix = Mix { renew: 20, revoke: 35, sessions: 15, most: 60 };
    let storm = Storm::new(&server, &aws, mix);

    let (mut kills, mut slowest, mut most) = (0, Duration::ZERO, 0);
    storm.blow(CALLERS, seed, || {
        let end = Instant::now() + Duration::from_secs(seconds);
        (kills, slowest, most) = kill_until(&server, end, every);
    });

    // AWS works again, and everything is looked at.
    aws.heal();
    aws.slow(Duration::ZERO);
    plant_trouble(&plant, &aws, &storm);
    storm.check_held();
    let held = storm.tally(|tally| tally.held.len());
    let began = Instant::now();
    storm.revoke_held();
    let users_left = aws.empty_within(A_MINUTE);
    let emptied = began.elapsed();
    storm.measure_containment();
    let rss = memory(&server).0;
    let log = server.log();
    for secret in ["secret-of-the-broker", "SecretAccessKey", "panicked"] {
        if log.contains(secret) {
            storm.broken(format!("the log says `{secret}`"));
        }
    }
    let rows_left = server.rows_left_in_the_end();

    storm.tally(|tally| {
        println!("\nsoak of {seconds} s, {CALLERS} callers, {FAULTS} % faults, a kill every {every:?}:");
        for (what, count) in &tally.counts {
            println!("  {what:<40} {count:>8}");
        }
        for (act, count) in kinds.lock().unwrap().iter() {
            println!("  {:<40} {count:>8}", format!("AWS calls: {act:?}"));
        }
        println!("  {:<40} {kills:>8}", "kills");
        println!("  {:<40} {:>8.1} s", "slowest kill and start", slowest.as_secs_f64());
        println!("  {:<40} {held:>8}", "held at the end");
        let longest = tally.longest_containment.as_secs_f64();
        println!("  {:<40} {longest:>8.1} s", "longest from revoke to containment");
        println!("  {:<40} {:>8.1} s", "revoking all until AWS was empty", emptied.as_secs_f64());
        println!("  {:<40} {:>8}", "users left in AWS", users_left.len());
        println!("  {:<40} {:>8}", "rows left open", rows_left.len());
        println!("  {:<40} {most:>8} MiB ({rss} at the end)", "most memory");
        println!("  {:<40} {:>8}", "promises broken", tally.broken.len());
        assert_eq!(tally.broken, Vec::<String>::new(), "promises were broken");
        let issued = tally.counts.get("issued").copied().unwrap_or_default();
        assert!(issued > 0, "nothing was issued");
    });
    assert_eq!(users_left, Vec::<String>::new(), "orphans");
    assert_eq!(rows_left, Vec::<String>::new(), "rows that never end");
}

/// Breaks a promise on purpose: a soak that cannot fail shows nothing.
fn plant_trouble(what: &str, aws: &AwsServer, storm: &Storm) {
    match what {
        "" => {}
        "orphan" => drop(aws.aws.create_user("planted-orphan", "/", &[]).unwrap()),
        "lost" => storm.tally(|tally| {
            let mut lost = tally.held.first().unwrap().clone();
            lost.lease = "aws/creds/r/plantedplantedplantedpla".to_owned();
            tally.held.push(lost);
        }),
        other => panic!("LEASEHOLD_SOAK_PLANT is `{other}`: it knows `orphan` and `lost`"),
    }
}

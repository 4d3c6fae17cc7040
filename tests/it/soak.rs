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
use crate::support::storm::{Given, Mix, Storm};

const CALLERS: u64 = 8;
/// Of a hundred AWS calls, how many go wrong.
const FAULTS: u32 = 20;
/// How long AWS may hold a user after everything was revoked and AWS works again.
const A_MINUTE: Duration = Duration::from_secs(60);

type Kinds = Arc<Mutex<BTreeMap<Act, u64>>>;

/// One of the ways in which a call goes wrong. Throttling is rare: each time halves the broker's pace for
/// that account, and at random it would come however slow the broker is.
fn fault(rng: &mut StdRng) -> Act {
    if rng.random_range(0..100) == 0 {
        return Act::Throttle;
    }
    match rng.random_range(0..6) {
        0 => Act::Refuse,
        1 => Act::ResetBefore,
        2 => Act::ResetAfter,
        3 => Act::ErrorBefore,
        4 => Act::ErrorAfter,
        _ => Act::Late(Duration::from_millis(500)),
    }
}

fn injecting(aws: &AwsServer, seed: u64, percent: u32) -> Kinds {
    let kinds = Kinds::default();
    let (counted, rng) = (Arc::clone(&kinds), Mutex::new(generator(seed, 2_000)));
    aws.decide(move |_| {
        let act = {
            let mut rng = rng.lock().unwrap();
            if happens(&mut rng, percent) { fault(&mut rng) } else { Act::Answer }
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

/// What the kills came to.
#[derive(Default)]
struct Killed {
    count: u64,
    /// From the kill to the next process that serves.
    slowest: Duration,
    /// The most memory that one process had, in MiB.
    most_memory: u64,
}

/// Kills the process every so often until the time is over.
fn kill_until(server: &Server, end: Instant, every: Duration) -> Killed {
    let mut killed = Killed::default();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        std::thread::sleep(left.min(every));
        killed.most_memory = killed.most_memory.max(memory(server).1);
        if left <= every {
            return killed;
        }
        let dead = Instant::now();
        server.kill_and_begin();
        killed.slowest = killed.slowest.max(dead.elapsed());
        killed.count += 1;
    }
}

/// How long, how often, and what is broken on purpose.
struct Plan {
    length: Duration,
    kill_every: Duration,
    faults: u32,
    plant: String,
    /// How long AWS may hold a user after everything was revoked and AWS works again.
    patience: Duration,
}

#[test]
#[ignore = "takes as long as it is told to: run scripts/soak"]
fn soak() {
    let broken = run(&Plan {
        length: Duration::from_secs(asked("LEASEHOLD_SOAK_SECONDS", 600)),
        kill_every: Duration::from_secs(asked("LEASEHOLD_SOAK_KILL_EVERY", 30)),
        faults: FAULTS,
        plant: std::env::var("LEASEHOLD_SOAK_PLANT").unwrap_or_default(),
        patience: A_MINUTE,
    });
    assert_eq!(broken, Vec::<String>::new(), "promises were broken");
}

#[test]
fn a_soak_in_which_a_promise_is_broken_fails() {
    let run = |plant: &str| {
        run(&Plan {
            length: Duration::from_secs(1),
            kill_every: Duration::from_secs(60),
            faults: 0,
            plant: plant.to_owned(),
            patience: Duration::from_millis(500),
        })
    };
    let orphaned = run("orphan");
    assert!(orphaned.iter().any(|what| what.contains("planted-orphan")), "{orphaned:?}");
    let lost = run("lost");
    assert!(lost.iter().any(|what| what.contains("is lost")), "{lost:?}");
    let unkept = run("key");
    assert!(unkept.iter().any(|what| what.contains("works no more")), "{unkept:?}");
}

/// Soaks, prints the figures, gives what was broken.
fn run(plan: &Plan) -> Vec<String> {
    let seed = seed();
    let aws = AwsServer::start();
    let server = Arc::new(Server::start(&aws));
    let role = aws.aws.create_role("deploy", 43_200).unwrap();
    let managed = aws.aws.create_managed_policy("extra", NARROW).unwrap();
    let user = json!({ "credential_type": "iam_user", "policy_document": NARROW, "policy_arns": [managed] });
    server.write_role("r", &user);
    let session = json!({ "credential_type": "assumed_role", "role_arns": [role], "policy_document": NARROW });
    server.write_role("s", &session);
    aws.slow(Duration::from_millis(5));
    let kinds = injecting(&aws, seed, plan.faults);
    let mix = Mix { renew: 20, revoke: 35, sessions: 15, most: 60 };
    let storm = Storm::new(&server, &aws, mix);

    let mut killed = Killed::default();
    storm.blow(CALLERS, seed, || {
        killed = kill_until(&server, Instant::now() + plan.length, plan.kill_every);
    });

    aws.heal();
    aws.slow(Duration::ZERO);
    // AWS works again, and everything is looked at.
    plant_trouble(&plan.plant, &aws, &storm);
    storm.check_held();

    let held = storm.tally(|tally| tally.held.len());
    let began = Instant::now();
    storm.revoke_held();
    // Those of callers that were cut off after their lease began: nobody but the server knows them.
    let unheard = aws.users().len();
    server.revoke_all();
    let users_left = aws.empty_within(plan.patience);
    let emptied = began.elapsed();
    storm.measure_containment();
    check_log(&server, &storm);

    let end_memory = memory(&server).0;
    let rows_left = server.rows_left_in_the_end();

    let Plan { length, kill_every, faults, .. } = plan;
    println!(
        "\nsoak of {length:?}, {CALLERS} callers, {faults} % faults, a kill every {kill_every:?}:"
    );
    for (act, count) in kinds.lock().unwrap().iter() {
        figure(&format!("AWS calls: {act:?}"), *count);
    }
    storm.tally(|tally| {
        tally.counts.iter().for_each(|(what, count)| figure(what, *count));
        figure("kills", killed.count);
        figure("slowest kill and start, ms", killed.slowest.as_millis());
        figure("held at the end", held);
        figure("users of callers that were cut off", unheard);
        figure("longest from revoke to containment, ms", tally.longest_containment.as_millis());
        figure("revoking all until AWS was empty, ms", emptied.as_millis());
        figure("users left in AWS", users_left.len());
        figure("rows left open", rows_left.len());
        figure("most memory, MiB", killed.most_memory);
        figure("memory at the end, MiB", end_memory);
        figure("promises broken", tally.broken.len());
        if !tally.counts.contains_key("issued") {
            tally.broken.push("nothing was issued".to_owned());
        }
        tally.broken.extend(users_left.iter().map(|user| format!("orphan in AWS: {user}")));
        tally.broken.extend(rows_left.iter().map(|row| format!("a row that never ends: {row}")));
        std::mem::take(&mut tally.broken)
    })
}

fn figure(what: &str, value: impl std::fmt::Display) {
    println!("  {what:<42} {value:>8}");
}

/// No secret, and nothing that fell over.
fn check_log(server: &Server, storm: &Storm) {
    let log = server.log();
    for unwanted in ["secret-of-the-broker", "SecretAccessKey", "panicked"] {
        if log.contains(unwanted) {
            storm.broken(format!("the log says `{unwanted}`"));
        }
    }
}

/// Breaks a promise on purpose: a soak that cannot fail shows nothing.
fn plant_trouble(what: &str, aws: &AwsServer, storm: &Storm) {
    match what {
        "" => {}
        "orphan" => aws.aws.create_user("planted-orphan", "/", &[]).unwrap(),
        "lost" => storm.tally(|tally| {
            let mut lost = tally.held.first().unwrap().clone();
            "aws/creds/r/plantedplantedplantedpla".clone_into(&mut lost.lease);
            tally.held.push(lost);
        }),
        "key" => {
            let given = storm.tally(|tally| {
                let unsure = tally.unsure.clone();
                let sure = |given: &&Given| given.is_user && !unsure.contains(&given.lease);
                tally.held.iter().find(sure).unwrap().clone()
            });
            let users = aws.aws.users();
            let has_it = |user: &&embedded_aws::UserView| {
                user.keys.iter().any(|key| key.access_key_id == given.access_key)
            };
            let user = &users.iter().find(has_it).unwrap().name;
            let named = [("UserName", user.as_str()), ("AccessKeyId", given.access_key.as_str())];
            aws.aws.call("DeleteAccessKey", &named).unwrap();
        }
        other => panic!("LEASEHOLD_SOAK_PLANT is `{other}`: it knows `orphan`, `lost` and `key`"),
    }
}

//! Many callers at once on one server: they issue, renew and revoke, keep what they were told, and hold the
//! server to it. What they find broken is kept as sentences; the test decides when to look.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::aws_server::AwsServer;
use super::chance::{generator, happens};
use super::client::Reply;
use super::server::Server;

/// What the callers do, in percent; the rest is issuing.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    pub renew: u32,
    pub revoke: u32,
    /// Of a hundred issues, how many ask for temporary credentials of the role `s`.
    pub sessions: u32,
    /// A caller that holds so many issues no more.
    pub most: usize,
}

/// A credential that a caller got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub lease: String,
    pub access_key: String,
    pub is_user: bool,
}

/// What happened, and what must not have.
#[derive(Debug, Default)]
pub struct Tally {
    /// By what it is, e.g. `issued`, `issue refused 400`.
    pub counts: BTreeMap<String, u64>,
    /// Held by callers now.
    pub held: Vec<Given>,
    /// Asked to be revoked, and when.
    pub ending: Vec<(Given, Instant)>,
    /// Leases whose revocation was not answered: they may or may not have begun to end.
    pub unsure: HashSet<String>,
    /// From the request to revoke to the key that works no more.
    pub longest_containment: Duration,
    /// Promises that were not kept.
    pub broken: Vec<String>,
}

/// The callers.
#[derive(Debug, Clone)]
pub struct Storm {
    server: Arc<Server>,
    aws: AwsServer,
    mix: Mix,
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
}

impl Storm {
    pub fn new(server: &Arc<Server>, aws: &AwsServer, mix: Mix) -> Self {
        Self {
            server: Arc::clone(server),
            aws: aws.clone(),
            mix,
            stop: Arc::default(),
            tally: Arc::default(),
        }
    }

    pub fn tally<T>(&self, act: impl FnOnce(&mut Tally) -> T) -> T {
        act(&mut self.tally.lock().unwrap())
    }

    /// Lets `callers` loose while `meanwhile` runs.
    pub fn blow(&self, callers: u64, seed: u64, meanwhile: impl FnOnce()) {
        let threads: Vec<_> = (0..callers)
            .map(|number| {
                let (storm, rng) = (self.clone(), generator(seed, number));
                std::thread::spawn(move || storm.call(rng))
            })
            .collect();
        meanwhile();
        self.stop.store(true, Ordering::SeqCst);
        for thread in threads {
            thread.join().unwrap();
        }
    }

    fn call(&self, mut rng: StdRng) {
        let mut mine = Vec::new();
        while !self.stop.load(Ordering::SeqCst) {
            let choice = rng.random_range(0..100);
            let is_full = mine.len() >= self.mix.most;
            let answered = if choice < self.mix.renew && !mine.is_empty() {
                self.renew(mine.get(rng.random_range(0..mine.len())).unwrap())
            } else if (choice < self.mix.renew + self.mix.revoke || is_full) && !mine.is_empty() {
                let given = mine.swap_remove(rng.random_range(0..mine.len()));
                self.revoke(given)
            } else {
                self.issue(happens(&mut rng, self.mix.sessions), &mut mine)
            };
            if !answered {
                // It was killed: there is nobody to ask for a moment.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn count(&self, what: impl Into<String>) {
        self.tally(|tally| *tally.counts.entry(what.into()).or_default() += 1);
    }

    pub fn broken(&self, what: String) {
        self.tally(|tally| tally.broken.push(what));
    }

    fn issue(&self, session: bool, mine: &mut Vec<Given>) -> bool {
        let path = if session { "aws/sts/s" } else { "aws/creds/r" };
        let Ok(reply) = self.server.ask("GET", path, &Value::Null) else {
            self.count("issue unanswered");
            return false;
        };
        if reply.status != 200 {
            self.refused("issue", &reply);
            return true;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let given = Given {
            lease: text(&reply.json["lease_id"]),
            access_key: text(&reply.data()["access_key"]),
            is_user: !session,
        };
        let whole = [&given.lease, &given.access_key, &text(&reply.data()["secret_key"])];
        if whole.iter().any(|part| part.is_empty()) {
            self.broken(format!("half an answer: {} bytes, status 200", reply.text.len()));
            return true;
        }
        self.count(if session { "issued temporary" } else { "issued" });
        self.tally(|tally| tally.held.push(given.clone()));
        mine.push(given);
        true
    }

    fn renew(&self, given: &Given) -> bool {
        let body = json!({ "lease_id": given.lease, "increment": 3600 });
        match self.server.ask("PUT", "sys/leases/renew", &body) {
            Err(_) => {
                self.count("renew unanswered");
                return false;
            }
            Ok(reply) if reply.status == 200 => {
                self.count("renewed");
                if reply.json["lease_id"] != given.lease.as_str() {
                    self.broken(format!(
                        "renewing {} was answered with {}",
                        given.lease, reply.text
                    ));
                }
            }
            // AWS ends these by itself.
            Ok(reply) if !given.is_user && reply.text.contains("not renewable") => {
                self.count("renew of temporary credentials refused");
            }
            Ok(reply) => {
                if reply.text.contains("not found") {
                    self.broken(format!("the lease {} is lost: {}", given.lease, reply.text));
                }
                self.refused("renew", &reply);
            }
        }
        true
    }

    fn revoke(&self, given: Given) -> bool {
        let asked = Instant::now();
        self.tally(|tally| {
            tally.held.retain(|held| *held != given);
            tally.ending.push((given.clone(), asked));
        });
        let answer =
            self.server.ask("PUT", "sys/leases/revoke", &json!({ "lease_id": given.lease }));
        match answer {
            Err(_) => {
                // Perhaps nobody heard it. The caller that wants it gone asks again.
                self.count("revoke unanswered");
                self.tally(|tally| {
                    tally.ending.retain(|(ending, _)| *ending != given);
                    tally.unsure.insert(given.lease.clone());
                    tally.held.push(given);
                });
                return false;
            }
            Ok(reply) if reply.status == 204 => {
                self.count("revoked");
                if given.is_user && self.aws.contained_at(&given.access_key).is_none() {
                    self.broken(format!("{} was called revoked while its key works", given.lease));
                }
            }
            Ok(reply) => self.refused("revoke", &reply),
        }
        true
    }

    /// A refusal is an answer with a reason, and hands out nothing.
    fn refused(&self, what: &str, reply: &Reply) {
        self.count(format!("{what} refused {}", reply.status));
        if reply.errors().iter().all(String::is_empty) {
            self.broken(format!(
                "{what} failed with {} and no reason: {}",
                reply.status, reply.text
            ));
        }
        if reply.text.contains("secret_key") {
            self.broken(format!("a refused {what} holds a credential"));
        }
    }

    /// Looks whether each credential that a caller holds is a lease, and works.
    pub fn check_held(&self) {
        let held = self.tally(|tally| tally.held.clone());
        let users = self.aws.aws.users();
        let working: HashSet<&str> = users
            .iter()
            .flat_map(|user| &user.keys)
            .filter(|key| key.active)
            .map(|key| key.access_key_id.as_str())
            .collect();
        for given in held {
            let body = json!({ "lease_id": given.lease });
            let seen = self.server.ask("PUT", "sys/leases/lookup", &body).unwrap();
            let may_end = self.tally(|tally| tally.unsure.contains(&given.lease));
            if seen.status != 200 && !may_end {
                self.broken(format!("the lease {} is lost: {}", given.lease, seen.text));
            }
            let works = !given.is_user || working.contains(given.access_key.as_str());
            if seen.status == 200 && !works && !may_end {
                self.broken(format!("the key of {} works no more", given.lease));
            }
            if seen.status != 200 && given.is_user && works {
                self.broken(format!("the key of {} works, and there is no lease", given.lease));
            }
        }
    }

    /// Revokes everything that callers hold, by their leases alone.
    pub fn revoke_held(&self) {
        for given in self.tally(|tally| std::mem::take(&mut tally.held)) {
            self.tally(|tally| tally.ending.push((given.clone(), Instant::now())));
            self.server.revoke(&given.lease);
        }
    }

    /// Once AWS is empty: how long the slowest key took to stop working after it was asked to.
    pub fn measure_containment(&self) {
        let ending = self.tally(|tally| tally.ending.clone());
        for (given, asked) in ending.into_iter().filter(|(given, _)| given.is_user) {
            match self.aws.contained_at(&given.access_key) {
                Some(at) => self.tally(|tally| {
                    let took = at.saturating_duration_since(asked);
                    tally.longest_containment = tally.longest_containment.max(took);
                }),
                None => self.broken(format!("the key of {} was never taken away", given.lease)),
            }
        }
    }
}

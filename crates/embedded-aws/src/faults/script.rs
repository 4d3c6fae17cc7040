//! Which fault meets which call, and the record of all calls. Holds its lock only while it looks;
//! never across an await. The faults are acted out in [`super::wire`].

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Call, Decision, Fault, Hook, Outcome, SeenCall};
use crate::form::Parameters;

/// Which calls of an action a fault meets, counted from when it was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// The nth alone, from 1.
    Nth(usize),
    /// The first so many.
    First(usize),
    /// All of them.
    Every,
}

#[derive(Debug)]
struct Rule {
    action: String,
    times: Times,
    met: usize,
    fault: Fault,
}

/// What one call gets.
#[derive(Debug)]
pub(super) enum Plan {
    Through,
    Fault(Fault),
    /// As if the user had not spread yet.
    NotThereYet,
    /// As if the key had not spread yet.
    KeyNotThereYet,
}

#[derive(Default)]
struct Inner {
    rules: Vec<Rule>,
    hook: Option<std::sync::Arc<Hook>>,
    calls: Vec<SeenCall>,
    hide_reads: usize,
    /// Reads still to hide, by lower-case user name.
    hidden_users: BTreeMap<String, usize>,
    /// Uses still to refuse, by access key id.
    hidden_keys: BTreeMap<String, usize>,
}

/// The shared script.
#[derive(Default)]
pub(super) struct Script(Mutex<Inner>);

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.with(|inner| f.debug_struct("Script").field("rules", &inner.rules).finish())
    }
}

impl Script {
    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn inject(&self, action: &str, times: Times, fault: Fault) {
        let rule = Rule { action: action.to_owned(), times, met: 0, fault };
        self.with(|inner| inner.rules.push(rule));
    }

    pub(super) fn hide_fresh(&self, reads: usize) {
        self.with(|inner| {
            inner.hide_reads = reads;
            if reads == 0 {
                inner.hidden_users.clear();
                inner.hidden_keys.clear();
            }
        });
    }

    pub(super) fn set_hook(&self, hook: Option<Hook>) {
        self.with(|inner| inner.hook = hook.map(std::sync::Arc::new));
    }

    pub(super) fn heal(&self) {
        self.with(|inner| {
            inner.rules.clear();
            inner.hook = None;
        });
        self.hide_fresh(0);
    }

    pub(super) fn calls(&self) -> Vec<SeenCall> {
        self.with(|inner| inner.calls.clone())
    }

    pub(super) fn clear_calls(&self) {
        self.with(|inner| inner.calls.clear());
    }

    /// Puts a call on record, and says what it gets.
    pub(super) fn plan(&self, action: String, parameters: Parameters, key: &str) -> (Call, Plan) {
        let (call, hook) = self.with(|inner| {
            let call = Call { number: inner.calls.len(), action, parameters };
            inner.calls.push(SeenCall { call: call.clone(), outcome: Outcome::Open });
            (call, inner.hook.clone())
        });
        // The hook runs outside the lock: it may take its time, or look at what it likes.
        let decision = hook.map_or(Decision::Pass, |hook| hook(&call));
        let plan = match decision {
            Decision::Fault(fault) => Plan::Fault(fault),
            Decision::Pass => self.with(|inner| inner.scripted(&call, key)),
        };
        (call, plan)
    }

    pub(super) fn ended(&self, call: &Call, outcome: Outcome) {
        self.with(|inner| {
            // Not the same call where the record was cleared meanwhile.
            if let Some(seen) = inner.calls.get_mut(call.number).filter(|seen| seen.call == *call) {
                seen.outcome = outcome;
            }
        });
    }

    /// A user was created: the news has not spread.
    pub(super) fn user_created(&self, name: &str) {
        self.with(|inner| {
            if inner.hide_reads > 0 {
                inner.hidden_users.insert(name.to_ascii_lowercase(), inner.hide_reads);
            }
        });
    }

    /// A key was created: the news has not spread.
    pub(super) fn key_created(&self, access_key_id: &str) {
        self.with(|inner| {
            if inner.hide_reads > 0 {
                inner.hidden_keys.insert(access_key_id.to_owned(), inner.hide_reads);
            }
        });
    }
}

impl Inner {
    fn scripted(&mut self, call: &Call, key: &str) -> Plan {
        let mut chosen = None;
        for rule in &mut self.rules {
            if rule.action == "*" || rule.action == call.action {
                rule.met = rule.met.saturating_add(1);
                if chosen.is_none() && rule.times.meets(rule.met) {
                    chosen = Some(rule.fault.clone());
                }
            }
        }
        if let Some(fault) = chosen {
            return Plan::Fault(fault);
        }
        let user = call.parameters.get("UserName").map(|name| name.to_ascii_lowercase());
        if is_read(&call.action)
            && user.is_some_and(|user| counts_down(&mut self.hidden_users, &user))
        {
            return Plan::NotThereYet;
        }
        if call.action == "GetCallerIdentity" && counts_down(&mut self.hidden_keys, key) {
            return Plan::KeyNotThereYet;
        }
        Plan::Through
    }
}

impl Times {
    fn meets(self, met: usize) -> bool {
        match self {
            Self::Nth(nth) => met == nth,
            Self::First(count) => met <= count,
            Self::Every => true,
        }
    }
}

fn is_read(action: &str) -> bool {
    action.starts_with("Get") || action.starts_with("List")
}

fn counts_down(left: &mut BTreeMap<String, usize>, name: &str) -> bool {
    let Some(count) = left.get_mut(name) else {
        return false;
    };
    *count = count.saturating_sub(1);
    if *count == 0 {
        left.remove(name);
    }
    true
}

//! The gate as its users see it. Here is what the tests share: guardrails that say what they are told, and grants.
//! `answers` has what an answer comes to, `configured` what a configuration says, `decisions` what a decision depends on,
//! `hostile` what a bad guest costs, `shipped` what people read, `corpus` the real and the broken documents of the world.

mod answers;
mod bindings;
mod configured;
mod corpus;
mod decisions;
mod hostile;
mod shipped;

use std::sync::{LazyLock, Mutex};

use async_trait::async_trait;
use guardrail_host::CodeCache;

use super::guardrail::{Bound, Guardrail, Trouble, role_finding};
use super::*;
use crate::model::{CredentialType, PolicyArn, Severity};

const SCOPED: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
const S3_STAR: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:*",
      "Resource": "*"
    }
  ]
}"#;
const ADMIN_ARN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const ADMIN: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// One engine for all tests: the bad calls and the good ones share it, as they do in a server. Its net of time is as
/// wide as any host's may be: on a busy machine the usual one stops a guest before its fuel does.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let GateConfig { cache_dir, cache_key, .. } = GateConfig::for_tests(Mode::Enforce);
    let code_cache = cache_dir.map(|directory| CodeCache { directory, mac_key: cache_key });
    let limits = Limits { wall_time: Limits::tops().wall_time, ..Limits::default() };
    Host::new(HostConfig { limits, code_cache, ..HostConfig::default() }).unwrap()
});

/// Says what it was told to, one answer after the other; the last one for ever.
#[derive(Debug)]
struct Scripted {
    name: String,
    answers: Mutex<Vec<Result<Vec<Finding>, Trouble>>>,
}

impl Scripted {
    fn new(name: &str, answers: Vec<Result<Vec<Finding>, Trouble>>) -> Self {
        Self { name: name.to_owned(), answers: Mutex::new(answers) }
    }
}

#[async_trait]
impl Guardrail for Scripted {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> String {
        "scripted".to_owned()
    }

    async fn judge(&self, _: &Subject) -> Result<Vec<Finding>, Trouble> {
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() }
    }
}

fn refusal() -> Finding {
    role_finding("scripted/no".to_owned(), Severity::High, "no".to_owned())
}

fn trouble() -> Trouble {
    Trouble { code: "limit/fuel".to_owned(), detail: "it used all its fuel".to_owned() }
}

fn scripted(mode: Mode, answers: Vec<Result<Vec<Finding>, Trouble>>) -> Gate {
    let guardrail = Box::new(Scripted::new("scripted", answers));
    judging(vec![Bound::everywhere(guardrail, mode)])
}

fn judging(bound: Vec<Bound>) -> Gate {
    let host = HOST.clone();
    Gate::judging_by(Set::of(bound, Mode::Off, ""), Plugins::new(host), Mode::Off).unwrap()
}

fn grant(gate: &Gate, document: Option<&str>) -> Grant {
    Grant {
        trigger: Trigger::Create,
        inline: document.map(|text| gate.read(text).unwrap()),
        policy_arns: Vec::new(),
        groups: Vec::new(),
        boundary: None,
        fetched: Vec::new(),
        boundary_text: None,
        previous: Vec::new(),
        role: RoleContext {
            name: "my-role".parse().unwrap(),
            mount: "aws/".parse().unwrap(),
            path: String::new(),
            credential_type: CredentialType::IamUser,
            tags: BTreeMap::new(),
            groups: Vec::new(),
            max_ttl_seconds: 0,
            assumes: Vec::new(),
        },
        actor: None,
        now: Timestamp::from_millis(1),
    }
}

fn with_managed(mut grant: Grant, arn: &str, text: Result<&str, &str>) -> Grant {
    let arn: PolicyArn = arn.parse().unwrap();
    let text = text.map(str::to_owned).map_err(str::to_owned);
    grant.policy_arns.push(arn.clone());
    grant.fetched.push((DocumentSource::Managed(arn), text));
    grant
}

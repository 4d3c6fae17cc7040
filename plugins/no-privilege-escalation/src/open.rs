//! The ways of the list that a grant opens. Ways of one family that the same entries make are one finding: it names the
//! first, its property `ways` names all.

use escalation_ways::reach::{Kind, kind};
use escalation_ways::{WAYS, Way};
use leasehold_guardrail_sdk::words::{listed, verb};
use leasehold_guardrail_sdk::{Finding, KnownRule, Location};

use crate::reached::{Place, Reached};
use crate::rules;

const PASS_ROLE: &str = "iam:PassRole";
/// Places of one finding; more say nothing new.
const MAX_PLACES: usize = 16;

/// A way that is open.
pub(crate) struct Open<'a> {
    pub(crate) id: &'a str,
    pub(crate) actions: Vec<&'a str>,
    /// The end of the sentence "lets the holder …".
    pub(crate) effect: &'a str,
    pub(crate) rule: KnownRule,
    pub(crate) place: Place,
}

/// Every open way of the list.
pub(crate) fn findings(reached: &Reached<'_>) -> Vec<Finding> {
    let open = WAYS.iter().filter(|way| !reached.settings.allows_way(way.id)).filter_map(|way| {
        let place = place(way, reached)?;
        let actions = way.names().collect();
        Some(Open { id: way.id, actions, effect: way.effect, rule: family(way), place })
    });
    together(open)
}

/// One finding for the ways of one family that the same entries make.
pub(crate) fn together<'a>(open: impl Iterator<Item = Open<'a>>) -> Vec<Finding> {
    let mut groups: Vec<Vec<Open<'a>>> = Vec::new();
    for way in open {
        let same = |group: &&mut Vec<Open<'a>>| {
            group
                .first()
                .is_some_and(|first| first.rule.id == way.rule.id && first.place == way.place)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(way),
            None => groups.push(vec![way]),
        }
    }
    groups.iter().filter_map(|group| finding(group)).collect()
}

/// Where all of a way's actions are allowed.
fn place(way: &Way, reached: &Reached<'_>) -> Option<Place> {
    let mut whole = Place { at: Vec::new(), under_conditions: false };
    for action in way.names() {
        let services =
            if action == PASS_ROLE { services(way, reached.probe.partition()) } else { Vec::new() };
        let place = reached.upward(action, &services)?;
        whole.under_conditions |= place.under_conditions;
        whole.at.extend(place.at);
    }
    whole
        .at
        .sort_by(|one, other| (one.document, &one.pointer).cmp(&(other.document, &other.pointer)));
    whole.at.dedup();
    Some(whole)
}

fn family(way: &Way) -> KnownRule {
    if way.needs(PASS_ROLE) {
        return rules::PASSES_A_ROLE;
    }
    let Some(name) = way.names().find_map(|action| action.strip_prefix("iam:")) else {
        return rules::RUNS_CODE_UNDER_A_ROLE;
    };
    let of_others = matches!(name, "CreateAccessKey" | "CreateLoginProfile" | "UpdateLoginProfile");
    if of_others || kind(name) == Kind::Role {
        rules::TAKES_ANOTHER_IDENTITY
    } else {
        rules::REWRITES_OWN_PERMISSIONS
    }
}

/// Whom the role of a way is passed to, as `iam:PassedToService` has it.
fn services(way: &Way, partition: &str) -> Vec<String> {
    let prefix = way
        .names()
        .filter_map(|action| action.split_once(':'))
        .map(|(service, _)| service)
        .find(|service| *service != "iam");
    let names: &[&str] = match prefix {
        Some("apprunner") => &["tasks.apprunner", "build.apprunner"],
        Some("autoscaling") => &["ec2", "autoscaling"],
        Some("batch") => &["ecs-tasks", "batch"],
        Some("datapipeline") => &["datapipeline", "ec2"],
        Some("ecs") => &["ecs-tasks", "ecs"],
        Some("elasticmapreduce") => &["elasticmapreduce", "ec2"],
        Some(service) => &[service],
        None => &[],
    };
    let end = if partition == "aws-cn" { ".amazonaws.com.cn" } else { ".amazonaws.com" };
    let mut services: Vec<String> =
        names.iter().map(|name| format!("{name}.amazonaws.com")).collect();
    if end != ".amazonaws.com" {
        services.extend(names.iter().map(|name| format!("{name}{end}")));
    }
    services
}

fn finding(ways: &[Open<'_>]) -> Option<Finding> {
    let (first, more) = ways.split_first()?;
    let others = match more.len() {
        0 => String::new(),
        1 => ", and 1 other".to_owned(),
        count => format!(", and {count} others"),
    };
    let conditions = if first.place.under_conditions { " where their conditions hold" } else { "" };
    let message = format!(
        "{} {} the holder {}{conditions} (way `{}`{others})",
        listed(&first.actions),
        verb(&first.actions, "lets", "together let"),
        first.effect,
        first.id
    );
    let ids: Vec<&str> = ways.iter().map(|way| way.id).collect();
    let mut finding = first.rule.finding(message).extra("ways", ids.join(" ")).remediation(
        "remove one of the actions, deny it, or name resources that lead no further than the task",
    );
    finding.at = first.place.at.iter().take(MAX_PLACES).cloned().collect::<Vec<Location>>();
    Some(finding)
}

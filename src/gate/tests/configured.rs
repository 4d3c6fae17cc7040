//! What a configuration binds and bounds: settings of guardrails that ship, and limits of all of them.

use super::*;
use crate::model::PluginRef;

const ESCALATES: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:PutUserPolicy","Resource":"*"}}"#;

fn deny_list(settings: &str) -> GateConfig {
    let mut config = GateConfig::for_tests(Mode::Off);
    config.modes.insert("deny-list".to_owned(), Mode::Enforce);
    config.settings.insert("deny-list".to_owned(), settings.to_owned());
    config
}

#[tokio::test]
async fn a_shipped_guardrail_judges_by_the_settings_of_the_configuration() {
    let settings = r#"{"denied_actions":["iam:Put*"]}"#;
    let gate = Gate::new(deny_list(settings)).unwrap();
    let judged = gate.judge(grant(&gate, Some(ESCALATES))).await;
    assert_eq!(judged.verdict.decision, Decision::Deny);
    assert!(judged.errors()[0].starts_with("deny-list/denied-action"), "{:?}", judged.errors());
    let bound = gate.configured();
    let own = bound.iter().find(|member| member.name.as_str() == "deny-list").unwrap();
    assert_eq!(own.binding.settings, settings);
    assert_eq!(own.binding.plugin, PluginRef::Shipped("deny-list".to_owned()));
}

#[test]
fn settings_that_a_guardrail_does_not_take_stop_the_start_and_are_named() {
    let refused = Gate::new(deny_list(r#"{"denied_actions":[5]}"#)).unwrap_err().to_string();
    let told = "the guardrail `deny-list` of the configuration cannot be used: failure/settings: `/denied_actions/0`";
    assert!(refused.starts_with(told), "{refused}");
}

#[tokio::test]
async fn limits_of_the_configuration_hold_for_every_guardrail_and_are_part_of_the_digest() {
    let with = |limits: Limits| {
        let bounds = Bounds { limits, ..Bounds::default() };
        Gate::new(GateConfig { bounds, ..GateConfig::for_tests(Mode::Warn) }).unwrap()
    };
    let (plain, short) =
        (with(Limits::default()), with(Limits { findings: 1, ..Limits::default() }));
    let wide = S3_STAR.replace(r#""s3:*""#, r#"["s3:*", "ec2:*", "sqs:*", "sns:*"]"#);
    let verdict = async |gate: &Gate| gate.judge(grant(gate, Some(&wide))).await.verdict;
    let (all, cut) = (verdict(&plain).await, verdict(&short).await);
    assert!(all.findings.len() > 1, "{all:?}");
    let rules: Vec<&str> = cut.findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert!(rules.len() == 2 && rules.contains(&"least-privilege/output-cut"), "{rules:?}");
    assert_ne!(all.digest, cut.digest);
    assert!(short.engine().ends_with(", limits findings 1"), "{}", short.engine());
    assert!(!plain.engine().contains("limits"));
    let above = Limits { fuel: u64::MAX, ..Limits::default() };
    let bounds = Bounds { limits: above, ..Bounds::default() };
    let refused = Gate::new(GateConfig { bounds, ..GateConfig::for_tests(Mode::Warn) });
    assert!(refused.unwrap_err().to_string().contains("`fuel`"));
}

#[test]
fn all_guardrails_of_a_request_have_the_time_of_the_configuration_together() {
    let bounds =
        Bounds { total_time: std::time::Duration::from_millis(1_500), ..Bounds::default() };
    let set = Set::new(Vec::new(), Mode::Off, &bounds, |digest| Err(digest.to_string()));
    assert_eq!(set.total_time(), bounds.total_time);
}

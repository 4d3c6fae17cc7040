//! What claims let in and what they do not, with tokens as GitHub Actions, GitLab and Kubernetes make them.

use super::*;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_780_000_000_000);
const SECONDS: i64 = 1_780_000_000;

/// Of a workflow run (GitHub's documentation, "`OpenID` Connect reference").
fn github() -> Value {
    json!({
        "jti": "example-id",
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "https://leasehold.example.com",
        "sub": "repo:octo-org/octo-repo:environment:prod",
        "ref": "refs/heads/main",
        "sha": "example-sha",
        "repository": "octo-org/octo-repo",
        "repository_id": "74",
        "repository_owner": "octo-org",
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "environment": "prod",
        "actor": "octocat",
        "workflow": "example-workflow",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        "event_name": "push",
        "ref_type": "branch",
        "runner_environment": "github-hosted",
        "run_id": "12345",
        "iat": SECONDS - 10,
        "nbf": SECONDS - 610,
        "exp": SECONDS + 290,
    })
}

/// Of a job with `id_tokens` (GitLab's documentation, "`OpenID` Connect (OIDC) authentication using ID tokens").
fn gitlab() -> Value {
    json!({
        "iss": "https://gitlab.example.com",
        "aud": "https://leasehold.example.com",
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
        "namespace_id": "72",
        "namespace_path": "my-group",
        "project_id": "20",
        "project_path": "my-group/my-project",
        "user_id": "1",
        "user_login": "sample-user",
        "user_identities": [{ "provider": "github", "extern_uid": "2435223452345" }],
        "groups_direct": ["mygroup/mysubgroup", "myothergroup"],
        "pipeline_source": "push",
        "ref": "feature-branch-1",
        "ref_type": "branch",
        "ref_protected": "true",
        "environment_protected": "false",
        "iat": SECONDS - 5,
        "nbf": SECONDS - 10,
        "exp": SECONDS + 3595,
    })
}

/// Of a pod with a projected token (Kubernetes' documentation, "Managing Service Accounts").
fn kubernetes() -> Value {
    json!({
        "aud": ["https://kubernetes.default.svc.cluster.local", "leasehold"],
        "exp": SECONDS + 3600,
        "iat": SECONDS,
        "iss": "https://kubernetes.default.svc.cluster.local",
        "kubernetes.io": {
            "namespace": "my-namespace",
            "node": { "name": "my-node", "uid": "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" },
            "pod": { "name": "my-pod", "uid": "5e0bd49b-f040-43b0-99b7-22765a53f7f3" },
            "serviceaccount": { "name": "my-sa", "uid": "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" },
        },
        "nbf": SECONDS,
        "sub": "system:serviceaccount:my-namespace:my-sa",
    })
}

fn role(bound: Value) -> JwtRole {
    let Value::Object(bound_claims) = bound else { panic!("no object") };
    JwtRole {
        name: "deploy".to_owned(),
        bound_audiences: vec!["https://leasehold.example.com".to_owned()],
        bound_claims,
        user_claim: "sub".to_owned(),
        ..JwtRole::default()
    }
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims.as_object_mut().unwrap().insert(name.to_owned(), value);
    claims
}

fn without(mut claims: Value, names: &[&str]) -> Value {
    for name in names {
        claims.as_object_mut().unwrap().remove(*name);
    }
    claims
}

fn told(role: &JwtRole, claims: &Value) -> String {
    judge(role, None, claims, NOW).unwrap_err().to_string()
}

#[test]
fn a_workflow_of_github_is_let_in_by_its_repository_and_branch() {
    let role = JwtRole {
        bound_claims_type: ClaimsType::Glob,
        claim_mappings: BTreeMap::from([
            ("repository".to_owned(), "repo".to_owned()),
            ("run_id".to_owned(), "run".to_owned()),
            ("no_such".to_owned(), "nothing".to_owned()),
        ]),
        ..role(json!({ "repository": "octo-org/*", "ref": ["refs/heads/main", "refs/tags/v*"] }))
    };
    let issuer = Some("https://token.actions.githubusercontent.com");
    let who = judge(&role, issuer, &github(), NOW).unwrap();
    assert_eq!(who.alias, "repo:octo-org/octo-repo:environment:prod");
    let meta = [("repo", "octo-org/octo-repo"), ("role", "deploy"), ("run", "12345")];
    assert!(who.meta.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(meta));
    assert!(judge(&role, issuer, &with(github(), "ref", json!("refs/tags/v1")), NOW).is_ok());
    let fork = with(github(), "repository", json!("octo-orgs/octo-repo"));
    let differs = "claim \"repository\" does not match any associated bound claim values";
    assert_eq!(told(&role, &fork), format!("error validating claims: {differs}"));
    let branch = with(github(), "ref", json!("refs/heads/x"));
    assert!(told(&role, &branch).contains("claim \"ref\" does not match"));
    let silent = without(github(), &["ref"]);
    assert_eq!(told(&role, &silent), "error validating claims: claim \"ref\" is missing");
}

#[test]
fn a_job_of_gitlab_is_let_in_and_says_its_groups() {
    let role = JwtRole {
        user_claim: "user_login".to_owned(),
        groups_claim: "groups_direct".to_owned(),
        claim_mappings: BTreeMap::from([(
            "/user_identities/0/extern_uid".to_owned(),
            "uid".to_owned(),
        )]),
        ..role(json!({ "project_id": "20", "ref_protected": "true" }))
    };
    let who = judge(&role, Some("https://gitlab.example.com"), &gitlab(), NOW).unwrap();
    assert_eq!(who.groups, ["mygroup/mysubgroup", "myothergroup"]);
    assert_eq!(who.meta.get("uid").map(String::as_str), Some("2435223452345"));
    let open = with(gitlab(), "ref_protected", json!("false"));
    assert!(told(&role, &open).contains("\"ref_protected\" does not match"));
    let truly = with(gitlab(), "ref_protected", json!(true));
    assert!(told(&role, &truly).contains("\"ref_protected\" does not match"), "no text is true");
}

#[test]
fn a_pod_is_let_in_by_claims_below_others() {
    let role = JwtRole {
        bound_audiences: vec!["leasehold".to_owned()],
        user_claim: "/kubernetes.io/serviceaccount/uid".to_owned(),
        user_claim_json_pointer: true,
        ..role(json!({ "/kubernetes.io/namespace": "my-namespace" }))
    };
    let who = judge(&role, None, &kubernetes(), NOW).unwrap();
    assert_eq!(who.alias, "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798");
    let other = JwtRole {
        bound_claims: json!({ "/kubernetes.io/pod/name": "x" }).as_object().cloned().unwrap(),
        ..role.clone()
    };
    assert!(told(&other, &kubernetes()).contains("\"/kubernetes.io/pod/name\" does not match"));
    let nowhere = JwtRole { user_claim: "/kubernetes.io/nobody".to_owned(), ..role.clone() };
    assert_eq!(told(&nowhere, &kubernetes()), "claim \"/kubernetes.io/nobody\" not found in token");
    let object = JwtRole { user_claim: "/kubernetes.io/pod".to_owned(), ..role };
    let no_text = "claim \"/kubernetes.io/pod\" could not be converted to string";
    assert_eq!(told(&object, &kubernetes()), no_text);
}

#[test]
fn another_issuer_subject_or_audience_is_refused() {
    let open = role(json!({}));
    let refused = |role: &JwtRole, issuer, claims: &Value| {
        judge(role, issuer, claims, NOW).unwrap_err().to_string()
    };
    let issuer = Some("https://evil.example.com");
    assert_eq!(
        refused(&open, issuer, &github()),
        "error validating token: invalid issuer (iss) claim"
    );
    let nameless = without(github(), &["iss"]);
    assert!(refused(&open, issuer, &nameless).contains("invalid issuer (iss) claim"));
    let subject = JwtRole { bound_subject: "repo:octo-org/other:*".to_owned(), ..open.clone() };
    assert!(refused(&subject, None, &github()).contains("invalid subject (sub) claim"));
    for aud in [json!("x"), json!(["x", "y"]), json!([]), json!(7), json!({}), json!(null)] {
        let claims = with(github(), "aud", aud);
        assert!(refused(&open, None, &claims).contains("audience claim does not match"));
    }
    let several = with(github(), "aud", json!(["x", "https://leasehold.example.com"]));
    assert!(judge(&open, None, &several, NOW).is_ok());
    let unbound = JwtRole {
        bound_audiences: Vec::new(),
        ..role(json!({ "repository": "octo-org/octo-repo" }))
    };
    let found = "audience claim found in JWT but no audiences bound to the role";
    assert_eq!(refused(&unbound, None, &github()), found);
    assert!(judge(&unbound, None, &without(github(), &["aud"]), NOW).is_ok());
}

#[test]
fn a_token_counts_from_its_first_to_its_last_second_and_the_skew_around_them() {
    let open = role(json!({}));
    let at = |seconds: i64| Timestamp::from_millis((SECONDS + seconds) * 1000);
    let judged = |role: &JwtRole, seconds: i64| {
        judge(role, None, &github(), at(seconds)).map(|_who| ()).map_err(|error| error.to_string())
    };
    // Issued at -10, not before -610, expires at 290.
    assert_eq!(judged(&open, 350), Ok(()));
    assert!(judged(&open, 351).unwrap_err().ends_with("token is expired"));
    assert_eq!(judged(&open, -70), Ok(()));
    assert!(judged(&open, -71).unwrap_err().ends_with("token issued in the future"));
    assert!(judged(&open, -671).unwrap_err().ends_with("token not yet valid"));
    let strict = JwtRole { clock_skew_leeway: -1, ..open.clone() };
    assert_eq!(judged(&strict, 290), Ok(()));
    assert!(judged(&strict, 291).is_err());
    let wide = JwtRole { clock_skew_leeway: 300, ..open };
    assert_eq!(judged(&wide, 590), Ok(()));
    assert!(judged(&wide, 591).is_err());
}

#[test]
fn what_is_missing_of_the_times_follows_from_the_others() {
    let open = role(json!({}));
    let timeless = without(github(), &["iat", "nbf", "exp"]);
    assert!(told(&open, &timeless).contains("no issued at (iat), not before (nbf), or exp"));
    let endless = without(github(), &["exp"]);
    // Ends 150 seconds after it was issued, and 60 more.
    let at = |seconds: i64| Timestamp::from_millis((SECONDS + seconds) * 1000);
    assert!(judge(&open, None, &endless, at(200)).is_ok());
    assert!(judge(&open, None, &endless, at(201)).is_err());
    let short = JwtRole { expiration_leeway: -1, ..open.clone() };
    assert!(judge(&short, None, &endless, at(50)).is_ok());
    assert!(judge(&short, None, &endless, at(51)).is_err());
    let ending = without(github(), &["iat", "nbf"]);
    // Begins 150 seconds before its end, and 60 before that.
    assert!(judge(&open, None, &ending, at(290 - 210)).is_ok());
    assert!(judge(&open, None, &ending, at(290 - 211)).is_err());
}

#[test]
fn a_time_that_is_no_number_is_refused_and_not_passed_over() {
    let open = role(json!({}));
    for name in ["exp", "nbf", "iat"] {
        for value in [json!("1"), json!(null), json!([]), json!({}), json!(true), json!(1e300)] {
            let claims = with(github(), name, value);
            let no_time = format!("error validating token: the `{name}` claim is not a number");
            assert_eq!(told(&open, &claims), no_time);
        }
    }
    let fraction = with(github(), "exp", json!(1_780_000_290.75));
    assert!(judge(&open, None, &fraction, NOW).is_ok());
    assert!(told(&open, &with(github(), "exp", json!(0))).ends_with("token is expired"));
    assert!(told(&open, &with(github(), "exp", json!(i64::MIN))).ends_with("token is expired"));
    assert!(judge(&open, None, &with(github(), "exp", json!(i64::MAX)), NOW).is_ok());
}

#[test]
fn a_role_can_ask_for_a_login_that_is_young() {
    let young = JwtRole { max_age: 100, clock_skew_leeway: -1, ..role(json!({})) };
    let at = |seconds: i64| Timestamp::from_millis((SECONDS + seconds) * 1000);
    assert!(judge(&young, None, &github(), at(90)).is_ok());
    let too_old = judge(&young, None, &github(), at(91)).unwrap_err().to_string();
    assert!(too_old.ends_with("older than the role's `max_age`"), "{too_old}");
    let before = with(github(), "auth_time", json!(SECONDS - 101));
    assert!(judge(&young, None, &before, NOW).is_err(), "since it logged in, not since the token");
    let ageless = without(github(), &["iat"]);
    assert!(told(&young, &ageless).contains("which the role's `max_age` needs"));
}

#[test]
fn somebody_has_to_be_somebody() {
    for (claims, text) in [
        (without(github(), &["sub"]), "claim \"sub\" not found in token"),
        (with(github(), "sub", json!("")), "claim \"sub\" not found in token"),
        (with(github(), "sub", json!(null)), "claim \"sub\" not found in token"),
        (with(github(), "sub", json!(7)), "claim \"sub\" could not be converted to string"),
    ] {
        assert_eq!(told(&role(json!({})), &claims), text);
    }
}

#[test]
fn groups_and_metadata_that_are_no_texts_are_refused() {
    let grouped = JwtRole { groups_claim: "groups_direct".to_owned(), ..role(json!({})) };
    let missing = "failed to fetch groups: \"groups_direct\" claim not found in token";
    assert_eq!(told(&grouped, &without(gitlab(), &["groups_direct"])), missing);
    let several = with(gitlab(), "groups_direct", json!(["a", 1]));
    assert!(told(&grouped, &several).contains("could not be parsed as string"));
    let number = with(gitlab(), "groups_direct", json!(1));
    assert!(told(&grouped, &number).contains("could not be converted to string list"));
    let one = with(gitlab(), "groups_direct", json!("a"));
    assert_eq!(judge(&grouped, None, &one, NOW).unwrap().groups, ["a"]);
    let mapped = JwtRole {
        claim_mappings: BTreeMap::from([("user_identities".to_owned(), "who".to_owned())]),
        ..role(json!({}))
    };
    let no_text = "error converting claim 'user_identities' to string";
    assert_eq!(told(&mapped, &gitlab()), no_text);
}

#[test]
fn a_glob_is_for_texts_and_a_string_is_no_glob() {
    let literal = role(json!({ "repository": "octo-org/*" }));
    assert!(told(&literal, &github()).contains("does not match"));
    let glob = JwtRole { bound_claims_type: ClaimsType::Glob, ..role(json!({ "number": "*" })) };
    assert!(told(&glob, &with(github(), "number", json!(7))).contains("does not match"));
    let object = with(github(), "number", json!({ "a": 1 }));
    assert!(told(&glob, &object).contains("is not a string, bool, int or list"));
    let listed = role(json!({ "number": [7, true] }));
    for (held, fits) in
        [(json!(7.0), true), (json!(true), true), (json!(["x", 7]), true), (json!("7"), false)]
    {
        let claims = with(github(), "number", held);
        assert_eq!(judge(&listed, None, &claims, NOW).is_ok(), fits, "{claims}");
    }
}

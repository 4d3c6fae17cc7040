//! STS: who am I, and temporary credentials, fresh each time. Never longer, wider or for others than AWS
//! would. Which temporary credentials are good is decided in [`crate::caller`].

mod trust;

use iam_policy::quota::Target;

use crate::caller::Caller;
use crate::error::AwsError;
use crate::iam::{BASE64, keys::fresh_id, moment, random_text};
use crate::service::{Api, Request};
use crate::state::{Belonging, Identity, Role, Session, Tag};
use crate::xml::{Answer, Xml};
use crate::{authorize, documents, validate};

/// Carries out the action that the request names.
pub(crate) fn dispatch(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    match request.action {
        "GetCallerIdentity" => caller_identity(request),
        "AssumeRole" => assume_role(request),
        "GetFederationToken" => federation_token(request),
        "GetSessionToken" => session_token(request),
        other => Err(AwsError::invalid_action(other, Api::Sts.version())),
    }
}

fn caller_identity(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let user_id = match request.caller {
        Caller::Session(Session { identity: Identity::Role { role_id, session, .. }, .. }) => {
            format!("{role_id}:{session}")
        }
        Caller::Session(Session { identity: Identity::Federated { name, .. }, .. }) => {
            format!("{}:{name}", request.account)
        }
        caller @ (Caller::Admin { .. } | Caller::User { .. } | Caller::Session(_)) => {
            let user = caller.user_name().and_then(|name| request.state.user(name));
            // The user that a session was made for is deleted.
            user.map(|user| user.id.clone()).ok_or_else(AwsError::invalid_client_token)?
        }
    };
    let mut xml = Xml::new();
    xml.text("Arn", authorize::arn(request.caller, request.state, request.account))
        .text("UserId", user_id)
        .text("Account", request.account);
    Ok(Some(xml))
}

fn assume_role(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let arn = request.form.required("RoleArn")?;
    validate::length(arn, "RoleArn", 20, 2_048)?;
    if !arn.starts_with("arn:") {
        return Err(AwsError::validation(format!("{arn} is invalid")));
    }
    let session = session_name(request, "RoleSessionName", 64)?.to_owned();
    let seconds = validate::number(request.form, "DurationSeconds", 900, 43_200)?;
    let policies = session_policies(request)?;
    let tags = validate::tags(request.form)?;
    let role = trusting_role(request, arn, "sts:AssumeRole")?;
    if !tags.is_empty() {
        // STS API, AssumeRole: who passes tags must be let in for that too.
        trusting_role(request, arn, "sts:TagSession")?;
    }
    let seconds = seconds.unwrap_or(3_600);
    if seconds > role.max_session_seconds {
        return Err(AwsError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    // STS API, AssumeRole: role chaining limits the session to one hour.
    if seconds > 3_600 && matches!(request.caller, Caller::Session(_)) {
        return Err(AwsError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining",
        ));
    }
    let mut xml = Xml::new();
    xml.tag("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", format!("{}:{session}", role.id)).text(
            "Arn",
            format!("arn:aws:sts::{}:assumed-role/{}/{session}", request.account, role.name),
        );
    });
    packed_size(&mut xml, &policies);
    let identity = Identity::Role { name: role.name, role_id: role.id, session };
    credentials(request, &mut xml, identity, Issue { policies, tags, seconds });
    Ok(Some(xml))
}

fn federation_token(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = session_name(request, "Name", 32)?.to_owned();
    let seconds = validate::number(request.form, "DurationSeconds", 900, 129_600)?;
    let policies = session_policies(request)?;
    let by = long_term_user(request)?;
    let mut xml = Xml::new();
    xml.tag("FederatedUser", |xml| {
        xml.text("FederatedUserId", format!("{}:{name}", request.account))
            .text("Arn", format!("arn:aws:sts::{}:federated-user/{name}", request.account));
    });
    packed_size(&mut xml, &policies);
    let identity = Identity::Federated { name, by };
    // STS API, GetFederationToken: twelve hours by default.
    let issue = Issue { policies, tags: Vec::new(), seconds: seconds.unwrap_or(43_200) };
    credentials(request, &mut xml, identity, issue);
    Ok(Some(xml))
}

fn session_token(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let seconds = validate::number(request.form, "DurationSeconds", 900, 129_600)?;
    let name = long_term_user(request)?;
    second_factor(request, &name)?;
    let mut xml = Xml::new();
    // STS API, GetSessionToken: twelve hours by default.
    let seconds = seconds.unwrap_or(43_200);
    let issue = Issue { policies: Vec::new(), tags: Vec::new(), seconds };
    credentials(request, &mut xml, Identity::User { name }, issue);
    Ok(Some(xml))
}

/// What goes into temporary credentials beside who they are.
struct Issue {
    policies: Vec<String>,
    tags: Vec<Tag>,
    seconds: u32,
}

/// Makes the keys, keeps them, and writes them.
fn credentials(request: &mut Request<'_>, xml: &mut Xml, identity: Identity, issue: Issue) {
    let session = Session {
        access_key_id: fresh_id("ASIA", request.state, request.rng),
        secret: random_text(40, BASE64, request.rng),
        token: random_text(356, BASE64, request.rng),
        expires: request.now.saturating_add(i64::from(issue.seconds)),
        identity,
        policies: issue.policies,
        issued: request.now,
        tags: issue.tags,
    };
    xml.tag("Credentials", |xml| {
        xml.text("AccessKeyId", &session.access_key_id)
            .text("SecretAccessKey", &session.secret)
            .text("SessionToken", &session.token)
            .text("Expiration", moment(session.expires));
    });
    request.state.add_session(session, request.now);
}

/// The role that the ARN names, if it exists and lets the caller do this. AWS tells no difference.
fn trusting_role(request: &Request<'_>, arn: &str, action: &str) -> Result<Role, AwsError> {
    let refused = || {
        let who = authorize::arn(request.caller, request.state, request.account);
        AwsError::access_denied(format!(
            "User: {who} is not authorized to perform: {action} on resource: {arn}"
        ))
    };
    let role = request.state.roles().values().find(|role| role.arn(request.account) == arn);
    let role = role.ok_or_else(refused)?;
    if trust::allows(request, role, action, authorize::outcome(request, action, arn)) {
        return Ok(role.clone());
    }
    Err(refused())
}

/// The user behind long-term keys: federation and session tokens cannot be had with temporary ones.
fn long_term_user(request: &Request<'_>) -> Result<String, AwsError> {
    match request.caller {
        Caller::Admin { .. } => Ok(crate::ADMIN_USER.to_owned()),
        Caller::User { name } => Ok(name.clone()),
        Caller::Session(_) => Err(AwsError::access_denied(format!(
            "Cannot call {} with session credentials",
            request.action
        ))),
    }
}

/// A code is believed where the user has the device that it is said to come from.
fn second_factor(request: &Request<'_>, name: &str) -> Result<(), AwsError> {
    let (serial, code) = (request.form.get("SerialNumber"), request.form.get("TokenCode"));
    let (Some(serial), Some(code)) = (serial, code) else {
        return match serial.or(code) {
            None => Ok(()),
            Some(_) => Err(AwsError::validation("Both SerialNumber and TokenCode are required.")),
        };
    };
    // STS API: a code is six digits.
    if code.len() != 6 || !code.chars().all(|c| c.is_ascii_digit()) {
        let rule = "Member must satisfy regular expression pattern: [\\d]*";
        return Err(validate::constraint(code, "TokenCode", rule));
    }
    let devices = request.state.user(name).and_then(|u| u.belongings.get(&Belonging::MfaDevice));
    if devices.is_some_and(|devices| devices.contains_key(serial)) {
        return Ok(());
    }
    Err(AwsError::access_denied(
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
         serial number is valid and associated with this user.",
    ))
}

/// STS API: from 2 characters of `[\w+=,.@-]`.
fn session_name<'a>(
    request: &Request<'a>,
    parameter: &str,
    longest: usize,
) -> Result<&'a str, AwsError> {
    let name = request.form.required(parameter)?;
    validate::length(name, parameter, 2, longest)?;
    if name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) {
        return Ok(name);
    }
    let rule = "Member must satisfy regular expression pattern: [\\w+=,.@-]*";
    Err(validate::constraint(name, parameter, rule))
}

/// `Policy` and `PolicyArns`: together 2,048 characters of text and ten ARNs (STS API).
fn session_policies(request: &Request<'_>) -> Result<Vec<String>, AwsError> {
    let mut policies = Vec::new();
    if let Some(text) = request.form.get("Policy") {
        validate::length(text, "Policy", 1, Target::Session.limit())?;
        policies.push(documents::identity(request.form, "Policy")?.to_owned());
    }
    let arns: Vec<_> = (1_usize..)
        .map_while(|n| request.form.get(&format!("PolicyArns.member.{n}.arn")))
        .collect();
    if arns.len() > 10 {
        return Err(AwsError::packed_policy_too_large(
            "Packed size of session policies and tags consumes more than the allotted space: \
             at most 10 managed policies",
        ));
    }
    for arn in arns {
        let text = authorize::text_of(request.state.policy(arn));
        let missing = || AwsError::malformed_policy(format!("Policy {arn} does not exist."));
        policies.push(text.ok_or_else(missing)?.to_owned());
    }
    Ok(policies)
}

fn packed_size(xml: &mut Xml, policies: &[String]) {
    if policies.is_empty() {
        return;
    }
    let characters: usize = policies.iter().map(|text| text.chars().count()).sum();
    let percent =
        characters.saturating_mul(100).checked_div(Target::Session.limit()).unwrap_or(100);
    xml.text("PackedPolicySize", percent.clamp(1, 100).to_string());
}

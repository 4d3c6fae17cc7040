//! May this caller do this? By the caller's policies, groups and boundary, as IAM decides; what rests on a
//! condition that [`crate::context`] does not know is refused. The administrator may do all. How one request is
//! decided, the crate `iam_policy` knows; who a role trusts is in [`crate::sts`].

use iam_policy::Document;
use iam_policy::decide::{Context, Outcome, decide};

use crate::caller::Caller;
use crate::context;
use crate::error::AwsError;
use crate::service::{Api, Request};
use crate::state::{Identity, Policy, Role, State, User};

/// Refuses what the caller may not do.
pub(crate) fn authorize(api: Api, request: &Request<'_>) -> Result<(), AwsError> {
    // STS API: these two need no permission. AssumeRole also asks the role.
    let free = matches!(request.action, "GetCallerIdentity" | "GetSessionToken" | "AssumeRole");
    let admin = matches!(request.caller, Caller::Admin { .. });
    if admin || (api == Api::Sts && free) {
        return Ok(());
    }
    if let Caller::Session(session) = request.caller {
        // IAM User Guide, "Request temporary security credentials": neither kind may call IAM.
        let may = matches!(session.identity, Identity::Role { .. });
        if api == Api::Iam && !may {
            return Err(AwsError::invalid_client_token());
        }
    }
    let action = format!("{}:{}", api.prefix(), request.action);
    let resource = resource(request);
    match outcome(request, &action, &resource) {
        Outcome::Allowed => Ok(()),
        Outcome::ExplicitlyDenied => Err(denied(
            request,
            &action,
            &resource,
            "with an explicit deny in an identity-based policy",
        )),
        Outcome::ConditionallyAllowed | Outcome::NotAllowed => {
            let because = format!("because no identity-based policy allows the {action} action");
            Err(denied(request, &action, &resource, &because))
        }
    }
}

/// What the caller's own policies say.
pub(crate) fn outcome(request: &Request<'_>, action: &str, resource: &str) -> Outcome {
    let state = &request.state;
    match request.caller {
        Caller::Admin { .. } => Outcome::Allowed,
        Caller::User { name } => user_outcome(request, name, action, resource),
        Caller::Session(session) => {
            let own = match &session.identity {
                Identity::User { name } | Identity::Federated { by: name, .. } => {
                    user_outcome(request, name, action, resource)
                }
                Identity::Role { name, .. } => match state.role(name) {
                    Some(role) => {
                        let texts = role_texts(state, role);
                        let context = context::of_session(request, session, role, &texts);
                        judge(texts, None, action, resource, &context)
                    }
                    None => Outcome::NotAllowed,
                },
            };
            let limited = matches!(session.identity, Identity::Federated { .. });
            if own != Outcome::Allowed || (session.policies.is_empty() && !limited) {
                return own;
            }
            let limits = session.policies.iter().map(String::as_str).collect();
            judge(limits, None, action, resource, &Context::unknown())
        }
    }
}

/// `AccessDenied` in AWS's words.
pub(crate) fn denied(request: &Request<'_>, action: &str, resource: &str, why: &str) -> AwsError {
    let who = arn(request.caller, request.state, request.account);
    AwsError::access_denied(format!(
        "User: {who} is not authorized to perform: {action} on resource: {resource} {why}"
    ))
}

/// The caller's ARN, as `GetCallerIdentity` gives it.
pub(crate) fn arn(caller: &Caller, state: &State, account: &str) -> String {
    if let Caller::Session(session) = caller {
        match &session.identity {
            Identity::Role { name, session, .. } => {
                return format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
            }
            Identity::Federated { name, .. } => {
                return format!("arn:aws:sts::{account}:federated-user/{name}");
            }
            Identity::User { .. } => {}
        }
    }
    let user = caller.user_name().and_then(|name| state.user(name));
    user.map_or_else(|| format!("arn:aws:iam::{account}:root"), |user| user.arn(account))
}

/// What a user may do, with the context that a question to the simulator brings.
pub(crate) fn simulated(
    request: &Request<'_>,
    name: &str,
    action: &str,
    resource: &str,
) -> Outcome {
    let state = &request.state;
    let Some(user) = state.user(name) else {
        return Outcome::NotAllowed;
    };
    let context = context::of_simulation(request, user);
    let boundary = user.boundary.as_deref().map(|arn| text_of(state.policy(arn)).unwrap_or("{}"));
    judge(user_texts(state, user), boundary, action, resource, &context)
}

fn user_outcome(request: &Request<'_>, name: &str, action: &str, resource: &str) -> Outcome {
    let state = &request.state;
    let Some(user) = state.user(name) else {
        return Outcome::NotAllowed;
    };
    let context = context::of(request, user);
    let boundary = user.boundary.as_deref().map(|arn| text_of(state.policy(arn)).unwrap_or("{}"));
    judge(user_texts(state, user), boundary, action, resource, &context)
}

fn judge(
    texts: Vec<&str>,
    boundary: Option<&str>,
    action: &str,
    resource: &str,
    context: &Context,
) -> Outcome {
    let documents: Vec<_> = texts.into_iter().filter_map(|t| Document::parse(t).ok()).collect();
    let boundary = match boundary.map(Document::parse) {
        // A boundary that cannot be read bounds everything.
        Some(Err(_)) => return Outcome::NotAllowed,
        Some(Ok(document)) => Some(document),
        None => None,
    };
    let documents: Vec<_> = documents.iter().collect();
    decide(&documents, boundary.as_ref(), action, resource, context).outcome
}

fn user_texts<'a>(state: &'a State, user: &'a User) -> Vec<&'a str> {
    let groups: Vec<_> = user.groups.iter().filter_map(|name| state.group(name)).collect();
    let inline = user.inline.values().chain(groups.iter().flat_map(|group| group.inline.values()));
    let attached = user.attached.iter().chain(groups.iter().flat_map(|group| &group.attached));
    let managed = attached.filter_map(|arn| text_of(state.policy(arn)));
    inline.map(String::as_str).chain(managed).collect()
}

fn role_texts<'a>(state: &'a State, role: &'a Role) -> Vec<&'a str> {
    let managed = role.attached.iter().filter_map(|arn| text_of(state.policy(arn)));
    role.inline.values().map(String::as_str).chain(managed).collect()
}

/// The document of a managed policy's default version.
pub(crate) fn text_of(policy: Option<&Policy>) -> Option<&str> {
    let policy = policy?;
    policy.versions.get(&policy.default_version).map(|version| version.document.as_str())
}

/// The ARN that the action is about (Service Authorization Reference, IAM: resource types).
fn resource(request: &Request<'_>) -> String {
    let (form, state, account) = (request.form, &request.state, request.account);
    if let Some(arn) = form
        .get("PolicyArn")
        .filter(|_| request.action.contains("Policy") && !request.action.contains("tach"))
    {
        return arn.to_owned();
    }
    if let Some(name) = form.get("GroupName") {
        let path = state.group(name).map(|group| group.path.as_str()).or_else(|| form.get("Path"));
        return format!("arn:aws:iam::{account}:group{}{name}", path.unwrap_or("/"));
    }
    if let Some(name) = form.get("RoleName") {
        let path = state.role(name).map(|role| role.path.as_str()).or_else(|| form.get("Path"));
        return format!("arn:aws:iam::{account}:role{}{name}", path.unwrap_or("/"));
    }
    match request.action {
        "SimulatePrincipalPolicy" => {
            return form.get("PolicySourceArn").unwrap_or("*").to_owned();
        }
        "ListUsers" => {
            return format!("arn:aws:iam::{account}:user{}", form.get("PathPrefix").unwrap_or("/"));
        }
        "ListPolicies" | "ListVirtualMFADevices" => return "*".to_owned(),
        "DeleteVirtualMFADevice" => {
            return form.get("SerialNumber").unwrap_or("*").to_owned();
        }
        "CreatePolicy" => {
            let path = form.get("Path").unwrap_or("/");
            let name = form.get("PolicyName").unwrap_or_default();
            return format!("arn:aws:iam::{account}:policy{path}{name}");
        }
        "GetFederationToken" => {
            let name = form.get("Name").unwrap_or_default();
            return format!("arn:aws:sts::{account}:federated-user/{name}");
        }
        _ => {}
    }
    let Some(name) = form.get("UserName").or_else(|| request.caller.user_name()) else {
        return "*".to_owned();
    };
    let path = state.user(name).map(|user| user.path.as_str()).or_else(|| form.get("Path"));
    format!("arn:aws:iam::{account}:user{}{name}", path.unwrap_or("/"))
}

//! What IAM knows of a request when it decides: who asks, for which tags, about what. A key that is not
//! here is unknown, and a statement that rests on it grants nothing. The decision is in
//! [`crate::authorize`].

use iam_policy::decide::Context;

use crate::iam::moment;
use crate::service::Request;
use crate::state::{Role, Session, User};

const PRINCIPAL_TAG: &str = "aws:PrincipalTag/";

/// The context keys of a question to the simulator: the user's own, and those that were sent.
pub(crate) fn of_simulation(request: &Request<'_>, user: &User) -> Context {
    let mut pairs = vec![
        ("aws:username".to_owned(), user.name.clone()),
        ("aws:PrincipalArn".to_owned(), user.arn(request.account)),
        ("aws:PrincipalAccount".to_owned(), request.account.to_owned()),
    ];
    let sent = request.form.pairs("ContextEntries", "ContextKeyName", "ContextKeyValues.member.1");
    for (name, value) in sent.into_iter().filter_map(|(name, value)| name.zip(value)) {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Context::from_pairs(pairs)
}

/// The context keys of a call by one of the account's users.
pub(crate) fn of(request: &Request<'_>, user: &User) -> Context {
    let mut pairs = vec![
        ("aws:username".to_owned(), user.name.clone()),
        ("aws:userid".to_owned(), user.id.clone()),
        ("aws:PrincipalArn".to_owned(), user.arn(request.account)),
        ("aws:PrincipalAccount".to_owned(), request.account.to_owned()),
        ("aws:PrincipalType".to_owned(), "User".to_owned()),
        ("aws:SecureTransport".to_owned(), "true".to_owned()),
    ];
    let tagged = |prefix: &str, user: &User| {
        let tags = user.tags.iter();
        tags.map(|tag| (format!("{prefix}/{}", tag.key), tag.value.clone())).collect::<Vec<_>>()
    };
    pairs.extend(tagged("aws:PrincipalTag", user));
    let target = request.form.get("UserName").and_then(|name| request.state.user(name));
    if let Some(target) = target {
        pairs.extend(tagged("aws:ResourceTag", target));
        pairs.extend(tagged("iam:ResourceTag", target));
    }
    let requested = request.form.pairs("Tags", "Key", "Value");
    for (key, value) in requested.into_iter().filter_map(|(key, value)| key.zip(value)) {
        pairs.push((format!("aws:RequestTag/{key}"), value.to_owned()));
        pairs.push(("aws:TagKeys".to_owned(), key.to_owned()));
    }
    let untagged = request.form.list("TagKeys").into_iter();
    pairs.extend(untagged.map(|key| ("aws:TagKeys".to_owned(), key.to_owned())));
    // Service Authorization Reference, IAM: these two are of the call, or are not there.
    let policy = request.form.get("PolicyArn").filter(|_| request.action.contains("tach"));
    let boundary = request
        .form
        .get("PermissionsBoundary")
        .or_else(|| target.and_then(|target| target.boundary.as_deref()));
    let of_the_call = [("iam:PolicyARN", policy), ("iam:PermissionsBoundary", boundary)];
    for (key, value) in of_the_call {
        pairs.extend(value.map(|value| (key.to_owned(), value.to_owned())));
    }
    let absent = of_the_call.into_iter().filter(|(_, value)| value.is_none());
    absent.fold(Context::from_pairs(pairs), |context, (key, _)| context.with_absent(key))
}

/// The context keys of a call by a session of an assumed role whose policies are `texts`: tags that these
/// ask for and the session does not carry are absent.
pub(crate) fn of_session(
    request: &Request<'_>,
    session: &Session,
    role: &Role,
    texts: &[&str],
) -> Context {
    let mut pairs = vec![
        ("aws:PrincipalArn".to_owned(), role.arn(request.account)),
        ("aws:PrincipalAccount".to_owned(), request.account.to_owned()),
        ("aws:PrincipalType".to_owned(), "AssumedRole".to_owned()),
        ("aws:SecureTransport".to_owned(), "true".to_owned()),
        ("aws:TokenIssueTime".to_owned(), moment(session.issued)),
    ];
    let tags = session.tags.iter();
    pairs.extend(tags.map(|tag| (format!("{PRINCIPAL_TAG}{}", tag.key), tag.value.clone())));
    let asked = texts.iter().flat_map(|text| text.split(PRINCIPAL_TAG).skip(1));
    let asked = asked.filter_map(|rest| rest.split('"').next());
    let carried = |key: &&str| session.tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key));
    let absent = asked.filter(|key| !carried(key));
    absent.fold(Context::from_pairs(pairs), |context, key| {
        context.with_absent(&format!("{PRINCIPAL_TAG}{key}"))
    })
}

//! Managed policies and their versions. AWS's own can be read and attached, never changed.
//! Who a policy is attached to is kept with the owner ([`super::attachments`]).

use std::collections::BTreeMap;

use iam_policy::quota::Target;

use super::{moment, unique_id};
use crate::error::AwsError;
use crate::form::{Form, encode};
use crate::page::Page;
use crate::service::Request;
use crate::state::{Entity, EntityRef, Policy, PolicyVersion, State};
use crate::xml::{Answer, Xml};
use crate::{documents, managed, validate};

/// Versions that one managed policy may have (IAM quotas: not adjustable).
const VERSIONS: usize = 5;

pub(super) fn create(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = validate::name(request.form, "PolicyName", 128)?;
    let path = validate::path(request.form)?;
    let description = request.form.get("Description").unwrap_or_default();
    validate::length(description, "Description", 0, 1_000)?;
    let tags = validate::tags(request.form)?;
    let document = documents::identity(request.form, "PolicyDocument")?;
    documents::fit(Target::Managed, [document], &format!("policy {name}"))?;
    let own = request.state.policies().values().filter(|p| !managed::is_aws_managed(&p.arn));
    if own.into_iter().any(|policy| policy.name.eq_ignore_ascii_case(name)) {
        return Err(AwsError::entity_already_exists(format!(
            "A policy called {name} already exists. Duplicate names are not allowed."
        )));
    }
    let version = PolicyVersion { document: document.to_owned(), created: request.now };
    let policy = Policy {
        arn: format!("arn:aws:iam::{}:policy{path}{name}", request.account),
        name: name.to_owned(),
        path: path.to_owned(),
        id: unique_id("ANPA", request.rng),
        description: description.to_owned(),
        created: request.now,
        updated: request.now,
        default_version: 1,
        next_version: 2,
        versions: BTreeMap::from([(1, version)]),
        tags,
    };
    let mut xml = Xml::new();
    write(&mut xml, "Policy", &policy, request.state);
    request.state.put(Entity::Policy(policy));
    Ok(Some(xml))
}

pub(super) fn get(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = named(request)?;
    let mut xml = Xml::new();
    write(&mut xml, "Policy", policy, request.state);
    Ok(Some(xml))
}

/// Without tags and descriptions, as at AWS.
pub(super) fn list(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let prefix = validate::path_prefix(request.form)?;
    // IAM API, ListPolicies: `All` where nothing is said.
    let aws_too = match request.form.get("Scope") {
        None | Some("All") => [true, false],
        Some("AWS") => [true, true],
        Some("Local") => [false, false],
        Some(other) => {
            let rule = "Member must satisfy enum value set: [All, AWS, Local]";
            return Err(validate::constraint(other, "Scope", rule));
        }
    };
    let attached_only = flag(request.form, "OnlyAttached")?;
    let state = &request.state;
    let policies = state.policies().values().filter(|policy| {
        policy.path.starts_with(prefix)
            && aws_too.contains(&managed::is_aws_managed(&policy.arn))
            && (!attached_only || attachments(state, &policy.arn).attached > 0)
    });
    let page = Page::of(request.form, policies.map(|policy| (policy.arn.as_str(), policy)))?;
    let mut xml = Xml::new();
    xml.tag("Policies", |list| {
        for policy in &page.items {
            let brief = Policy { description: String::new(), ..(*policy).clone() };
            write(list, "member", &brief, state);
        }
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn list_tags(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = named(request)?;
    let page = Page::of(request.form, policy.tags.iter().map(|tag| (tag.key.as_str(), tag)))?;
    let mut xml = Xml::new();
    xml.members("Tags", &page.items, |xml, tag| {
        xml.text("Key", &tag.key).text("Value", &tag.value);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn delete(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = own(request)?;
    let used = attachments(request.state, &policy.arn);
    if used.attached > 0 || used.boundaries > 0 {
        return Err(AwsError::delete_conflict("detach policy from all entities"));
    }
    if policy.versions.len() > 1 {
        return Err(AwsError::delete_conflict("delete all non-default versions of the policy"));
    }
    let arn = policy.arn.clone();
    request.state.remove(EntityRef::Policy(arn));
    Ok(None)
}

pub(super) fn create_version(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let document = documents::identity(request.form, "PolicyDocument")?;
    let as_default = flag(request.form, "SetAsDefault")?;
    let policy = own(request)?;
    documents::fit(Target::Managed, [document], &format!("policy {}", policy.name))?;
    if policy.versions.len() >= VERSIONS {
        return Err(AwsError::limit_exceeded(format!(
            "A managed policy can have up to {VERSIONS} versions. Before you create a new version, \
             you must delete an existing version."
        )));
    }
    let (arn, number) = (policy.arn.clone(), policy.next_version);
    let version = PolicyVersion { document: document.to_owned(), created: request.now };
    let mut xml = Xml::new();
    xml.tag("PolicyVersion", |xml| {
        write_version(xml, number, &version, as_default);
    });
    let now = request.now;
    if let Some(policy) = request.state.policy_mut(&arn) {
        policy.versions.insert(number, version);
        policy.next_version = number.saturating_add(1);
        policy.updated = now;
        if as_default {
            policy.default_version = number;
        }
    }
    Ok(Some(xml))
}

pub(super) fn get_version(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = named(request)?;
    let (number, version) = version(request.form, policy)?;
    let mut xml = Xml::new();
    xml.tag("PolicyVersion", |xml| {
        write_version(xml, number, version, number == policy.default_version);
        xml.text("Document", encode(&version.document));
    });
    Ok(Some(xml))
}

pub(super) fn list_versions(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = named(request)?;
    let versions: Vec<_> =
        policy.versions.iter().map(|(n, version)| (format!("{n:010}"), (*n, version))).collect();
    let items = versions.iter().map(|(key, version)| (key.as_str(), *version));
    let page = Page::of(request.form, items)?;
    let mut xml = Xml::new();
    xml.members("Versions", &page.items, |xml, (number, version)| {
        write_version(xml, *number, version, *number == policy.default_version);
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn set_default_version(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = own(request)?;
    let (number, _) = version(request.form, policy)?;
    let arn = policy.arn.clone();
    if let Some(policy) = request.state.policy_mut(&arn) {
        policy.default_version = number;
    }
    Ok(None)
}

pub(super) fn delete_version(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let policy = own(request)?;
    let (number, _) = version(request.form, policy)?;
    if number == policy.default_version {
        return Err(AwsError::delete_conflict("make another version the default"));
    }
    let arn = policy.arn.clone();
    if let Some(policy) = request.state.policy_mut(&arn) {
        policy.versions.remove(&number);
    }
    Ok(None)
}

pub(super) fn named<'a>(request: &'a Request<'_>) -> Result<&'a Policy, AwsError> {
    let arn = validate::policy_arn(request.form, "PolicyArn")?;
    let missing = || AwsError::no_such_entity(format!("Policy {arn} was not found."));
    request.state.policy(arn).ok_or_else(missing)
}

/// The policy that the call names, if the account may change it.
fn own<'a>(request: &'a Request<'_>) -> Result<&'a Policy, AwsError> {
    let policy = named(request)?;
    if managed::is_aws_managed(&policy.arn) {
        return Err(AwsError::access_denied(format!(
            "User is not authorized to perform: iam:{} on resource: policy {}",
            request.action, policy.arn
        )));
    }
    Ok(policy)
}

fn version<'a>(form: &Form, policy: &'a Policy) -> Result<(u32, &'a PolicyVersion), AwsError> {
    let id = form.required("VersionId")?;
    let number = id.strip_prefix('v').and_then(|digits| digits.parse::<u32>().ok());
    let Some(number) = number else {
        // IAM API, `policyVersionIdType`.
        let rule =
            "Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?";
        return Err(validate::constraint(id, "VersionId", rule));
    };
    policy.versions.get(&number).map(|version| (number, version)).ok_or_else(|| {
        AwsError::no_such_entity(format!(
            "Policy {} version {id} does not exist or is not attachable.",
            policy.arn
        ))
    })
}

fn flag(form: &Form, parameter: &str) -> Result<bool, AwsError> {
    match form.get(parameter) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            Err(AwsError::validation(format!("{other} is not a valid value for {parameter}")))
        }
    }
}

struct Uses {
    attached: usize,
    boundaries: usize,
}

fn attachments(state: &State, arn: &str) -> Uses {
    let users = state.users().values();
    let attached = users.clone().filter(|user| user.attached.contains(arn)).count();
    let groups = state.groups().values().filter(|group| group.attached.contains(arn)).count();
    let roles = state.roles().values().filter(|role| role.attached.contains(arn)).count();
    Uses {
        attached: attached.saturating_add(groups).saturating_add(roles),
        boundaries: users.filter(|user| user.boundary.as_deref() == Some(arn)).count(),
    }
}

fn write(xml: &mut Xml, tag: &str, policy: &Policy, state: &State) {
    let used = attachments(state, &policy.arn);
    xml.tag(tag, |xml| {
        xml.text("PolicyName", &policy.name)
            .text("PolicyId", &policy.id)
            .text("Arn", &policy.arn)
            .text("Path", &policy.path)
            .text("DefaultVersionId", format!("v{}", policy.default_version))
            .text("AttachmentCount", used.attached.to_string())
            .text("PermissionsBoundaryUsageCount", used.boundaries.to_string())
            .text("IsAttachable", "true")
            .text("CreateDate", moment(policy.created))
            .text("UpdateDate", moment(policy.updated));
        xml.maybe("Description", Some(policy.description.as_str()).filter(|text| !text.is_empty()));
    });
}

fn write_version(xml: &mut Xml, number: u32, version: &PolicyVersion, is_default: bool) {
    xml.text("VersionId", format!("v{number}"))
        .text("IsDefaultVersion", if is_default { "true" } else { "false" })
        .text("CreateDate", moment(version.created));
}

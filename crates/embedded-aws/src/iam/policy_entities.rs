//! Who has a managed policy, attached or as a boundary, and the tags that are taken from one. Who has what is kept with
//! the owner ([`super::attachments`]); this only turns it round. The policies themselves:
//! [`super::managed_policies`].

use super::managed_policies::named;
use crate::error::AwsError;
use crate::page::Page;
use crate::service::Request;
use crate::state::State;
use crate::validate;
use crate::xml::{Answer, Xml};

/// The kinds of owner, in the order of their keys, with the names of their elements.
const KINDS: [(&str, &str, &str); 3] = [
    ("Group", "PolicyGroups", "Group"),
    ("Role", "PolicyRoles", "Role"),
    ("User", "PolicyUsers", "User"),
];

/// An owner: its kind, name and id.
struct Entity<'a> {
    kind: &'static str,
    name: &'a str,
    id: &'a str,
}

/// `ListEntitiesForPolicy`.
pub(super) fn list(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let prefix = validate::path_prefix(request.form)?;
    let uses = match request.form.get("PolicyUsageFilter") {
        None => [true, true],
        Some("PermissionsPolicy") => [true, false],
        Some("PermissionsBoundary") => [false, true],
        Some(other) => {
            let rule =
                "Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]";
            return Err(validate::constraint(other, "PolicyUsageFilter", rule));
        }
    };
    let wanted = request.form.get("EntityFilter");
    let arn = named(request)?.arn.clone();
    let mut found = owners(request.state, &arn, uses, prefix);
    found.retain(|(_, one)| wanted.is_none_or(|wanted| wanted == one.kind));
    let keyed = found.iter().map(|(key, entity)| (key.as_str(), entity));
    let page = Page::of(request.form, keyed)?;
    let mut xml = Xml::new();
    for (kind, list, element) in KINDS {
        let of_kind: Vec<_> = page.items.iter().filter(|one| one.kind == kind).collect();
        xml.members(list, &of_kind, |xml, one| {
            xml.text(&format!("{element}Name"), one.name).text(&format!("{element}Id"), one.id);
        });
    }
    page.end(&mut xml);
    Ok(Some(xml))
}

/// Every owner under the path, by a key that sorts the kinds apart.
fn owners<'a>(
    state: &'a State,
    arn: &str,
    [attached, bounding]: [bool; 2],
    prefix: &str,
) -> Vec<(String, Entity<'a>)> {
    let key = |kind: &str, name: &str| format!("{kind} {}", name.to_ascii_lowercase());
    let mut found = Vec::new();
    for group in state.groups().values() {
        if attached && group.attached.contains(arn) && group.path.starts_with(prefix) {
            let entity = Entity { kind: "Group", name: &group.name, id: &group.id };
            found.push((key("Group", &group.name), entity));
        }
    }
    for role in state.roles().values() {
        if attached && role.attached.contains(arn) && role.path.starts_with(prefix) {
            let entity = Entity { kind: "Role", name: &role.name, id: &role.id };
            found.push((key("Role", &role.name), entity));
        }
    }
    for user in state.users().values() {
        let has = attached && user.attached.contains(arn)
            || bounding && user.boundary.as_deref() == Some(arn);
        if has && user.path.starts_with(prefix) {
            let entity = Entity { kind: "User", name: &user.name, id: &user.id };
            found.push((key("User", &user.name), entity));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// `UntagPolicy`.
pub(super) fn untag(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let keys = request.form.list("TagKeys");
    if keys.is_empty() {
        return Err(AwsError::missing("tagKeys"));
    }
    for key in &keys {
        validate::length(key, "TagKeys", 1, 128)?;
    }
    let arn = named(request)?.arn.clone();
    if let Some(policy) = request.state.policy_mut(&arn) {
        policy.tags.retain(|tag| !keys.iter().any(|key| validate::same_key(key, &tag.key)));
    }
    Ok(None)
}

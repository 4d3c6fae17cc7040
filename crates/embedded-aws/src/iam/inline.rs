//! Inline policies of users, groups and roles: put, read back percent-encoded, list, delete.
//! All of one owner's count against one quota. What a document may be is in [`crate::documents`].

use std::collections::BTreeMap;

use iam_policy::quota::Target;

use super::owner::Owner;
use crate::documents;
use crate::error::AwsError;
use crate::form::encode;
use crate::page::Page;
use crate::service::Request;
use crate::validate;
use crate::xml::{Answer, Xml};

/// Longest name of a policy (IAM API: `policyNameType`).
const NAME: usize = 128;

pub(super) fn put(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let owner = Owner::of(request)?;
    let policy = validate::name(request.form, "PolicyName", NAME)?;
    let document = documents::identity(request.form, "PolicyDocument")?;
    let kept = owner.inline(request.state);
    let others = kept.iter().filter(|(name, _)| *name != policy).map(|(_, text)| text.as_str());
    documents::fit(target(&owner), others.chain([document]), &owner.in_words())?;
    if let Some(inline) = owner.inline_mut(request.state) {
        inline.insert(policy.to_owned(), document.to_owned());
    }
    Ok(None)
}

pub(super) fn get(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let owner = Owner::of(request)?;
    let policy = validate::name(request.form, "PolicyName", NAME)?;
    let document = existing(&owner, owner.inline(request.state), policy)?;
    let mut xml = Xml::new();
    xml.text(owner.name_tag(), owner.name())
        .text("PolicyName", policy)
        .text("PolicyDocument", encode(document));
    Ok(Some(xml))
}

pub(super) fn list(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let owner = Owner::of(request)?;
    let names = owner.inline(request.state).keys();
    let page = Page::of(request.form, names.map(|name| (name.as_str(), name)))?;
    let mut xml = Xml::new();
    xml.tag("PolicyNames", |list| {
        for name in &page.items {
            list.text("member", name);
        }
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

pub(super) fn delete(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let owner = Owner::of(request)?;
    let policy = validate::name(request.form, "PolicyName", NAME)?;
    existing(&owner, owner.inline(request.state), policy)?;
    if let Some(inline) = owner.inline_mut(request.state) {
        inline.remove(policy);
    }
    Ok(None)
}

fn existing<'a>(
    owner: &Owner,
    inline: &'a BTreeMap<String, String>,
    policy: &str,
) -> Result<&'a str, AwsError> {
    inline.get(policy).map(String::as_str).ok_or_else(|| {
        let kind = owner.kind();
        AwsError::no_such_entity(format!("The {kind} policy with name {policy} cannot be found."))
    })
}

fn target(owner: &Owner) -> Target {
    match owner {
        Owner::User(_) => Target::InlineUser,
        Owner::Group(_) => Target::InlineGroup,
        Owner::Role(_) => Target::InlineRole,
    }
}

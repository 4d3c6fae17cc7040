//! Access keys: two for each user, active or not, and never usable again once deleted. The secret
//! leaves once, in the answer of its creation. The administrator also has keys that were not made here:
//! those seen signing.

use super::users::{existing, named_or_own};
use super::{BASE32, BASE64, moment, random_text};
use crate::ADMIN_USER;
use crate::caller::Caller;
use crate::error::AwsError;
use crate::page::Page;
use crate::service::Request;
use crate::state::{AccessKey, State};
use crate::validate;
use crate::xml::{Answer, Xml};

/// Access keys that one user may have (IAM quotas: not adjustable).
const KEYS_PER_USER: usize = 2;

pub(super) fn create(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    let foreign = usize::from(own_foreign_key(request, &user.name).is_some());
    if user.keys.len().saturating_add(foreign) >= KEYS_PER_USER {
        return Err(AwsError::quota("AccessKeysPerUser", KEYS_PER_USER));
    }
    let name = user.name.clone();
    let key = AccessKey {
        id: unused_id(request),
        secret: random_text(40, BASE64, request.rng),
        active: true,
        created: request.now,
    };
    let mut xml = Xml::new();
    xml.tag("AccessKey", |xml| {
        xml.text("UserName", &name)
            .text("AccessKeyId", &key.id)
            .text("Status", "Active")
            .text("SecretAccessKey", &key.secret)
            .text("CreateDate", moment(key.created));
    });
    request.state.add_key(&name, key);
    Ok(Some(xml))
}

pub(super) fn update(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let id = validate::access_key_id(request.form)?;
    let active = match request.form.required("Status")? {
        "Active" => true,
        "Inactive" => false,
        other => {
            let rule = "Member must satisfy enum value set: [Active, Inactive, Expired]";
            return Err(validate::constraint(other, "Status", rule));
        }
    };
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    if !user.keys.iter().any(|key| key.id == id) {
        return Err(no_such_key(id));
    }
    if let Some(user) = request.state.user_mut(&name) {
        for key in user.keys.iter_mut().filter(|key| key.id == id) {
            key.active = active;
        }
    }
    Ok(None)
}

pub(super) fn delete(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let id = validate::access_key_id(request.form)?;
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    let foreign = user.name == ADMIN_USER && request.state.is_admin_key(id);
    if !foreign && !user.keys.iter().any(|key| key.id == id) {
        return Err(no_such_key(id));
    }
    request.state.kill_key(&name, id);
    Ok(None)
}

pub(super) fn list(request: &mut Request<'_>) -> Result<Answer, AwsError> {
    let name = named_or_own(request)?;
    let user = existing(request.state, &name)?;
    let mut keys: Vec<(&str, bool, i64)> =
        user.keys.iter().map(|key| (key.id.as_str(), key.active, key.created)).collect();
    keys.extend(own_foreign_key(request, &user.name).map(|id| (id, true, user.created)));
    keys.sort_unstable();
    let page = Page::of(request.form, keys.into_iter().map(|key| (key.0, key)))?;
    let mut xml = Xml::new();
    xml.members("AccessKeyMetadata", &page.items, |xml, (id, active, created)| {
        xml.text("UserName", &user.name)
            .text("AccessKeyId", id)
            .text("Status", if *active { "Active" } else { "Inactive" })
            .text("CreateDate", moment(*created));
    });
    page.end(&mut xml);
    Ok(Some(xml))
}

/// An id that no key has or had, whatever the generator says.
pub(crate) fn fresh_id(prefix: &str, state: &State, rng: &mut dyn rand::RngCore) -> String {
    loop {
        let id = format!("{prefix}{}", random_text(16, BASE32, rng));
        if state.owner(&id).is_none() && !state.is_dead_key(&id) && state.session(&id).is_none() {
            return id;
        }
    }
}

fn unused_id(request: &mut Request<'_>) -> String {
    fresh_id("AKIA", request.state, request.rng)
}

/// The key that the administrator signs with, where it was not made here.
fn own_foreign_key<'a>(request: &Request<'a>, user: &str) -> Option<&'a str> {
    match request.caller {
        Caller::Admin { access_key_id } if user == ADMIN_USER && !access_key_id.is_empty() => {
            Some(access_key_id)
        }
        Caller::Admin { .. } | Caller::User { .. } | Caller::Session(_) => None,
    }
}

fn no_such_key(id: &str) -> AwsError {
    AwsError::no_such_entity(format!("The Access Key with id {id} cannot be found."))
}

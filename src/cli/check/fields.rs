//! The fields of a role as a file has them, coerced as a role write does it (contract 0.4). What cannot be is a finding at
//! its place, never a guess. What a role then grants is judged in `input`.

use std::collections::BTreeMap;
use std::str::FromStr;

use iam_policy::json::{JsonRef, JsonType};

use super::file_finding;
use super::input::RoleInput;
use super::place::Embedded;
use crate::gate::RoleContext;
use crate::model::{CredentialType, Finding, GroupName, MountPath, Placement, RoleName};

/// Reads the fields of a role, and says what is wrong with them.
pub(super) struct Fields<'a> {
    pub(super) root: JsonRef<'a>,
    pub(super) findings: Vec<Finding>,
}

impl Fields<'_> {
    pub(super) fn role(&mut self) -> Option<RoleInput> {
        let kind = self.text("credential_type");
        let known =
            kind.as_deref().map_or(Some(CredentialType::IamUser), CredentialType::from_wire);
        let Some(credential_type) = known else {
            self.wrong("credential_type", "is not a credential type");
            return None;
        };
        for legacy in ["policy", "arn"] {
            if self.text(legacy).is_some() {
                let instead = "is a legacy parameter that check does not read: use \
                               `policy_document`, `policy_arns` or `role_arns`";
                self.wrong(legacy, instead);
            }
        }
        let placement = self.text("placement");
        let known = placement.as_deref().map_or(Some(Placement::Inline), Placement::from_wire);
        let Some(placement) = known else {
            self.wrong("placement", "is not a placement");
            return None;
        };
        let groups: Vec<GroupName> = self.names("iam_groups");
        let name = self.text("name").and_then(|name| name.parse().ok());
        Some(RoleInput {
            document: self.document(),
            policy_arns: self.names("policy_arns"),
            boundary: self.text("permissions_boundary_arn").and_then(|arn| arn.parse().ok()),
            placement,
            role: RoleContext {
                name: name.or_else(|| RoleName::from_str("role").ok())?,
                mount: MountPath::from_str("aws/").ok()?,
                path: self.text("user_path").unwrap_or_default(),
                credential_type,
                tags: self.tags(),
                groups: groups.clone(),
                max_ttl_seconds: 0,
                assumes: self.names("role_arns"),
            },
            groups,
        })
    }

    fn document(&mut self) -> Option<Embedded> {
        let value = self.root.member("policy_document")?;
        let start = value.position().offset;
        match value.json_type() {
            JsonType::Null => None,
            JsonType::Object => {
                Some(Embedded { text: value.raw().to_owned(), start, escaped: false })
            }
            JsonType::String => {
                let text = value.as_str().filter(|text| !text.is_empty())?.to_owned();
                Some(Embedded { text, start, escaped: true })
            }
            JsonType::Boolean | JsonType::Number | JsonType::Array => {
                self.wrong("policy_document", "must be an object, or a string that holds one");
                None
            }
        }
    }

    fn text(&mut self, field: &str) -> Option<String> {
        let value = self.root.member(field)?;
        match value.as_str() {
            Some(text) => Some(text.to_owned()).filter(|text| !text.is_empty()),
            None if value.json_type() == JsonType::Null => None,
            None => {
                self.wrong(field, "must be a string");
                None
            }
        }
    }

    /// A list, or its members joined by commas, as Vault takes it (contract 0.4).
    fn names<T: FromStr>(&mut self, field: &str) -> Vec<T> {
        let Some(value) = self.root.member(field) else {
            return Vec::new();
        };
        let texts: Vec<&str> = match value.json_type() {
            JsonType::Null => Vec::new(),
            JsonType::String => value.as_str().unwrap_or_default().split(',').collect(),
            JsonType::Array => value.children().filter_map(JsonRef::as_str).collect(),
            JsonType::Boolean | JsonType::Number | JsonType::Object => {
                self.wrong(field, "must be a list of strings");
                return Vec::new();
            }
        };
        let members = value.children().filter(|child| child.json_type() != JsonType::String);
        if value.json_type() == JsonType::Array && members.count() > 0 {
            self.wrong(field, "must be a list of strings");
        }
        let given: Vec<&str> =
            texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect();
        let read: Vec<T> = given.iter().filter_map(|text| text.parse().ok()).collect();
        if read.len() != given.len() {
            self.wrong(field, "has a name that AWS would not take");
        }
        read
    }

    fn tags(&mut self) -> BTreeMap<String, String> {
        let Some(value) = self.root.member("iam_tags") else {
            return BTreeMap::new();
        };
        let pairs = value
            .members()
            .filter_map(|(name, tag)| Some((name.to_owned(), tag.as_str()?.to_owned())));
        let listed = value.children().filter_map(|tag| {
            let (name, value) = tag.as_str()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        match value.json_type() {
            JsonType::Null => BTreeMap::new(),
            JsonType::Object => pairs.collect(),
            JsonType::Array => listed.collect(),
            JsonType::String | JsonType::Boolean | JsonType::Number => {
                self.wrong("iam_tags", "must be an object, or a list of `name=value`");
                BTreeMap::new()
            }
        }
    }

    fn wrong(&mut self, field: &str, what: &str) {
        let position = self.root.member(field).map(JsonRef::position);
        let number = |number: usize| u32::try_from(number).ok();
        self.findings.push(Finding {
            pointer: format!("/{field}"),
            line: position.and_then(|position| number(position.line)),
            column: position.and_then(|position| number(position.column)),
            ..file_finding("role/invalid-field", format!("`{field}` {what}"))
        });
    }
}

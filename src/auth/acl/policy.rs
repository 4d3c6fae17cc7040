//! An ACL policy: a text in HCL or JSON, and the rules it means (contract 4). Reading is pure; a text that
//! is not wholly understood is refused, since what is ignored here would be a right or a limit that its
//! author believes in. Several policies become one matcher in [`super::compiled`].

use super::hcl::{self, Item, Node, Unreadable};
use super::rule::{Capability, Grants, Parameters, Pattern, Rule};
use crate::model::duration;
use crate::model::go_text::{error_list, quote};

/// A policy that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub(super) rules: Vec<Rule>,
}

/// Why a text is no policy. The texts are the contract's (4), where it has any.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is neither HCL nor JSON.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Keys that mean nothing, each with its sentence.
    #[error("{}", error_list(.0))]
    UnknownKeys(Vec<String>),
    /// A word that is no capability.
    #[error("path {}: invalid capability {}", quote(.path), quote(.word))]
    Capability {
        /// The rule's path.
        path: String,
        /// The word.
        word: String,
    },
    /// A word that is no old-style policy.
    #[error("path {}: invalid policy {}", quote(.path), quote(.word))]
    Shorthand {
        /// The rule's path.
        path: String,
        /// The word.
        word: String,
    },
    /// A wildcard of both kinds at once.
    #[error("path {}: invalid use of wildcards ('+*' is forbidden)", quote(.0))]
    PlusStar(String),
    /// A template that is not closed, or names nothing.
    #[error("path {}: invalid template", quote(.0))]
    Template(String),
    /// A setting of the wrong shape.
    #[error("path {}: {} must be {}", quote(.path), .key, .wanted)]
    Shape {
        /// The rule's path.
        path: String,
        /// The setting.
        key: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// A wrapping TTL that is no duration.
    #[error("path {}: error parsing {}: {}", quote(.path), .key, .cause)]
    Duration {
        /// The rule's path.
        path: String,
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The two wrapping TTLs exclude each other.
    #[error("path {}: max_wrapping_ttl cannot be less than min_wrapping_ttl", quote(.0))]
    WrappingBounds(String),
}

/// What a block may hold. The last three are Vault Enterprise's: accepted only where they ask for nothing.
const KEYS: [&str; 8] = [
    "capabilities",
    "policy",
    "allowed_parameters",
    "denied_parameters",
    "required_parameters",
    "min_wrapping_ttl",
    "max_wrapping_ttl",
    "comment",
];

impl Policy {
    /// Reads a text.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        let items = hcl::read(text)?;
        let unknown = items
            .iter()
            .filter_map(|item| item.keys.first())
            .filter(|key| !matches!(key.text.as_str(), "name" | "path"));
        let unknown: Vec<_> = unknown
            .map(|key| format!("invalid key {} on line {}", quote(&key.text), key.line))
            .collect();
        if !unknown.is_empty() {
            return Err(PolicyError::UnknownKeys(unknown));
        }
        let mut rules = Vec::new();
        for (path, settings) in paths(items)? {
            rules.push(rule(path, settings)?);
        }
        Ok(Self { rules })
    }
}

/// Every `path "x" { … }`, in whichever of the shapes that HCL and JSON have for it.
fn paths(items: Vec<Item>) -> Result<Vec<(String, Vec<Item>)>, PolicyError> {
    let mut found = Vec::new();
    for Item { keys, value } in items {
        let mut names = keys.into_iter().map(|key| key.text);
        if names.next().as_deref() != Some("path") {
            continue;
        }
        collect(names.next(), value, &mut found)?;
    }
    Ok(found)
}

fn collect(
    name: Option<String>,
    value: Node,
    found: &mut Vec<(String, Vec<Item>)>,
) -> Result<(), PolicyError> {
    match (name, value) {
        (Some(path), Node::Object(settings)) => found.push((path, settings)),
        (None, Node::Object(inner)) => {
            for Item { keys, value } in inner {
                collect(keys.into_iter().next().map(|key| key.text), value, found)?;
            }
        }
        (name, Node::List(blocks)) => {
            for block in blocks {
                collect(name.clone(), block, found)?;
            }
        }
        (name, _) => {
            let path = name.unwrap_or_default();
            return Err(PolicyError::Shape { path, key: "path", wanted: "a block" });
        }
    }
    Ok(())
}

fn rule(path: String, settings: Vec<Item>) -> Result<Rule, PolicyError> {
    let unknown = settings
        .iter()
        .filter_map(|item| item.keys.first())
        .filter(|key| !KEYS.contains(&key.text.as_str()));
    let unknown: Vec<_> = unknown
        .map(|key| {
            format!("path {}: invalid key {} on line {}", quote(&path), quote(&key.text), key.line)
        })
        .collect();
    if !unknown.is_empty() {
        return Err(PolicyError::UnknownKeys(unknown));
    }
    let mut block = Block { path, settings };
    let mut grants = Grants::default();
    block.capabilities(&mut grants)?;
    grants.allowed = block.parameters("allowed_parameters")?;
    grants.denied = block.parameters("denied_parameters")?;
    grants.required = block.required()?;
    grants.min_wrapping = block.seconds("min_wrapping_ttl")?;
    grants.max_wrapping = block.seconds("max_wrapping_ttl")?;
    let Block { path, settings: _ } = block;
    if let (Some(min), Some(max)) = (grants.min_wrapping, grants.max_wrapping)
        && max < min
    {
        return Err(PolicyError::WrappingBounds(path));
    }
    if path.contains("+*") {
        return Err(PolicyError::PlusStar(path));
    }
    let pattern = Pattern::new(path.strip_prefix('/').unwrap_or(&path));
    pattern.check_template().map_err(|()| PolicyError::Template(path))?;
    Ok(Rule { pattern, grants })
}

struct Block {
    path: String,
    settings: Vec<Item>,
}

impl Block {
    /// Takes a setting out; of one that stands there twice the last, as Vault does.
    fn take(&mut self, name: &str) -> Option<Node> {
        let is_it = |item: &Item| item.keys.first().is_some_and(|key| key.text == name);
        let at = self.settings.iter().rposition(is_it)?;
        Some(self.settings.swap_remove(at).value)
    }

    fn shape<T>(&self, key: &'static str, wanted: &'static str) -> Result<T, PolicyError> {
        Err(PolicyError::Shape { path: self.path.clone(), key, wanted })
    }

    fn capabilities(&mut self, grants: &mut Grants) -> Result<(), PolicyError> {
        if let Some(node) = self.take("capabilities") {
            for word in self.texts("capabilities", node)? {
                let Some(capability) = Capability::from_word(&word) else {
                    return Err(PolicyError::Capability { path: self.path.clone(), word });
                };
                grants.capabilities.add(capability);
            }
        }
        match self.take("policy") {
            None => Ok(()),
            Some(Node::Text(word)) => {
                let Some(capabilities) = Capability::of_shorthand(&word) else {
                    return Err(PolicyError::Shorthand { path: self.path.clone(), word });
                };
                for capability in capabilities {
                    grants.capabilities.add(*capability);
                }
                Ok(())
            }
            Some(_) => self.shape("policy", "a text"),
        }
    }

    fn texts(&self, key: &'static str, node: Node) -> Result<Vec<String>, PolicyError> {
        let nodes = if let Node::List(nodes) = node { nodes } else { vec![node] };
        let text = |node| {
            if let Node::Text(text) = node { Ok(text) } else { self.shape(key, "a list of texts") }
        };
        nodes.into_iter().map(text).collect()
    }

    fn parameters(&mut self, key: &'static str) -> Result<Parameters, PolicyError> {
        const WANTED: &str = "a map from names to lists of values";
        let items = match self.take(key) {
            None => return Ok(Parameters::default()),
            Some(Node::Object(items)) => items,
            Some(_) => return self.shape(key, WANTED),
        };
        let mut parameters = Parameters::default();
        for Item { keys, value } in items {
            let (Some(name), Node::List(values)) = (keys.into_iter().next(), value) else {
                return self.shape(key, WANTED);
            };
            parameters.add(&name.text, values.into_iter().map(Into::into).collect());
        }
        Ok(parameters)
    }

    fn required(&mut self) -> Result<Vec<String>, PolicyError> {
        let Some(node) = self.take("required_parameters") else {
            return Ok(Vec::new());
        };
        let names = self.texts("required_parameters", node)?;
        Ok(names.iter().map(|name| name.to_lowercase()).collect())
    }

    fn seconds(&mut self, key: &'static str) -> Result<Option<u64>, PolicyError> {
        let parsed = match self.take(key) {
            None => return Ok(None),
            Some(Node::Text(text)) => duration::parse_seconds(&text),
            Some(Node::Number(number)) => {
                number.as_i64().ok_or_else(|| "no whole number".to_owned())
            }
            Some(_) => return self.shape(key, "a duration"),
        };
        let failed = |cause| PolicyError::Duration { path: self.path.clone(), key, cause };
        let seconds = parsed.map_err(failed)?;
        let seconds = u64::try_from(seconds)
            .map_err(|_negative| failed(format!("cannot provide negative value '{seconds}'")))?;
        Ok((seconds > 0).then_some(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Policy::read(text).unwrap_err().to_string()
    }

    #[test]
    fn hcl_and_json_in_all_their_shapes_are_the_same_policy() {
        let wanted = Policy::read("path \"aws/creds/a\" { capabilities = [\"read\"] }\npath \"b/*\" { policy = \"deny\" }").unwrap();
        assert_eq!(wanted.rules.len(), 2);
        for text in [
            r#"{"path": {"aws/creds/a": {"capabilities": ["read"]}, "b/*": {"policy": "deny"}}}"#,
            r#"{"path": [{"aws/creds/a": {"capabilities": ["read"]}}, {"b/*": {"policy": "deny"}}]}"#,
            r#"path { "aws/creds/a" { capabilities = ["read"] } "b/*" = { policy = "deny" } }"#,
            r#"name = "x" path "/aws/creds/a" { capabilities = ["read"], comment = "c" } path "b/*" { policy = "deny" }"#,
        ] {
            assert_eq!(Policy::read(text).unwrap(), wanted, "{text}");
        }
        assert!(Policy::read("").unwrap().rules.is_empty());
    }

    #[test]
    fn what_means_nothing_is_refused_by_name() {
        for (text, told) in [
            ("\npaths \"a\" {}", "1 error occurred:\n\t* invalid key \"paths\" on line 2\n\n"),
            (
                "path \"secret/x\" { capabilities = [\"read\"] colour = \"blue\" }",
                "1 error occurred:\n\t* path \"secret/x\": invalid key \"colour\" on line 1\n\n",
            ),
            ("path \"x\" { capabilities = [\"y\"] }", "path \"x\": invalid capability \"y\""),
            ("path \"x\" { policy = \"y\" }", "path \"x\": invalid policy \"y\""),
            (
                "path \"secret/+*\" { capabilities = [\"read\"] }",
                "path \"secret/+*\": invalid use of wildcards ('+*' is forbidden)",
            ),
            (
                "path \"x\" { min_wrapping_ttl = 9 max_wrapping_ttl = \"5s\" }",
                "path \"x\": max_wrapping_ttl cannot be less than min_wrapping_ttl",
            ),
            (
                "path \"x\" { max_wrapping_ttl = \"-5s\" }",
                "path \"x\": error parsing max_wrapping_ttl: cannot provide negative value '-5'",
            ),
            ("path \"x\" { capabilities = 5 }", "path \"x\": capabilities must be a list of texts"),
            (
                "path \"x\" { allowed_parameters = [] }",
                "path \"x\": allowed_parameters must be a map from names to lists of values",
            ),
            ("path \"{{identity.entity.id\" {}", "path \"{{identity.entity.id\": invalid template"),
            ("path = 5", "path \"\": path must be a block"),
        ] {
            assert_eq!(refused(text), told, "{text}");
        }
    }
}

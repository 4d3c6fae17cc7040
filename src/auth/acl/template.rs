//! Templates in the paths of policies: `{{identity.…}}` (contract 4). What a name means is read here, who stands
//! behind a token is told by the asker; what cannot be filled in fits nobody. A value never brings a wildcard or
//! another segment along: in Vault a `*` in metadata widens what a token may reach.

/// What can stand in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'t> {
    /// `identity.entity.id`.
    EntityId,
    /// `identity.entity.name`.
    EntityName,
    /// `identity.entity.metadata.<key>`.
    EntityMetadata(&'t str),
    /// `identity.entity.aliases.<mount accessor>.…`.
    Alias(&'t str, AliasPart<'t>),
    /// `identity.groups.ids.<id>.…`, of groups that the entity is in.
    GroupById(&'t str, GroupPart<'t>),
    /// `identity.groups.names.<name>.…`, the same.
    GroupByName(&'t str, GroupPart<'t>),
}

/// What of an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasPart<'t> {
    /// `id`.
    Id,
    /// `name`.
    Name,
    /// `metadata.<key>`.
    Metadata(&'t str),
    /// `custom_metadata.<key>`.
    CustomMetadata(&'t str),
}

/// What of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPart<'t> {
    /// `id`.
    Id,
    /// `name`.
    Name,
    /// `metadata.<key>`.
    Metadata(&'t str),
}

/// Tells what a name stands for, if anything.
pub type Teller<'w> = dyn Fn(&Name<'_>) -> Option<String> + 'w;

impl<'t> Name<'t> {
    /// Reads what stands between the braces.
    fn read(text: &'t str) -> Option<Self> {
        let rest = text.trim().strip_prefix("identity.")?;
        if let Some(rest) = rest.strip_prefix("groups.ids.") {
            let (id, part) = group(rest)?;
            return Some(Self::GroupById(id, part));
        }
        if let Some(rest) = rest.strip_prefix("groups.names.") {
            let (name, part) = group(rest)?;
            return Some(Self::GroupByName(name, part));
        }
        let rest = rest.strip_prefix("entity.")?;
        if let Some(key) = key_of(rest, "metadata.") {
            return Some(Self::EntityMetadata(key));
        }
        if let Some(rest) = rest.strip_prefix("aliases.") {
            let (accessor, part) = rest.split_once('.')?;
            let part = match part {
                "id" => AliasPart::Id,
                "name" => AliasPart::Name,
                _ => match (key_of(part, "metadata."), key_of(part, "custom_metadata.")) {
                    (Some(key), _) => AliasPart::Metadata(key),
                    (None, Some(key)) => AliasPart::CustomMetadata(key),
                    (None, None) => return None,
                },
            };
            return (!accessor.is_empty()).then_some(Self::Alias(accessor, part));
        }
        match rest {
            "id" => Some(Self::EntityId),
            "name" => Some(Self::EntityName),
            _ => None,
        }
    }
}

fn key_of<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    text.strip_prefix(prefix).filter(|key| !key.is_empty())
}

/// The key of a group, which may have dots in it, and what of the group.
fn group(text: &str) -> Option<(&str, GroupPart<'_>)> {
    let found = if let Some((key, name)) = text.split_once(".metadata.") {
        (key, GroupPart::Metadata(name))
    } else if let Some(key) = text.strip_suffix(".id") {
        (key, GroupPart::Id)
    } else {
        (text.strip_suffix(".name")?, GroupPart::Name)
    };
    let named = !matches!(found.1, GroupPart::Metadata(""));
    (named && !found.0.is_empty()).then_some(found)
}

/// What stands before each template, and the template; and the rest.
type Pieces<'t> = (Vec<(&'t str, &'t str)>, &'t str);

fn pieces(text: &str) -> Result<Pieces<'_>, ()> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some((before, inside)) = rest.split_once("{{") {
        let (name, after) = inside.split_once("}}").ok_or(())?;
        if before.contains("}}") {
            return Err(());
        }
        found.push((before, name));
        rest = after;
    }
    if rest.contains("}}") { Err(()) } else { Ok((found, rest)) }
}

/// Every template of a path is closed and means something.
pub(super) fn check(text: &str) -> Result<(), ()> {
    let (pieces, _) = pieces(text)?;
    if pieces.iter().all(|(_, name)| Name::read(name).is_some()) { Ok(()) } else { Err(()) }
}

/// What becomes of a path with templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filled {
    /// This path.
    Path(String),
    /// Something in it is not known of who asks: it fits nobody.
    Nobody,
    /// A value would bring a wildcard or another segment along.
    Widens,
}

/// The path with its templates filled in.
pub(super) fn filled(text: &str, who: &Teller<'_>) -> Filled {
    let Ok((pieces, rest)) = pieces(text) else {
        return Filled::Nobody;
    };
    let mut path = String::with_capacity(text.len());
    for (before, name) in pieces {
        let known = Name::read(name).and_then(|name| who(&name)).filter(|value| !value.is_empty());
        let Some(value) = known else {
            return Filled::Nobody;
        };
        if value == "+" || value.contains(['*', '/']) {
            return Filled::Widens;
        }
        path.push_str(before);
        path.push_str(&value);
    }
    path.push_str(rest);
    Filled::Path(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_closed_and_names_what_there_is() {
        for good in [
            "a/b",
            "a/{{identity.entity.id}}/{{ identity.groups.names.x.id }}",
            "{{identity.entity.metadata.team.of.mine}}*",
            "{{identity.entity.aliases.auth_userpass_1.custom_metadata.k}}",
            "{{identity.groups.ids.1-2.metadata.k}}",
            "{{identity.groups.names.a.b.name}}",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "a/{{identity.entity.id",
            "a/}}",
            "a/{{}}",
            "a/}}{{identity.entity.id}}",
            "{{time.now}}",
            "{{identity.entity.colour}}",
            "{{identity.entity.metadata.}}",
            "{{identity.entity.aliases.x.colour}}",
            "{{identity.groups.names..id}}",
            "{{identity.groups.names.x.colour}}",
        ] {
            assert_eq!(check(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_or_would_widen_the_path_fits_nobody() {
        let with = |value: Option<&str>| {
            let value = value.map(str::to_owned);
            filled("a/{{identity.entity.name}}/b*", &move |name| {
                value.clone().filter(|_| *name == Name::EntityName)
            })
        };
        assert_eq!(with(Some("bob+ci@x")), Filled::Path("a/bob+ci@x/b*".to_owned()));
        for bad in ["*", "b*", "+", "x/y", "../z"] {
            assert_eq!(with(Some(bad)), Filled::Widens, "{bad:?}");
        }
        assert_eq!((with(None), with(Some(""))), (Filled::Nobody, Filled::Nobody));
        assert_eq!(filled("a/{{identity.entity.id}}", &|_| None), Filled::Nobody);
        assert_eq!(filled("plain", &|_| None), Filled::Path("plain".to_owned()));
    }
}

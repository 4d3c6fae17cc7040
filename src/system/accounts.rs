//! Users and groups of this machine by name or number, from `/etc/passwd` and `/etc/group` alone: the system's own
//! look-up needs C code that loads what an administrator named, before privileges are dropped. Nothing is changed here.

use std::path::Path;

use super::{SystemError, refused};

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// A user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: u32,
    /// The number of its own group.
    pub group: u32,
}

/// The user with a name or number.
pub fn user(name: &str) -> Result<User, SystemError> {
    let text = read(USERS)?;
    let found = find_user(&text, name);
    // A number needs no name: in containers there is often none.
    let number = || name.parse().ok().map(|id| User { id, group: id });
    found.or_else(number).ok_or_else(|| none("user", name, USERS))
}

/// The number of the group with a name or number.
pub fn group(name: &str) -> Result<u32, SystemError> {
    let text = read(GROUPS)?;
    let found = find_group(&text, name);
    found.or_else(|| name.parse().ok()).ok_or_else(|| none("group", name, GROUPS))
}

/// Numbers of the groups that a user is a member of, beside its own.
pub fn groups_of(user: u32) -> Result<Vec<u32>, SystemError> {
    let users = read(USERS)?;
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then_some(name)
    });
    let Some(name) = name else { return Ok(Vec::new()) };
    Ok(memberships(&read(GROUPS)?, name))
}

/// `name:password:id:group:…`, by name first.
fn find_user(text: &str, wanted: &str) -> Option<User> {
    let parsed = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, group, ..] = fields.as_slice() else { return None };
        Some(((*name).to_owned(), User { id: id.parse().ok()?, group: group.parse().ok()? }))
    };
    let users: Vec<(String, User)> = text.lines().filter_map(parsed).collect();
    let named = users.iter().find(|(name, _)| name == wanted);
    let numbered = || users.iter().find(|(_, user)| wanted.parse() == Ok(user.id));
    named.or_else(numbered).map(|(_, user)| *user)
}

/// `name:password:id:members`.
fn find_group(text: &str, wanted: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (name == wanted).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

fn memberships(groups: &str, user: &str) -> Vec<u32> {
    let member = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, id, members] = fields.as_slice() else { return None };
        members.split(',').any(|member| member == user).then(|| id.parse().ok()).flatten()
    };
    groups.lines().filter_map(member).collect()
}

fn read(file: &'static str) -> Result<String, SystemError> {
    match std::fs::read_to_string(Path::new(file)) {
        Ok(text) => Ok(text),
        // An image may have no users at all.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(refused(format!("read {file}"))(error)),
    }
}

fn none(kind: &'static str, name: &str, file: &'static str) -> SystemError {
    SystemError::NoAccount { kind, name: name.to_owned(), file }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# a note\nlease:x:995:990::/:/bin/false\n";
    const GROUP: &str = "root:x:0:\nlease:x:990:\nssl-cert:x:110:postgres,lease\nother:x:5:x\n";

    #[test]
    fn accounts_are_found_by_name_and_by_number() {
        assert_eq!(find_user(PASSWD, "lease"), Some(User { id: 995, group: 990 }));
        assert_eq!(find_user(PASSWD, "995"), Some(User { id: 995, group: 990 }));
        assert_eq!(find_user(PASSWD, "nobody-of-us"), None);
        assert_eq!(find_group(GROUP, "ssl-cert"), Some(110));
        assert_eq!(memberships(GROUP, "lease"), [110]);
        assert_eq!(user("4242").unwrap(), User { id: 4242, group: 4242 });
        let told = user("nobody-of-us").unwrap_err().to_string();
        assert!(told.starts_with("there is no user `nobody-of-us`\nhelp: "), "{told}");
        assert!(group("nobody-of-us").is_err());
    }
}

//! The rules of a set of policies, made ready for questions: which rule counts for a path, and what it
//! allows (contract 4). Compiled once per set and pure ever after. Only the best pattern that fits counts;
//! what other patterns grant is not added. Read in [`super::policy`], asked by [`crate::auth`].

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::policy::Policy;
use super::rule::{Capability, Grants, Pattern, Rule};
use super::template::{Filled, Teller};
use super::{Access, Operation};

/// The compiled rules of a set of policies.
#[derive(Debug, Default)]
pub struct Acl {
    rules: Vec<Rule>,
    exact: HashMap<Box<str>, usize>,
    root: Node,
    templated: bool,
    /// The same rules with their paths in small letters, once somebody asked and if that makes a difference.
    folded: OnceLock<Box<Acl>>,
}

/// Patterns with wildcards, segment by segment. The numbers are places in [`Acl::rules`], where a greater
/// one is a better pattern.
#[derive(Debug, Default)]
struct Node {
    literal: HashMap<Box<str>, Node>,
    plus: Option<Box<Node>>,
    /// A pattern that ends here.
    end: Option<usize>,
    /// Patterns that take whatever begins with a text from here on.
    globs: BTreeMap<Box<str>, usize>,
}

/// A rule as it is shown.
#[derive(Debug)]
pub struct ShownRule<'a> {
    /// Its pattern, without the `*` at its end.
    pub path: &'a str,
    /// Whether it fits one path only.
    pub exact: bool,
    /// What it grants, sorted.
    pub capabilities: Vec<&'static str>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The path, without a slash in front.
    pub path: &'a str,
    /// What is to be done with it.
    pub operation: Operation,
    /// An update of something that is not there yet, where that makes a difference.
    pub creates: bool,
    /// What was sent.
    pub data: &'a Map<String, Value>,
    /// For how many seconds the answer shall be wrapped.
    pub wrap_seconds: Option<u64>,
    /// Whether the path is one that needs `sudo` too.
    pub needs_sudo: bool,
}

impl Acl {
    /// From the policies that a token has, behind which nobody stands: templates fit nobody.
    pub fn compile(policies: impl IntoIterator<Item = Policy>) -> Self {
        Self::compile_for(policies, &|_nobody| None)
    }

    /// From the policies that a token has; `who` tells what templates stand for.
    pub fn compile_for(policies: impl IntoIterator<Item = Policy>, who: &Teller<'_>) -> Self {
        let mut united: BTreeMap<Pattern, Grants> = BTreeMap::new();
        let mut templated = false;
        for Rule { mut pattern, grants } in policies.into_iter().flat_map(|policy| policy.rules) {
            if pattern.is_template() {
                templated = true;
                match pattern.filled(who) {
                    Filled::Path(path) => pattern = Pattern::new(&path),
                    // A denial that somebody's own name would lift holds for all of theirs.
                    Filled::Widens if grants.capabilities.has(Capability::Deny) => {
                        return Self { templated, ..Self::default() };
                    }
                    // Contract 4: a path whose template cannot be resolved is dropped.
                    Filled::Nobody | Filled::Widens => continue,
                }
            }
            match united.get_mut(&pattern) {
                Some(known) => known.unite(grants),
                None => drop(united.insert(pattern, grants)),
            }
        }
        Self { templated, ..Self::of(united) }
    }

    fn of(united: BTreeMap<Pattern, Grants>) -> Self {
        let mut ranked: Vec<_> = united.into_iter().collect();
        ranked.sort_by_cached_key(|(pattern, _)| pattern.precedence());
        let mut acl = Self::default();
        for (rank, (pattern, grants)) in ranked.into_iter().enumerate() {
            if pattern.is_exact() {
                acl.exact.insert(pattern.as_str().into(), rank);
            } else {
                acl.root.insert(&pattern, rank);
            }
            acl.rules.push(Rule { pattern, grants });
        }
        acl
    }

    /// Whether it is another one for each entity.
    pub fn is_templated(&self) -> bool {
        self.templated
    }

    /// Whether this may be done. What no rule grants is denied.
    pub fn decide(&self, question: &Question<'_>) -> Access {
        if question.operation == Operation::Help {
            return Access::Granted;
        }
        let lists = question.operation == Operation::List;
        let Some(grants) = self.grants_for(question.path, lists) else {
            return Access::Denied;
        };
        let wanted = match question.operation {
            Operation::Read => Capability::Read,
            Operation::List => Capability::List,
            Operation::Update if question.creates => Capability::Create,
            Operation::Update => Capability::Update,
            Operation::Patch => Capability::Patch,
            Operation::Delete => Capability::Delete,
            Operation::Header | Operation::Help => return Access::Denied,
        };
        let sends =
            matches!(question.operation, Operation::Read | Operation::Update | Operation::Patch);
        let granted = grants.capabilities.has(wanted)
            && (!question.needs_sudo || grants.capabilities.has(Capability::Sudo))
            && grants.lets_wrap(question.wrap_seconds)
            && (!sends || grants.lets_send(question.data));
        if granted { Access::Granted } else { Access::Denied }
    }

    /// The same for a path that ends in a name which is compared in any case: what a rule says of it in other letters
    /// counts as well.
    pub fn decide_in_any_case(&self, question: &Question<'_>) -> Access {
        let path = question.path.to_lowercase();
        match self.decide(question) {
            Access::Granted => self.folded().decide(&Question { path: &path, ..*question }),
            Access::Denied => Access::Denied,
        }
    }

    /// What may be done with such a path.
    pub fn capabilities_in_any_case(&self, path: &str) -> Vec<&'static str> {
        let folded = self.folded().capabilities(&path.to_lowercase());
        let mut both = self.capabilities(path);
        both.retain(|word| folded.contains(word));
        if both.is_empty() { vec![Capability::Deny.as_str()] } else { both }
    }

    fn folded(&self) -> &Self {
        let differs = |rule: &Rule| rule.pattern.as_str().chars().any(char::is_uppercase);
        if !self.rules.iter().any(differs) {
            return self;
        }
        self.folded.get_or_init(|| {
            let mut united: BTreeMap<Pattern, Grants> = BTreeMap::new();
            for Rule { pattern, grants } in &self.rules {
                let pattern = Pattern::new(&pattern.as_str().to_lowercase());
                united.entry(pattern).or_default().unite(grants.clone());
            }
            Box::new(Self::of(united))
        })
    }

    /// What may be done with a path, in alphabetical order; `deny` where nothing may.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        let lists = path.ends_with('/');
        let words = self.grants_for(path, lists).map(|grants| grants.capabilities.words());
        words.filter(|words| !words.is_empty()).unwrap_or_else(|| vec![Capability::Deny.as_str()])
    }

    /// Whether the rules let someone do what only `sudo` may there.
    pub fn has_sudo(&self, path: &str) -> bool {
        self.grants_for(path, false).is_some_and(|grants| grants.capabilities.has(Capability::Sudo))
    }

    /// The rules, for people and user interfaces.
    pub fn rules(&self) -> impl Iterator<Item = ShownRule<'_>> {
        self.rules.iter().map(|rule| ShownRule {
            path: rule.pattern.glob().unwrap_or_else(|| rule.pattern.as_str()),
            exact: rule.pattern.is_exact(),
            capabilities: rule.grants.capabilities.words(),
        })
    }

    /// Whether some rule grants anything for a path below `mount`, which ends in a slash.
    pub fn reaches(&self, mount: &str) -> bool {
        let grants = |rank: usize| {
            let set = self.rules.get(rank).map(|rule| rule.grants.capabilities);
            set.is_some_and(|set| !set.is_empty() && !set.has(Capability::Deny))
        };
        self.exact.iter().any(|(path, rank)| path.starts_with(mount) && grants(*rank))
            || self.root.any_below(mount, &grants)
    }

    /// The rule that counts: the exact one, else the best that fits; a list also asks without its slash.
    fn grants_for(&self, path: &str, lists: bool) -> Option<&Grants> {
        let bare = path.strip_suffix('/').filter(|_| lists);
        let exact = |path: &str| self.exact.get(path).copied();
        let found = exact(path)
            .or_else(|| bare.and_then(exact))
            .or_else(|| self.root.best(path))
            .or_else(|| bare.and_then(|path| self.root.best(path)))?;
        self.rules.get(found).map(|rule| &rule.grants)
    }
}

impl Node {
    fn insert(&mut self, pattern: &Pattern, rank: usize) {
        let glob = pattern.glob();
        let (walk, open) = match glob {
            // The last segment of a glob is open, however little of it is given.
            Some(head) => match head.rsplit_once('/') {
                Some((walk, open)) => (Some(walk), open),
                None => (None, head),
            },
            None => (Some(pattern.as_str()), ""),
        };
        let mut node = self;
        for segment in walk.into_iter().flat_map(|walk| walk.split('/')) {
            node = if segment == "+" {
                node.plus.get_or_insert_default()
            } else {
                node.literal.entry(segment.into()).or_default()
            };
        }
        if glob.is_some() {
            node.globs.insert(open.into(), rank);
        } else {
            node.end = Some(rank);
        }
    }

    /// The best pattern that takes the whole path.
    fn best(&self, path: &str) -> Option<usize> {
        let here = self.longest_glob(path);
        let (segment, rest) = match path.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (path, None),
        };
        let below = |node: Option<&Self>| match (node, rest) {
            (Some(node), Some(rest)) => node.best(rest),
            (Some(node), None) => node.end,
            (None, _) => None,
        };
        let literal = below(self.literal.get(segment));
        let plus = below(self.plus.as_deref());
        here.max(literal).max(plus)
    }

    /// Whether a pattern that could take a path beginning with `head` passes the check.
    fn any_below(&self, head: &str, check: &impl Fn(usize) -> bool) -> bool {
        let glob = |text: &str, rank: usize| {
            (text.starts_with(head) || head.starts_with(text)) && check(rank)
        };
        if self.globs.iter().any(|(text, rank)| glob(text, *rank))
            || (head.is_empty() && self.end.is_some_and(check))
        {
            return true;
        }
        let Some((segment, rest)) = head.split_once('/') else {
            let below = self.literal.iter().filter(|(segment, _)| segment.starts_with(head));
            let below = below.map(|(_, node)| node).chain(self.plus.as_deref());
            return below.into_iter().any(|node| node.any_below("", check));
        };
        let below = self.literal.get(segment).into_iter().chain(self.plus.as_deref());
        below.into_iter().any(|node| node.any_below(rest, check))
    }

    /// The longest text of `globs` that `path` begins with: the greatest that is not greater than the path
    /// and, where that does not fit, than what the two have in common.
    fn longest_glob(&self, path: &str) -> Option<usize> {
        let mut head = path;
        loop {
            let (text, rank) = self
                .globs
                .range::<str, _>((Bound::Unbounded, Bound::Included(head)))
                .next_back()?;
            if head.starts_with(&**text) {
                return Some(*rank);
            }
            head = common(head, text);
        }
    }
}

fn common<'a>(one: &'a str, two: &str) -> &'a str {
    let same = one.char_indices().zip(two.chars()).find(|((_, a), b)| a != b);
    let end = same.map_or_else(|| one.len().min(two.len()), |((at, _), _)| at);
    one.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::acl::template::Name;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::subsequence;
    use serde_json::json;

    fn acl(texts: &[&str]) -> Acl {
        Acl::compile(texts.iter().map(|text| Policy::read(text).unwrap()))
    }

    fn may(acl: &Acl, operation: Operation, path: &str) -> bool {
        let data = Map::new();
        let question = Question {
            path,
            operation,
            creates: false,
            data: &data,
            wrap_seconds: None,
            needs_sudo: false,
        };
        acl.decide(&question) == Access::Granted
    }

    #[test]
    fn only_the_best_pattern_counts() {
        let acl = acl(&[r#"
            path "aws/creds/*" { capabilities = ["read"] }
            path "aws/creds/prod-*" { capabilities = ["list"] }
            path "aws/creds/prod-db" { capabilities = ["deny"] }
            path "+/roles/a" { capabilities = ["read"] }
        "#]);
        assert!(may(&acl, Operation::Read, "aws/creds/dev"));
        assert!(!may(&acl, Operation::Read, "aws/creds/prod-x"), "the better pattern only lists");
        assert!(!may(&acl, Operation::Read, "aws/creds/prod-db"));
        assert!(
            may(&acl, Operation::Read, "x/roles/a") && !may(&acl, Operation::Read, "x/y/roles/a")
        );
        assert!(!may(&acl, Operation::Read, "") && !may(&acl, Operation::Read, "aws/creds"));
        assert_eq!(acl.capabilities("aws/creds/prod-db"), ["deny"]);
        assert_eq!(acl.capabilities("nowhere"), ["deny"]);
    }

    #[test]
    fn a_list_asks_with_and_without_its_slash() {
        for path in ["aws/roles", "aws/roles/", "aws/rol*", "aws/+", "aws/roles/*"] {
            let acl = acl(&[&format!("path \"{path}\" {{ capabilities = [\"list\"] }}")]);
            assert!(may(&acl, Operation::List, "aws/roles/"), "{path}");
        }
        let acl = acl(&[r#"path "aws/roles" { capabilities = ["list"] }"#]);
        assert!(!may(&acl, Operation::Read, "aws/roles/"));
    }

    #[test]
    fn create_sudo_wrapping_and_parameters_are_each_asked_for() {
        let acl = acl(&[r#"
            path "a/config/root" { capabilities = ["create"] }
            path "sys/remount" { capabilities = ["update"] }
            path "sys/audit" { capabilities = ["read", "sudo"] }
            path "w" { capabilities = ["read"] min_wrapping_ttl = "60s" }
            path "p" { capabilities = ["update", "list"] allowed_parameters = { "ttl" = ["5m"] } }
        "#]);
        let data = json!({"ttl": "5m"}).as_object().cloned().unwrap();
        let empty = Map::new();
        let ask = |path, operation, creates, data, wrap_seconds, needs_sudo| {
            let question = Question { path, operation, creates, data, wrap_seconds, needs_sudo };
            acl.decide(&question) == Access::Granted
        };
        let update = Operation::Update;
        assert!(ask("a/config/root", update, true, &empty, None, false));
        assert!(!ask("a/config/root", update, false, &empty, None, false));
        assert!(!ask("sys/remount", update, false, &empty, None, true));
        assert!(ask("sys/audit", Operation::Read, false, &empty, None, true));
        assert!(!ask("w", Operation::Read, false, &empty, None, false));
        assert!(ask("w", Operation::Read, false, &empty, Some(60), false));
        assert!(ask("p", update, false, &data, None, false));
        let other = json!({"ttl": "6m"}).as_object().cloned().unwrap();
        assert!(!ask("p", update, false, &other, None, false));
        assert!(ask("p", Operation::List, false, &other, None, false), "lists carry no parameters");
        assert!(!ask("p", Operation::Header, false, &empty, None, false));
        assert!(ask("nowhere", Operation::Help, false, &empty, None, false));
    }

    #[test]
    fn policies_of_one_pattern_are_united_and_templates_fit_nobody() {
        let acl = acl(&[
            r#"path "a/b" { capabilities = ["read"] }"#,
            r#"path "a/b" { capabilities = ["update"] } path "i/{{identity.entity.id}}" { capabilities = ["read"] }"#,
        ]);
        assert_eq!(acl.capabilities("a/b"), ["read", "update"]);
        assert!(acl.is_templated() && !may(&acl, Operation::Read, "i/{{identity.entity.id}}"));
    }

    #[test]
    fn a_template_is_filled_in_for_whom_it_is_and_united_with_the_same_path() {
        let texts = [
            r#"path "i/{{identity.entity.name}}" { capabilities = ["read"] }"#,
            r#"path "i/bob" { capabilities = ["update"] } path "g/{{identity.groups.names.x.id}}/*" { capabilities = ["list"] }"#,
        ];
        let read = || texts.iter().map(|text| Policy::read(text).unwrap());
        let bob =
            Acl::compile_for(read(), &|name| (*name == Name::EntityName).then(|| "bob".to_owned()));
        assert_eq!(bob.capabilities("i/bob"), ["read", "update"]);
        assert_eq!(bob.capabilities("i/eve"), ["deny"]);
        assert_eq!(bob.capabilities("g/"), ["deny"], "not in the group");
        assert!(bob.is_templated());
        let deny = r#"path "i/*" { capabilities = ["read"] }
            path "i/{{identity.entity.name}}/x" { capabilities = ["deny"] }"#;
        let named = |name: &'static str| {
            Acl::compile_for([Policy::read(deny).unwrap()], &move |_| Some(name.to_owned()))
        };
        assert!(!may(&named("bob"), Operation::Read, "i/bob/x"));
        assert!(may(&named("bob"), Operation::Read, "i/eve/x"));
        assert!(!may(&named("b/*"), Operation::Read, "i/eve/x"), "no name lifts a denial");
    }

    /// Whether a pattern takes a path, as the words of the contract say it, with no cleverness.
    fn fits(pattern: &str, path: &str) -> bool {
        let (pattern, open) = match pattern.strip_suffix('*') {
            Some(head) => (head, true),
            None => (pattern, false),
        };
        let (wanted, given): (Vec<_>, Vec<_>) =
            (pattern.split('/').collect(), path.split('/').collect());
        if wanted.len() > given.len() || (!open && wanted.len() != given.len()) {
            return false;
        }
        let last = wanted.len().saturating_sub(1);
        wanted.iter().zip(&given).enumerate().all(|(at, (wanted, given))| {
            if open && at == last {
                given.starts_with(wanted)
            } else {
                *wanted == "+" || wanted == given
            }
        })
    }

    fn exact<'a>(patterns: &'a [String], path: &str) -> Option<&'a String> {
        patterns.iter().find(|pattern| {
            !pattern.ends_with('*') && !pattern.split('/').any(|s| s == "+") && **pattern == path
        })
    }

    fn best<'a>(patterns: &'a [String], path: &str) -> Option<&'a String> {
        let fitting = patterns.iter().filter(|pattern| fits(pattern, path));
        fitting.max_by_key(|pattern| Pattern::new(pattern).precedence())
    }

    fn naive<'a>(patterns: &'a [String], path: &str) -> Option<&'a String> {
        exact(patterns, path).or_else(|| best(patterns, path))
    }

    /// The same for a list, which also asks without its slash.
    fn naive_list<'a>(patterns: &'a [String], path: &str) -> Option<&'a String> {
        let bare = path.strip_suffix('/');
        exact(patterns, path)
            .or_else(|| exact(patterns, bare?))
            .or_else(|| best(patterns, path))
            .or_else(|| best(patterns, bare?))
    }

    const WORDS: [&str; 4] = ["read", "list", "update", "deny"];

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_words_of_the_contract(
            patterns in vec("(a|b|ab|\\+|/){1,6}\\*?", 0..12),
            paths in vec("(a|b|ab|/|é){0,6}", 1..20),
        ) {
            let patterns: Vec<_> = patterns.into_iter()
                .map(|pattern| pattern.trim_start_matches('/').to_owned())
                .filter(|pattern| !pattern.contains("+*"))
                .collect();
            let texts: Vec<_> = patterns.iter()
                // The values mark which pattern answered.
                .map(|pattern| format!("path \"{pattern}\" {{ capabilities = [\"read\"] required_parameters = [\"{pattern}\"] }}"))
                .collect();
            let compiled = Acl::compile(texts.iter().map(|text| Policy::read(text).unwrap()));
            for path in &paths {
                let found = compiled.grants_for(path, false).map(|grants| grants.required.concat());
                prop_assert_eq!(found.as_ref(), naive(&patterns, path), "{} {:?}", path, patterns);
            }
        }

        #[test]
        fn decisions_over_several_policies_agree_with_the_words_of_the_contract(
            rules in vec(("(a|b|ab|\\+|/){1,5}\\*?", subsequence(WORDS.to_vec(), 0..=4), 0_usize..3), 0..12),
            paths in vec("(a|b|ab|/){0,5}/?", 1..20),
        ) {
            let rules: Vec<_> = rules.into_iter()
                .map(|(pattern, words, policy)| (pattern.trim_start_matches('/').to_owned(), words, policy))
                .filter(|(pattern, ..)| !pattern.contains("+*"))
                .collect();
            let texts = (0..3).map(|number| {
                let own = rules.iter().filter(|(_, _, policy)| *policy == number);
                let blocks: Vec<_> = own
                    .map(|(pattern, words, _)| {
                        format!("path \"{pattern}\" {{ capabilities = {words:?} }}\n")
                    })
                    .collect();
                blocks.concat()
            });
            let compiled = Acl::compile(texts.map(|text| Policy::read(&text).unwrap()));
            let patterns: Vec<String> = rules.iter().map(|(pattern, ..)| pattern.clone()).collect();
            for path in &paths {
                for (operation, word) in [
                    (Operation::Read, "read"), (Operation::List, "list"), (Operation::Update, "update"),
                ] {
                    let lists = operation == Operation::List;
                    let winner =
                        if lists { naive_list(&patterns, path) } else { naive(&patterns, path) };
                    let said: Vec<_> = rules.iter()
                        .filter(|(pattern, ..)| Some(pattern) == winner)
                        .flat_map(|(_, words, _)| words.clone())
                        .collect();
                    let wanted = said.contains(&word) && !said.contains(&"deny");
                    prop_assert_eq!(may(&compiled, operation, path), wanted, "{} {:?}", path, rules);
                }
            }
        }
    }
}

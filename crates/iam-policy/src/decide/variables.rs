//! Policy variables: `${name}`, `${name, 'default'}`, and `${*}` `${?}` `${$}` for the characters themselves.
//! A value that is filled in is plain text: stars in it are no wildcards. A value that is not known may be anything.
//! Version 2008-10-17 has no variables: there `${…}` is what is written.

use super::conditions::Case;
use super::{Context, Truth};
use crate::document::Version;
use crate::wildcard::{matches, matches_action, matches_arn, matches_resource};

/// Stands for a wildcard character that is meant as itself. The documents hold no character above U+00FF, and
/// requests are mapped the same way, so the private-use characters are free.
const PLAIN_STAR: char = '\u{e000}';
const PLAIN_QUESTION_MARK: char = '\u{e001}';

/// A pattern with its variables filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// With a star for each variable that is not known.
    text: String,
    /// Whether there is such a variable.
    open: bool,
    /// Whether a variable has no value at all, so that nothing matches (IAM User Guide, policy variables).
    void: bool,
}

impl Pattern {
    pub(super) fn fill(text: &str, language: Version, context: &Context) -> Self {
        let mut filled = Self { text: String::with_capacity(text.len()), open: false, void: false };
        let mut rest = text;
        while let Some((before, after)) = split_variable(rest, language) {
            filled.text.push_str(before);
            let Some((variable, after)) = after.split_once('}') else {
                break;
            };
            filled.variable(variable, context);
            rest = after;
        }
        filled.text.push_str(rest);
        filled
    }

    fn variable(&mut self, variable: &str, context: &Context) {
        let (name, default) = match variable.split_once(',') {
            Some((name, default)) => (name.trim(), Some(default.trim().trim_matches('\''))),
            None => (variable.trim(), None),
        };
        match name {
            "*" => self.text.push(PLAIN_STAR),
            "?" => self.text.push(PLAIN_QUESTION_MARK),
            "$" => self.text.push('$'),
            name => match (context.values(name), default) {
                (Some([value]), _) => self.text.push_str(&plain(value)),
                (Some([]), Some(default)) => self.text.push_str(&plain(default)),
                (Some([]), None) => self.void = true,
                // Several values cannot stand in one place; not known which.
                (Some([_, ..]) | None, _) => {
                    self.open = true;
                    self.text.push('*');
                }
            },
        }
    }

    /// Whether a variable has no value, so that the whole statement may be void.
    pub(super) fn is_void(&self) -> bool {
        self.void
    }

    pub(super) fn matches_resource(&self, resource: &str) -> Truth {
        self.judge(|pattern| matches_resource(pattern, &plain(resource)))
    }

    pub(super) fn matches_arn(&self, arn: &str) -> Truth {
        self.judge(|pattern| matches_arn(pattern, &plain(arn)))
    }

    pub(super) fn matches_like(&self, value: &str) -> Truth {
        self.judge(|pattern| matches(pattern, &plain(value)))
    }

    /// Compares without wildcards: the pattern's own stars are plain, a variable that is not known is not.
    pub(super) fn equals(
        text: &str,
        language: Version,
        context: &Context,
        value: &str,
        case: Case,
    ) -> Truth {
        let filled = Self::fill(&plain_outside_variables(text, language), language, context);
        let value = plain(value);
        filled.judge(|pattern| match case {
            Case::Folded => matches_action(pattern, &value),
            Case::Kept => matches(pattern, &value),
        })
    }

    fn judge(&self, matched: impl Fn(&str) -> bool) -> Truth {
        match (self.void, matched(&self.text), self.open) {
            (true, _, _) | (false, false, _) => Truth::No,
            (false, true, false) => Truth::Yes,
            (false, true, true) => Truth::Unknown,
        }
    }
}

/// Splits before the next variable, if the language has any.
fn split_variable(text: &str, language: Version) -> Option<(&str, &str)> {
    match language {
        Version::V2008 => None,
        Version::V2012 => text.split_once("${"),
    }
}

fn plain(text: &str) -> String {
    text.replace('*', "\u{e000}").replace('?', "\u{e001}")
}

fn plain_outside_variables(text: &str, language: Version) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = split_variable(rest, language) {
        let Some((variable, after)) = after.split_once('}') else {
            break;
        };
        out.push_str(&plain(before));
        out.push_str("${");
        out.push_str(variable);
        out.push('}');
        rest = after;
    }
    out.push_str(&plain(rest));
    out
}

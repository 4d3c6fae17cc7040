//! A grant as the checks read it: every allowed entry that counts, with how far it reaches. An entry that an
//! unconditional Deny on every resource takes away counts no more, nor does one that the settings allow.
//! The boundary is not an excuse: it is changed apart from the role, and judged apart.

use leasehold_guardrail_sdk::{
    ActionForm, ActionRef, AllowedAction, Denies, Grant, Location, Statement, pattern, scope,
};

use crate::settings::Settings;

/// What kind of action entry it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// Every action.
    Everything,
    /// Every action of one service or of several.
    Service,
    /// Anything narrower.
    Some,
}

/// One allowed entry that counts.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) allowed: AllowedAction<'a>,
    pub(crate) breadth: Breadth,
    /// Its statement names no resource in particular.
    pub(crate) on_any: bool,
    /// Its statement has a condition that bounds the resources.
    pub(crate) narrowed: bool,
}

/// What the checks look at.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) grant: &'a Grant,
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) settings: &'a Settings,
    denies: Denies<'a>,
}

impl<'a> View<'a> {
    pub(crate) fn new(grant: &'a Grant, settings: &'a Settings) -> Self {
        let mut view = Self { grant, entries: Vec::new(), settings, denies: Denies::of(grant) };
        let mut reach = Reach::default();
        let counted = grant
            .allowed_actions()
            .filter(|allowed| !view.is_denied(&allowed.action.text))
            .map(|allowed| {
                let (on_any, narrowed) = reach.of(allowed.statement);
                Entry { allowed, breadth: breadth(allowed.action), on_any, narrowed }
            })
            .filter(|entry| {
                entry.breadth == Breadth::Everything || !settings.allows(&entry.allowed.action.text)
            });
        view.entries = counted.collect();
        view
    }

    /// Whether some Deny certainly takes all of `action`, a name or a pattern, away.
    pub(crate) fn is_denied(&self, action: &str) -> bool {
        self.denies.take(action)
    }

    /// Allow statements with `NotAction` that are not taken away as a whole, with the index of their document.
    pub(crate) fn negated(&self) -> impl Iterator<Item = (u32, &'a Statement)> {
        let all_denied = self.is_denied("*");
        self.grant
            .statements()
            .filter(move |(_, one)| one.allows() && !one.not_actions.is_empty() && !all_denied)
    }

    /// The allowed entries, those of one statement together.
    pub(crate) fn by_statement(&self) -> impl Iterator<Item = &[Entry<'a>]> {
        self.entries
            .chunk_by(|one, other| std::ptr::eq(one.allowed.statement, other.allowed.statement))
    }

    /// Whether the grant gives everything, whatever else it says.
    pub(crate) fn is_full_admin(&self) -> bool {
        self.entries.iter().any(Entry::is_full_admin)
    }
}

/// How far the statement that was asked about last reaches: its entries follow each other.
#[derive(Default)]
struct Reach<'a>(Option<(&'a Statement, bool, bool)>);

impl<'a> Reach<'a> {
    /// Whether it names no resource in particular, and whether a condition bounds the resources.
    fn of(&mut self, statement: &'a Statement) -> (bool, bool) {
        match self.0 {
            Some((known, on_any, narrowed)) if std::ptr::eq(known, statement) => (on_any, narrowed),
            Some(_) | None => {
                let (on_any, narrowed) =
                    (scope::reaches_any(statement), scope::is_narrowed(statement));
                self.0 = Some((statement, on_any, narrowed));
                (on_any, narrowed)
            }
        }
    }
}

impl Entry<'_> {
    pub(crate) fn is_full_admin(&self) -> bool {
        self.breadth == Breadth::Everything && self.on_any
    }

    pub(crate) fn text(&self) -> &str {
        &self.allowed.action.text
    }

    pub(crate) fn location(&self) -> Location {
        self.allowed.location()
    }
}

fn breadth(action: &ActionRef) -> Breadth {
    // The name of a known action has no wildcard.
    if action.form == ActionForm::Exact {
        return Breadth::Some;
    }
    let text = action.text.as_str();
    if action.form == ActionForm::All || pattern::is_everything(text) {
        return Breadth::Everything;
    }
    let Some((service, name)) = text.split_once(':') else {
        return Breadth::Some;
    };
    // `s3:*` and `s3:?*`, but also `s*:Put*`: what several services have in common by name has nothing else in common.
    if pattern::is_everything(name) || (service.contains('*') && is_broad(action)) {
        Breadth::Service
    } else {
        Breadth::Some
    }
}

/// Whether it covers more than reading.
fn is_broad(action: &ActionRef) -> bool {
    crate::checks::changes_something(action)
}

#[cfg(test)]
mod tests {
    use leasehold_guardrail_sdk::Effect;
    use leasehold_guardrail_sdk::testing::{action, allow, grant};

    use super::*;

    fn deny(text: &str, resource: &str) -> Statement {
        Statement { effect: Effect::Deny, ..allow([action(text)], [resource]) }
    }

    fn counted(statements: Vec<Statement>) -> Vec<String> {
        let grant = grant(statements);
        let settings = Settings::default();
        let view = View::new(&grant, &settings);
        view.entries.iter().map(|entry| entry.text().to_owned()).collect()
    }

    #[test]
    fn an_unconditional_deny_on_everything_takes_entries_away() {
        let allowed = || allow([action("s3:GetObject"), action("s3:Put*"), action("*")], ["*"]);
        assert_eq!(counted(vec![allowed(), deny("s3:*", "*")]), ["*"]);
        assert_eq!(counted(vec![allowed(), deny("*", "*")]), Vec::<String>::new());
    }

    #[test]
    fn a_deny_with_a_condition_or_a_resource_takes_nothing_away() {
        let allowed = || allow([action("s3:GetObject")], ["*"]);
        assert_eq!(counted(vec![allowed(), deny("s3:*", "arn:aws:s3:::b/*")]), ["s3:GetObject"]);
        let mut conditional = deny("s3:*", "*");
        conditional.conditions.push(leasehold_guardrail_sdk::Condition {
            operator: "Bool".to_owned(),
            key: "aws:MultiFactorAuthPresent".to_owned(),
            values: vec!["false".to_owned()],
        });
        assert_eq!(counted(vec![allowed(), conditional]), ["s3:GetObject"]);
    }

    #[test]
    fn a_deny_with_not_action_takes_away_what_it_does_not_spare() {
        let mut all_but = deny("s3:*", "*");
        all_but.not_actions = std::mem::take(&mut all_but.actions);
        let allowed =
            allow([action("s3:GetObject"), action("ec2:RunInstances"), action("ec2:*")], ["*"]);
        assert_eq!(counted(vec![allowed, all_but]), ["s3:GetObject"]);
    }

    #[test]
    fn breadth_sees_through_spellings() {
        for (text, expected) in [
            ("*", Breadth::Everything),
            ("*:*", Breadth::Everything),
            ("s3:*", Breadth::Service),
            ("s3:?*", Breadth::Service),
            ("s3:Get*", Breadth::Some),
            ("*:Get*", Breadth::Some),
        ] {
            assert_eq!(breadth(&action(text)), expected, "{text}");
        }
    }
}

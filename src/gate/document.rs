//! From a text to a document that may be judged: strict JSON, JSON Schema, typed statements with their semantics,
//! AWS's quota, in this order. What fails here is refused in every mode, since AWS would refuse it or read it
//! otherwise than we do. Rules about what a document grants are in `rules` and in the guardrails.

use std::sync::Arc;

use iam_policy::quota::{Target, TooLarge};
use iam_policy::{Document, Position, StrictJson, semantics};
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use super::digest::{Digest, Fields};
use super::schema::{Fault, Schema, SchemaError};
use super::sentence::sentences;
use crate::model::{Finding, Severity};

/// Bytes of text of all documents kept ready. A broker with a thousand roles that share the usual managed
/// policies needs 3 MiB; the parsed form takes some five times as much.
const KEPT_BYTES: usize = 4 << 20;

/// The rule of what is not JSON at all.
pub(super) const NOT_JSON: &str = "document/json-syntax";

/// An inline document that may be judged: well formed and within the quota. Cheap to clone.
#[derive(Debug, Clone)]
pub struct InlineDocument(pub(super) Arc<Held>);

impl InlineDocument {
    /// The text without insignificant white space: what the guardrails see and AWS gets.
    pub fn canonical(&self) -> &str {
        self.0.document.canonical()
    }
}

/// Why a text is not taken as an inline document, in whatever mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentRefused {
    /// It is not JSON.
    BrokenJson {
        /// What is wrong and where.
        detail: String,
    },
    /// It is JSON and not a policy that AWS would take.
    Findings(Vec<Finding>),
}

impl DocumentRefused {
    /// One sentence per finding; none where it is not JSON.
    pub fn errors(&self) -> Vec<String> {
        match self {
            Self::BrokenJson { detail: _ } => Vec::new(),
            Self::Findings(findings) => sentences(findings),
        }
    }
}

/// A document that was read, with what there is to remark on it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) document: Arc<Document>,
    /// What it was read for.
    pub(super) purpose: Purpose,
    /// Of the canonical text.
    pub(super) digest: Digest,
    /// Of the text as given: two texts with one canonical form have their findings at different places.
    pub(super) text_digest: Digest,
    /// Warnings that are the document's own, whatever guardrails there are.
    pub(super) remarks: Vec<Finding>,
}

impl Held {
    /// Line and column of what a pointer points to, in the text as given.
    pub(super) fn place(&self, pointer: &str) -> Option<(u32, u32)> {
        numbers(self.document.position(pointer)?)
    }
}

/// What a text is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Purpose {
    /// The inline policy of a user: must fit, and its author is told of what looks wrong.
    Inline,
    /// The document of a user that may go into a managed policy of its own: as inline.
    Managed,
    /// The policy of a session, from the role and from its groups: as inline.
    Session,
    /// A file that may become anything: as inline, but being too large is a warning.
    Bare,
    /// AWS holds it: AWS took it, and the author of the role cannot change it.
    Fetched,
}

/// Reads documents, each text once.
#[derive(Debug)]
pub(super) struct Documents {
    schema: Schema,
    kept: Cache<Arc<Held>>,
}

impl Documents {
    pub(super) fn new() -> Result<Self, SchemaError> {
        Ok(Self { schema: Schema::policy()?, kept: Cache::new(KEPT_BYTES) })
    }

    /// The document, or everything that is wrong with it.
    pub(super) fn read(&self, text: &str, purpose: Purpose) -> Result<Arc<Held>, Vec<Finding>> {
        let text_digest = Fields::new(purpose.key()).text(text).finish();
        if let Some(held) = self.kept.get(&text_digest) {
            return Ok(held);
        }
        let document = self.parse(text).map_err(|faults| refusals(faults, purpose))?;
        let remarks = match purpose {
            Purpose::Inline | Purpose::Managed | Purpose::Session | Purpose::Bare => {
                remarks(&document, purpose)?
            }
            Purpose::Fetched => Vec::new(),
        };
        let digest = Digest::of(document.canonical().as_bytes());
        let held =
            Arc::new(Held { document: Arc::new(document), purpose, digest, text_digest, remarks });
        self.kept.put(text_digest, Arc::clone(&held), text.len());
        Ok(held)
    }

    fn parse(&self, text: &str) -> Result<Document, Vec<Fault>> {
        let json = StrictJson::parse(text)
            .map_err(|error| vec![Fault::worded("document", error.into())])?;
        if self.schema.accepts(&json) {
            let worded = |problem| Fault::worded("document", problem);
            return Document::from_json(json)
                .map_err(|problems| problems.into_iter().map(worded).collect());
        }
        let problems = Document::from_json(json.clone()).err().unwrap_or_default();
        Err(self.schema.faults(&json, problems))
    }
}

impl Purpose {
    /// The source that findings name.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Inline | Self::Managed | Self::Session => "inline",
            Self::Bare => "document",
            Self::Fetched => "fetched",
        }
    }

    /// What keeps the readings of one text for several purposes apart.
    const fn key(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Managed => "managed",
            Self::Inline | Self::Bare | Self::Fetched => self.source(),
        }
    }

    /// Whose quota counts, and the rule that says so.
    const fn quota(self) -> (Target, &'static str) {
        match self {
            Self::Session => (Target::Session, "quota/session-policy"),
            Self::Managed => (Target::Managed, "quota/managed-policy"),
            Self::Inline | Self::Bare | Self::Fetched => {
                (Target::InlineUser, "quota/inline-policy")
            }
        }
    }
}

fn refusals(faults: Vec<Fault>, purpose: Purpose) -> Vec<Finding> {
    let refusal = |fault: Fault| finding(fault, purpose, Severity::High, true);
    faults.into_iter().map(refusal).collect()
}

/// What the semantics and the quota have to say, unless it refuses the document.
fn remarks(document: &Document, purpose: Purpose) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut remarks: Vec<Finding> = semantics::check(document)
        .into_iter()
        .map(|remark| {
            let layer = match remark.problem.rule {
                "unknown-action" => "catalogue",
                _ => "document",
            };
            let fault = Fault::worded(layer, remark.problem);
            match remark.severity {
                semantics::Severity::Reject => finding(fault, purpose, Severity::High, true),
                semantics::Severity::Warn => finding(fault, purpose, Severity::Low, false),
            }
        })
        .collect();
    remarks.extend(over_quota(document, purpose));
    if remarks.iter().any(|finding| finding.denies) { Err(remarks) } else { Ok(remarks) }
}

fn over_quota(document: &Document, purpose: Purpose) -> Option<Finding> {
    let (target, rule) = purpose.quota();
    let TooLarge { target, characters } = target.check([document.canonical()]).err()?;
    let message = format!(
        "the document has {characters} characters without white space; {} may have {}",
        target.in_words(),
        target.limit()
    );
    let managed = Target::Managed.limit();
    let help = match purpose {
        Purpose::Inline if characters <= managed => format!(
            "write `placement=auto` for a managed policy of each lease's own, which may have {managed}, or \
             make it a managed policy and name it in `policy_arns`"
        ),
        Purpose::Session | Purpose::Bare | Purpose::Fetched if characters <= managed => format!(
            "make it a managed policy, which may have {managed}, and name it in `policy_arns`"
        ),
        Purpose::Inline
        | Purpose::Managed
        | Purpose::Session
        | Purpose::Bare
        | Purpose::Fetched => format!(
            "split it into managed policies of at most {managed} and name them in `policy_arns`"
        ),
    };
    let fault = Fault {
        rule: rule.to_owned(),
        pointer: String::new(),
        position: document.position(""),
        message,
        help: Some(help),
    };
    let refused = match purpose {
        Purpose::Inline | Purpose::Managed | Purpose::Session => true,
        Purpose::Bare | Purpose::Fetched => false,
    };
    Some(finding(fault, purpose, if refused { Severity::High } else { Severity::Low }, refused))
}

fn finding(fault: Fault, purpose: Purpose, severity: Severity, denies: bool) -> Finding {
    let place = fault.position.and_then(numbers);
    Finding {
        rule: fault.rule,
        severity,
        message: fault.message,
        source: purpose.source().to_owned(),
        pointer: fault.pointer,
        line: place.map(|(line, _)| line),
        column: place.map(|(_, column)| column),
        remediation: fault.help,
        denies,
    }
}

/// Line and column, as findings have them.
fn numbers(position: Position) -> Option<(u32, u32)> {
    Some((u32::try_from(position.line).ok()?, u32::try_from(position.column).ok()?))
}

/// The public form of a refusal.
pub(super) fn refused(findings: Vec<Finding>) -> DocumentRefused {
    match findings.as_slice() {
        [only] if only.rule == NOT_JSON => {
            let place = only.line.zip(only.column);
            let at = place.map_or_else(String::new, |(line, column)| {
                format!(" at line {line} column {column}")
            });
            DocumentRefused::BrokenJson { detail: format!("{}{at}", only.message) }
        }
        _ => DocumentRefused::Findings(findings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{ "Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"} }"#;

    fn read(text: &str, purpose: Purpose) -> Result<Arc<Held>, Vec<Finding>> {
        Documents::new().unwrap().read(text, purpose)
    }

    fn large(characters: usize) -> String {
        let frame = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::"}}"#;
        let resource =
            format!("arn:aws:s3:::{}", "b".repeat(characters.saturating_sub(frame.len())));
        frame.replace("arn:aws:s3:::", &resource)
    }

    #[test]
    fn a_good_document_is_held_in_canonical_form_without_remarks() {
        let held = read(GOOD, Purpose::Inline).unwrap();
        assert_eq!(held.document.canonical(), GOOD.replace(' ', ""));
        assert_eq!(held.remarks, []);
    }

    #[test]
    fn one_text_is_read_once_and_one_canonical_form_has_one_digest() {
        let documents = Documents::new().unwrap();
        let first = documents.read(GOOD, Purpose::Inline).unwrap();
        assert!(Arc::ptr_eq(&first, &documents.read(GOOD, Purpose::Inline).unwrap()));
        let compact = documents.read(first.document.canonical(), Purpose::Inline).unwrap();
        assert_eq!(compact.digest, first.digest);
        assert_ne!(compact.text_digest, first.text_digest);
    }

    #[test]
    fn broken_json_is_told_apart_from_findings() {
        let findings = read("{\n \"Version\": }", Purpose::Inline).unwrap_err();
        let DocumentRefused::BrokenJson { detail } = refused(findings) else {
            panic!("not broken")
        };
        assert!(detail.ends_with("at line 2 column 13"), "{detail}");
        let twice = GOOD.replace(
            "\"Version\": \"2012-10-17\"",
            "\"Version\": \"2012-10-17\", \"Version\": \"2012-10-17\"",
        );
        let DocumentRefused::Findings(findings) =
            refused(read(&twice, Purpose::Inline).unwrap_err())
        else {
            panic!("broken")
        };
        assert_eq!(findings[0].rule, "document/json-duplicate-name");
        assert!(findings[0].denies);
    }

    #[test]
    fn an_unknown_action_is_a_warning_with_the_nearest_name() {
        let held = read(&GOOD.replace("GetObject\"", "GetObjct\""), Purpose::Inline).unwrap();
        let [remark] = held.remarks.as_slice() else { panic!("{:?}", held.remarks) };
        assert_eq!(remark.rule, "catalogue/unknown-action");
        assert_eq!(remark.remediation.as_deref(), Some("did you mean `s3:GetObject`?"));
        assert!(!remark.denies);
    }

    #[test]
    fn the_quota_refuses_an_inline_document_and_only_warns_of_a_bare_one() {
        assert!(read(&large(2_048), Purpose::Inline).is_ok());
        let findings = read(&large(2_049), Purpose::Inline).unwrap_err();
        assert_eq!(findings[0].rule, "quota/inline-policy");
        assert!(findings[0].message.contains("has 2049 characters"), "{}", findings[0].message);
        let held = read(&large(2_049), Purpose::Bare).unwrap();
        assert_eq!(
            (held.remarks[0].rule.as_str(), held.remarks[0].denies),
            ("quota/inline-policy", false)
        );
        assert_eq!(read(&large(2_049), Purpose::Fetched).unwrap().remarks, []);
        let session = read(&large(2_049), Purpose::Session).unwrap_err();
        assert_eq!((session[0].rule.as_str(), session[0].denies), ("quota/session-policy", true));
        assert!(session[0].message.contains("a session policy may have 2048"));
    }
}

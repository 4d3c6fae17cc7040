//! The door for programs: open the account, hand its HTTP client to the SDK, look at what is there,
//! set up what only people would create. Must not know HTTP. Calls are carried out by
//! [`crate::service`].

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rand::RngCore;

use crate::connector::Connector;
use crate::error::AwsError;
use crate::form::{Form, Parameters};
use crate::journal::{Journal, JournalError};
use crate::service::{Account, Api};
use crate::state::{Belonging, State};
use crate::view::{GroupView, UserView};
use crate::{ADMIN_USER, DEFAULT_ACCOUNT, xml};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How the account is set up.
pub struct Options {
    pub(crate) account: String,
    pub(crate) clock: Clock,
    pub(crate) rng: Box<dyn RngCore + Send>,
    pub(crate) admin_keys: Option<Vec<String>>,
    pub(crate) recorded_calls: usize,
    pub(crate) user_quota: usize,
    pub(crate) keys_spread_after: i64,
    pub(crate) page_of: Option<usize>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("account", &self.account).finish_non_exhaustive()
    }
}

impl Options {
    /// The example account, with the time and the randomness that it lives by. A kept account
    /// (with a path) needs a generator that does not start over at the same place.
    pub fn new(clock: Clock, rng: impl RngCore + Send + 'static) -> Self {
        Self {
            account: DEFAULT_ACCOUNT.to_owned(),
            clock,
            rng: Box::new(rng),
            admin_keys: None,
            recorded_calls: 0,
            // IAM quotas: users in an account, not adjustable.
            user_quota: 5_000,
            keys_spread_after: 0,
            page_of: None,
        }
    }

    /// Another account id than [`DEFAULT_ACCOUNT`].
    #[must_use]
    pub fn account(mut self, id: impl Into<String>) -> Self {
        self.account = id.into();
        self
    }

    /// Only these access keys are the administrator's; others that no user has are unknown
    /// (`InvalidClientTokenId`). Without this, every key that no user has or had is.
    #[must_use]
    pub fn admin_keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.admin_keys = Some(keys.into_iter().collect());
        self
    }

    /// Keeps the last `count` calls for [`EmbeddedAws::calls`]; none are kept by default.
    #[must_use]
    pub fn record_calls(mut self, count: usize) -> Self {
        self.recorded_calls = count;
        self
    }

    /// A user's new key is unknown (`InvalidClientTokenId`) for so many seconds of the account's clock,
    /// as while IAM spreads the news; 0 by default.
    #[must_use]
    pub fn keys_spread_after(mut self, seconds: u32) -> Self {
        self.keys_spread_after = i64::from(seconds);
        self
    }

    /// Another number of users than the 5,000 of IAM, for measurements.
    #[must_use]
    pub fn user_quota(mut self, count: usize) -> Self {
        self.user_quota = count;
        self
    }
}

/// A call that reached the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// The operation, such as `CreateUser`.
    pub action: String,
    /// Its parameters, decoded, without `Action` and `Version`.
    pub parameters: Parameters,
    /// The access key it was signed with; empty for calls through the handle.
    pub access_key_id: String,
    /// The error code it was refused with, if it was.
    pub refused: Option<&'static str>,
}

/// The embedded AWS. Cloning is cheap and gives another handle on the same account.
#[derive(Debug, Clone)]
pub struct EmbeddedAws {
    shared: Arc<Mutex<Account>>,
}

impl EmbeddedAws {
    /// Opens the account kept at `path`, or a fresh one that is not kept.
    pub fn open(path: Option<PathBuf>, options: Options) -> Result<Self, JournalError> {
        let (state, journal) = match path {
            Some(path) => {
                let now = crate::service::seconds((options.clock)());
                let (journal, state) = Journal::open(path, now)?;
                (state, Some(journal))
            }
            None => (State::default(), None),
        };
        let mut account = Account::new(options, state, journal);
        account.seed()?;
        Ok(Self { shared: Arc::new(Mutex::new(account)) })
    }

    /// The HTTP client to give to `aws-sdk-iam` and `aws-sdk-sts`.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(Connector::new(self.clone()))
    }

    /// The account's id.
    pub fn account(&self) -> String {
        self.with(|account| account.options.account.clone())
    }

    /// Every user but [`ADMIN_USER`], sorted by name.
    pub fn users(&self) -> Vec<UserView> {
        self.with(|account| {
            let users = account.state.users().values();
            let others = users.filter(|user| user.name != ADMIN_USER);
            others.map(|user| UserView::of(user, &account.options.account)).collect()
        })
    }

    /// One user, by name in any case.
    pub fn user(&self, name: &str) -> Option<UserView> {
        self.with(|account| {
            account.state.user(name).map(|user| UserView::of(user, &account.options.account))
        })
    }

    /// One group, by name in any case.
    pub fn group(&self, name: &str) -> Option<GroupView> {
        self.with(|account| {
            let group = account.state.group(name)?;
            let users = account.state.users().values();
            let members = users.filter(|user| user.groups.contains(&group.name));
            Some(GroupView::of(group, members.map(|user| user.name.clone()).collect()))
        })
    }

    /// ARNs of the policies that are the account's own, sorted.
    pub fn managed_policies(&self) -> Vec<String> {
        self.with(|account| {
            let arns = account.state.policies().keys();
            arns.filter(|arn| !crate::managed::is_aws_managed(arn)).cloned().collect()
        })
    }

    /// Inline documents of a role by policy name; `None` where there is no such role.
    pub fn role_policies(&self, name: &str) -> Option<BTreeMap<String, String>> {
        self.with(|account| account.state.role(name).map(|role| role.inline.clone()))
    }

    /// Serial numbers of the virtual MFA devices, whoever has them.
    pub fn virtual_mfa_devices(&self) -> Vec<String> {
        self.with(|account| account.state.virtual_mfa().iter().cloned().collect())
    }

    /// The calls kept by [`Options::record_calls`], oldest first.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.with(|account| account.calls.iter().cloned().collect())
    }

    /// Forgets the recorded calls.
    pub fn clear_calls(&self) {
        self.with(|account| account.calls = VecDeque::new());
    }

    /// From now on no list gives more than `count` items at once, whatever is asked for. IAM does so too ("might
    /// return fewer results, even when there are more": IAM API reference, `MaxItems`), and its quotas leave a
    /// user or a group too little for a second page otherwise.
    pub fn give_pages_of(&self, count: usize) {
        self.with(|account| account.options.page_of = Some(count));
    }

    /// Carries out an IAM call as the administrator, and gives the XML that AWS would answer.
    pub fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, AwsError> {
        let mut all: Parameters =
            parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all.insert("Action".to_owned(), action.to_owned());
        self.with(|account| {
            let answer = account.answer_as_admin(Api::Iam, &Form::from_parameters(all))?;
            Ok(xml::response(action, Api::Iam.namespace(), answer, &account.request_id()))
        })
    }

    /// A symmetric key in KMS under an alias (`alias/…`); gives its id. It is there as long as this handle.
    pub fn create_kms_key(&self, alias: &str) -> String {
        self.with(|account| account.create_kms_key(alias))
    }

    /// A key in KMS can be used again.
    pub fn enable_kms_key(&self, id: &str) {
        self.with(|account| account.set_kms_key(id, true));
    }

    /// A key in KMS can be looked at alone.
    pub fn disable_kms_key(&self, id: &str) {
        self.with(|account| account.set_kms_key(id, false));
    }

    /// A customer-managed policy under `/`; gives its ARN.
    pub fn create_managed_policy(&self, name: &str, document: &str) -> Result<String, AwsError> {
        self.call("CreatePolicy", &[("PolicyName", name), ("PolicyDocument", document)])?;
        Ok(format!("arn:aws:iam::{}:policy/{name}", self.account()))
    }

    /// A group with these inline documents (name, document) and managed policies.
    pub fn create_group(
        &self,
        name: &str,
        inline: &[(&str, &str)],
        attached: &[&str],
    ) -> Result<(), AwsError> {
        self.call("CreateGroup", &[("GroupName", name)])?;
        for (policy, document) in inline {
            let put = [("GroupName", name), ("PolicyName", policy), ("PolicyDocument", document)];
            self.call("PutGroupPolicy", &put)?;
        }
        for arn in attached {
            self.call("AttachGroupPolicy", &[("GroupName", name), ("PolicyArn", arn)])?;
        }
        Ok(())
    }

    /// A role that this account may assume, with tags too, for sessions of up to `max_session_seconds`.
    pub fn create_role(&self, name: &str, max_session_seconds: u32) -> Result<String, AwsError> {
        let account = self.account();
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":["sts:AssumeRole","sts:TagSession"]}}]}}"#
        );
        let longest = max_session_seconds.to_string();
        let parameters = [
            ("RoleName", name),
            ("AssumeRolePolicyDocument", trust.as_str()),
            ("MaxSessionDuration", longest.as_str()),
        ];
        self.call("CreateRole", &parameters)?;
        Ok(format!("arn:aws:iam::{account}:role/{name}"))
    }

    /// A user that somebody else made, with tags (key, value).
    pub fn create_user(
        &self,
        name: &str,
        path: &str,
        tags: &[(&str, &str)],
    ) -> Result<(), AwsError> {
        let names: Vec<_> = (1..=tags.len())
            .map(|n| (format!("Tags.member.{n}.Key"), format!("Tags.member.{n}.Value")))
            .collect();
        let mut parameters = vec![("UserName", name), ("Path", path)];
        for ((key_name, value_name), (key, value)) in names.iter().zip(tags) {
            parameters.push((key_name, key));
            parameters.push((value_name, value));
        }
        self.call("CreateUser", &parameters).map(drop)
    }

    /// A console password for a user.
    pub fn add_login_profile(&self, user: &str) -> Result<(), AwsError> {
        let parameters = [("UserName", user), ("Password", "Made-up-1!")];
        self.call("CreateLoginProfile", &parameters).map(drop)
    }

    /// An MFA device for a user; gives its serial number.
    pub fn add_mfa_device(&self, user: &str) -> Result<String, AwsError> {
        self.add_belonging(user, Belonging::MfaDevice)
    }

    /// An SSH public key for a user; gives its id.
    pub fn add_ssh_key(&self, user: &str) -> Result<String, AwsError> {
        self.add_belonging(user, Belonging::SshPublicKey)
    }

    /// A signing certificate for a user; gives its id.
    pub fn add_signing_certificate(&self, user: &str) -> Result<String, AwsError> {
        self.add_belonging(user, Belonging::SigningCertificate)
    }

    /// A service-specific credential for a user; gives its id.
    pub fn add_service_credential(&self, user: &str) -> Result<String, AwsError> {
        self.add_belonging(user, Belonging::ServiceSpecificCredential)
    }

    fn add_belonging(&self, user: &str, kind: Belonging) -> Result<String, AwsError> {
        self.with(|account| account.add_belonging(user, kind))
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        // A call that panicked left whole entities behind: every change is one assignment.
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

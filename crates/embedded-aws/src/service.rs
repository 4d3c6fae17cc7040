//! One call from request to answer: which API, who calls, may they, do it, keep it. The lock is held
//! from the first to the last of these, so calls have one order. The doing is in [`crate::iam`] and
//! [`crate::sts`].

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use rand::{Rng as _, RngCore};

use crate::authorize::authorize;
use crate::caller::Caller;
use crate::connector::split;
use crate::error::AwsError;
use crate::form::Form;
use crate::handle::{Options, RecordedCall};
use crate::journal::{Journal, JournalError};
use crate::signature::Signed;
use crate::state::{Belonging, State};
use crate::xml::Answer;
use crate::{iam, kms, managed, sts, xml};

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Iam,
    Sts,
}

impl Api {
    /// The version of the API, which is a date.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Iam => "2010-05-08",
            Self::Sts => "2011-06-15",
        }
    }

    /// The XML namespace of its answers.
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        }
    }

    /// Its name in action names and in the scope of signatures.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }
}

/// What an action works with.
pub(crate) struct Request<'a> {
    pub(crate) action: &'a str,
    pub(crate) form: &'a Form,
    pub(crate) caller: &'a Caller,
    pub(crate) state: &'a mut State,
    pub(crate) account: &'a str,
    pub(crate) user_quota: usize,
    /// Seconds since 1970.
    pub(crate) now: i64,
    pub(crate) rng: &'a mut dyn RngCore,
}

/// The account behind the lock.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) options: Options,
    pub(crate) state: State,
    pub(crate) calls: VecDeque<RecordedCall>,
    pub(crate) kms: kms::Keys,
    journal: Option<Journal>,
}

impl Account {
    pub(crate) fn new(options: Options, state: State, journal: Option<Journal>) -> Self {
        Self { options, state, journal, calls: VecDeque::new(), kms: kms::Keys::default() }
    }

    /// Puts in what every account has: AWS's managed policies, and the administrator.
    pub(crate) fn seed(&mut self) -> Result<(), JournalError> {
        managed::seed(&mut self.state);
        if self.state.user(crate::ADMIN_USER).is_none() {
            let id = iam::unique_id("AIDA", &mut *self.options.rng);
            let admin = managed::administrator(id, self.now());
            self.state.put(admin);
        }
        self.keep()
    }

    pub(crate) fn request_id(&mut self) -> String {
        let hex = format!("{:032x}", self.options.rng.random::<u128>());
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// Answers a request with a whole XML document.
    pub(crate) fn answer(
        &mut self,
        request: &HttpRequest,
        form: &Form,
        request_id: &str,
    ) -> Result<String, AwsError> {
        let (action, parameters) = split(form);
        let signed = Signed::read(request);
        let result = self.authenticated(request, signed.as_ref(), form);
        self.record(RecordedCall {
            action: action.clone(),
            parameters,
            access_key_id: signed.map(|signed| signed.access_key_id).unwrap_or_default(),
            refused: result.as_ref().err().map(|error| error.code),
        });
        let (api, answer) = result?;
        Ok(xml::response(&action, api.namespace(), answer, request_id))
    }

    /// Carries out a call of the handle.
    pub(crate) fn answer_as_admin(&mut self, api: Api, form: &Form) -> Result<Answer, AwsError> {
        let caller = Caller::Admin { access_key_id: String::new() };
        self.perform(api, &caller, form)
    }

    /// Gives a user something that no action here creates.
    pub(crate) fn add_belonging(
        &mut self,
        user: &str,
        kind: Belonging,
    ) -> Result<String, AwsError> {
        let now = self.now();
        let id = iam::belongings::add(
            &mut self.state,
            user,
            kind,
            (&self.options.account, now),
            &mut *self.options.rng,
        );
        self.keep_or_fail()?;
        id
    }

    fn authenticated(
        &mut self,
        request: &HttpRequest,
        signed: Option<&Signed>,
        form: &Form,
    ) -> Result<(Api, Answer), AwsError> {
        let action = form.get("Action").ok_or_else(AwsError::missing_action)?;
        let Some(signed) = signed else {
            return Err(AwsError::missing_authentication());
        };
        let version = form.get("Version").unwrap_or_default();
        let api = [Api::Iam, Api::Sts]
            .into_iter()
            .find(|api| api.version() == version && api.prefix() == signed.service)
            .ok_or_else(|| AwsError::invalid_action(action, version))?;
        let now = self.now();
        let caller = Caller::of(request, signed, &mut self.state, &self.options, now)?;
        Ok((api, self.perform(api, &caller, form)?))
    }

    fn perform(&mut self, api: Api, caller: &Caller, form: &Form) -> Result<Answer, AwsError> {
        let action = form.get("Action").ok_or_else(AwsError::missing_action)?;
        let now = self.now();
        let short = self.options.page_of.filter(|_| action.starts_with("List"));
        let short = short.map(|most| form.in_pages_of(most));
        let form = short.as_ref().unwrap_or(form);
        let mut request = Request {
            action,
            form,
            caller,
            state: &mut self.state,
            account: &self.options.account,
            user_quota: self.options.user_quota,
            now,
            rng: &mut *self.options.rng,
        };
        let result = authorize(api, &request).and_then(|()| match api {
            Api::Iam => iam::dispatch(&mut request),
            Api::Sts => sts::dispatch(&mut request),
        });
        self.keep_or_fail()?;
        result
    }

    /// Writes what changed. Where that fails nobody can tell what will hold after a restart, and AWS
    /// has a word for it.
    fn keep_or_fail(&mut self) -> Result<(), AwsError> {
        self.keep().map_err(|error| {
            tracing::error!(error = %error, "the embedded AWS could not keep a change");
            AwsError::service_failure()
        })
    }

    fn keep(&mut self) -> Result<(), JournalError> {
        if let Some(journal) = &mut self.journal {
            let changes = self.state.changes();
            if !changes.is_empty() {
                journal.append(&changes)?;
            }
        }
        self.state.settled();
        Ok(())
    }

    pub(crate) fn now(&self) -> i64 {
        seconds((self.options.clock)())
    }

    fn record(&mut self, call: RecordedCall) {
        if self.options.recorded_calls == 0 {
            return;
        }
        if self.calls.len() >= self.options.recorded_calls {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }
}

/// Whole seconds since 1970; before that is 0.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

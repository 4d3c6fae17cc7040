//! The way of a request, top to bottom, in the contract's order of checks (0.3). No check is made
//! anywhere else, and none can be skipped: a handler runs only at the end of [`serve`]. The handlers
//! are on one page in [`super::routes`].

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use tokio::time::timeout;

use super::audited::Audited;
use super::envelope::{Answer, Place};
use super::error::ApiError;
use super::fields::Fields;
use super::found::Found;
use super::measured::Seen;
use super::path::{self, Target};
use super::reply::Reply;
use super::request::{Incoming, Request, asks_for_help};
use super::request_log::RequestLog;
use super::routes::{self, Callers, Route};
use super::wrapping::{self, Door, HandedOut, Sent};
use super::{Wire, help, sys_metrics, sys_quotas, sys_seal};
use crate::auth::{AuthError, Caller, Operation, Question, acl};
use crate::model::{AuthMount, ClientToken, Mount};
use crate::seal::SealStatus;

/// What a handler gets.
#[derive(Debug)]
pub struct Call {
    /// What it works with.
    pub wire: Arc<Wire>,
    /// Where the request came from.
    pub remote: Option<std::net::IpAddr>,
    /// The auth mount, on routes of an auth method.
    pub method: Option<Arc<AuthMount>>,
    /// Who asks; `None` on the routes that need nobody.
    pub caller: Option<Caller>,
    /// The token as it was sent, for answers that show it to its holder.
    pub token: Option<ClientToken>,
    /// The mount, on routes of an engine.
    pub mount: Option<Arc<Mount>>,
    /// What the route's pattern took from the path; empty where it takes nothing.
    pub captured: String,
    /// What was sent.
    pub fields: Fields,
    /// For how many seconds the answer will be wrapped.
    pub wrap_seconds: Option<u64>,
    /// `Idempotency-Key`, unread.
    pub idempotency_key: Option<String>,
    /// A body that is no fields, on the routes that take one.
    pub raw: Option<Bytes>,
}

impl Call {
    /// Who asks.
    pub fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or(ApiError::NoToken)
    }

    /// The token as it was sent.
    pub fn token(&self) -> Result<&ClientToken, ApiError> {
        self.token.as_ref().ok_or(ApiError::NoToken)
    }

    /// The auth mount of a method's route.
    pub fn method(&self) -> Result<&Arc<AuthMount>, ApiError> {
        self.method.as_ref().ok_or(ApiError::UnsupportedPath)
    }

    /// The mount of an engine's route.
    pub fn mount(&self) -> Result<&Arc<Mount>, ApiError> {
        self.mount.as_ref().ok_or(ApiError::UnsupportedPath)
    }
}

/// Answers a request within `limit`, and writes its log line. What must be finished is finished after that, too.
pub async fn answer(wire: &Arc<Wire>, incoming: Incoming, limit: Duration) -> Reply {
    let request_id = wire.random.uuid();
    let target = path::read(&incoming.path);
    let mut log = RequestLog::begin(&incoming.method, &incoming.path, incoming.remote);
    let path = match target {
        Target::Api(path) => path,
        elsewhere @ (Target::Redirect(_) | Target::Unreadable | Target::NoUi | Target::Outside) => {
            let reply = Reply::outside(elsewhere, &incoming.method, &incoming.query);
            log.end(&request_id, reply.status, None);
            return reply;
        }
    };
    let mut seen = Seen::default();
    let admitted = sys_quotas::admit(wire, &incoming, &path, &request_id).await;
    let (quota, checked) = match admitted {
        Ok(quota) => {
            let checking = checked(wire, incoming, path, &request_id, (&mut log, &mut seen));
            (quota, timeout(limit, checking).await.unwrap_or(Err(ApiError::TooSlow)))
        }
        Err((error, quota)) => (quota, Err(error)),
    };
    let reply = match checked {
        Ok(reply) => {
            log.end(&request_id, reply.status, None);
            reply
        }
        Err(failure) => {
            let reply = Reply::error(&failure);
            log.end(&request_id, reply.status, Some(&failure));
            reply
        }
    };
    wire.measured.answered(&seen, reply.status, log.took());
    Reply { quota, ..reply }
}

/// A reply that is written, or why there is none.
pub(super) type Rendered = Result<Reply, ApiError>;

/// From the HTTP layer's checks to the known caller.
async fn checked(
    wire: &Arc<Wire>,
    incoming: Incoming,
    path: String,
    request_id: &str,
    (log, seen): (&mut RequestLog, &mut Seen),
) -> Rendered {
    // Answered by the HTTP layer itself, with rules of their own, sealed or not.
    if let Some(open) = routes::open(&path)
        && !asks_for_help(&incoming)
    {
        seen.open = routes::OPEN.into_iter().find(|own| *own == path);
        let answer = open(wire, &incoming).await?;
        return rendered(answer, request_id, SYSTEM);
    }
    // `list` value → method → body size → PATCH type → form or JSON → X-Vault-Wrap-TTL.
    let request = Request::read(&incoming, path)?;
    log.operation = Some(request.operation);
    if path::is_relative(&request.path) {
        return Err(ApiError::RelativePath);
    }
    if let Some(answer) = sys_seal::nothing_to_seal(wire, &request)? {
        return rendered(answer, request_id, SYSTEM);
    }
    must_be_unsealed(wire)?;
    let writes = matches!(request.operation, Operation::Update | Operation::Patch);
    if writes && request.path.ends_with('/') {
        return Err(ApiError::TrailingSlash);
    }
    let token = incoming.headers.token;
    if let Some(door) = Door::of(&request.path, request.operation) {
        let audited = Audited::begin(wire, &request, token.as_ref(), None, None, request_id);
        let sent = Sent { request, token, remote: incoming.remote };
        let (to, id) = (Arc::clone(wire), request_id.to_owned());
        let work = async move {
            audited.asked(None).await?;
            let mut handed_out = HandedOut::default();
            let served = door.serve(&to, sent, &id, &mut handed_out).await;
            let rendered = served.map(|(status, body)| Reply::json(status, body));
            audited.handed_out(&to, rendered, handed_out).await
        };
        return wire.in_flight.run(work).await.map_err(|error| ApiError::lost(&error))?;
    }
    let open = incoming.open_metrics && shows_metrics(&request);
    let found = routes::find(wire, &request.path);
    *seen = Seen::of(&found, request.operation);
    let identified = identified(wire, &request, token.as_ref(), &found, open).await;
    let caller = identified.as_ref().ok().and_then(Option::as_ref);
    let audited = Audited::begin(wire, &request, token.as_ref(), caller, Some(&found), request_id);
    let caller = match identified {
        Ok(caller) => caller,
        Err(error) => return Err(audited.refused(error).await),
    };
    log.accessor = caller.as_ref().map(|caller| caller.accessor().0.clone());
    let must_finish = found.has_effect(request.operation)
        || request.wrap_seconds.is_some()
        || caller.as_ref().is_some_and(Caller::is_last_use);
    let known = Known { request, token, found, caller };
    let work = served(Arc::clone(wire), known, audited, request_id.to_owned());
    if must_finish {
        return wire.in_flight.run(work).await.map_err(|error| ApiError::lost(&error))?;
    }
    work.await
}

/// Who asks; nobody where nobody has to.
async fn identified(
    wire: &Wire,
    request: &Request,
    token: Option<&ClientToken>,
    found: &Found,
    open: bool,
) -> Result<Option<Caller>, ApiError> {
    match token {
        // A login needs nobody, and uses up no token that is sent along.
        _ if found.is_login(request.operation) => Ok(None),
        Some(token) => Ok(Some(wire.auth.authenticate(token, request.remote).await?)),
        None if found.is_anonymous(request.operation) || open => Ok(None),
        None => Err(ApiError::NoToken),
    }
}

/// Whether this is what a listener may show to everybody.
fn shows_metrics(request: &Request) -> bool {
    request.operation == Operation::Read && request.path == sys_metrics::PATH
}

fn rendered(answer: Answer, request_id: &str, place: Place) -> Rendered {
    let (content_type, verdicts) = (answer.content_type(), answer.verdicts.clone());
    let (status, body) = answer.render(request_id, place)?;
    Ok(Reply { verdicts, ..Reply::typed(status, content_type, body) })
}

fn must_be_unsealed(wire: &Wire) -> Result<(), ApiError> {
    match wire.barrier.status() {
        SealStatus::Unsealed => Ok(()),
        SealStatus::Sealed { .. } => Err(ApiError::Sealed),
        SealStatus::Uninitialised => Err(ApiError::NotInitialised),
    }
}

/// A request whose caller is known.
#[derive(Debug)]
struct Known {
    request: Request,
    token: Option<ClientToken>,
    found: Found,
    caller: Option<Caller>,
}

/// Serves a request, and ends the token whose last use it was, whatever came out.
async fn served(wire: Arc<Wire>, known: Known, audited: Audited, request_id: String) -> Rendered {
    let user = known.caller.clone();
    let mut handed_out = HandedOut::default();
    let rendered = serve(&wire, known, &audited, &mut handed_out, &request_id).await;
    let rendered = audited.handed_out(&wire, rendered, handed_out).await;
    if let Some(user) = &user {
        wire.auth.finish(user).await?;
    }
    rendered
}

/// From the known caller to the answer.
async fn serve(
    wire: &Arc<Wire>,
    known: Known,
    audited: &Audited,
    handed_out: &mut HandedOut,
    request_id: &str,
) -> Rendered {
    let Known { request, token, found, caller } = known;
    let Request { operation, path, data, wrap_seconds, idempotency_key, raw, remote } = request;
    // What is wrapped is stored: not for nobody. Who logs in is somebody by then.
    let somebody = caller.is_some() || found.is_login(operation);
    let wrap_seconds = wrap_seconds.filter(|_| somebody);
    let asked = Asked { path: &path, operation, data: &data, wrap_seconds };
    let judged = judged(wire, caller.as_ref(), &found, &asked).await;
    audited.asked(judged.as_ref().err()).await?;
    judged?;
    if operation == Operation::Help
        && let Some(table) = help::mounted_at(wire, &path)
    {
        return rendered(help::overview(table)?, request_id, SYSTEM);
    }
    let method = found.method().cloned();
    let (route, mount, captured, place) = found.into_route(&path)?;
    if operation == Operation::Help {
        return rendered(help::help(route)?, request_id, place);
    }
    let handler = route.handler(operation).ok_or(ApiError::UnsupportedOperation)?;
    let fields = Fields::read(route.fields, data).map_err(ApiError::Field)?;
    let warnings: Vec<String> = fields.warnings().filter(|_| !route.takes_any).collect();
    let call = Call {
        wire: Arc::clone(wire),
        remote,
        method,
        caller,
        token,
        mount,
        captured,
        fields,
        wrap_seconds,
        idempotency_key,
        raw,
    };
    let mut answer = handler(call).await?;
    if answer.takes_warnings() {
        for warning in warnings {
            answer.warn(warning);
        }
    }
    let wrap_seconds = wrap_seconds.filter(|_| answer.takes_warnings());
    *handed_out = answer.handed_out();
    let reply = rendered(answer, request_id, place)?;
    let Some(ttl) = wrap_seconds else {
        return Ok(reply);
    };
    let body = wrapping::wrap(wire, reply.body, ttl, path, handed_out.clone()).await?;
    Ok(Reply { body, ..reply })
}

/// What a request asks for.
struct Asked<'a> {
    path: &'a str,
    operation: Operation,
    data: &'a serde_json::Map<String, serde_json::Value>,
    wrap_seconds: Option<u64>,
}

/// Whether the request may be served.
async fn judged(
    wire: &Wire,
    caller: Option<&Caller>,
    found: &Found,
    asked: &Asked<'_>,
) -> Result<(), ApiError> {
    check_early(found, asked.operation, asked.data)?;
    match caller {
        Some(caller) => authorized(wire, caller, found, asked).await,
        None => Ok(()),
    }
}

async fn authorized(
    wire: &Wire,
    caller: &Caller,
    found: &Found,
    asked: &Asked<'_>,
) -> Result<(), ApiError> {
    let route = found.route();
    let itself = route
        .is_some_and(|route| matches!(route.callers, Callers::AnyToken | Callers::Anybody))
        && asked.operation == Operation::Read;
    if caller.is_root() || itself {
        return Ok(());
    }
    let question = Question {
        path: asked.path,
        operation: asked.operation,
        creates: asked.operation == Operation::Update && is_new(wire, found).await?,
        data: asked.data,
        wrap_seconds: asked.wrap_seconds,
        needs_sudo: acl::needs_sudo(asked.path),
    };
    Ok(wire.auth.authorize(caller, &question).await?)
}

/// Whether a write makes what is not there yet, on a route that looks first.
async fn is_new(wire: &Wire, found: &Found) -> Result<bool, ApiError> {
    match found {
        Found::Route { route, mount: Some(mount), .. } if route.exists_check => {
            Ok(wire.engine.read_root_config(mount).await?.is_none())
        }
        Found::Route { route, method: Some(method), captured, .. } if route.exists_check => {
            Ok(!wire.auth.login_exists(method, captured).await?)
        }
        // What is left that looks first: token roles.
        Found::Route { route, captured, .. } if route.exists_check => {
            Ok(wire.auth.token_role(captured).await.map_err(AuthError::from)?.is_none())
        }
        Found::Route { .. } | Found::NoPattern | Found::Tainted | Found::NoMount => Ok(false),
    }
}

/// Field types of routes with an existence check come before the ACL, with a text of their own.
fn check_early(
    found: &Found,
    operation: Operation,
    data: &serde_json::Map<String, serde_json::Value>,
) -> Result<(), ApiError> {
    let early = |route: &&&'static Route| route.exists_check && operation == Operation::Update;
    match found.route().as_ref().filter(early) {
        Some(route) => {
            let read = Fields::read(route.fields, data.clone());
            read.map(drop).map_err(ApiError::EarlyField)
        }
        None => Ok(()),
    }
}

/// Where the bare bodies come from; they show none of it.
pub(super) const SYSTEM: Place = Place { mount_type: "system", injects: false };

/// A handler's answer.
pub type Answered = Result<Answer, ApiError>;

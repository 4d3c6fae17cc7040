//! The embedded AWS on a socket of the test: it goes on when the broker dies, and answers late, wrongly
//! or not at all where a test says so. HTTP/1.1 as far as the SDK speaks it; what AWS holds and refuses
//! is the embedded one's matter.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant, SystemTime};

use embedded_aws::{EmbeddedAws, Options, Parameters, WireAnswer, WireRequest};
use rand::SeedableRng;

/// A call that came in.
#[derive(Debug, Clone)]
pub struct Call {
    pub action: String,
    pub parameters: Parameters,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Act {
    /// AWS acts and answers.
    Answer,
    /// The connection breaks, AWS has not acted.
    ResetBefore,
    /// AWS acted, the connection breaks.
    ResetAfter,
    /// AWS refuses: slow down.
    Throttle,
    /// AWS refuses for certain.
    Refuse,
    /// AWS does not know the key, as while the news of it spreads.
    Unknown,
    /// 500, not acted.
    ErrorBefore,
    /// 500, acted.
    ErrorAfter,
    /// Acted, and answers this much later.
    Late(Duration),
}

/// Decides what becomes of a call, before AWS acts.
pub type Before = Box<dyn Fn(&Call) -> Act + Send + Sync>;
/// Is told that AWS acted, before the answer is sent.
pub type After = Box<dyn Fn(&Call) + Send + Sync>;

/// The server. Dropping it leaves its threads to end with the test.
#[derive(Clone)]
pub struct AwsServer {
    pub aws: EmbeddedAws,
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    aws: EmbeddedAws,
    before: RwLock<Before>,
    after: RwLock<After>,
    latency_ms: AtomicU64,
    /// The `Date` of answers.
    date: Mutex<Option<String>>,
    /// When each key stopped to work.
    contained: Mutex<HashMap<String, Instant>>,
}

impl AwsServer {
    /// An account without users on a free port.
    pub fn start() -> Self {
        let clock = Arc::new(SystemTime::now);
        let options = Options::new(clock, rand::rngs::StdRng::from_os_rng());
        let aws = EmbeddedAws::open(None, options.user_quota(1_000_000)).unwrap();
        Self::over(&aws)
    }

    /// The same account on another port, with troubles and a date of its own.
    pub fn beside(&self) -> Self {
        Self::over(&self.aws)
    }

    /// This account on a free port.
    pub fn over(aws: &EmbeddedAws) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            aws: aws.clone(),
            before: RwLock::new(Box::new(|_| Act::Answer)),
            after: RwLock::new(Box::new(|_| ())),
            latency_ms: AtomicU64::new(0),
            date: Mutex::default(),
            contained: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || serve(&shared, &stream));
            }
        });
        Self { aws: aws.clone(), url, shared }
    }

    /// Where it listens, as `host:port`.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// From now on every answer has this `Date`; none has one before.
    pub fn date(&self, date: &str) {
        *self.shared.date.lock().unwrap() = Some(date.to_owned());
    }

    /// From now on `before` decides about every call.
    pub fn decide(&self, before: impl Fn(&Call) -> Act + Send + Sync + 'static) {
        *self.shared.before.write().unwrap() = Box::new(before);
    }

    /// From now on `after` is told of every call that AWS acted on.
    pub fn tell(&self, after: impl Fn(&Call) + Send + Sync + 'static) {
        *self.shared.after.write().unwrap() = Box::new(after);
    }

    /// Everything works again.
    pub fn heal(&self) {
        self.decide(|_| Act::Answer);
        self.tell(|_| ());
    }

    /// How long each call takes before AWS acts.
    pub fn slow(&self, latency: Duration) {
        let millis = u64::try_from(latency.as_millis()).unwrap();
        self.shared.latency_ms.store(millis, Ordering::SeqCst);
    }

    /// Names of the users that AWS holds.
    pub fn users(&self) -> Vec<String> {
        self.aws.users().into_iter().map(|user| user.name).collect()
    }

    /// When AWS made the key inactive or deleted it.
    pub fn contained_at(&self, access_key: &str) -> Option<Instant> {
        self.shared.contained.lock().unwrap().get(access_key).copied()
    }

    /// Waits until AWS holds no user; gives those that are left when patience ends.
    pub fn empty_within(&self, patience: Duration) -> Vec<String> {
        self.only_within(&[], patience)
    }

    /// The same beside users that stay.
    pub fn only_within(&self, stay: &[&str], patience: Duration) -> Vec<String> {
        let deadline = Instant::now() + patience;
        loop {
            let mut users = self.users();
            users.retain(|user| !stay.contains(&user.as_str()));
            if users.is_empty() || Instant::now() > deadline {
                return users;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl std::fmt::Debug for AwsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AwsServer({})", self.url)
    }
}

fn serve(shared: &Shared, stream: &TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (action, parameters) = request.call();
        let call = Call { action, parameters };
        std::thread::sleep(Duration::from_millis(shared.latency_ms.load(Ordering::SeqCst)));
        let act = (shared.before.read().unwrap())(&call);
        let Some(answer) = acted(shared, act, &call, &request) else {
            drop(stream.shutdown(Shutdown::Both));
            return;
        };
        let date = shared.date.lock().unwrap().clone();
        if write_answer(stream, &answer, date).is_err() {
            return;
        }
    }
}

/// What goes back; nothing where the connection breaks.
fn acted(shared: &Shared, act: Act, call: &Call, request: &WireRequest) -> Option<WireAnswer> {
    let really = || {
        let answer = shared.aws.answer(request);
        note(shared, call, &answer);
        (shared.after.read().unwrap())(call);
        answer
    };
    match act {
        Act::Answer => Some(really()),
        Act::ResetBefore => None,
        Act::ResetAfter => {
            really();
            None
        }
        Act::Throttle => Some(error(400, "Throttling", "Rate exceeded")),
        Act::Unknown => Some(error(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )),
        Act::Refuse => Some(error(403, "AccessDenied", "not today (injected)")),
        Act::ErrorBefore => Some(error(500, "InternalFailure", "injected")),
        Act::ErrorAfter => {
            really();
            Some(error(500, "InternalFailure", "injected"))
        }
        Act::Late(by) => {
            let answer = really();
            std::thread::sleep(by);
            Some(answer)
        }
    }
}

/// Remembers when a key stopped to work.
fn note(shared: &Shared, call: &Call, answer: &WireAnswer) {
    let ends = match call.action.as_str() {
        "DeleteAccessKey" => true,
        "UpdateAccessKey" => call.parameters.get("Status").is_some_and(|s| s == "Inactive"),
        _ => false,
    };
    if ends
        && answer.status == 200
        && let Some(key) = call.parameters.get("AccessKeyId")
    {
        shared.contained.lock().unwrap().entry(key.clone()).or_insert_with(Instant::now);
    }
}

fn error(status: u16, code: &str, message: &str) -> WireAnswer {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>injected</RequestId></ErrorResponse>"
    );
    WireAnswer { status, body }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<WireRequest> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(WireRequest::new(&method, &target, &headers, body))
}

fn write_answer(
    mut stream: &TcpStream,
    answer: &WireAnswer,
    date: Option<String>,
) -> std::io::Result<()> {
    let date = date.map_or_else(String::new, |date| format!("Date: {date}\r\n"));
    let head = format!(
        "HTTP/1.1 {} Answer\r\n{date}Content-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    stream.write_all((head + &answer.body).as_bytes())
}

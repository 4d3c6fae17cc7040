//! Whether time tells how near a guess is to a token or a key share (`cargo bench --bench comparison`), as dudect asks it
//! (Reparaz, Balasch and Verbauwhede, 2017): guesses that are wrong at the first character and at the last, in an order of
//! chance, and Welch's t of their times. A comparison that stops early is measured beside them: it must show, or the
//! measure is worth nothing. What a password costs is printed as well. It asserts nothing about time; what no run may break is structure, in `tests/it/architecture.rs`.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints, and stops when something is wrong"
)]

use std::hint::black_box;
use std::time::Instant;

use leasehold::model::{Accessor, ClientToken, KeyShare, Password, Timestamp, Token};
use leasehold::random::Random;
use leasehold::seal::{Barrier, PasswordHash};
use leasehold::store::Store;
use leasehold::store::sqlite::Sqlite;

/// Guesses of both kinds together.
const GUESSES: usize = 200_000;
/// Comparisons that are timed as one, where one is shorter than the clock's own step.
const REPEATS: usize = 16;
/// Above this |t| dudect calls it a leak, below 4.5 there is no sign of one.
const LEAK: f64 = 10.0;

fn main() {
    let random = Random::seeded(1);
    let secret = format!("hvs.{}", random.base62(91)).into_bytes();
    hash(&random);
    println!(
        "{GUESSES} guesses, wrong at the first or the last of {} characters",
        secret.len() - 4
    );
    println!("|t| below 4.5: no sign of a leak; above {LEAK}: a leak");

    let own = secret.clone();
    show("control: bytes one by one, stops early", &random, &secret, &|guess| {
        let guess = guess.to_vec();
        let own = own.clone();
        Box::new(move || {
            for _ in 0..REPEATS {
                black_box(stops_early(black_box(&own), black_box(&guess)));
            }
        })
    });

    let own = KeyShare::new(&secret);
    show("key shares and every secret text", &random, &secret, &|guess| {
        let (own, guess) = (own.clone(), KeyShare::new(guess));
        Box::new(move || {
            for _ in 0..REPEATS {
                black_box(black_box(&own) == black_box(&guess));
            }
        })
    });

    let barrier = Barrier::in_memory(&random);
    let text = String::from_utf8(secret.clone()).unwrap();
    let digest = barrier.token_digest(&ClientToken::new(text)).unwrap();
    let store = Sqlite::temporary().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = Timestamp::from_millis(0);
    let token = Token::new(digest, Accessor("accessor".to_owned()), now);
    runtime.block_on(store.create_token(&token)).unwrap();
    show("a token: its digest and the look-up", &random, &secret, &|guess| {
        let guess = ClientToken::new(String::from_utf8(guess.to_vec()).unwrap());
        let (barrier, runtime, store) = (&barrier, &runtime, &store);
        Box::new(move || {
            let digest = barrier.token_digest(black_box(&guess)).unwrap();
            assert!(runtime.block_on(store.token(&digest)).unwrap().is_none());
        })
    });
}

/// What a login costs whoever asks, and the server.
fn hash(random: &Random) {
    let password = Password::new("correct horse battery staple");
    let mut times: Vec<f64> = (0..20)
        .map(|_| {
            let started = Instant::now();
            black_box(PasswordHash::of(black_box(&password), random)).unwrap();
            started.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("one Argon2id hash: median {:.1} ms, slowest {:.1} ms", times[10], times[19]);
}

fn stops_early(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).all(|(a, b)| black_box(a) == black_box(b))
}

/// Prepares one guess; what it gives is what is timed.
type Prepare<'a> = dyn Fn(&[u8]) -> Box<dyn FnMut() + 'a> + 'a;

fn show(what: &str, random: &Random, secret: &[u8], prepare: &Prepare<'_>) {
    let (first, last) = (4, secret.len() - 1);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..GUESSES {
        let mut chance = [0; 2];
        random.fill(&mut chance);
        let kind = usize::from(chance[0] & 1);
        let at = [first, last][kind];
        let mut guess = secret.to_vec();
        guess[at] = if secret[at] == b'a' { b'b' } else { b'a' };
        let mut compare = prepare(&guess);
        let started = Instant::now();
        compare();
        times[kind].push(started.elapsed().as_nanos() as f64);
    }
    // What the machine did meanwhile: the slowest tenth of all goes, whichever kind it is of.
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let most = all[all.len() * 9 / 10];
    let [first, last] = times.map(|mut times| {
        times.retain(|time| *time <= most);
        Moments::of(&times)
    });
    let t = (last.mean - first.mean) / (first.of_mean() + last.of_mean()).sqrt();
    let told = if t.abs() > LEAK { "shows" } else { "does not show" };
    println!("{what}: first {:.1} ns, last {:.1} ns, t = {t:.1}: {told}", first.mean, last.mean);
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: &[f64]) -> Self {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }

    /// The variance of the mean.
    fn of_mean(&self) -> f64 {
        self.variance / self.count
    }
}

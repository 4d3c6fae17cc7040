//! Figures for people: how long, how much, how many. Nothing is decided by them but when `bench` and `fuzz` have run long
//! enough.

use std::time::{Duration, Instant};

/// Started when it is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "measures; no answer depends on it")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A duration for people: `0.31 ms`, `1.24 s`.
pub(crate) fn shown(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{:.2} ms", duration.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

/// A count with its thousands parted: `1,240,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes for people: `1.2 MiB`.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "printed with one digit")]
pub(crate) fn bytes(number: usize) -> String {
    let kib = number as f64 / 1024.0;
    match number {
        0..1_024 => format!("{number} B"),
        1_024..1_048_576 => format!("{kib:.1} KiB"),
        _ => format!("{:.1} MiB", kib / 1024.0),
    }
}

/// A part of a whole: `0.7 %`; what is there but too little for a digit is `<0.1 %`.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "printed with one digit")]
pub(crate) fn share(part: u64, whole: u64) -> String {
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    if part > 0 && percent < 0.05 { "<0.1 %".to_owned() } else { format!("{percent:.1} %") }
}

/// The value that `percent` of a hundred values do not exceed, of values in rising order.
pub(crate) fn percentile<T: Copy + Default>(sorted: &[T], percent: usize) -> T {
    let last = sorted.len().saturating_sub(1);
    let index = last.saturating_mul(percent).div_ceil(100);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_printed_for_people() {
        assert_eq!(shown(Duration::from_micros(310)), "0.31 ms");
        assert_eq!(shown(Duration::from_millis(1_240)), "1.24 s");
        assert_eq!(
            [count(0), count(999), count(1_000), count(1_240_000)],
            ["0", "999", "1,000", "1,240,000"]
        );
        assert_eq!(
            [share(1_400_000, 200_000_000), share(0, 9), share(1, 9_999)],
            ["0.7 %", "0.0 %", "<0.1 %"]
        );
        assert_eq!([percentile(&[1, 2, 3, 4, 5], 50), percentile(&[1, 2, 3], 99)], [3, 3]);
        assert_eq!(percentile::<u64>(&[], 50), 0);
        assert_eq!([bytes(12), bytes(1_536), bytes(3 << 20)], ["12 B", "1.5 KiB", "3.0 MiB"]);
    }
}

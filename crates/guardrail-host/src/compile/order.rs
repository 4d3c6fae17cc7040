//! What a compiling process is told: how much it may use, and for which meters it compiles. One argument of plain
//! text, written by `side` and read by `child`; both are of the same build, so it has no version.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::engine::Meters;
use crate::limits::Limits;

/// As many times the processor time that it may take, a compiler may take on the clock: it runs at low priority,
/// and the machine may be busy.
const PATIENCE: u32 = 5;

/// What a compiling process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Whole seconds of processor time, at least one.
    pub(super) cpu_seconds: u64,
    /// Bytes of memory that it may write to.
    pub(super) memory_bytes: u64,
    /// What the code has to count.
    pub(super) meters: Meters,
}

impl Order {
    pub(super) fn new(limits: &Limits, meters: Meters) -> Self {
        Self {
            cpu_seconds: limits.compile_time.as_secs().max(1),
            memory_bytes: limits.compile_memory_bytes,
            meters,
        }
    }

    pub(super) fn cpu_time(&self) -> Duration {
        Duration::from_secs(self.cpu_seconds)
    }

    /// How long it may take on the clock.
    pub(super) fn patience(&self) -> Duration {
        self.cpu_time().saturating_mul(PATIENCE)
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meters = match self.meters {
            Meters::FuelAndTime => "fuel-and-time",
            Meters::Time => "time",
            Meters::Fuel => "fuel",
            Meters::None => "none",
        };
        write!(f, "{},{},{meters}", self.cpu_seconds, self.memory_bytes)
    }
}

impl FromStr for Order {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "this subcommand is for the server itself: it takes seconds, bytes and meters";
        let mut parts = text.split(',');
        let mut part = || parts.next().ok_or(WRONG);
        let number = |part: &str| part.parse().ok().ok_or(WRONG);
        let cpu_seconds = number(part()?)?;
        let memory_bytes = number(part()?)?;
        let meters = match part()? {
            "fuel-and-time" => Meters::FuelAndTime,
            "time" => Meters::Time,
            "fuel" => Meters::Fuel,
            "none" => Meters::None,
            _ => return Err(WRONG),
        };
        Ok(Self { cpu_seconds, memory_bytes, meters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        for meters in [Meters::FuelAndTime, Meters::Time, Meters::Fuel, Meters::None] {
            let order = Order::new(&Limits::default(), meters);
            assert_eq!(order.to_string().parse(), Ok(order));
        }
        let short = Limits { compile_time: Duration::from_millis(1), ..Limits::default() };
        assert_eq!(Order::new(&short, Meters::Fuel).to_string(), "1,1073741824,fuel");
        for wrong in ["", "1", "1,2", "1,2,both", "-1,2,fuel", "x"] {
            assert!(wrong.parse::<Order>().is_err(), "{wrong}");
        }
    }
}

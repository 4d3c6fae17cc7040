//! What the machine is and how it does, for `sys/host-info`: read from `/proc` at each question, never kept. What cannot be
//! read is left out, and said. Names and units are those that Vault gives there (gopsutil's).

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::model::go_text::number;

/// What is known of the machine, and what could not be found out.
#[derive(Debug, Default)]
pub struct HostInfo {
    /// By the names of the wire: `cpu`, `cpu_times`, `disk`, `host`, `memory`.
    pub parts: Map<String, Value>,
    /// A sentence for each part that is missing.
    pub missing: Vec<String>,
}

/// Looks. `data_dir` says which disk matters.
pub fn look(data_dir: Option<&Path>) -> HostInfo {
    let mut info = HostInfo::default();
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let parts = [
        ("cpu", read("/proc/cpuinfo").map(|text| cpus(&text))),
        ("cpu_times", read("/proc/stat").map(|text| cpu_times(&text))),
        ("disk", disk(data_dir.unwrap_or(Path::new("/")))),
        ("host", host()),
        ("memory", read("/proc/meminfo").map(|text| memory(&text))),
    ];
    for (name, part) in parts {
        match part {
            Some(part) => {
                info.parts.insert(name.to_owned(), part);
            }
            None => info.missing.push(format!("{name} is not known on this machine")),
        }
    }
    info
}

fn cpus(text: &str) -> Value {
    let processors = text.split("\n\n").filter(|block| !block.trim().is_empty());
    let described = processors.enumerate().map(|(at, block)| {
        let fields: BTreeMap<&str, &str> = block
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect();
        let text = |name: &str| fields.get(name).copied().unwrap_or_default();
        json!({
            "cpu": at,
            "vendorId": text("vendor_id"),
            "family": text("cpu family"),
            "model": text("model"),
            "modelName": text("model name"),
            "cores": 1,
            "mhz": text("cpu MHz").parse::<f64>().unwrap_or_default(),
        })
    });
    described.collect()
}

/// Ticks of a hundredth of a second, as Linux counts them (`USER_HZ`), in seconds.
fn cpu_times(text: &str) -> Value {
    const NAMES: [&str; 10] = [
        "user",
        "nice",
        "system",
        "idle",
        "iowait",
        "irq",
        "softirq",
        "steal",
        "guest",
        "guestNice",
    ];
    let single = |line: &&str| line.starts_with("cpu") && !line.starts_with("cpu ");
    let times = text.lines().filter(single).map(|line| {
        let mut words = line.split_whitespace();
        let mut times = Map::new();
        times.insert("cpu".to_owned(), words.next().unwrap_or_default().into());
        for (name, ticks) in NAMES.iter().zip(words) {
            let ticks: f64 = ticks.parse().unwrap_or_default();
            times.insert((*name).to_owned(), number(ticks / 100.0));
        }
        Value::Object(times)
    });
    times.collect()
}

fn memory(text: &str) -> Value {
    let kibibytes = |name: &str| {
        let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let bytes = |name: &str| kibibytes(name).unwrap_or_default().saturating_mul(1_024);
    let (total, available) = (bytes("MemTotal"), bytes("MemAvailable"));
    let used = total.saturating_sub(available);
    json!({
        "total": total,
        "available": available,
        "used": used,
        "usedPercent": number(percent(used, total)),
        "free": bytes("MemFree"),
        "active": bytes("Active"),
        "inactive": bytes("Inactive"),
        "buffers": bytes("Buffers"),
        "cached": bytes("Cached"),
        "swapTotal": bytes("SwapTotal"),
        "swapFree": bytes("SwapFree"),
    })
}

fn disk(path: &Path) -> Option<Value> {
    let told = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    let (total, free) = (bytes(told.f_blocks), bytes(told.f_bavail));
    let used = total.saturating_sub(bytes(told.f_bfree));
    Some(json!([{
        "path": path.display().to_string(),
        "total": total,
        "free": free,
        "used": used,
        "usedPercent": number(percent(used, used.saturating_add(free))),
        "inodesTotal": told.f_files,
        "inodesFree": told.f_ffree,
        "inodesUsed": told.f_files.saturating_sub(told.f_ffree),
    }]))
}

fn host() -> Option<Value> {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let kernel = |name: &str| read(&format!("/proc/sys/kernel/{name}"));
    let uptime = read("/proc/uptime")?;
    let seconds: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Some(json!({
        "hostname": hostname(),
        "uptime": number(seconds.floor()),
        "os": std::env::consts::OS,
        "kernelVersion": kernel("osrelease")?.trim(),
        "kernelArch": std::env::consts::ARCH,
    }))
}

/// What the machine is called.
pub fn hostname() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    told.trim().to_owned()
}

/// Hundredths, from per mille in whole numbers.
fn percent(part: u64, whole: u64) -> f64 {
    let mille = part.saturating_mul(1_000).checked_div(whole).unwrap_or_default();
    f64::from(u32::try_from(mille).unwrap_or(1_000)) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proc_says_is_read() {
        let memory = memory("MemTotal:  2000 kB\nMemFree: 100 kB\nMemAvailable: 500 kB\n");
        assert_eq!((&memory["total"], &memory["used"]), (&json!(2_048_000), &json!(1_536_000)));
        assert_eq!(memory["usedPercent"], json!(75));
        let times = cpu_times("cpu  9 9\ncpu0 100 0 250\nintr 5\n");
        assert_eq!(times, json!([{"cpu": "cpu0", "user": 1, "nice": 0, "system": 2.5}]));
        let cpus = cpus("processor : 0\nmodel name : Fast\ncpu MHz : 10.5\n\nprocessor : 1\n\n");
        assert_eq!((&cpus[0]["modelName"], &cpus[0]["mhz"]), (&json!("Fast"), &json!(10.5)));
        assert_eq!(cpus.as_array().unwrap().len(), 2);
    }

    #[test]
    fn this_machine_is_known() {
        let info = look(None);
        assert!(info.missing.is_empty(), "{:?}", info.missing);
        assert!(info.parts["host"]["kernelVersion"].is_string());
        assert!(info.parts["disk"][0]["total"].as_u64().unwrap() > 0);
    }
}

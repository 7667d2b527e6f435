//! CPU time and memory of the server, read from the operating system.

use std::time::Duration;

use anyhow::Context as _;

/// Clock ticks a second, as Linux reports CPU times.
const TICKS: u64 = 100;

/// A look at a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// User and system time since its start.
    pub(super) cpu: Duration,
    /// Resident memory in bytes.
    pub(super) resident: u64,
    /// The most that it ever was.
    pub(super) peak: u64,
}

/// Looks at process `pid`.
pub(super) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    };
    let stat = read("stat")?;
    // The command's name stands in brackets and may hold anything; fields count from behind it.
    let (_, fields) = stat.rsplit_once(')').context("odd /proc/PID/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
    let ticks = ticks(11).zip(ticks(12)).context("odd /proc/PID/stat")?;
    let status = read("status")?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        kilobytes.map(|kilobytes: u64| kilobytes * 1024).context("odd /proc/PID/status")
    };
    Ok(Usage {
        cpu: Duration::from_millis((ticks.0 + ticks.1) * 1000 / TICKS),
        resident: bytes("VmRSS:")?,
        peak: bytes("VmHWM:")?,
    })
}

//! What the system says of this process: memory, processor time, open files. On Linux only.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Samples;

/// Clock ticks a second, as Linux reports times.
const TICKS: f64 = 100.0;

/// Adds what is known of this process.
pub(super) fn read(samples: &mut Samples, started: SystemTime) {
    let started = started.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    samples.fraction_gauge(
        "start_time_seconds",
        "When the server started, in seconds since 1970",
        started.as_secs_f64(),
    );
    if let Some(seconds) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu) {
        samples.fraction_counter(
            "process_cpu_seconds",
            "Processor time of the process, user and system",
            seconds,
        );
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        let kilobytes = |name| number_behind(&status, name);
        if let Some(resident) = kilobytes("VmRSS:") {
            let help = "Resident memory of the process";
            samples.gauge("process_resident_memory_bytes", help, vec![], resident * 1024);
        }
        if let Some(threads) = kilobytes("Threads:") {
            samples.gauge("process_threads", "Threads of the process", vec![], threads);
        }
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        let help = "Open files and connections of the process";
        samples.gauge("process_open_fds", help, vec![], files.count() as u64);
    }
    if let Ok(limits) = fs::read_to_string("/proc/self/limits")
        && let Some(most) = number_behind(&limits, "Max open files")
    {
        let help = "Files and connections that the process may have open";
        samples.gauge("process_max_fds", help, vec![], most);
    }
}

/// Seconds of processor time, out of `/proc/self/stat`. The name of the command stands in brackets
/// and may hold anything; fields count from behind it.
fn cpu(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

fn number_behind(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_name_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 8 0 1 2 3";
        assert_eq!(cpu(stat), Some(2.0));
        assert_eq!(cpu("nonsense"), None);
    }

    #[test]
    fn numbers_stand_behind_their_names() {
        let status = "Name:\tx\nVmRSS:\t   1234 kB\nThreads:\t5\n";
        assert_eq!(number_behind(status, "VmRSS:"), Some(1234));
        assert_eq!(number_behind(status, "VmSwap:"), None);
        let limits = "Max open files            1024                 4096                 files\n";
        assert_eq!(number_behind(limits, "Max open files"), Some(1024));
    }
}

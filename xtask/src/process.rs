//! Running other programs: with their output on stderr, captured, counted, or bounded in time.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// How long a child that was asked to end may take for that.
const GRACE: Duration = Duration::from_secs(5);

/// One line about what xtask does, on stderr: stdout belongs to results.
pub(crate) fn say(line: &str) {
    eprintln!("[xtask] {line}");
}

/// The command as one would type it.
pub(crate) fn typed(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

/// Runs to the end with all output on stderr; a bad exit is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    command.stdout(Stdio::from(std::io::stderr()));
    let status = command.status().with_context(|| format!("cannot run `{}`", typed(command)))?;
    ensure!(status.success(), "`{}` ended with {status}", typed(command));
    Ok(())
}

/// Runs to the end without showing anything, unless it fails: then the last lines are in the error.
pub(crate) fn run_captured(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", typed(command)))?;
    accept(command, &output)
}

/// As [`run_captured`], but the child is killed when it takes longer than `limit`.
pub(crate) fn run_bounded(command: &mut Command, limit: Duration) -> Result<String> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{}`", typed(command)))?;
    let pid = child.id();
    // Output is drained by a thread of its own, so that a full pipe cannot block the child.
    let drained = thread::spawn(move || child.wait_with_output());
    let deadline = Instant::now() + limit;
    while !drained.is_finished() {
        if Instant::now() > deadline {
            kill(pid);
            bail!("`{}` gave no answer in {} s", typed(command), limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    let output = drained.join().expect("invariant: waiting for a child does not panic")?;
    accept(command, &output)
}

fn accept(command: &Command, output: &Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
    all.push_str(&String::from_utf8_lossy(&output.stderr));
    bail!("`{}` ended with {}:\n{}", typed(command), output.status, last_lines(&all, 20))
}

/// The end of a text, which is where programs say what went wrong.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Runs to the end, copies its stdout line by line to ours, and adds up what `count` finds in the
/// lines. After `limit` the child is asked to end, then made to.
pub(crate) fn run_counting(
    command: &mut Command,
    limit: Duration,
    count: fn(&str) -> Option<u64>,
) -> Result<u64> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{}`", typed(command)))?;
    let lines = lines_of(&mut child);
    let Some(total) = copy_until(&lines, Instant::now() + limit, count) else {
        kill(child.id());
        copy_until(&lines, Instant::now() + GRACE, count);
        child.kill()?;
        child.wait()?;
        bail!("`{}` took over {} s", typed(command), limit.as_secs());
    };
    let status = child.wait()?;
    ensure!(status.success(), "`{}` ended with {status}", typed(command));
    Ok(total)
}

/// The lines of the child's stdout, as they come.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let stdout = BufReader::new(stdout_of(child));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in stdout.split(b'\n').map_while(Result::ok) {
            // Nobody listens after the limit, but the child must not block.
            drop(sender.send(String::from_utf8_lossy(&line).into_owned()));
        }
    });
    receiver
}

/// Copies lines to our stdout until they end, and adds up what `count` finds; `None` at the deadline.
fn copy_until(
    lines: &Receiver<String>,
    deadline: Instant,
    count: fn(&str) -> Option<u64>,
) -> Option<u64> {
    let mut total = 0;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                println!("{line}");
                total += count(&line).unwrap_or(0);
            }
            Err(RecvTimeoutError::Disconnected) => return Some(total),
            Err(RecvTimeoutError::Timeout) => return None,
        }
    }
}

pub(crate) fn stdout_of(child: &mut Child) -> std::process::ChildStdout {
    child.stdout.take().expect("invariant: the child was spawned with a piped stdout")
}

/// The same command, ended by the kernel when xtask ends, however that happens.
///
/// Needs `setpriv` (util-linux); without it the command is returned as it is.
pub(crate) fn lifelong(command: Command) -> Command {
    if find("setpriv").is_none() {
        return command;
    }
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(key, value),
            None => wrapped.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

/// Ends a process that we started and that a thread of ours waits for.
fn kill(pid: u32) {
    // A failure means that it ended by itself.
    drop(Command::new("kill").arg(pid.to_string()).status());
}

/// The first file called `name` on PATH that can be run.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_child_is_given_up_in_time() {
        let start = Instant::now();
        let error = run_bounded(Command::new("sleep").arg("60"), Duration::from_millis(200));
        assert!(error.unwrap_err().to_string().contains("no answer"));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failure_shows_what_the_child_said() {
        let error = run_captured(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]));
        assert!(error.unwrap_err().to_string().contains("reason"));
    }

    #[test]
    fn counts_are_added_up() {
        let mut command = Command::new("printf");
        command.arg("1\\nx\\n2\\n");
        let total = run_counting(&mut command, GRACE, |line| line.parse().ok());
        assert_eq!(total.unwrap(), 3);
    }

    #[test]
    fn a_child_that_hangs_is_ended() {
        let start = Instant::now();
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo 1; exec sleep 60"]);
        let total = run_counting(&mut command, Duration::from_millis(300), |_| Some(1));
        assert!(total.unwrap_err().to_string().contains("took over"));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}

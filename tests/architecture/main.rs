//! Who may import whom: the arrows of ARCHITECTURE.md, read off the sources of the server.
#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms that it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("access", &[]),
    ("auth", &["access"]),
    ("bus", &["meter"]),
    ("meter", &[]),
    ("trace", &[]),
    ("admin", &["access", "meter"]),
    ("session", &["access", "meter"]),
    ("transport", &["session"]),
    ("sockjs", &["access", "session", "transport"]),
    ("bridge", &["access", "bus", "meter", "session", "sockjs", "trace"]),
    ("service", &[]),
    ("gateway", &["access", "bridge", "bus", "meter"]),
    ("app", &["access", "admin", "auth", "bridge", "bus", "gateway", "service", "sockjs", "trace"]),
    ("cli", &["access", "app", "auth", "bridge", "bus", "service"]),
];

fn server_sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src")
}

/// The Rust files of a room: its folder, or its one file.
fn files_of(room: &str) -> Vec<PathBuf> {
    let single = server_sources().join(room).with_extension("rs");
    if single.is_file() {
        return vec![single];
    }
    let mut files = Vec::new();
    let mut folders = vec![server_sources().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The rooms that a source text names behind `crate::`.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mentions = |line: &str| {
        let rooms = line.split("crate::").skip(1);
        let name = |rest: &str| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(String::from)
        };
        rooms.filter_map(name).collect::<Vec<_>>()
    };
    code.flat_map(mentions).collect()
}

#[test]
fn rooms_import_only_what_the_arrows_allow() {
    let is_room = |name: &str| ARROWS.iter().any(|(room, _)| *room == name);
    let mut offences = Vec::new();
    for (room, allowed) in ARROWS {
        let files = files_of(room);
        assert!(!files.is_empty(), "no sources for {room}");
        for file in files {
            for import in imports(&fs::read_to_string(&file).unwrap()) {
                if is_room(&import) && import != *room && !allowed.contains(&import.as_str()) {
                    offences.push(format!("{} imports {import}", file.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_module_of_the_server_is_a_room() {
    let lib = fs::read_to_string(server_sources().join("lib.rs")).unwrap();
    let modules = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(ARROWS.iter().any(|(room, _)| *room == module), "{module} has no arrows");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (room, _) in ARROWS {
        for file in files_of(room) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//! "), "{} opens without //!", file.display());
        }
    }
}

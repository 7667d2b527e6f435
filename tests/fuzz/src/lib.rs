//! Fuzz targets: one function from bytes to nothing for every parser, and one for whole bridges.
//!
//! cargo-fuzz drives them through `fuzz_targets/`, and `smoke.rs` over the corpus and over
//! mutations of it. A target panics when something does not hold.

mod bridge;
mod config;
mod doors;
mod envelopes;
mod gateway;
mod json;
#[cfg(test)]
mod mutate;
mod patterns;
mod reader;
mod rules;
#[cfg(test)]
mod smoke;
mod sockjs;
mod tcp;
mod tokens;

/// A name and what runs under it.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 22] = [
    ("json", json::json),
    ("client_envelope", envelopes::client_envelope),
    ("server_envelope", envelopes::server_envelope),
    ("headers", envelopes::headers),
    ("sockjs_frame", sockjs::frame),
    ("upload", sockjs::upload),
    ("form", sockjs::form),
    ("path", sockjs::path),
    ("wrap", sockjs::wrap),
    ("pattern", patterns::pattern),
    ("pattern_overlap", patterns::overlap),
    ("rules", rules::rules),
    ("config", config::config),
    ("tcp_frames", tcp::frames),
    ("tcp_envelope", tcp::envelope),
    ("token", tokens::token),
    ("keys", tokens::keys),
    ("credentials", tokens::credentials),
    ("origins", doors::origins),
    ("forwarded", doors::forwarded),
    ("bridge", bridge::bridge),
    ("gateway", gateway::gateway),
];

/// Runs the target `name` on `data`.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, body) = target.unwrap_or_else(|| panic!("no target {name}"));
    body(data);
}

/// The input as text, for targets that take text only.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

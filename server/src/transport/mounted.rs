//! The path behind the mount point, as the client wrote it.

use axum::extract::{NestedPath, OriginalUri};
use http::request::Parts;

/// The path of the request behind the mount point. axum gives `/x` for both `/echo/x` and
/// `/echo//x`; of these only the first is ours.
pub(super) fn path(parts: &Parts) -> &str {
    let stripped = parts.uri.path();
    let nested = parts.extensions.get::<NestedPath>();
    let original = parts.extensions.get::<OriginalUri>();
    let (Some(nested), Some(original)) = (nested, original) else {
        return stripped;
    };
    match behind(original.path(), nested.as_str()) {
        Some(path) if path.trim_start_matches('/') == stripped.trim_start_matches('/') => path,
        _ => stripped,
    }
}

/// `original` without as many segments as `mount` has; a segment of the mount may be a capture.
fn behind<'a>(original: &'a str, mount: &str) -> Option<&'a str> {
    let depth = mount.trim_end_matches('/').matches('/').count();
    let next = original.match_indices('/').nth(depth).map(|(at, _)| at);
    original.get(next.unwrap_or(original.len())..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_the_mount_are_taken_off() {
        assert_eq!(behind("/echo", "/echo"), Some(""));
        assert_eq!(behind("/echo/", "/echo"), Some("/"));
        assert_eq!(behind("/echo//", "/echo/"), Some("//"));
        assert_eq!(behind("/v1/echo/a//b", "/{version}/echo"), Some("/a//b"));
    }
}

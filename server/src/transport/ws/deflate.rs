//! permessage-deflate (RFC 7692): which offers are taken, and how a message is compressed.
//!
//! No context is taken over from one message to the next, in neither direction. So a message has
//! one compressed form for all who get it, and an idle connection holds nothing for it.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use http::{HeaderMap, header};

/// What is agreed to. A server may ask for this of clients that did not offer it (RFC 7692, 7.1.1).
pub(super) const AGREED: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

const EXTENSION: &str = "permessage-deflate";
/// The window that we compress with, as a power of two.
const WINDOW_BITS: u8 = 15;
/// What a message compressed by itself ends with, and what is not sent of it.
const TAIL: &[u8] = &[0, 0, 0xff, 0xff];
/// Level 2 takes up to two thirds longer for a tenth fewer bytes, 6 up to ten times as long for a fifth.
const LEVEL: Compression = Compression::new(1);
/// Memory that a thread keeps between messages.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    static DEFLATER: RefCell<Deflater> = RefCell::new(Deflater {
        compress: Compress::new(LEVEL, false),
        scratch: Vec::new(),
    });
}

struct Deflater {
    compress: Compress,
    scratch: Vec<u8>,
}

/// Whether one of the client's offers can be taken.
pub(super) fn is_offered(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(is_acceptable)
}

/// An offer with anything unknown, doubled or out of range must be declined, and so must one that
/// asks for a smaller window than ours.
fn is_acceptable(offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    let mut seen = Vec::new();
    parts.next() == Some(EXTENSION)
        && parts.all(|parameter| {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
                None => (parameter, None),
            };
            let is_new = !seen.contains(&name);
            seen.push(name);
            is_new
                && match (name, value) {
                    ("server_no_context_takeover" | "client_no_context_takeover", None)
                    | ("client_max_window_bits", None) => true,
                    ("client_max_window_bits", Some(bits)) => window_bits(bits).is_some(),
                    ("server_max_window_bits", Some(bits)) => {
                        window_bits(bits) == Some(WINDOW_BITS)
                    }
                    _ => false,
                }
        })
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// 8 to 15, without leading zeros.
fn window_bits(text: &str) -> Option<u8> {
    let bits = text.parse().ok().filter(|bits| (8..=WINDOW_BITS).contains(bits))?;
    (text.as_bytes()[0] != b'0' && text.as_bytes()[0] != b'+').then_some(bits)
}

/// The payload of `message` compressed, unless that saves less than an eighth: then it is not worth
/// the reader's time.
pub(super) fn deflate(message: &[u8]) -> Option<Bytes> {
    DEFLATER.with_borrow_mut(|Deflater { compress, scratch }| {
        scratch.clear();
        // What does not fit is not worth it.
        scratch.reserve_exact(message.len() - message.len() / 8);
        compress.reset();
        let status = compress.compress_vec(message, scratch, FlushCompress::Sync);
        let is_whole =
            matches!(status, Ok(Status::Ok)) && compress.total_in() == message.len() as u64;
        let deflated = scratch.strip_suffix(TAIL).filter(|_| is_whole).map(Bytes::copy_from_slice);
        if scratch.capacity() > SCRATCH {
            *scratch = Vec::new();
        }
        deflated
    })
}

#[cfg(test)]
mod tests {
    use std::iter;

    use flate2::{Decompress, FlushDecompress};
    use http::HeaderValue;

    use super::*;

    fn inflated(deflated: &[u8], len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len + 64);
        let whole = [deflated, TAIL].concat();
        let mut decompress = Decompress::new(false);
        decompress.decompress_vec(&whole, &mut out, FlushDecompress::Sync).unwrap();
        out
    }

    /// Text that compresses to about a fifth.
    fn records(count: usize) -> String {
        (0..count)
            .map(|n| {
                format!(r#"{{"id":{n},"name":"sensor {}","value":{}}},"#, n * 7, n * 12_347 % 1000)
            })
            .collect()
    }

    #[test]
    fn the_offers_of_clients_in_use_are_taken() {
        let offers = [
            // Chromium and Node's ws; Firefox and Safari.
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate",
            "permessage-deflate; server_max_window_bits=15; client_max_window_bits=\"12\"",
            "permessage-deflate ; server_no_context_takeover;client_no_context_takeover",
            // The second offer.
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "x-webkit-deflate-frame, permessage-deflate",
        ];
        for offer in offers {
            let mut headers = HeaderMap::new();
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer));
            assert!(is_offered(&headers), "{offer}");
        }
    }

    #[test]
    fn offers_that_are_not_to_be_taken() {
        let offers = [
            "",
            "permessage-bzip2",
            "permessage-deflate-2",
            "permessage-deflate; server_max_window_bits=14",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=015",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; client_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; mystery",
            "permessage-deflate;",
        ];
        for offer in offers {
            assert!(!is_acceptable(offer), "{offer}");
        }
        assert!(!is_offered(&HeaderMap::new()));
    }

    #[test]
    fn a_message_comes_out_as_it_went_in() {
        for count in [10, 100, 1000, 10_000] {
            let message = records(count);
            let deflated = deflate(message.as_bytes()).unwrap();
            assert!(deflated.len() * 2 < message.len(), "{count}: {}", deflated.len());
            assert_eq!(inflated(&deflated, message.len()), message.as_bytes(), "{count}");
        }
        let again = records(10);
        assert_eq!(deflate(again.as_bytes()), deflate(again.as_bytes()), "nothing is carried over");
    }

    #[test]
    fn what_hardly_shrinks_is_left_as_it_is() {
        let mut state = 1_u64;
        let noise: Vec<u8> = iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(20_000)
        .collect();
        assert_eq!(deflate(&noise), None);
        // Seven bits of eight: less than an eighth is saved.
        let text: Vec<u8> = noise.iter().map(|byte| byte & 0x7f).collect();
        assert_eq!(deflate(&text), None);
    }
}

//! permessage-deflate (RFC 7692): which offers are taken, and how a message is compressed.
//!
//! No context is taken over from one message to the next, in neither direction. So a message has
//! one compressed form for all who get it, and an idle connection holds nothing for it.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};
use http::{HeaderMap, HeaderValue, header};

/// What is agreed to at least. A server may ask for this of clients that did not offer it (RFC 7692,
/// 7.1.1).
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

/// An offer that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreed {
    /// How far back the client can look while it inflates, as a power of two, where it has said so.
    /// Then it wants to be told (RFC 7692, 7.1.2.1).
    window_bits: Option<u8>,
}

impl Agreed {
    /// The first of the client's offers that can be taken.
    pub(super) fn to_offers_of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        texts.flat_map(|value| value.split(',')).find_map(Self::to_offer)
    }

    /// An offer with anything unknown, doubled or out of range must be declined.
    fn to_offer(offer: &str) -> Option<Self> {
        let mut window_bits = None;
        is_acceptable(offer, &mut window_bits).then_some(Self { window_bits })
    }

    /// What the client is answered.
    pub(super) fn header(self) -> HeaderValue {
        let told = |bits| format!("{AGREED}; server_max_window_bits={bits}").try_into().ok();
        self.window_bits.and_then(told).unwrap_or(HeaderValue::from_static(AGREED))
    }

    /// Whether a message of so many bytes may be compressed. Our window is the largest that there is;
    /// in a message that fits into a smaller one nothing looks back further than that.
    pub(super) fn admits(self, len: usize) -> bool {
        let bits = self.window_bits.unwrap_or(WINDOW_BITS);
        bits == WINDOW_BITS || len <= 1 << bits
    }
}

fn is_acceptable(offer: &str, server_window_bits: &mut Option<u8>) -> bool {
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
                        *server_window_bits = window_bits(bits);
                        server_window_bits.is_some()
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

    use super::*;
    use flate2::{Decompress, FlushDecompress};

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
            "permessage-deflate; mystery, permessage-deflate",
            "x-webkit-deflate-frame, permessage-deflate",
        ];
        for offer in offers {
            let mut headers = HeaderMap::new();
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer));
            let agreed = Agreed::to_offers_of(&headers).unwrap();
            assert!(agreed.admits(usize::MAX), "{offer}");
            let header = agreed.header();
            let told = header.to_str().unwrap().strip_prefix(AGREED).unwrap();
            let is_told = told == "; server_max_window_bits=15";
            assert_eq!(is_told, offer.contains("server_max_window_bits"), "{offer}: {told}");
        }
    }

    #[test]
    fn a_client_with_a_small_window_gets_only_messages_compressed_that_fit_into_it() {
        // As clients do that are short of memory.
        let offer = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12";
        let agreed = Agreed::to_offer(offer).unwrap();
        assert_eq!(agreed.header(), format!("{AGREED}; server_max_window_bits=12"));
        assert!(agreed.admits(4096) && !agreed.admits(4097));
    }

    #[test]
    fn offers_that_are_not_to_be_taken() {
        let offers = [
            "",
            "permessage-bzip2",
            "permessage-deflate-2",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=7",
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
            assert_eq!(Agreed::to_offer(offer), None, "{offer}");
        }
        assert_eq!(Agreed::to_offers_of(&HeaderMap::new()), None);
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

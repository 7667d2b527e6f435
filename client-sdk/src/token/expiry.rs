//! When a JSON Web Token ends, by its own text.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use trolleybus_protocol::ByteString;
use trolleybus_protocol::json::Members;

/// How many milliseconds a JSON Web Token has left, where its text says so; `now` is the time
/// since 1970. The signature is the server's business.
pub(crate) fn valid_for(token: &str, now: Duration) -> Option<u64> {
    let claims = String::from_utf8(decode(token.split('.').nth(1)?)?).ok()?;
    let claims = ByteString::from(claims);
    let mut members = Members::new(&claims).ok()?;
    let mut expires = None;
    while let Ok(Some((name, value))) = members.next_member() {
        if name == "\"exp\"" {
            expires = value.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok());
        }
    }
    let left = Duration::from_secs(expires?).saturating_sub(now);
    u64::try_from(left.as_millis()).ok()
}

/// The base64 of URLs, without padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(claims: &str, now: u64) -> Option<u64> {
        valid_for(&format!("e30.{claims}.c2ln"), Duration::from_secs(now))
    }

    #[test]
    fn expiry_is_read_from_the_claims() {
        // {"sub":"ann","exp":1700000060}
        let claims = "eyJzdWIiOiJhbm4iLCJleHAiOjE3MDAwMDAwNjB9";
        assert_eq!(left(claims, 1_700_000_000), Some(60_000));
        assert_eq!(left(claims, 1_800_000_000), Some(0));
    }

    #[test]
    fn what_says_nothing_of_its_end_has_none() {
        // {"sub":"ann"}, then what is no JSON, no base64, no token.
        for claims in ["eyJzdWIiOiJhbm4ifQ", "bm8", "*", ""] {
            assert_eq!(left(claims, 0), None, "{claims}");
        }
        assert_eq!(valid_for("opaque", Duration::ZERO), None);
    }
}

//! From when until when a certificate holds: the one thing that TLS does not say beforehand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when until when a certificate in DER holds; none when that cannot be read.
pub(super) fn of_certificate(der: &[u8]) -> Option<(SystemTime, SystemTime)> {
    let certificate = item(&mut &*der).filter(|(tag, _)| *tag == SEQUENCE)?.1;
    let mut fields = item(&mut &*certificate).filter(|(tag, _)| *tag == SEQUENCE)?.1;
    // Version, if it is there; serial number, algorithm, issuer; then the validity.
    let (tag, _) = item(&mut fields)?;
    for _ in 0..if tag == VERSION { 3 } else { 2 } {
        item(&mut fields)?;
    }
    let mut validity = item(&mut fields).filter(|(tag, _)| *tag == SEQUENCE)?.1;
    Some((time(item(&mut validity)?)?, time(item(&mut validity)?)?))
}

/// Takes one item off the front: its tag and its content.
fn item<'a>(der: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let bytes = usize::from(first & 0x7f);
        let (long, behind) = rest.split_at_checked(bytes).filter(|_| (1..=4).contains(&bytes))?;
        length = long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = behind;
    }
    let (content, behind) = rest.split_at_checked(length)?;
    *der = behind;
    Some((tag, content))
}

/// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`, as certificates must write times.
fn time((tag, text): (u8, &[u8])) -> Option<SystemTime> {
    let digits = text.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |at: usize, length: usize| {
        let part = digits.get(at..at + length)?;
        Some(part.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    };
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => (number(0, 2).map(|year| year + if year < 50 { 2000 } else { 1900 })?, 2),
        (GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |index: usize| number(rest + 2 * index, 2);
    let days = days_since_1970(year, part(0)?, part(1)?)?;
    let seconds = ((days * 24 + part(2)?) * 60 + part(3)?) * 60 + part(4)?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let leap_days = |years: u64| years / 4 - years / 100 + years / 400;
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let years = year.checked_sub(1970)? * 365 + leap_days(year - 1) - leap_days(1969);
    Some(years + before + u64::from(is_leap && month > 2) + day.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(tag: u8, text: &str) -> Option<u64> {
        let time = time((tag, text.as_bytes()))?;
        Some(time.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, "000229235959Z"), Some(951_868_799));
        assert_eq!(seconds(GENERALIZED_TIME, "20000301000000Z"), Some(951_868_800));
        assert_eq!(seconds(GENERALIZED_TIME, "20261121091500Z"), Some(1_795_252_500));
        assert_eq!(seconds(GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
    }

    #[test]
    fn nonsense_is_none() {
        for text in [
            "",
            "Z",
            "700101000000",
            "701301000000Z",
            "70010100000Z",
            "7001010000x0Z",
            "700100000000Z",
        ] {
            assert_eq!(seconds(UTC_TIME, text), None, "{text}");
        }
        for der in
            [&b""[..], b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x02\x30\x00"]
        {
            assert_eq!(of_certificate(der), None);
        }
    }
}

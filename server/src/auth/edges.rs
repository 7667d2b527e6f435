//! The parsers of this room by themselves, for those who throw any bytes at them.

use super::key::ALGORITHMS;
use super::key_file;
use super::token::Unverified;

/// Whether a text has the form of a token, header and claims included. That says nothing about its
/// signature.
#[must_use]
pub fn is_well_formed(token: &str, longest: usize) -> bool {
    Unverified::parse(token, longest).is_ok_and(|parts| parts.claims().is_ok())
}

/// How many keys there are in a text: a public key in PEM, a JWK or a JWK set.
///
/// # Errors
/// What is wrong with it.
pub fn count_keys(text: &[u8]) -> Result<usize, String> {
    let all = ALGORITHMS.map(|(_, algorithm)| algorithm);
    key_file::keys(text, None, &all).map(|keys| keys.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_told_apart() {
        assert!(is_well_formed("eyJhbGciOiJIUzI1NiJ9.e30.AA", 100));
        assert!(!is_well_formed("eyJhbGciOiJIUzI1NiJ9.W10.AA", 100));
        assert_eq!(count_keys(include_bytes!("vectors/rsa-public.pem")), Ok(1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_keys_or_none(mut text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = count_keys(&text);
            text.splice(0..0, *b"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
            let _ = count_keys(&text);
        }

        #[test]
        fn a_damaged_key_is_a_key_or_none(at in 0_usize..400, with in any::<u8>()) {
            let mut pem = include_bytes!("vectors/rsa-public.pem").to_vec();
            let at = at % pem.len();
            pem[at] = with;
            let _ = count_keys(&pem);
        }
    }
}

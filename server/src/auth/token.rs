//! A token taken apart, before anything in it is trusted. Nothing here knows a key or a clock.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::Flaw;

/// What a token says of itself, and the parts to be checked.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// What was signed.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    claims: &'a str,
}

/// The fields of the header that matter. Keys and URLs of keys in there are passed over: a token
/// does not say whom to trust.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart: three parts of base64url without padding, the first a JSON header.
    pub(super) fn parse(token: &'a str, longest: usize) -> Result<Self, Flaw> {
        if token.len() > longest {
            return Err(Flaw::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Flaw::Malformed)?;
        if claims.contains('.') {
            return Err(Flaw::Malformed);
        }
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| Flaw::Malformed)?;
        if header.crit.is_some() {
            return Err(Flaw::Critical);
        }
        Ok(Self {
            algorithm: header.alg.parse().map_err(|_| Flaw::Algorithm)?,
            key_id: header.kid,
            message: message.as_bytes(),
            signature: decode(signature)?,
            claims,
        })
    }

    /// The claims, for whoever has checked the signature.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, Flaw> {
        serde_json::from_slice(&decode(self.claims)?).map_err(|_| Flaw::Malformed)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, Flaw> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Flaw::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(text: &str) -> String {
        URL_SAFE_NO_PAD.encode(text)
    }

    fn flaw(token: &str) -> Flaw {
        Unverified::parse(token, 100).unwrap_err()
    }

    #[test]
    fn a_token_falls_into_its_parts() {
        let message =
            format!("{}.{}", encode(r#"{"alg":"ES256","kid":"a","x":[1]}"#), encode("{}"));
        let token = format!("{message}.AQID");
        let parts = Unverified::parse(&token, 100).unwrap();
        assert_eq!((parts.algorithm, parts.key_id.as_deref()), (Algorithm::ES256, Some("a")));
        assert_eq!((parts.message, &*parts.signature), (message.as_bytes(), &[1, 2, 3][..]));
        assert!(parts.claims().unwrap().is_empty());
        assert_eq!(Unverified::parse(&token, token.len() - 1).unwrap_err(), Flaw::TooLong);
    }

    #[test]
    fn edges_are_malformed() {
        let header = encode(r#"{"alg":"HS256"}"#);
        for token in ["", ".", "..", "...", "a.b", "a.b.c", "é.é.é"] {
            assert_eq!(flaw(token), Flaw::Malformed, "{token}");
        }
        for rest in
            ["", ".e30", ".e30.AQ.AQ", ".e30.A=", ".e30.AQ==", ".e30.AR", ".e30.A+", ".e30. "]
        {
            assert_eq!(flaw(&format!("{header}{rest}")), Flaw::Malformed, "{rest}");
        }
        for text in ["[]", "{}", "{\"alg\":1}", "{\"alg\":null}", "null", "\"\\ud800\"", "{"] {
            assert_eq!(flaw(&format!("{}.e30.AQ", encode(text))), Flaw::Malformed, "{text}");
        }
        for claims in ["", "!", "AQ", "W10"] {
            let token = format!("{header}.{claims}.AQ");
            let parts = Unverified::parse(&token, 100).unwrap();
            assert_eq!(parts.claims().unwrap_err(), Flaw::Malformed, "{claims}");
        }
    }

    #[test]
    fn none_is_no_algorithm_however_it_is_written() {
        for name in ["none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS1", "ES512", "dir"] {
            let header = encode(&format!(r#"{{"alg":"{name}"}}"#));
            assert_eq!(flaw(&format!("{header}.e30.")), Flaw::Algorithm, "{name}");
        }
    }

    #[test]
    fn critical_fields_are_not_passed_over() {
        let header = encode(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#);
        assert_eq!(flaw(&format!("{header}.e30.AQ")), Flaw::Critical);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart_or_refused(token in ".{0,200}", header in ".{0,60}") {
            let _ = Unverified::parse(&token, 150);
            let made = format!("{}.{token}.{}", encode(&header), encode(&token));
            if let Ok(parts) = Unverified::parse(&made, 1000) {
                let _ = parts.claims();
            }
        }
    }
}

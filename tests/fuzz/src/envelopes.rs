//! Envelopes of both directions, and headers.

use trolleybus_protocol::ByteString;
use trolleybus_protocol::Headers;
use trolleybus_protocol::envelope::{ClientEnvelope, ServerEnvelope, rec_to_json};

use crate::reader::Reader;

/// What is read and written again is read the same.
pub(crate) fn client_envelope(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let is_object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
    match ClientEnvelope::parse(&ByteString::from(text)) {
        Ok(envelope) => {
            let written = ByteString::from(envelope.to_json());
            let again = ClientEnvelope::parse(&written);
            assert!(again.is_ok(), "{text:?} became {written:?}");
            let again = again.expect("checked");
            assert_eq!(again.to_json(), &*written);
            assert_eq!(again.operation, envelope.operation);
            assert_eq!(again.reply_address, envelope.reply_address);
        }
        Err(error) => {
            // Whoever is refused is told so in JSON.
            if is_object.is_ok() {
                let _ = format!("{error:?}");
            }
        }
    }
}

pub(crate) fn server_envelope(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let Ok(envelope) = ServerEnvelope::parse(&ByteString::from(text)) else { return };
    if let ServerEnvelope::Rec { address, body, headers, reply_address, .. } = &envelope {
        let reply = reply_address.as_ref().map(trolleybus_protocol::Address::as_str);
        let written = rec_to_json(address.as_str(), body, headers, reply);
        match ServerEnvelope::parse(&ByteString::from(written.clone())) {
            Ok(ServerEnvelope::Rec {
                address: a, body: b, headers: h, reply_address: r, ..
            }) => {
                assert_eq!((&a, &b, &r), (address, body, reply_address));
                for (name, value) in headers.iter() {
                    assert!(h.get_all(name).any(|known| known == value), "{written}");
                }
            }
            other => panic!("{written} became {other:?}"),
        }
    }
}

/// Nothing gets into headers that could end a line, and nothing is lost.
pub(crate) fn headers(data: &[u8]) {
    let mut reader = Reader(data);
    let mut headers = Headers::new();
    let mut taken = Vec::new();
    while !reader.is_empty() {
        let (name, value) = (reader.text(12), reader.text(24));
        if headers.append(name.clone(), value.clone()).is_ok() {
            assert!(!value.contains(['\r', '\n', '\0']) && !name.contains(['\r', '\n', '\0']));
            taken.push((name, value));
        }
    }
    let held: Vec<_> = headers.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    assert_eq!(held, taken);
    let written = rec_to_json("a", &trolleybus_protocol::Body::null(), &headers, None);
    assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{written}");
    for (name, _) in &taken {
        headers.remove(name);
        assert_eq!(headers.get(name), None);
    }
    assert!(headers.is_empty());
}

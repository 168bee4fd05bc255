//! How facts are written as JSON: octets as base64 or hexadecimal text.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize as _, Deserializer, Error as _};
use serde::ser::Serializer;

/// Certificates: a list of base64.
pub(super) mod certificates {
    use super::*;

    pub(in crate::tls) fn serialize<S: Serializer>(all: &[Arc<[u8]>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(all.iter().map(|one| STANDARD.encode(one)))
    }

    pub(in crate::tls) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Arc<[u8]>>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| STANDARD.decode(text).map(Arc::from).map_err(D::Error::custom)).collect()
    }
}

/// The client random: hexadecimal.
pub(super) mod random {
    use super::*;

    pub(in crate::tls) fn serialize<S: Serializer>(
        octets: &Option<[u8; 32]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match octets {
            Some(octets) => serializer.serialize_some(&super::super::facts::hex(octets)),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::tls) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[u8; 32]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let octet = |at: usize| text.get(at * 2..at * 2 + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let mut octets = [0; 32];
        for (at, place) in octets.iter_mut().enumerate() {
            *place = octet(at).ok_or_else(|| D::Error::custom("a client random that is not 64 hexadecimal digits"))?;
        }
        Ok(Some(octets))
    }
}

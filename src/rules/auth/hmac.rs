//! The header of `syncml:auth-MAC` (DMS 5.4.3): `x-syncml-hmac: algorithm=MD5, username="user", mac=base64`.

use super::digest::Hash;
use crate::credentials::octets;
use crate::syncml::Message;

/// The header that a message travelled with.
pub(super) fn of(message: &Message) -> Option<&str> {
    message.http.as_ref()?.head.header("x-syncml-hmac")
}

/// Whether a message travelled with headers, so that one that is not there was not sent.
pub(super) fn is_known(message: &Message) -> bool {
    message.http.as_ref().is_some_and(|http| !http.head.headers.is_empty())
}

/// Its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters<'a> {
    /// `algorithm`.
    pub(super) algorithm: Option<&'a str>,
    /// `username`, without its quotes, and whether it had them.
    pub(super) username: Option<(&'a str, bool)>,
    /// `mac`.
    pub(super) mac: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    /// Reads a header's value. A comma inside quotes separates nothing.
    pub(super) fn of(value: &'a str) -> Parameters<'a> {
        let mut parameters = Parameters::default();
        let mut quoted = false;
        let parts = value.split(|letter: char| {
            quoted ^= letter == '"';
            letter == ',' && !quoted
        });
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim();
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            match name.trim().to_ascii_lowercase().as_str() {
                "algorithm" => parameters.algorithm = Some(bare.unwrap_or(value)),
                "username" => parameters.username = Some((bare.unwrap_or(value), bare.is_some())),
                "mac" => parameters.mac = Some(bare.unwrap_or(value)),
                _ => {}
            }
        }
        parameters
    }

    /// The MAC itself.
    pub(super) fn digest(&self) -> Option<Hash> {
        octets(self.mac?)?.try_into().ok()
    }

    /// Whether the MAC is 32 hexadecimal digits in base64, as the specification's own example has it.
    pub(super) fn is_hex_in_base64(&self) -> bool {
        let octets = self.mac.and_then(octets);
        octets.is_some_and(|octets| octets.len() == 32 && octets.iter().all(u8::is_ascii_hexdigit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_order() {
        let parameters = Parameters::of("mac=urdCeS3JUmjFgi8SX3webw==, username=\"a, b=c\",Algorithm=MD5");
        assert_eq!((parameters.algorithm, parameters.username), (Some("MD5"), Some(("a, b=c", true))));
        assert!(parameters.digest().is_some() && !parameters.is_hex_in_base64());
        assert_eq!(Parameters::of("username=b").username, Some(("b", false)));
        assert_eq!(Parameters::of("what,is this\"").mac, None);
    }
}

//! What of a push is secret: the digest of a notification, from which the server's password may be guessed, the MAC of a
//! bootstrap, made with a short PIN, and all that a bootstrap sets up.

use std::ops::Range;

use super::{Content, Framing, Push, Value};

/// What stands in place of each octet of a secret; a MAC stays a text of digits.
const MASK: u8 = b'0';
/// Octets of a digest, with which notifications of all formats begin.
const DIGEST: usize = 16;

/// Where secrets stand in a push.
pub fn spans(push: &Push<'_>) -> Vec<Range<usize>> {
    let content = push.content_at..push.content_at + push.content.len();
    match push.kind() {
        Content::Trigger | Content::OtherTrigger => {
            std::iter::once(content.start..content.end.min(content.start + DIGEST)).collect()
        }
        Content::Bootstrap { .. } => {
            let macs = push.content_type.parameters.iter().filter(|field| field.name.eq_ignore_ascii_case("MAC"));
            // Without the zero at its end, and a quote in front.
            let text = macs.filter_map(|field| match &field.value {
                Value::Text(text) => {
                    let end = field.span.end.checked_sub(1)?;
                    Some(end.saturating_sub(text.len()).max(field.span.start)..end)
                }
                _ => None,
            });
            text.chain([content]).collect()
        }
        Content::Other => Vec::new(),
    }
}

/// The bytes with the secrets masked; they can be read as before.
pub fn masked(bytes: &[u8], framing: Framing) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for span in spans(&Push::read(bytes, framing)) {
        if let Some(secret) = masked.get_mut(span) {
            secret.fill(MASK);
        }
    }
    masked
}

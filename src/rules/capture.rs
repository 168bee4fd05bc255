//! What the capture does not hold, so that other rules keep silent about it.

use super::finding::Place;
use super::{EncryptedCx, MessageCx, SessionCx, Sink, quoted};
use crate::anomaly;
use crate::http::{Captured, Head};
use crate::session::Edge;
use crate::syncml::{Kind, Message};
use crate::tls::Sealed;

/// A session that begins before the capture does.
pub(super) fn session_start_not_captured(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Edge::NotCaptured(why) = &cx.session.start else { return };
    if let Some(first) = of_recording(*cx).next() {
        out.report(Place::Message(first.index), format!("the start of the session was not captured: {why}"));
    }
}

/// A session that goes on after the capture ends.
pub(super) fn session_end_not_captured(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Edge::NotCaptured(why) = &cx.session.end else { return };
    if let Some(last) = of_recording(*cx).last() {
        out.report(Place::Message(last.index), format!("the end of the session was not captured: {why}"));
    }
}

/// The messages that show that a session was recorded: those that travelled by HTTP, and several documents with
/// headers. A document alone is no recording with ends.
fn of_recording<'a>(cx: SessionCx<'a>) -> impl Iterator<Item = MessageCx<'a>> {
    let alone = cx.session.messages.len() == 1;
    cx.messages().filter(move |cx| match &cx.message.http {
        Some(_) => cx.message.kind != Kind::Missing,
        None => !alone && cx.message.header().is_some(),
    })
}

/// A message of which bytes are missing, or a missing one between others.
pub(super) fn payload_gap(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let between = cx.index > 0 && cx.index + 1 < cx.session.messages.len();
    let sender = cx.side().map_or("", |side| side.name());
    let place = Place::Message(cx.index);
    match (&cx.message.kind, &cx.message.body.captured) {
        // Nobody knows who sent it: it was left out when its session was exported.
        (Kind::Missing, _) if between && cx.side().is_some() => {
            out.report(place, format!("the {sender} message between these was not captured; it is not judged"));
        }
        (Kind::Missing, _) => {}
        (_, Captured::Partly(why)) => {
            out.report(place, format!("the {sender} message was captured in part ({why}); it is not judged"));
        }
        _ => {}
    }
}

/// A body that is called SyncML and is nothing that could be.
pub(super) fn undecodable_dm_body(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(http) = &cx.message.http else { return };
    let media_type = http.head.media_type();
    if !matches!(media_type.as_str(), "application/vnd.syncml.dm+xml" | "application/vnd.syncml.dm+wbxml") {
        return;
    }
    if let Some(what) = undecodable(cx.message) {
        let text = format!("Content-Type is `{media_type}`, but the body is {what}; expected XML or WBXML");
        let finding = out.report(Place::Message(cx.index), text);
        if is_from_proxy(&http.head) {
            finding.help("The answer carries a Via header: look at the proxy, which may have replaced the body.");
        }
    }
}

/// What stands in the place of SyncML; `None` when it is SyncML, may be, or was not captured.
fn undecodable(message: &Message) -> Option<&'static str> {
    let bytes = message.body.bytes.as_ref();
    match (&message.body.captured, message.kind) {
        (Captured::Refused(_), _) => {
            let coded = message.notes.iter().any(|note| note.kind == anomaly::Kind::CodingInvalid);
            coded.then_some("not in the content coding that its head names")
        }
        (Captured::Partly(_), _) => None,
        (_, Kind::Html) => Some("a web page"),
        (_, Kind::Other) => foreign(bytes),
        _ => None,
    }
}

/// Names bytes that are neither XML, WBXML, gzip or zlib data, nor a PKCS#7 envelope.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.trim_ascii_start();
    match (bytes, text) {
        (_, []) => None,
        // An XML declaration or element, with a byte order mark or in UTF-16.
        (_, [b'<', ..]) | ([0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'<', ..], _) => None,
        // WBXML 1.0 to 1.3.
        ([0..=3, ..], _) => None,
        ([0x1f, 0x8b, ..] | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..], _) => None,
        // PKCS#7: an ASN.1 SEQUENCE of definite or indefinite length, as it is, in PEM or in base64.
        ([0x30, 0x80..=0x84, ..], _) => None,
        (_, text) if text.starts_with(b"-----BEGIN") || text.starts_with(b"MII") => None,
        (_, [b'{' | b'[', ..]) => Some("JSON"),
        (_, text) if text.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) => Some("plain text"),
        _ => Some("binary data of another kind"),
    }
}

/// TLS with a server that looks like one of device management.
pub(super) fn tls_not_decrypted(cx: &EncryptedCx<'_>) -> Option<String> {
    let facts = cx.encrypted.facts();
    if facts.sealed == Some(Sealed::Failed) || !(cx.manages || names_dm(cx.host)) {
        return None;
    }
    let (count, it) = match cx.encrypted.connections {
        1 => ("a TLS connection".to_owned(), ""),
        many => (format!("{many} TLS connections"), "the first: "),
    };
    let why = match facts.why_sealed() {
        why if why.is_empty() => "expected keys".to_owned(),
        why => format!("{it}{why}"),
    };
    Some(format!("{count} to {} could not be decrypted; {why}", quoted(cx.host)))
}

/// Whether a host's name is one that Windows looks for, Intune's, or speaks of MDM.
fn names_dm(host: &str) -> bool {
    let well_known = ["enterpriseenrollment.", "enterpriseregistration."].iter().any(|start| host.starts_with(start))
        || host == "manage.microsoft.com"
        || host.ends_with(".manage.microsoft.com");
    let mut words = host.split(['.', '-', '_']);
    well_known || words.any(|word| word.starts_with("mdm") || word.ends_with("mdm") || word.contains("omadm"))
}

fn is_from_proxy(head: &Head) -> bool {
    head.header("via").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_may_be_syncml_are_not_foreign() {
        let fits: [&[u8]; 8] = [
            b"",
            b" \n<SyncML/>",
            b"\xef\xbb\xbf<SyncML/>",
            b"\xff\xfe<\0",
            &[2, 0, 0, 0x6a],
            &[0x1f, 0x8b, 8],
            &[0x30, 0x82, 1, 0],
            b"MIIB",
        ];
        assert!(fits.into_iter().all(|bytes| foreign(bytes).is_none()));
        assert_eq!(foreign(b" {\"error\":1}"), Some("JSON"));
        assert_eq!(foreign(b"not found\n"), Some("plain text"));
        assert_eq!(foreign(b"%PDF\xe2"), Some("binary data of another kind"));
    }

    #[test]
    fn hosts_of_device_management_are_known_by_name() {
        let known = ["enterpriseenrollment.example.test", "r.manage.microsoft.com", "mdm.example.test", "de-mdm7.example.test"];
        assert!(known.into_iter().all(names_dm));
        let others = ["www.example.test", "admdma.example.test", "microsoft.com", "notmanage.microsoft.com"];
        assert!(!others.into_iter().any(names_dm));
    }
}

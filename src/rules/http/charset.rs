//! DM-HTTP-011: the names that head and body give the character set are one and the same.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::{allows, head, joined};
use crate::http::{Half, Head};
use crate::rules::finding::Place;
use crate::rules::{MessageCx, Severity, Sink, quoted};
use crate::syncml::doc::Form;
use crate::xml;

/// A charset that differs from what the document says, or that the client does not take.
pub(in crate::rules) fn charset_conflict(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(head) = head(cx.message) else { return };
    let named = parameter(head);
    let inside = match cx.message.doc.form() {
        Form::Xml => xml::declared_encoding(&cx.message.body.bytes).map(str::to_owned),
        Form::Wbxml => cx.message.doc.prolog.as_ref().and_then(|prolog| wbxml_charset(prolog.charset)).map(str::to_owned),
    };
    let is_ascii = || cx.message.body.bytes.is_ascii();
    if let (Some(named), Some(inside)) = (&named, &inside)
        && !is_same(named, inside)
    {
        let text = format!("Content-Type says charset {}, but the document {}", quoted(named), quoted(inside));
        let finding = out.report(Place::Message(cx.index), text);
        if is_ascii() && [named, inside].into_iter().all(|name| is_ascii_compatible(name)) {
            finding.at_most(Severity::Info);
        }
        return;
    }
    let Some(http) = cx.message.http.as_ref().filter(|http| http.half == Half::Response) else { return };
    let accepted = http.request_head().and_then(|request| joined(request, "accept-charset"));
    let used = named.or(inside).unwrap_or_else(|| "utf-8".to_owned());
    if let Some(accepted) = accepted.filter(|accepted| !allows(accepted, &used)) {
        let text = format!("the charset is {}, but the client accepts {}", quoted(&used), quoted(&accepted));
        let finding = out.report(Place::Message(cx.index), text);
        if is_ascii() && is_ascii_compatible(&used) {
            finding.at_most(Severity::Info);
        }
    }
}

/// The charset parameter of `Content-Type`.
fn parameter(head: &Head) -> Option<String> {
    let value = head.header("content-type")?;
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, charset) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    let charset = charset.trim().trim_matches(['"', '\'']);
    (!charset.is_empty()).then(|| charset.to_owned())
}

/// The names of the numbers (IANA MIBenum) that are seen in SyncML.
fn wbxml_charset(number: u32) -> Option<&'static str> {
    Some(match number {
        3 => "us-ascii",
        4 => "iso-8859-1",
        106 => "utf-8",
        1013 => "utf-16be",
        1014 => "utf-16le",
        1015 => "utf-16",
        _ => return None,
    })
}

/// Whether two names mean one encoding; names that nobody knows are not judged.
fn is_same(a: &str, b: &str) -> bool {
    let wide = |encoding: &'static Encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    match (Encoding::for_label(a.as_bytes()), Encoding::for_label(b.as_bytes())) {
        (Some(a), Some(b)) => a == b || (wide(a) && wide(b)),
        _ => true,
    }
}

fn is_ascii_compatible(name: &str) -> bool {
    Encoding::for_label(name.as_bytes()).is_some_and(Encoding::is_ascii_compatible)
}

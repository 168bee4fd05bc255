//! DM-HTTP-001 to DM-HTTP-005 and DM-HTTP-010: one SyncML message in each body, named as what it is.

use super::{DM_WBXML, DM_XML, allows, head, joined, status};
use crate::anomaly;
use crate::http::Half;
use crate::rules::finding::Place;
use crate::rules::{MessageCx, Profile, SessionCx, Severity, Sink, quoted};
use crate::syncml::doc::Form;
use crate::syncml::{Command, Header, Kind, Side};

/// A message that does not say that it is one of device management.
pub(in crate::rules) fn content_type_not_dm(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(head) = head(cx.message).filter(|_| cx.message.kind == Kind::SyncMl) else { return };
    let version = cx.message.header().and_then(Header::ver_proto);
    let media_type = head.media_type();
    if !version.is_some_and(|version| version.starts_with("DM/")) || [DM_XML, DM_WBXML].contains(&&*media_type) {
        return;
    }
    let seen = if media_type.is_empty() { "missing".to_owned() } else { quoted(&media_type) };
    let expected = if cx.message.doc.form() == Form::Wbxml { DM_WBXML } else { DM_XML };
    let text = format!("Content-Type is {seen}; expected {}", quoted(expected));
    let finding = out.report(Place::Message(cx.index), text);
    if cx.side() == Some(Side::Server) {
        finding.at_most(Severity::Warning);
    }
}

/// A type that promises the other encoding.
pub(in crate::rules) fn content_type_encoding_mismatch(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let media_type = cx.message.media_type();
    let promised = match media_type.rsplit_once('+') {
        Some((_, "xml")) => Form::Xml,
        Some((_, "wbxml")) => Form::Wbxml,
        _ => return,
    };
    if cx.message.kind == Kind::SyncMl && cx.message.doc.form() != promised {
        let seen = name(cx.message.doc.form());
        out.report(Place::Message(cx.index), format!("Content-Type is {}, but the body is {seen}", quoted(&media_type)));
    }
}

/// A message in a request that carries none.
pub(in crate::rules) fn dm_message_not_post(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(http) = cx.message.http.as_ref().filter(|http| http.half == Half::Request) else { return };
    let method = http.head.method.as_str();
    if cx.message.kind == Kind::SyncMl && !method.is_empty() && method != "POST" {
        out.report(Place::Message(cx.index), format!("the method is {}; expected POST", quoted(method)));
    }
}

/// A good answer by HTTP that is none by device management. Windows takes an empty one for the end of the session.
pub(in crate::rules) fn response_without_syncml(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some((code @ (200 | 202 | 204), _)) = status(cx.message) else { return };
    let Some(asked) = cx.answers().filter(|asked| asked.message.is_readable()) else { return };
    if cx.message.judged().is_err() || matches!(cx.message.kind, Kind::SyncMl | Kind::Fragment) {
        return;
    }
    let is_empty = cx.message.kind == Kind::Empty;
    let seen = if is_empty { "no body" } else { "a body that is not SyncML" };
    let text = format!("the response is {code} with {seen}; expected a SyncML message");
    let finding = out.report(Place::Message(cx.index), text).related(Place::Message(asked.index), "the message it answers");
    if is_empty && cx.profile == Profile::Windows && !waits(asked) {
        finding.at_most(Severity::Info);
    }
}

/// Whether the client cannot end the session here: its package goes on, or it wants credentials.
fn waits(asked: MessageCx<'_>) -> bool {
    let challenges = asked.statuses().any(Command::challenges);
    !asked.has_alert(1223) && (asked.has_alert(1222) || challenges || !asked.has_final())
}

/// A body with something behind its message, or with several parts.
pub(in crate::rules) fn more_than_one_message_per_body(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.message.http.is_none() || cx.message.judged().is_err() {
        return;
    }
    let media_type = cx.message.media_type();
    if media_type.starts_with("multipart/") {
        let text = format!("Content-Type is {}; expected one SyncML message", quoted(&media_type));
        out.report(Place::Message(cx.index), text);
        return;
    }
    let doc = &cx.message.doc;
    let end = doc.root().filter(|_| cx.message.kind == Kind::SyncMl).map(|root| root.span().end);
    let behind = doc.notes.iter().any(|note| match note.kind {
        anomaly::Kind::XmlSecondRoot => end.is_some(),
        anomaly::Kind::WbxmlUnbalanced => end.is_some_and(|end| note.span.start >= end),
        _ => false,
    });
    if behind {
        out.report(Place::Message(cx.index), "there is more behind the end of the SyncML message; expected nothing");
    }
}

/// A session that goes from XML to WBXML or back. Told once.
pub(in crate::rules) fn response_encoding_switch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut before: Option<MessageCx<'_>> = None;
    for message in cx.readable() {
        let Some(http) = message.message.http.as_ref().filter(|_| message.message.kind == Kind::SyncMl) else { continue };
        let form = message.message.doc.form();
        let Some(last) = before.filter(|last| last.message.doc.form() != form) else {
            before = Some(message);
            continue;
        };
        let (now, then) = (name(form), name(last.message.doc.form()));
        let accept = http.request_head().and_then(|request| joined(request, "accept"));
        let kept = if last.message.doc.form() == Form::Wbxml { DM_WBXML } else { DM_XML };
        if http.half == Half::Response && accept.is_some_and(|accept| !allows(&accept, kept)) {
            before = Some(message);
            continue;
        }
        let text = format!("this message is {now} after one in {then}; expected one encoding for the session");
        out.report(Place::Message(message.index), text).related(Place::Message(last.index), "the message before");
        return;
    }
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Xml => "XML",
        Form::Wbxml => "WBXML",
    }
}

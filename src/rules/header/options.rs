//! DM-HDR-011 to DM-HDR-014: what a header may hold besides.

use super::scheme;
use crate::rules::{ElementCx, MessageCx, Sink, quoted};
use crate::syncml::uri::{is_http, path};
use crate::syncml::{Element, Side, Tag};

/// A command or message that asks for no answer.
pub(in crate::rules) fn noresp_used(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let holder = cx.element.parent().filter(|parent| parent.tag() == Tag::SyncHdr || parent.tag().has_cmd_id());
    if let Some(holder) = holder {
        out.report(cx.at(), format!("this {} has NoResp; in device management every command is answered", holder.name()));
    }
}

/// An address for answers that none can be sent to, or not safely.
pub(in crate::rules) fn respuri_invalid(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(header) = cx.element.parent().filter(|parent| parent.tag() == Tag::SyncHdr) else { return };
    let Some(uri) = cx.element.value() else {
        out.report(cx.at(), "RespURI is empty; expected an absolute URI");
        return;
    };
    // A query is left out: it may hold what a session is known by.
    if scheme(uri).is_none() {
        out.report(cx.at(), format!("RespURI is {}; expected an absolute URI", quoted(path(uri))));
    } else if is_http(uri) && !is_https(uri) && is_secure(cx.message, header) {
        let text = format!("RespURI is {}, without TLS; expected https, as the session is held over it", quoted(path(uri)));
        out.report(cx.at(), text);
    }
}

/// A size that is no number from 1.
pub(in crate::rules) fn max_size_not_numeric(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let name = cx.element.name();
    match cx.element.value() {
        None => drop(out.report(cx.at(), format!("{name} is empty; expected a number of bytes"))),
        Some(value) if !value.bytes().all(|byte| byte.is_ascii_digit()) || value.bytes().all(|byte| byte == b'0') => {
            out.report(cx.at(), format!("{name} is {}; expected a decimal number of bytes from 1", quoted(value)));
        }
        Some(_) => {}
    }
}

/// Meta of a header that Windows does not read. Told once per session.
pub(in crate::rules) fn header_meta_has_no_effect(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let meta = |cx: MessageCx<'_>| (cx.side() == Some(Side::Server)).then(|| ignored(cx)).flatten().is_some();
    let Some(element) = ignored(*cx).filter(|_| cx.side() == Some(Side::Server)) else { return };
    if !cx.in_session().readable().take_while(|earlier| earlier.index < cx.index).any(meta) {
        out.at(cx.index, element, format!("the SyncHdr has {} in its Meta, which Windows ignores", quoted(element.name())));
    }
}

/// The first child of a header's Meta but for MaxMsgSize.
fn ignored(cx: MessageCx<'_>) -> Option<Element<'_>> {
    let meta = cx.message.header()?.meta()?.0;
    let meta = meta.child(Tag::MetInf).unwrap_or(meta);
    meta.children().find(|child| child.tag() != Tag::MaxMsgSize)
}

fn is_https(uri: &str) -> bool {
    scheme(uri).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// Whether the session is held over TLS: the connection was, or the sender's own address says so.
fn is_secure(cx: MessageCx<'_>, header: Element<'_>) -> bool {
    let over_tls = cx.message.http.as_ref().is_some_and(|http| http.connection.tls == Some(true));
    over_tls || header.child(Tag::Source).and_then(|source| source.child_value(Tag::LocURI)).is_some_and(is_https)
}

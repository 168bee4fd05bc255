//! DM-HTTP-006 to DM-HTTP-009 and DM-HTTP-018: headers that should be there. Each is told once in a session.

use super::{DM_WBXML, DM_XML, allows, head_of_side, is_first, joined};
use crate::http::Head;
use crate::rules::finding::Place;
use crate::rules::{MessageCx, Sink, quoted};
use crate::syncml::{Message, Side};

/// A client that does not say that it takes SyncML.
pub(in crate::rules) fn accept_missing_dm_type(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let refuses = |accept: &str| !allows(accept, DM_XML) && !allows(accept, DM_WBXML);
    request_header(cx, "Accept", refuses, "a type of SyncML DM", out);
}

/// A client that does not say that it takes UTF-8.
pub(in crate::rules) fn accept_charset_missing(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    request_header(cx, "Accept-Charset", |charsets| !allows(charsets, "utf-8"), "UTF-8", out);
}

/// A client that does not name itself.
pub(in crate::rules) fn user_agent_missing(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    request_header(cx, "User-Agent", str::is_empty, "the name of the client", out);
}

fn request_header(
    cx: &MessageCx<'_>,
    name: &str,
    is_wrong: impl Fn(&str) -> bool,
    expected: &str,
    out: &mut Sink<'_>,
) {
    let flawed = |message: &Message| {
        let head = head_of_side(message, Side::Client);
        head.is_some_and(|head| joined(head, name).is_none_or(|value| is_wrong(&value)))
    };
    if is_first(cx, flawed) {
        let value = head_of_side(cx.message, Side::Client).and_then(|head| joined(head, name));
        let seen = value.map_or("missing".to_owned(), |value| quoted(&value));
        out.report(Place::Message(cx.index), format!("{name} is {seen}; expected {expected}"));
    }
}

/// A message in an encoding that the client did not ask for.
pub(in crate::rules) fn response_type_not_acceptable(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(head) = head_of_side(cx.message, Side::Server) else { return };
    let request = cx.message.http.as_ref().and_then(|http| http.request_head());
    let Some(accept) = request.and_then(|request| joined(request, "accept")) else { return };
    let media_type = head.media_type();
    if [DM_XML, DM_WBXML].contains(&&*media_type) && !allows(&accept, &media_type) {
        let text = format!("Content-Type is {}, but the client accepts {}", quoted(&media_type), quoted(&accept));
        out.report(Place::Message(cx.index), text);
    }
}

/// A response that says a cache may keep it. One to a POST that says nothing is kept by none (RFC 9110 §9.3.3).
pub(in crate::rules) fn cacheable_dm_response(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let flawed = |message: &Message| head_of_side(message, Side::Server).is_some_and(invites_caching);
    let value = head_of_side(cx.message, Side::Server).and_then(|head| joined(head, "cache-control"));
    if let Some(value) = value.filter(|_| is_first(cx, flawed)) {
        out.report(Place::Message(cx.index), format!("Cache-Control is {}; expected `no-store`", quoted(&value)));
    }
}

fn invites_caching(head: &Head) -> bool {
    let (mut allows, mut forbids) = (false, false);
    for word in head.all("cache-control").flat_map(|value| value.split(',')) {
        let (name, value) = word.trim().split_once('=').unwrap_or((word.trim(), ""));
        let some_time = value.trim_matches('"').parse::<u64>().is_ok_and(|seconds| seconds > 0);
        match name.to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" | "private" => forbids = true,
            "public" => allows = true,
            "max-age" | "s-maxage" => allows |= some_time,
            _ => {}
        }
    }
    allows && !forbids
}

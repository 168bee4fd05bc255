//! DM-HDR-005 to DM-HDR-010, DM-HDR-015 and DM-HDR-016: who talks to whom, in which session.

use std::net::IpAddr;

use super::is_empty;
use crate::rules::finding::Place;
use crate::rules::{ElementCx, MessageCx, Profile, SessionCx, Severity, Sink, quoted};
use crate::session::Session;
use crate::syncml::uri::{host, is_http, path};
use crate::syncml::{Element, Header, Item, Side, Tag};

/// A header without SessionID.
pub(in crate::rules) fn sessionid_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    match cx.element.child(Tag::SessionID) {
        None if is_empty(cx.element) => drop(out.report(cx.at(), "the SyncHdr is empty: it has no SessionID, nor anything else")),
        None => drop(out.report(cx.at(), "the SyncHdr has no SessionID")),
        Some(id) if id.value().is_none() => drop(out.at(cx.message.index, id, "the SessionID is empty")),
        Some(_) => {}
    }
}

/// A SessionID of more than four bytes. Told once per session: the server repeats what the client chose.
pub(in crate::rules) fn sessionid_too_long(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(id) = first_of_client(*cx).and_then(|header| header.0.child(Tag::SessionID)) else { return };
    // Windows writes a number of two bytes in decimal.
    let is_number = |value: &str| cx.profile == Profile::Windows && value.parse::<u16>().is_ok();
    if let Some(value) = id.value().filter(|value| value.len() > 4 && !is_number(value)) {
        let text = format!("SessionID is {}, {} bytes long; expected at most 4", quoted(value), value.len());
        out.at(cx.index, id, text);
    }
}

/// A header without Target or Source.
pub(in crate::rules) fn source_or_target_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for (tag, uri) in [(Tag::Target, Header(cx.element).target()), (Tag::Source, Header(cx.element).source())] {
        if uri.is_some() || is_empty(cx.element) {
            continue;
        }
        let holder = cx.element.child(tag);
        let lacks = match holder.map(|holder| holder.child(Tag::LocURI)) {
            None => format!("the SyncHdr has no {}", tag.name()),
            Some(None) => format!("the {} of the SyncHdr has no LocURI", tag.name()),
            Some(Some(_)) => format!("the LocURI of the {} of the SyncHdr is empty", tag.name()),
        };
        out.at(cx.message.index, holder.unwrap_or(cx.element), lacks);
    }
}

/// A header whose Target and Source stand in each other's place.
pub(in crate::rules) fn source_target_swapped(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = Header(cx.element);
    let (Some(side), Some(target), Some(source)) = (cx.message.side(), header.target(), header.source()) else { return };
    let device = device_id(cx.session()).and_then(|(_, data)| data.value());
    let is_server = |uri: &str| is_http(uri);
    let is_device = |uri: &str| device == Some(uri);
    let (to, from) = match side {
        Side::Client => (target, source),
        Side::Server => (source, target),
    };
    // `to` should be the server's address, `from` the device's.
    if (is_server(from) && !is_server(to)) || (is_device(to) && !is_device(from)) {
        let text = format!(
            "this is a message of the {}, but its Target is {} and its Source {}",
            side.name(),
            quoted(target),
            quoted(source)
        );
        out.at(cx.message.index, cx.element.child(Tag::Target).unwrap_or(cx.element), text);
    }
}

/// An answer of the server to another device than the one that sent the message.
pub(in crate::rules) fn identity_changes_in_session(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for answer in cx.readable().filter(|message| message.side() == Some(Side::Server)) {
        let Some(asked) = answer.answers().filter(|asked| asked.message.is_readable()) else { continue };
        let (Some(own), Some(theirs)) = (answer.message.header(), asked.message.header()) else { continue };
        let (Some(target), Some(source)) = (own.target(), theirs.source()) else { continue };
        // Where both messages have the same Target, one of them has its addresses the wrong way round: DM-HDR-008.
        if target == source || theirs.target() == Some(target) {
            continue;
        }
        let element = own.0.child(Tag::Target).unwrap_or(own.0);
        let text = format!("the server answers to {}, but the message is from {}", quoted(target), quoted(source));
        let draft = out.at(answer.index, element, text);
        draft.related(asked.at(theirs.0.child(Tag::Source).unwrap_or(theirs.0)), "the Source of the client");
        if bare(target).eq_ignore_ascii_case(bare(source)) {
            draft.at_most(Severity::Warning);
        }
    }
}

/// A Target that is not where the message was sent. Later messages may go to a RespURI: the first one tells.
pub(in crate::rules) fn target_differs_from_url(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(header) = cx.message.header().filter(|_| cx.is_package_1()) else { return };
    let head = cx.message.http.as_ref().and_then(|http| http.request_head());
    let (Some(head), Some(target)) = (head, header.target().filter(|target| is_http(target))) else { return };
    let asked = head.header("host").map(|host| format!("http://{host}"));
    let sent_to = asked.as_deref().and_then(host).or(host(&head.target));
    let other_host = sent_to.zip(host(target)).is_some_and(|(sent, named)| is_other_host(sent, named));
    if other_host || !path_of(target).eq_ignore_ascii_case(path_of(&head.target)) {
        let sent_to = format!("{}{}", sent_to.unwrap_or_default(), path_of(&head.target));
        let text = format!("Target is {}, but the message was sent to {}", quoted(path(target)), quoted(&sent_to));
        out.at(cx.index, header.0.child(Tag::Target).unwrap_or(header.0), text);
    }
}

/// A device whose name is no URN. Told once per session.
pub(in crate::rules) fn device_id_not_urn(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(header) = first_of_client(*cx) else { return };
    let source = header.0.child(Tag::Source).and_then(|source| source.child(Tag::LocURI));
    let own = device_id(cx.session).filter(|(index, _)| *index == cx.index).map(|(_, data)| data);
    let bad = |element: &Element<'_>| element.value().is_some_and(|value| !is_uri(value));
    if let Some(element) = source.filter(bad).or(own.filter(bad)) {
        let text = format!("the device calls itself {}; expected a URN", quoted(element.value().unwrap_or_default()));
        out.at(cx.index, element, text);
    }
}

/// A DevId that is not the Source of the message.
pub(in crate::rules) fn devid_differs_from_source(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Some((index, data)) = device_id(cx.session) else { return };
    let Some(header) = cx.session.messages.get(index).and_then(|message| message.header()) else { return };
    let (Some(id), Some(source)) = (data.value(), header.source().filter(|source| !is_http(source))) else { return };
    // A prefix such as `urn:uuid:` may stand before one of them.
    let (short, long) = (bare(id).to_ascii_lowercase(), bare(source).to_ascii_lowercase());
    let (short, long) = if short.len() > long.len() { (long, short) } else { (short, long) };
    let same = long.strip_suffix(short.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with([':', '{']));
    if !same {
        let text = format!("DevId is {}, but the Source of the message is {}", quoted(id), quoted(source));
        out.at(index, data, text).related(Place::Message(index), "the message");
    }
}

/// The header of the first message of the client that can be read; `None` in any other message.
fn first_of_client(cx: MessageCx<'_>) -> Option<Header<'_>> {
    let header = cx.message.header().filter(|_| cx.side() == Some(Side::Client))?;
    let mut readable = cx.session.of(Side::Client).filter(|(_, message)| message.is_readable());
    (readable.next()?.0 == cx.index).then_some(header)
}

/// What the device calls itself in its DevInfo, and in which message.
fn device_id(session: &Session) -> Option<(usize, Element<'_>)> {
    let (index, first) = session.of(Side::Client).find(|(_, message)| message.is_readable())?;
    let mut items = first.doc.of_tag(Tag::Replace).flat_map(|command| command.items());
    let is_id = |item: &Item<'_>| item.source().is_some_and(|uri| uri.trim_start_matches("./").eq_ignore_ascii_case("DevInfo/DevId"));
    Some((index, items.find(is_id)?.data()?))
}

/// An identifier without the braces of a GUID.
fn bare(id: &str) -> &str {
    id.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(id)
}

/// Whether something stands before a colon: `IMEI:…`, `urn:…`.
fn is_uri(id: &str) -> bool {
    super::scheme(id).is_some()
}

/// Whether hosts differ. A proxy or load balancer sends to addresses, which says nothing.
fn is_other_host(sent: &str, named: &str) -> bool {
    let is_address = |host: &str| host.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost");
    !is_address(sent) && !is_address(named) && !sent.eq_ignore_ascii_case(named)
}

/// The path of an http address or of a request's target, without its last slash.
fn path_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    path(rest).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_paths_of_addresses() {
        assert!(is_other_host("a.example", "b.example") && !is_other_host("A.example", "a.EXAMPLE"));
        assert!(!is_other_host("192.0.2.1", "a.example") && !is_other_host("a.example", "::1"));
        assert_eq!((path_of("https://a.example/x/?y"), path_of("/x"), path_of("https://a.example")), ("/x", "/x", ""));
    }

    #[test]
    fn names_of_devices() {
        assert!(is_uri("IMEI:493005100592800") && is_uri("urn:uuid:1"));
        assert!(!is_uri("0A1B2C3D") && !is_uri("{0A:1}") && !is_uri("IMEI:"));
        assert_eq!(bare("{A}"), "A");
    }
}

//! DM-HDR: the message header, `SyncHdr`.

use super::{ElementCx, Severity, Sink, quoted};
use crate::session::{At, Edge, Session};
use crate::syncml::uri::is_http;
use crate::syncml::{Header, Item, Side, Tag};

/// VerDTD is not 1.2.
pub(super) fn verdtd_not_1_2(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = Header(cx.element);
    match header.ver_dtd() {
        Some("1.2") => {}
        None => drop(out.report(child_or_header(cx, Tag::VerDTD), "VerDTD is missing; expected 1.2")),
        Some(seen) => {
            let text = format!("VerDTD is {}; expected 1.2", quoted(seen));
            let draft = out.report(child_or_header(cx, Tag::VerDTD), text);
            if is_dm_1_1(header) {
                draft.at_most(Severity::Warning);
            }
        }
    }
}

/// VerProto is not DM/1.2.
pub(super) fn verproto_not_dm_1_2(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = Header(cx.element);
    let place = child_or_header(cx, Tag::VerProto);
    match header.ver_proto() {
        Some("DM/1.2") => {}
        None => {
            let draft = out.report(place, "VerProto is missing; expected DM/1.2");
            let session = cx.session();
            let is_first = session.start == Edge::Seen && session.previous_of_side(cx.message.index).is_none();
            if !is_first {
                draft.at_most(Severity::Warning);
            }
        }
        Some(seen @ ("DM/1.3" | "DM/2.0")) => {
            let text = format!("VerProto is {seen}, another protocol than the DM/1.2 that the rules are about");
            out.report(place, text).at_most(Severity::Info);
        }
        Some(seen) => {
            let draft = out.report(place, format!("VerProto is {}; expected DM/1.2", quoted(seen)));
            if is_dm_1_1(header) {
                draft.at_most(Severity::Warning);
            }
        }
    }
}

/// A header without Target or Source.
pub(super) fn source_or_target_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for (tag, uri) in [(Tag::Target, Header(cx.element).target()), (Tag::Source, Header(cx.element).source())] {
        if uri.is_some() {
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
pub(super) fn source_target_swapped(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = Header(cx.element);
    let (Some(side), Some(target), Some(source)) = (cx.message.side(), header.target(), header.source()) else { return };
    let device = device_id(cx.session());
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

/// A whole DM 1.1 header, as an account provisioned with PROTOVER 1.1 sends it.
fn is_dm_1_1(header: Header<'_>) -> bool {
    header.ver_dtd() == Some("1.1") && header.ver_proto() == Some("DM/1.1")
}

/// What the device calls itself in its DevInfo.
fn device_id(session: &Session) -> Option<&str> {
    let (_, first) = session.of(Side::Client).next()?;
    let mut items = first.doc.commands().filter(|command| command.tag() == Tag::Replace).flat_map(|command| command.items());
    let is_id = |item: &Item<'_>| item.source().is_some_and(|uri| uri.trim_start_matches("./") == "DevInfo/DevId");
    items.find(is_id)?.data()?.value()
}

fn child_or_header(cx: &ElementCx<'_>, tag: Tag) -> At {
    cx.message.at(cx.element.child(tag).unwrap_or(cx.element))
}

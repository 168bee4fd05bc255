//! DM-HDR-001 to DM-HDR-004: the versions of representation and protocol.

use super::{child_or_header, is_empty};
use crate::rules::finding::Place;
use crate::rules::{ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::session::Edge;
use crate::syncml::{Header, Side, Tag};

/// VerDTD is not 1.2.
pub(in crate::rules) fn verdtd_not_1_2(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = Header(cx.element);
    match header.ver_dtd() {
        Some("1.2") => {}
        None if is_empty(cx.element) => {}
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
pub(in crate::rules) fn verproto_not_dm_1_2(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let header = Header(cx.element);
    let place = child_or_header(cx, Tag::VerProto);
    match header.ver_proto() {
        Some("DM/1.2") => {}
        None if is_empty(cx.element) => {}
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

/// VerDTD and VerProto of different versions.
pub(in crate::rules) fn version_pair_mismatch(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    // From DM 1.3 on the protocol has numbers of its own; unknown versions are named by the rules before this one.
    const PAIRED: [&str; 3] = ["1.0", "1.1", "1.2"];
    let header = Header(cx.element);
    let (Some(dtd), Some(proto)) = (header.ver_dtd(), header.ver_proto()) else { return };
    let Some((_, version)) = proto.split_once('/') else { return };
    if PAIRED.contains(&dtd) && PAIRED.contains(&version) && dtd != version {
        let text = format!("VerDTD is {dtd}, but VerProto is {}; expected the same version in both", quoted(proto));
        out.report(child_or_header(cx, Tag::VerProto), text);
    }
}

/// A side that changes the version in mid-session. Told for each change.
pub(in crate::rules) fn version_changes_in_session(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for side in [Side::Client, Side::Server] {
        let mut last: Option<MessageCx<'_>> = None;
        for message in cx.messages().filter(|message| message.side() == Some(side)) {
            // What was not understood, or got no answer, is a reason to try another version.
            if !message.message.is_readable() || message.answers().is_some_and(|peer| !peer.message.is_readable()) {
                last = None;
                continue;
            }
            let Some(before) = last.replace(message) else { continue };
            let (Some(old), Some(new)) = (version(before), version(message)) else { continue };
            let followed = message.answers().and_then(version) == Some(new);
            if old != new && !followed && !is_refused_between(cx, before.index, message.index) {
                let text = format!("the {} speaks {} {} after {} {}; expected it to keep the version", side.name(), new.0, new.1, old.0, old.1);
                let place = message.message.header().map(|header| header.0.child(Tag::VerProto).unwrap_or(header.0));
                let place = place.map_or(Place::Message(message.index), |element| message.at(element).into());
                out.report(place, text).related(Place::Message(before.index), "its message before");
            }
        }
    }
}

/// Both versions of a message, as text for a finding.
fn version(cx: MessageCx<'_>) -> Option<(&str, &str)> {
    let header = cx.message.header()?;
    Some((header.ver_dtd()?, header.ver_proto()?))
}

/// Whether a message from `from` to `until` refuses a version: then another may be tried.
fn is_refused_between(cx: &SessionCx<'_>, from: usize, until: usize) -> bool {
    let between = cx.session.messages.get(from..=until).unwrap_or_default();
    let mut statuses = between.iter().flat_map(|message| message.doc.statuses());
    statuses.any(|status| status.is_for_header() && matches!(status.code(), Some(505 | 513)))
}

/// A whole DM 1.1 header, as an account provisioned with PROTOVER 1.1 sends it.
fn is_dm_1_1(header: Header<'_>) -> bool {
    header.ver_dtd() == Some("1.1") && header.ver_proto() == Some("DM/1.1")
}

//! DM-ALR-016 and DM-ALR-017: alerts that only make sense while something is still to come (DMP 6.2 and 7).

use crate::rules::{SessionCx, Sink};
use crate::syncml::{Command, Item, Tag};

/// A request for the next message of a package that is at its end.
pub(in crate::rules) fn next_message_without_cause(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| !message.is_repeated()) {
        let Some(alert) = message.message.doc.alerts(1222).next() else { continue };
        let Some(answered) = message.answers().filter(|answered| answered.message.is_readable()) else { continue };
        let Some(end) = answered.message.doc.final_mark() else { continue };
        if !answered.commands().flat_map(Command::items).any(Item::more_data) {
            let place = alert.0.child(Tag::Data).unwrap_or(alert.0);
            out.report(message.at(place), "Alert 1222 asks for the next message, but the message before ends its package")
                .related(answered.at(end), "the end of the package");
        }
    }
}

/// A complaint about a large object where none is open.
pub(in crate::rules) fn no_end_of_data_without_chunk(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable() {
        let Some(alert) = message.message.doc.alerts(1225).next() else { continue };
        let Some(peer) = message.side().map(|side| side.peer()) else { continue };
        let broken = |object: &crate::session::LargeObject| {
            let begun = object.chunks.first().is_some_and(|first| first.message < message.index);
            object.side == peer && begun && !(object.complete && object.whole)
        };
        if cx.session.objects.iter().any(broken) || cx.session.has_hole(peer, message.index) {
            continue;
        }
        let place = alert.0.child(Tag::Data).unwrap_or(alert.0);
        let text = format!("Alert 1225 says that an object was not ended, but the {} left none open", peer.name());
        out.report(message.at(place), text);
    }
}

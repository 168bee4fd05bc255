//! What follows on a notification: the session it asks for, none, or another notification for the same one.

use std::time::Duration;

use crate::push::Content;
use crate::rules::announced::Announced;
use crate::rules::finding::Place;
use crate::rules::{CaptureCx, NotificationCx, Severity, Sink, quoted};
use crate::session::Outcome;
use crate::syncml::Tag;

/// A session so long after a notification does not answer it.
const ANSWERS: Duration = Duration::from_secs(600);

/// A session that says the server asked for it, and has another SessionID than the server asked for.
pub(in crate::rules) fn trigger_session_not_used(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let Some(first) = cx.session.readable().find(|cx| cx.is_package_1()).filter(|cx| cx.has_alert(1200)) else { return };
    let Some(header) = first.message.header() else { return };
    let Some(used) = header.session_id() else { return };
    let in_time = |announced: &&Announced| {
        let times = announced.at.zip(first.message.first);
        times.is_none_or(|(sent, begun)| begun >= sent && begun.since(sent) <= ANSWERS)
    };
    let asked: Vec<&Announced> = cx.earlier.announced().filter(in_time).collect();
    let named = |announced: &&Announced| format!("{:X}", announced.session) == used;
    let Some(last) = asked.last().filter(|_| !asked.iter().any(named)) else { return };
    let text = format!(
        "SessionID is {} after the notification of s{} for session 0x{:04X}; expected `{:X}`",
        quoted(used),
        last.number,
        last.session,
        last.session
    );
    let Some(element) = header.0.child(Tag::SessionID) else { return };
    let number = u16::from_str_radix(used.trim(), 16).ok();
    let finding = out.at(first.index, element, text);
    // Another number may be that of a notification that was not captured.
    if !asked.iter().any(|asked| Some(asked.session) == number) {
        finding.at_most(Severity::Warning);
    }
}

/// A notification for a session that another one asked for in other words.
pub(in crate::rules) fn duplicate_trigger(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let Some(own) = Announced::of(cx.message.session) else { return };
    if let Some(other) = cx.earlier.announced().filter(|other| other.content != own.content).last() {
        let text = format!(
            "the notification of s{} is for session 0x{:04X}, too, and says something else; expected another number, or the same notification",
            other.number, own.session
        );
        out.report(Place::Message(cx.message.index), text);
    }
}

/// A notification after which no session came.
pub(in crate::rules) fn trigger_without_session(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let asks = cx.push.kind() == Content::Trigger;
    if asks && cx.message.session.outcome == Outcome::Open {
        out.report(Place::Message(cx.message.index), "no session of the device came in the ten minutes after the notification; expected one with Alert 1200");
    }
}

//! DM-UNE-001, 002 and 004 to 007: the alert by which a device says goodbye, and the package it stands in.

use super::{USER_REQUEST, goodbyes, is_user_request, refuses};
use crate::rules::select::distance;
use crate::rules::{ElementCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::Edge;
use crate::syncml::{Command, Item, Side, Tag};

/// How many letters may be wrong in a type that is still meant to be [`USER_REQUEST`].
const MISSPELLED: usize = 3;

/// An unenrollment alert behind package 1.
pub(in crate::rules) fn user_unenroll_not_in_first_package(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut accepted = None;
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated()) {
        let starts = message.has_alert(1200) || message.has_alert(1201) || message.message.msg_id() == Some("1");
        let alert = goodbyes(&message.message.doc).next().filter(|_| !starts);
        if let (Some(alert), Some(package_1)) = (alert, accepted) {
            out.report(message.at(alert.0), "the unenrollment alert stands behind package 1; expected it in package 1")
                .related(crate::rules::finding::Place::Message(package_1), "a package before it, which the server accepted");
        }
        if message.has_final() && message.answer().is_some_and(|answer| answer.message.is_readable() && !refuses(answer)) {
            accepted = accepted.or(Some(message.index));
        }
    }
}

/// A type that is nearly that of the unenrollment alert.
pub(in crate::rules) fn unenroll_type_misspelled(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let Some(element) = item.effective_element(Tag::Type) else { continue };
        let Some(name) = element.value().filter(|_| element.text() != USER_REQUEST) else { continue };
        let lower = name.to_ascii_lowercase();
        let near = || lower.len().abs_diff(USER_REQUEST.len()) <= MISSPELLED && distance(&lower, USER_REQUEST) <= MISSPELLED;
        if lower.contains(USER_REQUEST) || near() {
            let seen = if name == USER_REQUEST { "has white space around it".to_owned() } else { format!("is {}", quoted(name)) };
            out.report(cx.message.at(element), format!("the alert's type {seen}; expected `{USER_REQUEST}`"));
        }
    }
}

/// An unenrollment alert of another format, or with another value.
pub(in crate::rules) fn unenroll_alert_payload(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items().filter(|item| is_user_request(*item)) {
        let format = item.effective_element(Tag::Format);
        if item.format() != "int" {
            let place = cx.message.at(format.unwrap_or(item.0));
            out.report(place, format!("the format of the unenrollment alert is {}; expected `int`", quoted(item.format())));
        }
        let value = item.data().and_then(|data| data.value());
        if value != Some("1") {
            let place = cx.message.at(item.data().unwrap_or(item.0));
            let seen = value.map_or("empty".to_owned(), quoted);
            out.report(place, format!("the value of the unenrollment alert is {seen}; expected 1"));
        }
    }
}

/// The type of the unenrollment alert under another code.
pub(in crate::rules) fn unenroll_alert_code(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    let (Some(code), Some(data)) = (alert.code(), cx.element.child(Tag::Data)) else { return };
    if code != 1226 && alert.items().any(is_user_request) {
        out.report(cx.message.at(data), format!("the code of the unenrollment alert is {code}; expected 1226"));
    }
}

/// An unenrollment alert in a message that does not begin its session.
pub(in crate::rules) fn unenroll_alert_msgid(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    if cx.session.start != Edge::Seen {
        return;
    }
    let of_client = cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated());
    for (expected, message) in (1..).zip(of_client) {
        let id = message.message.header().and_then(|header| header.0.child(Tag::MsgID));
        if let Some(alert) = goodbyes(&message.message.doc).next() {
            let Some((element, seen)) = id.and_then(|element| Some((element, element.value()?))) else { return };
            if seen.parse() != Ok(expected) {
                let why = if expected == 1 { "" } else { ", behind the challenge" };
                let text = format!("the message with the unenrollment alert has MsgID {}; expected {expected}{why}", quoted(seen));
                out.report(message.at(element), text).related(message.at(alert.0), "the alert");
            }
            return;
        }
        // Package 1 comes again behind a challenge; behind any other answer, the alert is not in package 1 at all.
        if !message.answer().is_some_and(|answer| answer.message.is_readable() && refuses(answer)) {
            return;
        }
    }
}

/// An unenrollment alert without all that the first package of a session has.
pub(in crate::rules) fn unenroll_package_incomplete(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(alert) = goodbyes(&cx.message.doc).next().filter(|_| cx.message.header().is_some()) else { return };
    let again = || cx.answers().is_some_and(|answered| answered.message.is_readable() && refuses(answered));
    let first = cx.session.of(Side::Client).next().is_some_and(|(index, _)| index == cx.index);
    let goes_on = !cx.has_final() && cx.answer().is_some_and(|answer| answer.has_alert(1222) || !answer.message.is_readable());
    if cx.side() != Some(Side::Client) || !(first || again()) || goes_on {
        return;
    }
    let of_device = |command: Command<'_>| command.tag() == Tag::Replace && command.items().any(is_dev_info);
    let parts = [
        ("the session alert (1201)", cx.has_alert(1200) || cx.has_alert(1201)),
        ("the Replace of ./DevInfo", cx.commands().any(of_device)),
        ("Final", cx.has_final()),
    ];
    let lacks: Vec<&str> = parts.iter().filter(|(_, is_there)| !is_there).map(|(part, _)| *part).collect();
    if !lacks.is_empty() {
        let text = format!("the package with the unenrollment alert lacks {}; expected a whole first package", lacks.join(" and "));
        out.report(cx.at(alert.0), text);
    }
}

fn is_dev_info(item: Item<'_>) -> bool {
    let uri = item.source().or(item.target());
    uri.is_some_and(|uri| uri.to_ascii_lowercase().contains("devinfo/"))
}

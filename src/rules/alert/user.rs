//! DM-ALR-004 to DM-ALR-006 and DM-ALR-022: alerts that talk to the user, 1100 to 1104 (DMP 10).

use super::answers_to_alerts;
use crate::rules::{ElementCx, SessionCx, Severity, Sink, quoted};
use crate::syncml::{Command, Side, Tag};

fn talks_to_user(alert: Command<'_>) -> Option<u16> {
    alert.code().filter(|code| (1100..=1104).contains(code))
}

/// An alert without its text, or without what there is to choose from.
pub(in crate::rules) fn ui_alert_structure(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(code) = talks_to_user(cx.command()) else { return };
    let (least, of) = match code {
        1103 | 1104 => (3, "the options, the text and at least one choice"),
        _ => (2, "the options and the text"),
    };
    let seen = cx.command().items().count();
    if seen < least {
        let items = if seen == 1 { "Item" } else { "Items" };
        out.report(cx.at(), format!("Alert {code} has {seen} {items}; expected at least {least}: {of}"));
    }
}

/// Options that the client will skip.
pub(in crate::rules) fn ui_alert_option_syntax(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let options = talks_to_user(cx.command()).and_then(|_| cx.command().items().next()?.data());
    let Some((element, options)) = options.and_then(|element| Some((element, element.value()?))) else { return };
    let place = cx.message.at(element);
    for option in options.split('&') {
        let Some((key, value)) = option.split_once('=') else {
            out.report(place, format!("option is {}; expected a key, `=` and a value", quoted(option)));
            continue;
        };
        let expected = match key {
            "MINDT" | "MAXDT" | "MAXLEN" if !is_positive(value) => "a number from 1",
            "IT" if !["A", "N", "D", "T", "P", "I"].contains(&value) => "A, N, D, T, P or I",
            "ET" if !["T", "P"].contains(&value) => "T or P",
            "MINDT" | "MAXDT" | "MAXLEN" | "IT" | "ET" | "DR" => continue,
            _ => {
                let text = format!("option {} is unknown; expected MINDT, MAXDT, DR, MAXLEN, IT or ET", quoted(key));
                out.report(place, text).at_most(Severity::Info);
                continue;
            }
        };
        out.report(place, format!("option {key} is {}; expected {expected}", quoted(value)));
    }
}

fn is_positive(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit()) && number.bytes().any(|byte| byte != b'0')
}

/// An alert that Windows does not show.
pub(in crate::rules) fn ui_alert_to_windows(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let from_server = cx.message.side() == Some(Side::Server);
    let Some(code) = talks_to_user(cx.command()).filter(|_| from_server) else { return };
    let place = cx.element.child(Tag::Data).unwrap_or(cx.element);
    out.report(cx.message.at(place), format!("Alert {code} asks Windows to talk to the user, which it does not support"));
}

/// Commands sent although the user was asked and said no.
pub(in crate::rules) fn user_alert_status_ignored(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for (exchange, status) in answers_to_alerts(cx, Side::Client, |code| code == 1101) {
        let at = exchange.statuses.iter().find(|at| cx.session.command_at(**at) == Some(status));
        let (Some(at), Some(code @ (214 | 215 | 304 | 408))) = (at, status.code()) else { continue };
        let Some(next) = cx.message(at.message).and_then(|message| message.answer()) else { continue };
        let changes =
            |tag: Tag| matches!(tag, Tag::Add | Tag::Replace | Tag::Delete | Tag::Exec | Tag::Copy | Tag::Move);
        let mut commands = next.commands().filter(|_| next.message.is_readable());
        if let Some(command) = commands.find(|command| changes(command.tag())) {
            let tag = command.tag().name();
            let text = format!("the server sends {tag} after the user was asked and the answer was {code}");
            out.report(next.at(command.0), text)
                .related(exchange.command, "the question")
                .related(*at, "the answer");
        }
    }
}

//! DM-SES-019 to DM-SES-022: sessions that a side breaks off with Alert 1223 (DMP 8.1).

use crate::rules::finding::{Place, named};
use crate::rules::{MessageCx, SessionCx, Sink};
use crate::syncml::{Command, Side, Tag};

/// An abort in a message that does not end its package.
pub(in crate::rules) fn abort_without_final(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(alert) = abort(*cx).filter(|_| cx.message.header().is_some() && !cx.has_final()) else { return };
    // Neither side may end its package while the other one's goes on.
    let may_end = match (cx.side(), cx.answers()) {
        (None, _) | (Some(Side::Server), None) => false,
        (Some(Side::Client), None) => cx.is_package_1(),
        (_, Some(answered)) => answered.message.is_readable() && answered.has_final(),
    };
    if may_end {
        out.report(cx.at(alert.0), "Alert 1223 aborts the session, but its message has no Final; expected <Final/>");
    }
}

/// An answer to the client's abort that goes on, or does not answer it.
pub(in crate::rules) fn abort_answer_with_commands(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() != Some(Side::Server) || cx.is_repeated() {
        return;
    }
    let Some(answered) = cx.answers().filter(|answered| answered.message.is_readable()) else { return };
    let Some(alert) = abort(answered) else { return };
    let goes_on = |command: &Command<'_>| command.tag().is_command() && command.code() != Some(1223);
    if let Some(command) = cx.message.doc.commands().find(goes_on) {
        let text = format!("the server sends {} although the client aborted the session; expected Status alone", named(command));
        out.report(cx.at(command.0), text).related(answered.at(alert.0), "the abort");
        return;
    }
    // One with a wrong reference may be meant for it.
    let has_status = cx.statuses().any(|status| status.cmd().is_none_or(|cmd| cmd == Tag::Alert.name()) && !status.is_for_header());
    if alert.cmd_id().is_some() && !has_status {
        let text = "the server's answer has no Status for the client's Alert 1223; expected one";
        out.report(Place::Message(cx.index), text).related(answered.at(alert.0), "the abort");
    }
}

/// A client that answers the server's abort.
pub(in crate::rules) fn client_answers_abort(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated()) {
        let answered = message.answers().filter(|answered| answered.message.is_readable());
        let Some((answered, alert)) = answered.and_then(|answered| Some((answered, abort(answered)?))) else { continue };
        let text = "the client answers a message by which the server aborted the session; expected no message";
        out.report(Place::Message(message.index), text).related(answered.at(alert.0), "the abort");
    }
}

/// A session that a side broke off.
pub(in crate::rules) fn session_aborted(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let Some((message, alert)) = cx.readable().find_map(|message| Some((message, abort(message)?))) else { return };
    let Some(side) = message.side() else { return };
    let before = message.answers().filter(|before| before.message.is_readable());
    let commands = before.into_iter().flat_map(|before| before.commands().map(move |command| (before, command)));
    let told: Vec<String> = commands
        .filter(|(_, command)| command.tag().is_command())
        .map(|(before, command)| format!("{}, {}", named(command), outcome(before, command)))
        .collect();
    let last = match told.as_slice() {
        [] => String::new(),
        [last] => format!(" after {last}"),
        [.., last] => format!(" after {} commands, the last of them {last}", told.len()),
    };
    out.report(message.at(alert.0), format!("the {} aborts the session{last}", side.name()));
}

/// What became of a command.
fn outcome(cx: MessageCx<'_>, command: Command<'_>) -> String {
    let status = cx.session.exchange(cx.at(command.0)).and_then(|exchange| exchange.statuses.first());
    let code = status.and_then(|at| cx.session.command_at(*at)).and_then(Command::code);
    code.map_or_else(|| "not answered".to_owned(), |code| format!("answered {code}"))
}

/// The Alert 1223 of a message.
fn abort(cx: MessageCx<'_>) -> Option<Command<'_>> {
    cx.message.doc.alerts(1223).next()
}

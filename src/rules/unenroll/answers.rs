//! DM-UNE-009, 010, 015 and 016: what is answered to the alert and to the Exec, and what the session does afterwards.

use super::{goodbyes, refuses, sends_away};
use super::memory::is_refused;
use crate::rules::finding::Place;
use crate::rules::flow::Flow;
use crate::rules::{MessageCx, SessionCx, Sink, quoted};
use crate::session::Lookup;
use crate::syncml::{Command, Side, Tag};

/// An unenrollment alert that the server refuses, or does not answer where it ends its package.
pub(in crate::rules) fn unenroll_alert_not_acknowledged(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() != Some(Side::Server)) {
        for alert in goodbyes(&message.message.doc) {
            let at = message.at(alert.0);
            let Some(exchange) = cx.session.exchange(at).filter(|_| !cx.session.is_ambiguous(at)) else { continue };
            let codes = exchange.statuses.iter().filter_map(|status| Some((*status, cx.session.command_at(*status)?)));
            match codes.filter_map(|(place, status)| Some((place, status.code()?))).next_back() {
                // The message as a whole was not accepted: it comes again.
                Some((place, 300..=399 | 402..=406 | 408..)) if !cx.message(place.message).is_some_and(refuses) => {
                    let code = cx.session.command_at(place).and_then(Command::data).unwrap_or_default();
                    out.report(place, format!("the unenrollment alert is answered with {}; expected 200", quoted(code)))
                        .related(at, "the alert");
                }
                None if exchange.statuses.is_empty() && is_left_out(message, alert) => {
                    out.report(at, "the server ends its package without a Status for the unenrollment alert; expected 200");
                }
                _ => {}
            }
        }
    }
}

/// Commands for a device that has said goodbye.
pub(in crate::rules) fn commands_after_unenroll_alert(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut said = None;
    for message in cx.readable() {
        if message.side() != Some(Side::Server) {
            said = said.or_else(|| goodbyes(&message.message.doc).next().map(|alert| message.at(alert.0)));
            continue;
        }
        let Some(alert) = said.filter(|_| !refuses(message)) else { continue };
        let commands = message.message.doc.commands().filter(|command| command.tag().is_command() && command.tag() != Tag::Alert);
        let text = |first: crate::syncml::Element<'_>| format!("{} behind the unenrollment alert; expected Statuses alone", first.name());
        if let Some(draft) = out.first_of(message.index, commands.map(|command| command.0), text) {
            draft.related(alert, "the alert");
        }
    }
}

/// A device that answers the Exec of Unenroll.
pub(in crate::rules) fn unenroll_exec_answered(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for exchange in &cx.session.exchanges {
        let exec = cx.session.command_at(exchange.command).filter(|command| sends_away(*command));
        let (Some(_), Some(at)) = (exec, exchange.statuses.first()) else { continue };
        let Some(code) = cx.session.command_at(*at).and_then(Command::code) else { continue };
        let meaning = if code >= 300 { "it was refused" } else { "no answer is expected" };
        out.report(*at, format!("Exec of Unenroll is answered with {code}: {meaning}")).related(exchange.command, "the Exec");
    }
}

/// Whether the package that answers an alert is all there, and holds no Status that may be meant for it.
fn is_left_out(message: MessageCx<'_>, alert: Command<'_>) -> bool {
    let silent = |command: crate::syncml::Element<'_>| command.child(Tag::NoResp).is_some();
    if alert.cmd_id().is_none() || silent(alert.0) || message.message.header().is_none_or(|header| silent(header.0)) {
        return false;
    }
    let flow = Flow::of(message.in_session());
    let Some(package) = flow.package(Side::Server, message.index + 1) else { return false };
    let answers = package.0.iter().filter_map(|index| message.in_session().message(*index));
    let stray = |cx: MessageCx<'_>, status: Command<'_>| {
        !status.is_for_header() && !matches!(message.session.referred(cx.index, status), Lookup::Found(_))
    };
    let strays = answers.into_iter().any(|cx| cx.statuses().any(|status| stray(cx, status)));
    message.answer().is_some_and(|answer| package.0.first() == Some(&answer.index))
        && !(strays || flow.aborts(message.index, &package) || flow.refuses(&package))
}

/// A session that goes on although the device was sent away.
pub(in crate::rules) fn session_continues_after_unenroll(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let execs = cx.readable().filter(|message| message.side() == Some(Side::Server));
    let mut execs = execs.flat_map(|message| message.commands().map(move |command| message.at(command.0)));
    let exec = execs.find(|at| cx.session.command_at(*at).is_some_and(sends_away));
    let Some(exec) = exec.filter(|exec| !is_refused(cx.session, *exec)) else { return };
    let behind = cx.readable().filter(|message| message.index > exec.message && message.side() == Some(Side::Client));
    let mut behind = behind.filter(|message| !message.is_repeated());
    let answers_exec = |message: MessageCx<'_>, answer: Command<'_>| message.session.referred(message.index, answer) == Lookup::Found(exec);
    // That the Exec is answered at all is DM-UNE-015.
    let only_answers = |message: MessageCx<'_>| {
        let mut rest = message.message.doc.commands().filter(|command| !command.is_for_header());
        let mut answered = false;
        rest.all(|command| {
            answered |= answers_exec(message, command);
            answers_exec(message, command)
        }) && answered
    };
    if let Some(message) = behind.find(|message| !only_answers(*message)) {
        let text = "the client goes on with the session after the Exec of Unenroll; expected it to end all sessions at once";
        out.report(Place::Message(message.index), text).related(exec, "the Exec");
    }
}

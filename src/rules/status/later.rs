//! DM-STA-010, DM-STA-011, DM-STA-022 and DM-STA-023: what stands before a Status, or has to follow it.

use super::code_place;
use crate::rules::answers::{Strays, called, is_last_word, name};
use crate::rules::finding::Place;
use crate::rules::pending::{is_whole, speaks_of};
use crate::rules::{CaptureCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::{At, Edge};
use crate::syncml::{Command, Message, Side, Tag};

/// A command in progress that never comes to its end.
pub(in crate::rules) fn in_progress_never_completed(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let all = cx.session.messages.len();
    let mut strays = None;
    for exchange in cx.session.exchanges.iter().filter(|_| cx.session.end == Edge::Seen) {
        let Some(command) = cx.session.command_at(exchange.command) else { continue };
        let statuses = || exchange.statuses.iter().filter_map(|at| Some((*at, cx.session.command_at(*at)?)));
        let Some((at, status)) = statuses().find(|(_, status)| status.code() == Some(101)) else { continue };
        let ends = |(later, other): (At, Command<'_>)| later > at && is_last_word(other) && speaks_of_same(status, other);
        let Some(message) = cx.message(at.message) else { continue };
        let Some(side) = message.side() else { continue };
        let aborted = cx.messages().skip(at.message).any(|message| message.has_alert(1223));
        let unsure = cx.session.has_hole_between(side, at.message, all) || cx.session.is_ambiguous(exchange.command);
        if statuses().any(ends) || aborted || unsure {
            continue;
        }
        if strays.get_or_insert_with(|| Strays::of(*cx)).meant_for(command).is_empty() {
            let text = format!("{} is in progress (101), and the session ends without its final Status", called(command));
            out.report(code_place(message, status), text).related(exchange.command, "the command");
        }
    }
}

/// Whether two Statuses of a command may be for the same of its Items.
fn speaks_of_same(status: Command<'_>, other: Command<'_>) -> bool {
    let refs = |status: Command<'_>| -> Vec<String> {
        status.target_refs().chain(status.source_refs()).map(str::to_owned).collect()
    };
    let (ours, theirs) = (refs(status), refs(other));
    ours.is_empty() || theirs.is_empty() || ours.iter().any(|uri| theirs.contains(uri))
}

/// Credentials accepted that nobody gave. Many servers repeat 212 in each message of a session that was authenticated,
/// as the specification's own example does.
pub(in crate::rules) fn status_212_without_credentials(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let first_of = |side: Side| {
        cx.readable().find(|sent| sent.side() == Some(side) && has_credentials(sent.message)).map(|sent| sent.index)
    };
    let (client, server) = (first_of(Side::Client), first_of(Side::Server));
    for message in cx.readable() {
        for status in message.statuses().filter(|status| status.is_for_header() && status.code() == Some(212)) {
            let Some(answered) = answered_header(message, status).filter(|of| of.message.is_readable()) else { continue };
            let Some((header, side)) = answered.message.header().zip(answered.side()) else { continue };
            let first = if side == Side::Client { client } else { server };
            if first.is_none_or(|first| first > answered.index) && !cx.session.has_hole(side, answered.index) {
                let text = format!("212 (authentication accepted) answers {}, which has no Cred; expected 200", name(answered));
                out.report(code_place(message, status), text).related(answered.at(header.0), "the header it answers");
            }
        }
    }
}

/// The message whose header a Status answers.
fn answered_header<'a>(message: MessageCx<'a>, status: Command<'_>) -> Option<MessageCx<'a>> {
    match status.msg_ref() {
        Some(msg_id) => {
            let named = message.session.message(message.side()?.peer(), msg_id, message.index).found()?;
            message.in_session().message(named)
        }
        None => message.answers(),
    }
}

/// Whether a message brings credentials: a Cred, or the HTTP header that `syncml:auth-MAC` uses.
fn has_credentials(message: &Message) -> bool {
    let has_mac = || message.http.as_ref().is_some_and(|http| http.head.header("x-syncml-hmac").is_some());
    message.header().is_some_and(|header| header.cred().is_some()) || has_mac()
}

/// Commands of the server after the client said that it takes no more.
pub(in crate::rules) fn continuation_after_214(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let of_client = cx.readable().filter(|message| message.side() == Some(Side::Client));
    let cancelled = of_client.flat_map(|message| message.statuses().map(move |status| (message, status)));
    let Some((message, status)) = cancelled.into_iter().find(|(_, status)| status.code() == Some(214)) else { return };
    let asks = |command: &Command<'_>| {
        let flow = command.tag() == Tag::Alert && matches!(command.code(), Some(1222 | 1223));
        command.tag().is_command() && !flow
    };
    let later = cx.readable().filter(|later| later.index > message.index && later.side() == Some(Side::Server));
    let next = later.flat_map(|later| later.commands().map(move |command| (later, command))).find(|(_, command)| asks(command));
    if let Some((later, command)) = next {
        let text = format!("the server sends {} although the client answered 214 (operation cancelled)", called(command));
        let place: Place = later.at(command.0).into();
        out.report(place, text).related(code_place(message, status), "no more commands are processed from here on");
    }
}

/// Work that was accepted for later, and of which the next session says nothing.
pub(in crate::rules) fn asynchronous_work_without_result(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some(past) = cx.earlier().next() else { return };
    let Some(first) = cx.session.readable().next().filter(|_| !past.pending.is_empty()) else { return };
    if !is_whole(session) || past.server.as_deref() != session.server.as_deref() {
        return;
    }
    for pending in past.pending.iter().filter(|pending| !speaks_of(session, pending)) {
        let (uri, number) = (quoted(&pending.target), past.number);
        let text = format!("the Exec of {uri}, accepted (202) in session s{number}, has no result in this one either");
        out.report(Place::Message(first.index), text);
    }
}

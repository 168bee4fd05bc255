//! DM-SES-009 to DM-SES-014: where packages end, and what may be sent before they do (DMP 6).

use super::{has_open_chunk, is_operation, refuses};
use crate::rules::finding::{Place, named};
use crate::rules::{MessageCx, SessionCx, Severity, Sink};
use crate::session::{At, Exchange};
use crate::syncml::{Command, Side, Tag};

/// A client package that has no end, although the server took it for complete.
pub(in crate::rules) fn final_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !may_go_on(*message)) {
        let Some(answer) = message.answer().filter(|answer| answer.message.is_readable()) else { continue };
        // The client may not end its package while the server's goes on.
        let may_end = match message.answers() {
            Some(asked) => asked.message.is_readable() && (asked.has_final() || !has_open_chunk(asked)),
            None => message.is_package_1(),
        };
        let goes_on = answer.has_final() || answer.commands().any(|command| command.tag().is_command());
        if !may_end || !goes_on || answer.has_alert(1222) || answer.has_alert(1223) || !is_complete(message, answer) {
            continue;
        }
        let text = "the client's package has no Final, although the server took it for complete; expected <Final/>";
        out.report(Place::Message(message.index), text)
            .related(Place::Message(answer.index), "the server goes on here");
    }
}

/// A server message without an end that could have one.
pub(in crate::rules) fn server_final_missing_when_possible(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() != Some(Side::Server) || cx.message.header().is_none() || may_go_on(*cx) {
        return;
    }
    // The server may not end its package before the client's: it then asks for the next message (DMP 6.2).
    let Some(answered) = cx.answers().filter(|answered| answered.message.is_readable()) else { return };
    if answered.has_final() {
        let text = "the server's message has no Final; expected <Final/>, since no chunk and no next message is to come";
        out.report(Place::Message(cx.index), text);
    }
}

/// Answers to a package whose answer had ended before.
pub(in crate::rules) fn final_before_end_of_package(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut ended: [Option<MessageCx<'_>>; 2] = [None; 2];
    for message in cx.readable().filter(|message| !message.is_keep_alive()) {
        let Some(side) = message.side() else { continue };
        let ended = &mut ended[usize::from(side == Side::Server)];
        if let Some(end) = ended.filter(|end| !message.is_repeated() && !refuses(*end)) {
            late_answers(message, end, out);
        }
        if message.has_final() {
            *ended = Some(message);
        }
    }
}

/// Reports the first answer in `message` to something that `end` had ended the answers to.
fn late_answers(message: MessageCx<'_>, end: MessageCx<'_>, out: &mut Sink<'_>) {
    let session = message.session;
    let answers = message.message.doc.commands().filter(|answer| !answer.tag().is_command() && !answer.is_for_header());
    let late = answers.filter_map(|answer| {
        let at = session.referred(message.index, answer).found()?;
        let exchange = session.exchange(at).filter(|_| at.message < end.index && !session.is_ambiguous(at))?;
        let before = |all: &[At]| all.iter().any(|one| one.message < message.index);
        let pending = |at: &At| session.command_at(*at).is_some_and(|status| matches!(status.code(), Some(101 | 202 | 213)));
        let is_results = answer.tag() == Tag::Results;
        let told = if is_results { exchange.statuses.iter().any(pending) } else { before(&exchange.statuses) };
        (!told).then(|| (answer, at, is_results && before(&exchange.results)))
    });
    let late: Vec<_> = late.collect();
    let Some((answer, at, again)) = late.first() else { return };
    let command = session.command_at(*at).map(named).unwrap_or_default();
    let more = if late.len() > 1 { format!(" (and {} more like it)", late.len() - 1) } else { String::new() };
    let text = format!("this {} for {command} comes after Final had ended the answers to it{more}", answer.0.name());
    let mark = end.message.doc.final_mark().map_or(Place::Message(end.index), |mark| end.at(mark).into());
    let draft = out.report(message.at(answer.0), text);
    draft.related(mark, "the Final that came too early").related(*at, "the command it answers");
    if *again {
        draft.at_most(Severity::Warning);
    }
}

/// A client's Final while the server is in the middle of a large object.
pub(in crate::rules) fn client_final_too_early(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Client) && !message.is_repeated()) {
        let Some(mark) = message.message.doc.final_mark() else { continue };
        let chunk = |answered: &MessageCx<'_>| answered.message.is_readable() && !answered.has_final() && has_open_chunk(*answered);
        let Some(answered) = message.answers().filter(chunk) else { continue };
        let gives_up = message.has_alert(1223) || message.has_alert(1225) || message.is_keep_alive();
        let refused = message.statuses().any(|status| status.code().is_some_and(|code| code >= 300));
        if !gives_up && !refused {
            let text = "the client ends its package while the server is still sending a large object; expected no Final";
            out.report(message.at(mark), text).related(Place::Message(answered.index), "the server's package goes on behind this");
        }
    }
}

/// New commands of the server before the old ones are answered.
pub(in crate::rules) fn commands_before_status(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Server) && !message.is_repeated()) {
        let Some(new) = message.message.doc.commands().find(is_operation) else { continue };
        let open = |answered: &MessageCx<'_>| {
            let aside = answered.is_keep_alive() || answered.is_repeated() || answered.has_alert(1223);
            answered.message.is_readable() && !answered.has_final() && !aside && !refuses(*answered)
        };
        if message.answers().filter(open).is_none() {
            continue;
        }
        if let Some((server, pending)) = pending(message) {
            let text = format!("the server sends {} before {} was answered; expected Alert 1222", named(new), named(pending));
            out.report(message.at(new.0), text).related(server.at(pending.0), "the command without a Status so far");
        }
    }
}

/// A command of the server that is not answered before message `cx`, while the client's package is open.
fn pending(cx: MessageCx<'_>) -> Option<(MessageCx<'_>, Command<'_>)> {
    let mut asked = Vec::new();
    let before = (0..cx.index).rev().filter_map(|index| cx.in_session().message(index));
    for message in before.filter(|message| !message.message.retransmission) {
        match message.side()? {
            _ if !message.message.is_readable() => return None,
            Side::Client if message.has_final() || message.is_keep_alive() => break,
            Side::Client => {}
            Side::Server => asked.push(message),
        }
    }
    asked.into_iter().rev().find_map(|message| {
        let waits = |command: &Command<'_>| {
            let asked = command.cmd_id().is_some_and(|id| id != "0") && command.0.child(Tag::NoResp).is_none();
            let runs = command.container().is_none_or(|container| {
                status_before(cx.index, message, container).and_then(Command::code).is_some_and(|code| (200..300).contains(&code))
            });
            let chunk = command.items().any(|item| item.more_data());
            is_operation(command) && asked && runs && !chunk
                && !message.session.is_ambiguous(message.at(command.0))
                && status_before(cx.index, message, *command).is_none()
        };
        message.commands().find(waits).map(|command| (message, command))
    })
}

/// The first Status of a command of `message`, if it came before message `index`.
fn status_before<'a>(index: usize, message: MessageCx<'a>, command: Command<'_>) -> Option<Command<'a>> {
    let exchange = message.session.exchange(message.at(command.0))?;
    let first = exchange.statuses.iter().find(|status| status.message < index)?;
    message.session.command_at(*first)
}

/// An answer to a part of a client's package that does not only ask for the rest.
pub(in crate::rules) fn malformed_next_message_response(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() != Some(Side::Server) || cx.message.header().is_none() || cx.has_alert(1223) || cx.is_repeated() || refuses(*cx) {
        return;
    }
    let part = |answered: &MessageCx<'_>| answered.message.is_readable() && answered.message.header().is_some() && !may_go_on(*answered);
    let Some(answered) = cx.answers().filter(part) else { return };
    let ended = |before: &MessageCx<'_>| before.message.is_readable() && (before.has_final() || before.has_alert(1222));
    if answered.answers().filter(ended).is_none() || !goes_on(*cx) || is_complete(answered, *cx) {
        return;
    }
    let mut wrong = Vec::new();
    if let Some(command) = cx.message.doc.commands().find(is_operation) {
        wrong.push(named(command));
    }
    if cx.has_final() {
        wrong.push("Final".to_owned());
    }
    let asks = cx.has_alert(1222);
    let text = match (wrong.is_empty(), asks) {
        (true, true) => return,
        (true, false) => "the client's package is not complete, and the answer has no Alert 1222; expected it".to_owned(),
        (false, true) => format!("the client's package is not complete, and the answer has {}; expected Status and Alert 1222 alone", wrong.join(" and ")),
        (false, false) => format!("the client's package is not complete, and the answer has {} and no Alert 1222; expected Status and Alert 1222 alone", wrong.join(" and ")),
    };
    out.report(Place::Message(cx.index), text).related(Place::Message(answered.index), "the message without Final");
}

/// Whether a readable message of the client follows.
fn goes_on(cx: MessageCx<'_>) -> bool {
    let next = cx.in_session().messages().skip(cx.index + 1).find(|next| next.side() != Some(Side::Server));
    next.is_some_and(|next| next.message.is_readable())
}

/// Whether a message may rightly leave its package open: it has Final, an open chunk, asks for the next message,
/// aborts or keeps alive.
fn may_go_on(cx: MessageCx<'_>) -> bool {
    let flow = cx.has_alert(1222) || cx.has_alert(1223) || cx.is_keep_alive();
    cx.has_final() || flow || has_open_chunk(cx)
}

/// Whether a client message without Final holds all that its package had to hold.
fn is_complete(message: MessageCx<'_>, answer: MessageCx<'_>) -> bool {
    let session = message.in_session();
    let next = session.messages().skip(answer.index + 1).find(|cx| cx.side() != Some(Side::Server));
    match next {
        // It goes on with the same package when it answers what the message before answered, or sends more of its own.
        Some(next) if next.message.is_readable() => {
            let latest = answer.message.msg_id();
            let answers = next.message.doc.commands().filter(|command| !command.tag().is_command());
            let mut older = answers.filter(|answer| answer.msg_ref().is_some_and(|id| Some(id) != latest));
            older.next().is_none() && !next.commands().any(|command| command.tag() == Tag::Replace)
        }
        Some(_) => false,
        // Nothing more came: then it was complete if nothing is left to be answered.
        None => message.answers().is_some_and(|asked| {
            let of_asked = |exchange: &&Exchange| exchange.command.message == asked.index;
            message.session.exchanges.iter().filter(of_asked).all(|exchange| !exchange.statuses.is_empty())
        }),
    }
}

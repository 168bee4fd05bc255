//! Commands with their answers: which Status and Results refer to which command, across the messages of a session.

use super::{At, Exchange, Lookup, Session};
use crate::syncml::{Command, Side, Tag};

/// What each Status and Results of a session refers to, in document order.
pub(super) fn references(session: &Session) -> Vec<(At, Lookup<At>)> {
    let answers = commands(session).filter(|(_, command)| !command.tag().is_command());
    answers.map(|(at, answer)| (at, session.referred(at.message, answer))).collect()
}

/// All commands of a session in order, those in containers included, each with its answers.
pub(super) fn pair(session: &Session) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = commands(session)
        .filter(|(_, command)| command.tag().is_command())
        .map(|(command, _)| Exchange { command, statuses: Vec::new(), results: Vec::new() })
        .collect();
    for (at, answer) in commands(session).filter(|(_, command)| !command.tag().is_command()) {
        let Lookup::Found(command) = session.referred(at.message, answer) else { continue };
        let Ok(index) = exchanges.binary_search_by_key(&command, |exchange| exchange.command) else { continue };
        let Some(exchange) = exchanges.get_mut(index) else { continue };
        let answers = if answer.tag() == Tag::Status { &mut exchange.statuses } else { &mut exchange.results };
        let before = answers.last().is_some_and(|last| last.message < at.message);
        if !(before && answers_again(session, at.message)) {
            answers.push(at);
        }
    }
    exchanges
}

/// Commands, statuses and results of all readable messages, retransmissions left out.
fn commands(session: &Session) -> impl Iterator<Item = (At, Command<'_>)> {
    let counted =
        session.messages.iter().enumerate().filter(|(_, message)| message.is_readable() && !message.retransmission);
    counted.flat_map(|(message, content)| {
        content.doc.all_commands().map(move |command| (At { message, node: command.0.id() }, command))
    })
}

/// Whether a message of the server answers a retransmission: what it says was said in its first answer.
fn answers_again(session: &Session, message: usize) -> bool {
    let server = session.messages.get(message).is_some_and(|message| message.side == Some(Side::Server));
    server && session.answered_by(message).is_some_and(|(_, request)| request.retransmission)
}

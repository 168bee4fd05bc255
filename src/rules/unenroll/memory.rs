//! What a session shows of a device that leaves, for the sessions that follow.
//!
//! In: a session. Out: a small record, nothing for the many sessions in which nobody leaves.

use super::{goodbyes, sends_away};
use crate::rules::SessionCx;
use crate::rules::finding::Place;
use crate::session::{At, Session};
use crate::syncml::{Command, Message, Side};
use crate::time::Time;

/// See the module's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::rules) struct Leaving {
    /// The device said goodbye.
    pub(super) alert: Option<Said>,
    /// The server sent it away, and the device did not refuse.
    pub(super) exec: Option<Said>,
}

/// Something that was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// When, as far as the recording tells.
    pub(super) at: Option<Time>,
}

impl Leaving {
    /// What to remember of a session.
    pub(in crate::rules) fn of(session: &Session) -> Option<Box<Leaving>> {
        let said = |(at, _): (At, Command<'_>)| Said { at: session.messages.get(at.message).and_then(sent) };
        let leaving = Leaving { alert: alert(session).map(said), exec: exec(session).map(said) };
        (leaving != Leaving::default()).then(|| Box::new(leaving))
    }
}

/// When a message was sent.
pub(super) fn sent(message: &Message) -> Option<Time> {
    message.first.or(message.last)
}

/// The first unenrollment alert of a session.
pub(super) fn alert(session: &Session) -> Option<(At, Command<'_>)> {
    let of_client = session.of(Side::Client).filter(|(_, message)| message.is_readable());
    let mut alerts = of_client.flat_map(|(index, message)| goodbyes(&message.doc).map(move |alert| (at(index, alert), alert)));
    alerts.next()
}

/// The last Exec of Unenroll in a session that the device did not refuse.
pub(super) fn exec(session: &Session) -> Option<(At, Command<'_>)> {
    let of_server = session.of(Side::Server).filter(|(_, message)| message.is_readable());
    let execs = of_server.flat_map(|(index, message)| message.doc.all_commands().map(move |command| (at(index, command), command)));
    let obeyed = |(at, exec): &(At, Command<'_>)| sends_away(*exec) && !is_refused(session, *at);
    execs.filter(obeyed).last()
}

/// Whether the device answered a command with a failure.
pub(super) fn is_refused(session: &Session, command: At) -> bool {
    let statuses = session.exchange(command).into_iter().flat_map(|exchange| &exchange.statuses);
    statuses.filter_map(|at| session.command_at(*at)?.code()).any(|code| code >= 300)
}

fn at(message: usize, command: Command<'_>) -> At {
    At { message, node: command.0.id() }
}

/// Where a session that follows others is told of as a whole: its first message that can be read.
pub(super) fn beginning(cx: SessionCx<'_>) -> Option<Place> {
    cx.readable().next().map(|first| Place::Message(first.index))
}

//! DM-STA-001 and DM-STA-003: that the header and each command have a Status.

use foldhash::HashSet;

use crate::rules::answers::{Answered, Strays, answered, called, name};
use crate::rules::finding::Place;
use crate::rules::{MessageCx, SessionCx, Sink};
use crate::session::Exchange;
use crate::syncml::{Command, NodeId, Tag};

/// An answer without a Status for the header of the message it answers.
pub(in crate::rules) fn synchdr_status_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let owes = |message: &MessageCx<'_>| !(message.is_keep_alive() || message.has_alert(1223) || message.is_repeated());
    for message in cx.readable().filter(owes) {
        let Some(answered) = message.answers().filter(|answered| answered.message.is_readable()) else { continue };
        if answered.message.header().is_none_or(|header| header.0.child(Tag::NoResp).is_some()) {
            continue;
        }
        if !message.statuses().any(|status| status.is_for_header() || status.cmd() == Some(Tag::SyncHdr.name())) {
            let text = format!("no Status for SyncHdr of {}; expected it as the first Status", name(answered));
            out.report(Place::Message(message.index), text)
                .related(Place::Message(answered.index), "the message that is answered");
        }
    }
}

/// A command that the other side ended its package without answering.
pub(in crate::rules) fn command_status_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for (answered, command) in without_status(*cx) {
        let (message, side) = (answered.message, answered.end.side());
        let peer = side.map_or("peer", |side| side.name());
        let text = format!("{} of {} has no Status where the {peer} ends its package", called(command), name(message));
        out.report(answered.place(), text).related(message.at(command.0), "the command without a Status");
    }
}

/// The commands that the other side ended its package without answering.
pub(in crate::rules) fn without_status<'a>(
    cx: SessionCx<'a>,
) -> impl Iterator<Item = (&'a Answered<'a>, Command<'a>)> {
    let mut strays = None;
    let open = answered(cx).iter().flat_map(|answered| unanswered(answered).map(move |command| (answered, command)));
    open.filter(move |(answered, command)| {
        let strays = strays.get_or_insert_with(|| Strays::of(cx));
        !strays.may_answer(*command, &answered.package)
    })
}

/// The commands of a message without a Status. Those in a container that is not answered or failed are left out: the
/// container's Status speaks for them. So are containers and their children where one of the two has no Status at
/// all: DM-ATM-014 tells that.
fn unanswered<'a>(answered: &Answered<'a>) -> impl Iterator<Item = Command<'a>> {
    let message = answered.message;
    let is_open = move |command: Command<'_>| exchange(message, command).is_some_and(|exchange| exchange.statuses.is_empty());
    let with_status = answered.commands().filter(|command| !is_open(*command));
    let in_part: HashSet<NodeId> = with_status.filter_map(Command::container).map(|container| container.0.id()).collect();
    answered.commands().filter(move |command| {
        let asked = command.cmd_id().is_some_and(|id| id != "0") && command.0.child(Tag::NoResp).is_none();
        let is_part = |container: Command<'_>| in_part.contains(&container.0.id());
        is_open(*command)
            && asked
            && !message.session.is_ambiguous(message.at(command.0))
            && !is_part(*command)
            && command.container().is_none_or(|container| is_part(container) && succeeded(message, container))
    })
}

fn exchange<'a>(message: MessageCx<'a>, command: Command<'_>) -> Option<&'a Exchange> {
    message.session.exchange(message.at(command.0))
}

fn succeeded(message: MessageCx<'_>, container: Command<'_>) -> bool {
    let first = exchange(message, container).and_then(|exchange| exchange.statuses.first());
    let status = first.and_then(|at| message.session.command_at(*at));
    status.and_then(Command::code).is_some_and(|code| (200..300).contains(&code))
}

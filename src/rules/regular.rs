//! Whether the ids and references of a message are what they nearly always are.
//!
//! In: a message in its session. Out: signs for the gate: most rules on ids and references have nothing to say where these
//! are not shown.

use super::MessageCx;
use super::gate::{set, sign};
use crate::session::{At, Lookup};
use crate::syncml::{Command, Item, NodeId, Tag};

/// The signs of a message.
pub(super) fn signs(cx: MessageCx<'_>) -> u32 {
    let astray = cx.message.doc.flags().astray;
    set(astray || !ids_count_up(cx), sign::loose_ids) | set(astray || !refs_are_plain(cx), sign::loose_refs)
}

/// Whether each command has a CmdID that is a number above the one before.
fn ids_count_up(cx: MessageCx<'_>) -> bool {
    let mut last = Some(0);
    cx.commands().all(|command| {
        let next = command.cmd_id().and_then(number);
        let is_above = next.is_some() && next > last;
        last = next;
        is_above
    })
}

/// The number that digits spell.
fn number(id: &str) -> Option<u32> {
    id.bytes().try_fold(0, |number: u32, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Whether a message answers the one before it and no other: first its header, then commands, each by its name and with its
/// Statuses in their order. One without answers does where that one cannot be read.
fn refs_are_plain(cx: MessageCx<'_>) -> bool {
    let mut answers = cx.commands().filter(|command| !command.tag().is_command());
    let Some(asked) = cx.answers().filter(|asked| asked.message.is_readable()) else { return answers.next().is_none() };
    let Some(msg_id) = asked.message.msg_id().filter(|_| !asked.message.retransmission) else { return false };
    let is_of_header = |status: Command<'_>| {
        status.tag() == Tag::Status
            && status.values([Tag::MsgRef, Tag::CmdRef, Tag::Cmd])
                == [Some(msg_id), Some("0"), Some(Tag::SyncHdr.name())]
    };
    let mut last = None;
    let mut is_plain = |(answer, referred): (Command<'_>, Lookup<At>)| {
        // Where it refers to a command of that message, a MsgRef that is not blank has the MsgID of it.
        let names_it = answer.0.child(Tag::MsgRef).is_some_and(|id| !(id.flags().blank || id.flags().unclosed));
        names_it && refers(cx, answer, (asked.index, referred), &mut last)
    };
    let mut known = cx.session.references(cx.index).iter();
    let mut referring = answers.map(|answer| match known.next() {
        Some((at, referred)) if at.node == answer.0.id() => (answer, *referred),
        _ => (answer, cx.session.referred(cx.index, answer)),
    });
    referring.next().is_some_and(|(status, _)| is_of_header(status)) && referring.all(&mut is_plain)
}

/// Whether an answer refers to a command of message `asked` without doubt: a Status to one behind `last`,
/// Results to what was asked for.
fn refers(
    cx: MessageCx<'_>,
    answer: Command<'_>,
    (asked, referred): (usize, Lookup<At>),
    last: &mut Option<NodeId>,
) -> bool {
    let Some(at) = referred.found().filter(|at| at.message == asked && !cx.session.is_ambiguous(*at)) else {
        return false;
    };
    let Some(command) = cx.session.command_at(at) else { return false };
    let (name, cmd) = (command.tag().name(), answer.cmd());
    match answer.tag() {
        Tag::Status => command.tag().is_command() && cmd == Some(name) && Some(at.node) > last.replace(at.node),
        _ => cmd.is_none_or(|cmd| cmd == name) && gives(answer, command),
    }
}

/// Whether Results are of a node that a Get asked for, or of what an Exec gives.
fn gives(results: Command<'_>, command: Command<'_>) -> bool {
    let asked = command.items().next().and_then(Item::target);
    match command.tag() {
        Tag::Get => results.items().all(|item| item.source() == asked),
        tag => tag == Tag::Exec,
    }
}

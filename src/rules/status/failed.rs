//! DM-STA-021: what went wrong with a command, in words.

use super::{Subject, code_place, subject};
use crate::rules::{ElementCx, Sink, quoted};
use crate::syncml::{Command, Item, Side, original_error, status};

/// A command that the device could not carry out.
pub(in crate::rules) fn command_failed(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let Some(code) = status.code().filter(|code| is_failure(*code)) else { return };
    let Some(subject) = subject(cx).filter(|subject| subject.tag.is_command()) else { return };
    if cx.message.side() != Some(Side::Client) {
        return;
    }
    let mut text = format!("{} failed: {}", what(status, &subject), status::describe(status.data().unwrap_or_default()));
    text.extend(original_error::of(status).map(|original| format!("; {original}")));
    let draft = out.report(code_place(cx.message, status), text);
    if let Some(help) = help(code) {
        draft.help(help);
    }
    if let Some((at, _)) = subject.command {
        draft.related(at, "the command");
    }
}

/// 4xx, 5xx, and those that applications may use for failures (RP 10 recommends 14xx and 15xx).
fn is_failure(code: u16) -> bool {
    matches!(code, 400..=599 | 1400..=1599)
}

/// `Get of ./A and 2 more`: the verb, and the nodes that the Status or else its command names.
fn what(status: Command<'_>, subject: &Subject<'_>) -> String {
    let verb = subject.tag.name();
    let mut named: Vec<&str> = status.target_refs().collect();
    if let (true, Some((_, command))) = (named.is_empty(), subject.command) {
        named.extend(command.items().filter_map(Item::target));
    }
    match named.as_slice() {
        [] => verb.to_owned(),
        [uri] => format!("{verb} of {}", quoted(uri)),
        [uri, more @ ..] => format!("{verb} of {} and {} more", quoted(uri), more.len()),
    }
}

/// Where to look, by code.
fn help(code: u16) -> Option<&'static str> {
    let help = match code {
        400 => "Check the command against the DTD: CmdID, order and names of its elements.",
        401 | 407 => "Log in first: the Status of the SyncHdr has the challenge.",
        404 => "Check the spelling of the URI, and whether this edition and version of the system has the node.",
        405 => "Check whether the node may be written and takes this command, and whether the session may manage it (user or device).",
        406 => "Leave it out: the provider does not support this node, property or command.",
        415 => "Check Format and Type of the Item, and that its Data can be parsed.",
        418 => "Use Replace: the node exists already.",
        420 => "Free space on the device.",
        424 => "Give the Size of the whole object in the Meta of its first chunk.",
        425 => "Check the rights: the access control list of the node, and the account that manages it.",
        500 => "Look into the event log of the device: the code says no more.",
        507 => "Look at the Statuses of the commands inside: the one that is neither 215 nor 216 made the Atomic fail.",
        _ => return None,
    };
    Some(help)
}

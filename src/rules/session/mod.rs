//! DM-SES: how packages follow each other in a session (DMP 6 and 8).
//!
//! `opening` judges package 1 and its answer, `senders` who may send what, `ends` where packages end, `closing` where
//! the session does, `abort` Alert 1223, and `load` sessions that go in circles or run side by side.

mod abort;
mod closing;
mod ends;
mod load;
mod opening;
mod senders;

pub(super) use abort::*;
pub(super) use closing::*;
pub(super) use ends::*;
pub(super) use load::*;
pub(super) use opening::*;
pub(super) use senders::*;

use super::MessageCx;
use super::flow::Flow;
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Command, Side, Tag};

/// The messages of package 1, when `cx` is its first and the capture shows them all.
fn package_1(cx: MessageCx<'_>) -> Option<Vec<MessageCx<'_>>> {
    if !cx.is_package_1() || cx.message.header().is_none() {
        return None;
    }
    let flow = Flow::of(cx.in_session());
    let package = flow.package(Side::Client, cx.index)?;
    let messages = package.0.iter().filter_map(|index| cx.in_session().message(*index));
    (!flow.aborts(cx.index, &package)).then(|| messages.collect())
}

/// Whether it is a whole message of the client, with a header, so that its commands are the client's own.
fn from_client(cx: MessageCx<'_>) -> bool {
    cx.side() == Some(Side::Client) && cx.message.header().is_some()
}

/// Whether a node lies in the device information.
fn is_dev_info(node: &Key<'_>, naming: Naming) -> bool {
    node.lies_in("./DevInfo", naming)
}

/// Whether a message refuses the one it answers: credentials, version, syntax. Or brings a challenge.
fn refuses(cx: MessageCx<'_>) -> bool {
    cx.statuses().any(|status| {
        let code = status.code();
        matches!(code, Some(401 | 407)) || (code.is_some_and(|code| !(200..300).contains(&code)) && status.is_for_header())
    })
}

/// Whether a message holds a chunk of an object that goes on.
fn has_open_chunk(cx: MessageCx<'_>) -> bool {
    cx.commands().flat_map(Command::items).any(|item| item.more_data())
}

/// A command that asks for something; an Alert that only moves packages on (1222, 1223, 1225) does not.
fn is_operation(command: &Command<'_>) -> bool {
    let moves_on = command.tag() == Tag::Alert && matches!(command.code(), Some(1222 | 1223 | 1225));
    command.tag().is_command() && !moves_on
}

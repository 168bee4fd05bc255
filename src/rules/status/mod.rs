//! DM-STA: Statuses and Results (RP 6.4.1 and 10).
//!
//! `missing` and `order` judge that each command has its Status in its place, `items` those of commands with several
//! Items. `codes` looks at the code alone, `failed` tells what went wrong. `results` judges Results beside their
//! Status, `later` what follows a Status in the session, `refused` what should have been refused.

mod codes;
mod failed;
mod items;
mod later;
mod missing;
mod order;
mod refused;
mod results;

pub(super) use codes::*;
pub(super) use failed::*;
pub(super) use items::*;
pub(super) use later::*;
pub(super) use missing::*;
pub(super) use order::*;
pub(super) use refused::*;
pub(super) use results::*;

use super::{ElementCx, MessageCx};
use crate::session::At;
use crate::syncml::{Command, Tag};

/// What a Status answers.
struct Subject<'a> {
    /// The element: from the session where it has the command, else by the name in the Status.
    tag: Tag,
    /// The command, where the session has it.
    command: Option<(At, Command<'a>)>,
}

/// What a Status answers; `None` where its references contradict each other or say nothing.
fn subject<'a>(cx: &ElementCx<'a>) -> Option<Subject<'a>> {
    let (session, status) = (cx.session(), cx.command());
    if status.is_for_header() {
        return Some(Subject { tag: Tag::SyncHdr, command: None });
    }
    let named = status.cmd().map(|cmd| Tag::of(cmd.as_bytes()));
    let at = session.referred(cx.message.index, status).found().filter(|at| !session.is_ambiguous(*at));
    let command = at.and_then(|at| Some((at, session.command_at(at)?)));
    let found = command.map(|(_, command)| command.tag());
    match (named, found) {
        (Some(named), Some(found)) if named != found => None,
        _ => Some(Subject { tag: found.or(named)?, command }),
    }
}

/// The place of a Status' code, or of the Status where it has none.
fn code_place(cx: MessageCx<'_>, status: Command<'_>) -> At {
    cx.at(status.0.child(Tag::Data).unwrap_or(status.0))
}

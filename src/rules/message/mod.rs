//! DM-MSG: the identifiers of messages and commands, and the references between them.
//!
//! `ids` judges the identifiers themselves, `refs` what a Status or Results refers to, `uris` the URIs it repeats.

mod ids;
mod refs;
mod uris;

pub(super) use ids::*;
pub(super) use refs::*;
pub(super) use uris::*;

use super::{MessageCx, SessionCx, quoted};
use crate::session::{At, Lookup};
use crate::syncml::{Command, Side, Tag};

/// A `Status` or `Results`, the message it stands in, and what it refers to.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    cx: MessageCx<'a>,
    command: Command<'a>,
    cmd_ref: Option<&'a str>,
    /// The message it refers to.
    message: Lookup<usize>,
    /// The command it refers to; `None` also where several commands there share the CmdID.
    referred: Option<(At, Command<'a>)>,
}

/// Every Status and Results that may be judged, in order.
fn answers<'a>(cx: &SessionCx<'a>) -> impl Iterator<Item = Answer<'a>> + use<'a> {
    let all = || cx.readable().flat_map(answers_of).collect();
    cx.facts.answers.get_or_init(all).iter().copied()
}

/// Those of a message.
fn answers_of<'a>(cx: MessageCx<'a>) -> impl Iterator<Item = Answer<'a>> {
    let session = cx.session;
    let mut last: Option<(&str, Lookup<usize>)> = None;
    let mut message = move |side: Side, msg_ref: &'a str| match last {
        Some((id, found)) if id == msg_ref => found,
        _ => last.insert((msg_ref, session.message(side.peer(), msg_ref, cx.index))).1,
    };
    let answers = cx.message.doc.commands().filter(|command| matches!(command.tag(), Tag::Status | Tag::Results));
    answers.filter_map(move |command| {
        let side = cx.side()?;
        let named = session.referred(cx.index, command).found().filter(|at| !session.is_ambiguous(*at));
        Some(Answer {
            cx,
            command,
            cmd_ref: command.cmd_ref(),
            message: command.msg_ref().map_or(Lookup::NotCaptured, |msg_ref| message(side, msg_ref)),
            referred: named.and_then(|at| Some((at, session.command_at(at)?))),
        })
    })
}

/// The CmdRef that stands for the header of a message.
const HEADER: &str = "0";

/// A decimal identifier as a number.
fn number(id: &str) -> Option<u64> {
    id.bytes().all(|byte| byte.is_ascii_digit()).then(|| id.parse().ok())?
}

/// An identifier as it stands in a finding's message: numbers plain, all else quoted.
fn shown(id: &str) -> String {
    if number(id).is_some() { id.to_owned() } else { quoted(id) }
}

/// Identifiers for a message of a finding: `no CmdID`, `CmdID 1`, `CmdIDs 1 to 4`, `CmdIDs 1, 3 and 2 more`.
fn listed<'a>(kind: &str, ids: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 6;
    let ids: Vec<&str> = ids.collect();
    let in_row = |pair: &[&str]| matches!(pair, [a, b] if number(a).zip(number(b)).is_some_and(|(a, b)| b.checked_sub(a) == Some(1)));
    match ids.as_slice() {
        [] => format!("no {kind}"),
        [only] => format!("{kind} {}", shown(only)),
        [first, .., last] if ids.len() > 2 && ids.windows(2).all(in_row) => format!("{kind}s {first} to {last}"),
        _ => {
            let (head, tail) = ids.split_at(ids.len().min(SHOWN));
            let head: Vec<_> = head.iter().map(|id| shown(id)).collect();
            match (head.as_slice(), tail.len()) {
                ([before @ .., last], 0) => format!("{kind}s {} and {last}", before.join(", ")),
                (head, more) => format!("{kind}s {} and {more} more", head.join(", ")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_listed_briefly() {
        let list = |ids: &[&str]| listed("CmdID", ids.iter().copied());
        assert_eq!(list(&[]), "no CmdID");
        assert_eq!(list(&["7"]), "CmdID 7");
        assert_eq!(list(&["1", "2"]), "CmdIDs 1 and 2");
        assert_eq!(list(&["1", "2", "3", "4"]), "CmdIDs 1 to 4");
        assert_eq!(list(&["1", "2", "4"]), "CmdIDs 1, 2 and 4");
        assert_eq!(list(&["a"; 8]), "CmdIDs `a`, `a`, `a`, `a`, `a`, `a` and 2 more");
        assert_eq!(list(&["18446744073709551616", "2", "3"]), "CmdIDs `18446744073709551616`, 2 and 3");
    }
}

//! Where the messages and commands of a session are, by the references that statuses use.
//!
//! Built once when a session closes. Looking something up copies nothing: rules ask for each Status.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{At, Lookup};
use crate::syncml::{Message, NodeId, Side};

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Index {
    messages: HashMap<Box<str>, Vec<(Side, usize)>, RandomState>,
    commands: Vec<CmdIds>,
    /// What each Status and Results refers to, in document order.
    answers: Vec<(At, Lookup<At>)>,
}

/// The commands of one message by CmdID; each list sorted, of those with the same CmdID the first one first.
#[derive(Debug, Default)]
struct CmdIds {
    /// CmdIDs that are plain numbers.
    plain: Vec<(u32, NodeId)>,
    /// All others.
    odd: Vec<(Box<str>, NodeId)>,
    /// Whether several commands have the same one.
    shared: bool,
}

/// The number that an id spells, unless another spelling would mean the same.
fn plain(id: &str) -> Option<u32> {
    let digits = !id.is_empty() && id.len() <= 9 && id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| digits && (id.len() == 1 || !id.starts_with('0')))
}

impl CmdIds {
    /// What stands between the tags is only asked of readable messages: on both sides of a gap it reads as one element
    /// that nobody sent.
    fn of(message: &Message) -> CmdIds {
        let mut ids = CmdIds::default();
        for command in message.doc.all_commands() {
            let Some(id) = command.cmd_id() else { continue };
            match plain(id) {
                Some(number) => ids.plain.push((number, command.0.id())),
                None => ids.odd.push((id.into(), command.0.id())),
            }
        }
        ids.plain.sort_by_key(|(number, _)| *number);
        ids.odd.sort_by(|(a, _), (b, _)| a.cmp(b));
        ids.shared = ids.plain.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b))
            || ids.odd.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b));
        ids
    }

    /// The commands of that CmdID.
    fn all(&self, id: &str) -> impl Iterator<Item = NodeId> {
        let number = plain(id);
        let plain = number.map_or(&[][..], |number| equal(&self.plain, |(known, _)| known.cmp(&number)));
        let odd = equal(&self.odd, |(known, _)| (**known).cmp(id));
        plain.iter().map(|(_, node)| *node).chain(odd.iter().map(|(_, node)| *node))
    }
}

/// The stretch of a sorted list that compares as equal.
fn equal<T>(list: &[T], order: impl Fn(&T) -> std::cmp::Ordering) -> &[T] {
    let from = list.partition_point(|entry| order(entry).is_lt());
    let rest = list.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|entry| order(entry).is_eq()).count();
    rest.get(..length).unwrap_or_default()
}

impl Index {
    /// The index of these messages, without what their answers refer to.
    pub(super) fn of(messages: &[Message]) -> Index {
        let mut index = Index::default();
        for (number, message) in messages.iter().enumerate() {
            let counted = message.side.filter(|_| !message.retransmission);
            let readable = counted.is_some() && message.is_readable();
            index.commands.push(if readable { CmdIds::of(message) } else { CmdIds::default() });
            if let Some((side, id)) = counted.zip(message.msg_id()) {
                index.messages.entry(id.into()).or_default().push((side, number));
            }
        }
        index
    }

    /// The latest message before `before` that `side` sent with this MsgID.
    pub(super) fn message(&self, side: Side, msg_id: &str, before: usize) -> Option<usize> {
        let known = self.messages.get(msg_id)?.iter().rev();
        known.filter(|(of, _)| *of == side).map(|(_, index)| *index).find(|index| *index < before)
    }

    /// The first command with this CmdID in a message.
    pub(super) fn command(&self, message: usize, cmd_id: &str) -> Option<NodeId> {
        self.commands.get(message)?.all(cmd_id).next()
    }

    /// Whether several commands of a message have the same CmdID.
    pub(super) fn has_shared(&self, message: usize) -> bool {
        self.commands.get(message).is_some_and(|ids| ids.shared)
    }

    /// Whether several commands of a message have this CmdID.
    pub(super) fn is_shared(&self, message: usize, cmd_id: &str) -> bool {
        self.commands.get(message).is_some_and(|ids| ids.all(cmd_id).nth(1).is_some())
    }

    /// Remembers what an answer refers to; answers come in document order.
    pub(super) fn remember(&mut self, answers: Vec<(At, Lookup<At>)>) {
        self.answers = answers;
    }

    /// What the answers of a message refer to.
    pub(super) fn references(&self, message: usize) -> &[(At, Lookup<At>)] {
        equal(&self.answers, |(at, _)| at.message.cmp(&message))
    }

    /// What an answer refers to, if that was remembered.
    pub(super) fn referred(&self, answer: At) -> Option<Lookup<At>> {
        let index = self.answers.binary_search_by_key(&answer, |(at, _)| *at).ok()?;
        self.answers.get(index).map(|(_, referred)| *referred)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_plain_spelling() {
        assert_eq!((plain("12"), plain("0"), plain("012"), plain("")), (Some(12), Some(0), None, None));
        assert_eq!((plain("1234567890"), plain("+1"), plain("1F")), (None, None, None));
    }

    #[test]
    fn all_commands_of_an_id_are_found_the_first_one_first() {
        let ids = CmdIds {
            plain: vec![(1, NodeId(5)), (2, NodeId(3)), (2, NodeId(9)), (7, NodeId(1))],
            odd: vec![("01".into(), NodeId(4))],
            shared: true,
        };
        let all = |id| ids.all(id).map(|node| node.0).collect::<Vec<_>>();
        assert_eq!((all("2"), all("01"), all("3")), (vec![3, 9], vec![4], vec![]));
    }
}

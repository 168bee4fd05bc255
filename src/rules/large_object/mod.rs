//! DM-LOB: objects that are sent in chunks, and the largest object and message that a side takes (DMP 7).
//!
//! `chunks` judges what the sender of an object does, `answers` what its receiver says to it, `limits` the sizes.

mod answers;
mod chunks;
mod limits;

pub(super) use answers::*;
pub(super) use chunks::*;
pub(super) use limits::*;

use super::{MessageCx, SessionCx};
use crate::session::{At, LargeObject};
use crate::syncml::{Command, Element, Item, Side, Tag};

/// An item of a message.
#[derive(Clone, Copy)]
struct Chunk<'a> {
    cx: MessageCx<'a>,
    item: Item<'a>,
}

impl<'a> Chunk<'a> {
    fn of(cx: SessionCx<'a>, at: At) -> Option<Chunk<'a>> {
        let item = Item(cx.session.element(at)?);
        cx.message(at.message).map(|cx| Chunk { cx, item })
    }

    fn at(self) -> At {
        self.cx.at(self.item.0)
    }

    /// The command it is an item of.
    fn command(self) -> Option<Command<'a>> {
        self.item.0.parent().map(Command)
    }

    fn uri(self) -> &'a str {
        self.item.target().or(self.item.source()).unwrap_or("an item without URI")
    }

    /// The Statuses for its command in the message that answers its own. One that names the items names this one.
    fn statuses(self, answer: MessageCx<'a>) -> impl Iterator<Item = Command<'a>> {
        let command = self.command().map(|command| self.cx.at(command.0));
        let refers = move |status: &Command<'_>| {
            let refs: Vec<&str> = status.target_refs().chain(status.source_refs()).collect();
            let named = refs.is_empty() || refs.iter().any(|uri| [self.item.target(), self.item.source()].contains(&Some(uri)));
            named && answer.session.referred(answer.index, *status).found() == command
        };
        answer.statuses().filter(refers)
    }

    /// The message that answers its own, when it can be read and says nothing about the message as a whole.
    fn answer(self) -> Option<MessageCx<'a>> {
        let answer = self.cx.answer().filter(|answer| answer.message.is_readable() && answer.message.header().is_some())?;
        let refuses = answer.statuses().any(|status| status.is_for_header() && status.code().is_some_and(|code| code >= 300));
        let aside = answer.is_keep_alive() || answer.has_alert(1223) || answer.is_repeated();
        (!refuses && !aside).then_some(answer)
    }

    /// Whether the receiver does not want the object: an error, or Alert 1225. Unknown counts as yes.
    fn is_refused(self) -> bool {
        self.answer().is_none_or(|answer| {
            answer.has_alert(1225) || self.statuses(answer).any(|status| status.code().is_some_and(|code| code >= 300))
        })
    }

    /// The next message of its sender, when the capture shows that it is.
    fn next_message(self) -> Option<MessageCx<'a>> {
        let side = self.cx.side()?;
        let later = self.cx.in_session().messages().skip(self.cx.index + 1);
        let next = later.filter(|next| !next.message.retransmission).find(|next| next.side() != Some(side.peer()))?;
        let whole = next.message.is_readable() && !self.cx.session.has_hole_between(side.peer(), self.cx.index, next.index);
        (whole && !next.is_repeated()).then_some(next)
    }
}

/// The objects of a session.
fn objects<'a>(cx: SessionCx<'a>) -> impl Iterator<Item = &'a LargeObject> {
    cx.session.objects.iter()
}

/// The chunks of an object, in order.
fn chunks<'a>(cx: SessionCx<'a>, object: &'a LargeObject) -> impl Iterator<Item = Chunk<'a>> {
    object.chunks.iter().filter_map(move |at| Chunk::of(cx, *at))
}

/// Whether the capture shows that no object was open before the first chunk of this one, so that it is the first.
fn begins(chunk: Chunk<'_>) -> bool {
    let Some(side) = chunk.cx.side() else { return false };
    let (session, index) = (chunk.cx.session, chunk.cx.index);
    match session.previous_of_side(index) {
        Some((before, _)) => !session.has_hole_between(side, before, index),
        None => !session.has_hole(side, index),
    }
}

/// The `Size` in force for an item: its own, its command's or that of a container.
fn size(item: Item<'_>) -> Option<u64> {
    item.effective(Tag::Size)?.parse().ok()
}

/// The `Size` that stands in an item or its command.
fn size_element(item: Item<'_>) -> Option<Element<'_>> {
    let holders = [Some(item.0), item.0.parent()].into_iter().flatten();
    holders.filter_map(|element| element.child(Tag::Meta)?.child(Tag::Size)).next()
}

/// How long the data of items may be said to be, in bytes: as text, as it was written, without white space, and what
/// base64 stands for. The texts do not settle which of them counts.
fn lengths<'a>(items: impl Iterator<Item = Item<'a>>) -> [u64; 5] {
    let mut sums = [0; 5];
    let mut digits = 0_u64;
    for data in items.filter_map(Item::data) {
        let written = data.inner().slice(data.doc().bytes());
        let text = if data.children().next().is_some() { written } else { data.text().as_bytes() };
        let solid = text.iter().filter(|byte| !byte.is_ascii_whitespace());
        let base64 = solid.clone().filter(|byte| **byte != b'=').count() as u64;
        digits += base64;
        for (sum, length) in sums.iter_mut().zip([text.len() as u64, written.len() as u64, solid.count() as u64, base64 * 3 / 4, 0]) {
            *sum += length;
        }
    }
    sums[4] = digits * 3 / 4;
    sums
}

/// Name of the other side, for messages.
fn peer(cx: MessageCx<'_>) -> &'static str {
    cx.side().map_or("receiver", |side| Side::name(side.peer()))
}

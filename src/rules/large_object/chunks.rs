//! What the sender of a large object does: DM-LOB-001 to DM-LOB-005 and DM-LOB-016 to DM-LOB-018.

use super::{Chunk, begins, chunks, lengths, objects, size, size_element};
use crate::rules::finding::{Place, named};
use crate::rules::{ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::session::{Edge, LargeObject};
use crate::syncml::{Command, Element, Item, Side, Tag};

/// A first chunk that does not say how large the object is.
pub(in crate::rules) fn size_missing_in_first_chunk(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let item = Item(cx.element);
    if !item.more_data() || item.effective(Tag::Size).is_some() {
        return;
    }
    let chunk = Chunk { cx: cx.message, item };
    if cx.session().objects.iter().any(|object| object.chunks.first() == Some(&cx.at())) && begins(chunk) {
        out.report(cx.at(), format!("the first chunk of {} has no Size; expected that of the whole object", quoted(chunk.uri())));
    }
}

/// A later chunk that says it again.
pub(in crate::rules) fn size_in_later_chunk(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx).filter(|object| object.whole) {
        let Some(first) = chunks(*cx, object).next().filter(|first| begins(*first)) else { continue };
        for chunk in chunks(*cx, object).skip(1) {
            if let Some(element) = size_element(chunk.item) {
                let text = "Size stands in a later chunk; expected it in the first one alone";
                let draft = out.report(chunk.cx.at(element), text);
                draft.related(first.at(), "the first chunk");
                if size(chunk.item) == size(first.item) {
                    draft.at_most(Severity::Warning);
                }
            }
        }
    }
}

/// An object of another size than announced.
pub(in crate::rules) fn size_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx) {
        let Some(Mismatch { first, last, size, length }) = mismatch(*cx, object) else { continue };
        let text = format!("Size is {size}, but the chunks hold {length} bytes");
        let place = size_element(first.item).map_or(first.at(), |element| first.cx.at(element));
        out.report(place, text).related(last.at(), "the last chunk");
    }
}

/// The two sizes of an object that differ.
pub(super) struct Mismatch<'a> {
    first: Chunk<'a>,
    pub(super) last: Chunk<'a>,
    pub(super) size: u64,
    pub(super) length: u64,
}

/// How the size of a whole object differs from what was announced, however it is counted.
pub(super) fn mismatch<'a>(cx: SessionCx<'a>, object: &'a LargeObject) -> Option<Mismatch<'a>> {
    let first = chunks(cx, object).next()?;
    let last = chunks(cx, object).last()?;
    if !object.complete || !object.whole || !begins(first) || chunks(cx, object).any(|chunk| !chunk.cx.message.is_readable()) {
        return None;
    }
    let (size, found) = (size(first.item)?, lengths(chunks(cx, object).map(|chunk| chunk.item)));
    (!found.contains(&size)).then_some(Mismatch { first, last, size, length: found[0] })
}

/// Something else between the chunks of an object.
pub(in crate::rules) fn chunks_not_contiguous(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx) {
        for chunk in open_chunks(*cx, object) {
            if let Some((message, element)) = stranger(object, chunk) {
                let text = format!(
                    "{} stands where the next chunk of {} belongs",
                    if element.tag() == Tag::Item { "another Item".to_owned() } else { named(Command(element)) },
                    quoted(chunk.uri())
                );
                out.report(message.at(element), text).related(chunk.at(), "the chunk that has to go on first");
            }
        }
    }
}

/// The chunks that say that more follows, of what the receiver did not refuse.
pub(super) fn open_chunks<'a>(cx: SessionCx<'a>, object: &'a LargeObject) -> impl Iterator<Item = Chunk<'a>> {
    chunks(cx, object).filter(|chunk| chunk.item.more_data() && chunk.cx.message.is_readable())
}

/// The command or item that stands between a chunk and the next one: behind it in its message, or before the next one
/// in the sender's next message.
pub(super) fn stranger<'a>(object: &LargeObject, chunk: Chunk<'a>) -> Option<(MessageCx<'a>, Element<'a>)> {
    let behind = units(chunk.cx).skip_while(|unit| *unit != chunk.item.0).nth(1);
    if let Some(element) = behind {
        return Some((chunk.cx, shown(chunk, element)));
    }
    let next = chunk.next_message().filter(|next| !next.has_alert(1223) && !chunk.is_refused())?;
    let first = units(next).next()?;
    let continues = object.chunks.contains(&next.at(first));
    (!continues).then(|| (next, shown(chunk, first)))
}

/// An item of the chunk's own command is shown as such, any other as its command.
fn shown<'a>(chunk: Chunk<'_>, element: Element<'a>) -> Element<'a> {
    match element.parent() {
        Some(command) if element.tag() == Tag::Item && Some(command) != chunk.item.0.parent() => command,
        _ => element,
    }
}

/// The items of the commands and Results of a message, and the commands without an item, in order. Alerts do not count:
/// they may stand between chunks.
fn units(cx: MessageCx<'_>) -> impl Iterator<Item = Element<'_>> {
    let carries = |command: &Command<'_>| {
        let tag = command.tag();
        tag == Tag::Results || (tag.is_command() && tag != Tag::Alert && !tag.is_container())
    };
    cx.commands().filter(carries).flat_map(|command| {
        let bare = command.items().next().is_none().then_some(command.0);
        bare.into_iter().chain(command.items().map(|item| item.0))
    })
}

/// MoreData where nothing more comes.
pub(in crate::rules) fn moredata_on_last_chunk(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx) {
        let Some(chunk) = open_chunks(*cx, object).last().filter(|chunk| stranger(object, *chunk).is_none()) else { continue };
        let full = || {
            let first = chunks(*cx, object).next()?;
            let size = size(first.item).filter(|size| *size > 0)?;
            let sent = lengths(open_chunks(*cx, object).map(|chunk| chunk.item));
            (object.whole && begins(first) && sent[0] == size).then_some(size)
        };
        let text = if object.complete {
            let empty = chunks(*cx, object).last().is_some_and(|last| last.item.data().and_then(Element::value).is_none());
            let Some(size) = full().filter(|_| empty) else { continue };
            format!("the chunk has MoreData, although all {size} bytes were sent with it")
        } else if is_left(*cx, chunk) {
            "the chunk has MoreData, but no further chunk follows".to_owned()
        } else {
            continue;
        };
        out.report(chunk.at(), text);
    }
}

/// Whether the capture shows that the sender could have gone on behind a chunk and did not.
fn is_left(cx: SessionCx<'_>, chunk: Chunk<'_>) -> bool {
    let (Some(side), session) = (chunk.cx.side(), cx.session) else { return false };
    let aborted = cx.readable().any(|message| message.has_alert(1223));
    let seen = |side| !session.has_hole_between(side, chunk.cx.index, session.messages.len());
    // What the client leaves open the server did not ask for, and the reverse.
    let asked = chunk.answer().is_some() && !chunk.is_refused();
    let went_on = match side {
        Side::Server => chunk.next_message().is_some(),
        Side::Client => chunk.next_message().is_some() || session.end == Edge::Seen,
    };
    asked && went_on && !aborted && seen(side) && seen(side.peer())
}

/// A later chunk that does not say again what it belongs to.
pub(in crate::rules) fn chunk_meta_not_repeated(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx).filter(|object| object.whole) {
        let Some(first) = chunks(*cx, object).next().filter(|first| begins(*first)) else { continue };
        for chunk in chunks(*cx, object).skip(1) {
            let lacks = parts(first.item).zip(parts(chunk.item)).filter(|((_, before), (_, now))| *before && !now);
            let lacks = lacks.map(|((name, _), _)| name);
            let lacks: Vec<&str> = lacks.collect();
            if !lacks.is_empty() {
                let text = format!("this chunk has no {}; expected it as in the first one", lacks.join(", "));
                out.report(chunk.at(), text).related(first.at(), "the first chunk");
                break;
            }
        }
    }
}

/// What each chunk should say again, and whether an item does.
fn parts(item: Item<'_>) -> impl Iterator<Item = (&'static str, bool)> {
    let said = |tag| item.effective(tag).is_some();
    let (target, source) = (item.target().is_some(), item.source().is_some());
    [("Target", target), ("Source", source), ("Format", said(Tag::Format)), ("Type", said(Tag::Type))].into_iter()
}

/// An object in two chunks that would have gone into one message.
pub(in crate::rules) fn moredata_in_small_message(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx).filter(|object| object.complete && object.whole && object.chunks.len() == 2) {
        let Some(first) = chunks(*cx, object).next().filter(|first| begins(*first)) else { continue };
        let (Some(size), Some(limit)) = (size(first.item), super::max_msg_size(first.cx)) else { continue };
        let [sent, ..] = lengths(std::iter::once(first.item));
        let rest = size.saturating_sub(sent);
        let message = first.cx.message.body.size();
        if sent.saturating_mul(10) < size && message.saturating_add(rest.saturating_mul(2)) <= limit {
            let text = format!("the first of two chunks holds {sent} of {size} bytes, and the message may have {limit}; expected one chunk");
            out.report(first.at(), text);
        }
    }
}

/// Final in a message whose object goes on.
pub(in crate::rules) fn final_inside_object(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(mark) = cx.message.doc.final_mark() else { return };
    if let Some(item) = cx.commands().flat_map(Command::items).find(|item| item.more_data()) {
        let text = "Final stands behind a chunk with MoreData; expected it behind the last chunk";
        out.report(Place::Element(cx.at(mark)), text).related(cx.at(item.0), "the chunk that goes on");
    }
}

//! What the receiver of a large object says to it: DM-LOB-006 to DM-LOB-010.

use super::chunks::{mismatch, open_chunks, stranger};
use super::{objects, peer};
use crate::rules::finding::{Place, named};
use crate::rules::{ElementCx, MessageCx, SessionCx, Sink, quoted};
use crate::session::Lookup;
use crate::syncml::{Command, Element, Item, Tag};

/// The status of a chunk that was taken and waits for the rest.
const BUFFERED: u16 = 213;

/// A chunk without 213.
pub(in crate::rules) fn chunk_not_acknowledged(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for chunk in objects(*cx).flat_map(|object| open_chunks(*cx, object)) {
        let (Some(answer), Some(command)) = (chunk.answer(), chunk.command()) else { continue };
        let known = command.cmd_id().is_some_and(|id| id != "0") && !cx.session.is_ambiguous(chunk.cx.at(command.0));
        if !known || answer.has_alert(1225) || is_silent(chunk.cx.message.header().map(|header| header.0), command) {
            continue;
        }
        let told: Vec<Command<'_>> = chunk.statuses(answer).collect();
        let fits = |status: &Command<'_>| status.code().is_none_or(|code| code == BUFFERED || code == 101 || code >= 300);
        match told.iter().find(|status| !fits(status)) {
            Some(wrong) if !told.iter().any(fits) => {
                let data = wrong.0.child(Tag::Data).unwrap_or(wrong.0);
                let text = format!("the Status of a chunk with MoreData is {}; expected 213", wrong.data().unwrap_or_default());
                out.report(answer.at(data), text).related(chunk.at(), "the chunk");
            }
            None if told.is_empty() && !has_stray(answer, command) => {
                let text = format!("no Status for {}, whose chunk has MoreData; expected 213", named(command));
                out.report(Place::Message(answer.index), text).related(chunk.at(), "the chunk");
            }
            _ => {}
        }
    }
}

fn is_silent(header: Option<Element<'_>>, command: Command<'_>) -> bool {
    let silent = |element: Element<'_>| element.child(Tag::NoResp).is_some();
    header.is_some_and(silent) || silent(command.0)
}

/// Whether a Status that names nothing known may be meant for a command.
fn has_stray(answer: MessageCx<'_>, command: Command<'_>) -> bool {
    answer.statuses().any(|status| {
        let found = answer.session.referred(answer.index, status).found();
        found.is_none() && !status.is_for_header() && status.cmd().is_none_or(|cmd| cmd == command.tag().name())
    })
}

/// 213 for something that is no chunk.
pub(in crate::rules) fn unexpected_213(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    if status.code() != Some(BUFFERED) || status.is_for_header() {
        return;
    }
    let session = cx.session();
    let Lookup::Found(at) = session.referred(cx.message.index, status) else { return };
    let Some(command) = session.command_at(at).filter(|_| !session.is_ambiguous(at)) else { return };
    if !command.with_nested().flat_map(Command::items).any(Item::more_data) {
        let data = cx.element.child(Tag::Data).unwrap_or(cx.element);
        let text = format!("Status is 213 (chunk accepted), but {} has no MoreData; expected its result", named(command));
        out.report(cx.message.at(data), text).related(at, "the command it answers");
    }
}

/// A chunk was accepted, and nothing asks for the next one.
pub(in crate::rules) fn next_message_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for chunk in objects(*cx).flat_map(|object| open_chunks(*cx, object)) {
        let Some(answer) = chunk.answer() else { continue };
        let Some(status) = chunk.statuses(answer).find(|status| status.code() == Some(BUFFERED)) else { continue };
        if !answer.message.doc.commands().any(|command| command.tag() != Tag::Status) {
            let text = "Status 213 stands here without Alert 1222 or another command; expected Alert 1222";
            out.report(answer.at(status.0), text).related(chunk.at(), "the chunk that goes on");
        }
    }
}

/// An object was broken off, and its receiver did not say that its end is missing.
pub(in crate::rules) fn interrupted_object_not_reported(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx) {
        for chunk in open_chunks(*cx, object) {
            let Some((message, element)) = stranger(object, chunk) else { continue };
            let answer = message.answer().filter(|answer| answer.message.is_readable() && answer.message.header().is_some());
            let Some(answer) = answer.filter(|answer| !answer.is_keep_alive() && !answer.has_alert(1223)) else { continue };
            if !answer.has_alert(1225) {
                let text = format!("{} was broken off, and this answer has no Alert 1225; expected one", quoted(chunk.uri()));
                out.report(Place::Message(answer.index), text)
                    .related(chunk.at(), "the last chunk before the break")
                    .related(message.at(element), "what came in its place");
            }
        }
    }
}

/// An object of the wrong size was taken.
pub(in crate::rules) fn wrong_answer_to_size_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for object in objects(*cx) {
        let Some(found) = mismatch(*cx, object) else { continue };
        let Some(answer) = found.last.answer() else { continue };
        let accepts = |status: &Command<'_>| status.code().is_some_and(|code| (200..300).contains(&code) && code != BUFFERED);
        let Some(status) = found.last.statuses(answer).find(accepts) else { continue };
        let data = status.0.child(Tag::Data).unwrap_or(status.0);
        let text = format!(
            "the {} accepts an object of {} bytes whose Size is {}; expected 424",
            peer(found.last.cx),
            found.length,
            found.size
        );
        out.report(answer.at(data), text).related(found.last.at(), "the last chunk");
    }
}

//! How the fields of things are read from a session, those that are not the text of one element.

use super::fields::Visit;
use super::types::Kind;
use super::value::{Object, Value};
use crate::http::Head;
use crate::rules::context::{MessageCx, SessionCx};
use crate::session::{At, Edge, Lookup};
use crate::syncml::doc::Form;
use crate::syncml::{Command, Element, Item, NodeId, Tag};

pub(super) fn int(number: usize) -> Value<'static> {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

pub(super) fn some(text: &str) -> Option<Value<'_>> {
    Some(text).filter(|text| !text.is_empty()).map(Value::from)
}

pub(super) fn thing(kind: Kind, at: At) -> Value<'static> {
    Value::Object(Object { kind, at })
}

/// A thing that is an element of the same message.
pub(super) fn node(at: At, kind: Kind, element: Element<'_>) -> Value<'static> {
    thing(kind, At { node: element.id(), ..at })
}

pub(super) fn element<'a>(cx: SessionCx<'a>, at: At) -> Option<Element<'a>> {
    cx.session.element(at)
}

pub(super) fn command<'a>(cx: SessionCx<'a>, at: At) -> Option<Command<'a>> {
    cx.session.command_at(at)
}

pub(super) fn item<'a>(cx: SessionCx<'a>, at: At) -> Option<Item<'a>> {
    element(cx, at).map(Item)
}

pub(super) fn message<'a>(cx: SessionCx<'a>, at: At) -> Option<MessageCx<'a>> {
    cx.message(at.message)
}

/// The message as a value, if rules may judge it.
pub(super) fn readable(message: MessageCx<'_>) -> Option<Value<'static>> {
    message.message.is_readable().then(|| thing(Kind::Message, of_message(message.index)))
}

pub(super) fn of_message(message: usize) -> At {
    At { message, node: NodeId(0) }
}

/// The first element at a path below another.
pub(super) fn below<'a>(element: Element<'a>, path: &[Tag]) -> Option<Element<'a>> {
    path.iter().try_fold(element, |at, tag| at.child(*tag).filter(|child| !child.flags().unclosed))
}

pub(super) fn number(cx: SessionCx<'_>, at: At, path: &[Tag]) -> Option<Value<'static>> {
    below(element(cx, at)?, path)?.value()?.parse().ok().map(Value::Int)
}

pub(super) fn has_child(cx: SessionCx<'_>, at: At, tag: Tag) -> Option<Value<'static>> {
    Some(Value::Bool(element(cx, at)?.child(tag).is_some()))
}

pub(super) fn walk<'a>(values: impl Iterator<Item = Value<'a>>, visit: Visit<'_, 'a>) {
    let _stopped = { values }.try_for_each(visit);
}

pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>, visit: Visit<'_, 'a>) {
    walk(texts.map(Value::from), visit);
}

pub(super) fn session_length(cx: SessionCx<'_>, _: At) -> Option<Value<'_>> {
    let length = cx.session.ended()?.since(cx.session.started()?);
    i64::try_from(length.as_millis()).ok().map(Value::Int)
}

/// Whether a session was captured from its first message to its last, and every message can be read.
pub(super) fn is_whole(cx: SessionCx<'_>) -> bool {
    let session = cx.session;
    session.start == Edge::Seen
        && session.end == Edge::Seen
        && session.messages.iter().all(|message| message.judged().is_ok() && message.is_well_formed())
}

pub(super) fn messages<'a>(cx: SessionCx<'a>, _: At, visit: Visit<'_, 'a>) {
    walk(cx.readable().map(|message| thing(Kind::Message, of_message(message.index))), visit);
}

pub(super) fn is_of(command: Command<'_>, kind: Kind) -> bool {
    match kind {
        Kind::Status => command.tag() == Tag::Status,
        Kind::Alert => command.tag() == Tag::Alert,
        _ => command.tag().is_command(),
    }
}

pub(super) fn of_kind<'a>(message: MessageCx<'a>, kind: Kind) -> impl Iterator<Item = Value<'a>> {
    let at = of_message(message.index);
    message.commands().filter(move |command| is_of(*command, kind)).map(move |command| node(at, kind, command.0))
}

pub(super) fn commands<'a>(cx: SessionCx<'a>, at: At, kind: Kind, visit: Visit<'_, 'a>) {
    walk(message(cx, at).into_iter().flat_map(|message| of_kind(message, kind)), visit);
}

pub(super) fn commands_of_all<'a>(cx: SessionCx<'a>, kind: Kind, visit: Visit<'_, 'a>) {
    walk(cx.readable().flat_map(|message| of_kind(message, kind)), visit);
}

pub(super) fn results<'a>(cx: SessionCx<'a>, at: At, visit: Visit<'_, 'a>) {
    let results = message(cx, at).into_iter().flat_map(MessageCx::commands).filter(|one| one.tag() == Tag::Results);
    walk(results.map(|results| node(at, Kind::Command, results.0)), visit);
}

pub(super) fn since_the_one_before(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    let before = cx.message(at.message.checked_sub(1)?)?.message;
    let gone = message(cx, at)?.message.first?.since(before.last.or(before.first)?);
    i64::try_from(gone.as_millis()).ok().map(Value::Int)
}

pub(super) fn form(message: MessageCx<'_>) -> &'static str {
    match message.message.doc.form() {
        Form::Xml => "xml",
        Form::Wbxml => "wbxml",
    }
}

/// The header of the message that a thing lies in.
pub(super) fn header_of(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    message(cx, at)?.message.header().map(|header| node(at, Kind::Header, header.0))
}

/// How the message travelled that a thing lies in.
pub(super) fn http_of(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    message(cx, at)?.message.http.as_ref().map(|_| thing(Kind::Http, at))
}

/// The head of a message.
pub(super) fn head<'a>(cx: SessionCx<'a>, at: At) -> Option<&'a Head> {
    message(cx, at)?.message.http.as_ref().map(|http| &*http.head)
}

pub(super) fn request<'a>(cx: SessionCx<'a>, at: At) -> Option<&'a Head> {
    message(cx, at)?.message.http.as_ref()?.request_head()
}

pub(super) fn items<'a>(cx: SessionCx<'a>, at: At, visit: Visit<'_, 'a>) {
    let items = command(cx, at).into_iter().flat_map(Command::items);
    walk(items.map(|item| node(at, Kind::Item, item.0)), visit);
}

pub(super) fn item_index(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    let parent = element(cx, at)?.parent()?;
    parent.all(Tag::Item).position(|item| item.id() == at.node).map(|before| int(before + 1))
}

/// The command, Status or Results that an element stands in, or is.
pub(super) fn around(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    let mut above = std::iter::successors(Some(element(cx, at)?), |element| element.parent());
    above.find(|element| element.tag().has_cmd_id()).map(|command| node(at, Kind::Command, command))
}

pub(super) fn nested<'a>(cx: SessionCx<'a>, at: At, visit: Visit<'_, 'a>) {
    let nested = command(cx, at).into_iter().flat_map(Command::nested);
    walk(nested.map(|command| node(at, Kind::Command, command.0)), visit);
}

pub(super) fn children<'a>(cx: SessionCx<'a>, at: At, visit: Visit<'_, 'a>) {
    let children = element(cx, at).into_iter().flat_map(Element::children);
    walk(children.map(|child| node(at, Kind::Element, child)), visit);
}

pub(super) fn statuses<'a>(cx: SessionCx<'a>, at: At, visit: Visit<'_, 'a>) {
    let answers = cx.session.exchange(at).into_iter().flat_map(|exchange| &exchange.statuses);
    walk(answers.map(|at| thing(Kind::Status, *at)), visit);
}

pub(super) fn answering_results<'a>(cx: SessionCx<'a>, at: At, visit: Visit<'_, 'a>) {
    let answers = cx.session.exchange(at).into_iter().flat_map(|exchange| &exchange.results);
    walk(answers.map(|at| thing(Kind::Command, *at)), visit);
}

/// The code of its last Status; null where it has none for sure.
pub(super) fn last_status(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    let last = cx.session.exchange(at).and_then(|exchange| exchange.statuses.last());
    match last.and_then(|at| cx.session.command_at(*at)) {
        Some(status) => Some(status.code().map_or(Value::Null, |code| int(code.into()))),
        None => cx.is_unanswered(at).then_some(Value::Null),
    }
}

pub(super) fn answered(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    let has_status = cx.session.exchange(at).is_some_and(|exchange| !exchange.statuses.is_empty());
    (has_status || cx.is_unanswered(at)).then_some(Value::Bool(has_status))
}

pub(super) fn referred(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    match cx.session.referred(at.message, command(cx, at)?) {
        Lookup::Found(at) => Some(thing(Kind::Command, at)),
        Lookup::Absent => Some(Value::Null),
        Lookup::NotCaptured => None,
    }
}

/// The message that a message answers.
pub(super) fn before(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    match message(cx, at)?.answers() {
        Some(before) => readable(before),
        None => (cx.session.start == Edge::Seen).then_some(Value::Null),
    }
}

/// The message that answers a message.
pub(super) fn after(cx: SessionCx<'_>, at: At) -> Option<Value<'_>> {
    match message(cx, at)?.answer() {
        Some(after) => readable(after),
        None => (cx.session.end == Edge::Seen).then_some(Value::Null),
    }
}

/// The value of a header; null where it was not sent for sure.
pub(super) fn header<'a>(head: &'a Head, name: &str) -> Option<Value<'a>> {
    match head.header(name) {
        Some(value) => Some(value.into()),
        None => (head.unknown == 0).then_some(Value::Null),
    }
}

//! DM-MSG-001 to DM-MSG-011: MsgID, SessionID, CmdID.

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use super::{HEADER, number, shown};
use crate::rules::finding::Place;
use crate::rules::history::Past;
use crate::rules::{CaptureCx, Draft, ElementCx, MessageCx, SessionCx, Severity, Sink};
use crate::session::{Edge, Session};
use crate::syncml::{Element, Kind, Message, Side, Tag};

const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// The first MsgID of a side is not 1.
pub(in crate::rules) fn msgid_first_is_1(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for side in SIDES {
        let first = cx.readable().find(|message| message.side() == Some(side));
        let Some(first) = first.filter(|first| is_known_to(cx.session, first.index)) else { continue };
        if let (Some(element), Some(id)) = (msg_id_element(first), first.message.msg_id())
            && number(id).is_some_and(|number| number != 1)
        {
            out.at(first.index, element, format!("the first MsgID of the {} is {}; expected 1", side.name(), shown(id)));
        }
    }
}

/// A MsgID that is not above the one before.
pub(in crate::rules) fn msgid_not_increasing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for (before, after) in SIDES.iter().flat_map(|side| successive(cx, *side)) {
        let Some((from, to)) = numbers(before, after) else { continue };
        if to <= from && !is_retry(before, after) {
            let text = format!("MsgID is {to} after {from}; expected {}", from.saturating_add(1));
            report_id(out, after, text).related(message_place(before), "the message of the same side before it");
        }
    }
}

/// A MsgID that is more than one above the one before.
pub(in crate::rules) fn msgid_gap(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for (before, after) in SIDES.iter().flat_map(|side| successive(cx, *side)) {
        let Some((from, to)) = numbers(before, after) else { continue };
        if to.saturating_sub(from) > 1 && !peer_jumps_too(before, after, to - from) {
            let text = format!("MsgID is {to} after {from}; expected {}", from.saturating_add(1));
            report_id(out, after, text).related(message_place(before), "the message of the same side before it");
        }
    }
}

/// One MsgID on two different messages.
pub(in crate::rules) fn msgid_reused_with_other_content(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut seen: HashMap<(Side, &str), MessageCx<'_>> = HashMap::new();
    for message in cx.messages() {
        if is_hole(message.message) {
            seen.clear();
        }
        let (Some(side), Some(id)) = (message.side(), message.message.msg_id()) else { continue };
        if !message.message.is_readable() {
            continue;
        }
        if let Some(before) = seen.insert((side, id), message)
            && before.message.body.bytes != message.message.body.bytes
            && !is_retry(before, message)
        {
            let text = format!("MsgID {} was used before by another message of the {}; expected a new one", shown(id), side.name());
            report_id(out, message, text).related(message_place(before), "the message that has it already");
        }
    }
}

/// A MsgID that is not a number from 1.
pub(in crate::rules) fn msgid_not_numeric(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.element.parent().is_none_or(|parent| parent.tag() != Tag::SyncHdr) {
        return;
    }
    let Some(id) = cx.element.value() else {
        out.report(cx.at(), "MsgID is empty; expected a decimal number from 1");
        return;
    };
    match number(id) {
        Some(0) => drop(out.report(cx.at(), format!("MsgID is {}; expected a decimal number from 1", shown(id)))),
        Some(value) if id.starts_with('0') => {
            let text = format!("MsgID is {}; expected {value}, without leading zeros", shown(id));
            out.report(cx.at(), text).at_most(Severity::Warning);
        }
        Some(_) => {}
        None => drop(out.report(cx.at(), format!("MsgID is {}; expected a decimal number from 1", shown(id)))),
    }
}

/// Another SessionID within a session.
pub(in crate::rules) fn sessionid_changed(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let mut told: HashSet<(Option<Side>, &str)> = HashSet::new();
    let mut known: Option<(MessageCx<'_>, Element<'_>, &str)> = None;
    for message in cx.readable() {
        let Some(element) = header_child(message, Tag::SessionID) else { continue };
        let Some(id) = element.value() else { continue };
        let Some((first, first_element, expected)) = known else {
            known = Some((message, element, id));
            continue;
        };
        if id != expected && told.insert((message.side(), id)) {
            let text = format!("SessionID is {}; expected {}, as the session began", shown(id), shown(expected));
            out.at(message.index, element, text).related(first.at(first_element), "the SessionID of the session");
        }
    }
}

/// A SessionID that an earlier session of the device with the server had.
pub(in crate::rules) fn sessionid_reused(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let Some(id) = session.session_id.as_deref() else { return };
    let same = |past: &&Past| past.session_id.as_deref() == Some(id) && past.server.as_deref() == session.server.as_deref();
    let (Some(past), Some(first)) = (cx.earlier().find(same), cx.session.readable().next()) else { return };
    if session.start == Edge::Seen {
        let text = format!("SessionID {} was that of session s{} of this device before", shown(id), past.number);
        let place = header_child(first, Tag::SessionID).map_or(Place::Message(first.index), |id| first.at(id).into());
        out.report(place, text);
    }
}

/// A command without CmdID.
pub(in crate::rules) fn cmdid_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if !is_in_body(cx.element) || is_bare_command(cx.message) || cx.command().cmd_id().is_some() {
        return;
    }
    let name = cx.element.name();
    match cx.element.child(Tag::CmdID) {
        Some(empty) => drop(out.at(cx.message.index, empty, format!("the CmdID of this {name} is empty"))),
        None => drop(out.report(cx.at(), format!("this {name} has no CmdID"))),
    }
}

/// One CmdID on two commands of a message.
pub(in crate::rules) fn cmdid_duplicate(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let mut seen: HashMap<&str, Element<'_>> = HashMap::new();
    for command in cx.commands() {
        let Some(element) = command.0.child(Tag::CmdID) else { continue };
        let Some(id) = element.value() else { continue };
        if let Some(first) = seen.get(id) {
            let text = format!("CmdID {} is also that of a {} before it; expected one of its own", shown(id), first.name());
            out.at(cx.index, element, text).related(cx.at(*first), "the first command that has it");
        } else {
            seen.insert(id, command.0);
        }
    }
}

/// The CmdID 0.
pub(in crate::rules) fn cmdid_zero(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if is_in_body(cx.element)
        && let Some(element) = cx.element.child(Tag::CmdID)
        && element.value() == Some(HEADER)
    {
        out.at(cx.message.index, element, "CmdID is 0, which stands for the SyncHdr; expected a number from 1");
    }
}

/// A CmdID that is no decimal number. Told once per message.
pub(in crate::rules) fn cmdid_not_numeric(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let ids = cx.commands().filter_map(|command| command.0.child(Tag::CmdID));
    let mut odd = ids.filter_map(|id| Some((id, id.value()?))).filter(|(_, id)| id.bytes().any(|b| !b.is_ascii_digit()));
    let Some((element, id)) = odd.next() else { return };
    let more = match odd.count() {
        0 => String::new(),
        more => format!(", and {more} more of this message are no numbers either"),
    };
    out.at(cx.index, element, format!("CmdID is {}, not a decimal number{more}", shown(id)));
}

/// Whether nothing before a message of a session is unknown.
fn is_known_to(session: &Session, index: usize) -> bool {
    session.start == Edge::Seen && !session.messages.iter().take(index).any(is_hole)
}

/// Whether a message was sent that we cannot read: what stands on its two sides does not follow from each other.
fn is_hole(message: &Message) -> bool {
    message.judged().is_err() || !message.is_well_formed()
}

/// Readable messages of a side that follow each other, without a hole in the capture between them.
fn successive<'a>(cx: &SessionCx<'a>, side: Side) -> impl Iterator<Item = (MessageCx<'a>, MessageCx<'a>)> + use<'a> {
    let mut last: Option<MessageCx<'a>> = None;
    cx.messages().filter_map(move |message| {
        if is_hole(message.message) {
            last = None;
        }
        let of_side = message.side() == Some(side) && message.message.is_readable();
        let before = if of_side { last.replace(message) } else { None };
        Some((before?, message))
    })
}

fn numbers(before: MessageCx<'_>, after: MessageCx<'_>) -> Option<(u64, u64)> {
    Some((number(before.message.msg_id()?)?, number(after.message.msg_id()?)?))
}

/// Whether the second message says the first once more: the same bytes, or the answer to a request that came twice.
fn is_retry<'a>(before: MessageCx<'a>, after: MessageCx<'a>) -> bool {
    match after.side() {
        Some(Side::Server) => {
            let (first, second) = (partner(before), partner(after));
            let id = |cx: Option<MessageCx<'a>>| cx.and_then(|cx| cx.message.msg_id());
            id(first).is_some() && id(first) == id(second)
        }
        _ => before.message.body.bytes == after.message.body.bytes,
    }
}

/// Whether the other side counts on by as much at the same place: then an exchange between them was not captured.
fn peer_jumps_too(before: MessageCx<'_>, after: MessageCx<'_>, jump: u64) -> bool {
    let id = |cx: MessageCx<'_>| number(partner(cx)?.message.msg_id()?);
    match (id(before), id(after)) {
        (Some(from), Some(to)) => to.checked_sub(from) == Some(jump),
        _ => true,
    }
}

/// The other half of the exchange of a message: the request of a response, the response to a request.
fn partner(cx: MessageCx<'_>) -> Option<MessageCx<'_>> {
    if cx.side()? == Side::Server { cx.answers() } else { cx.answer() }
}

fn header_child<'a>(cx: MessageCx<'a>, tag: Tag) -> Option<Element<'a>> {
    cx.message.header()?.0.child(tag)
}

fn msg_id_element(cx: MessageCx<'_>) -> Option<Element<'_>> {
    header_child(cx, Tag::MsgID)
}

fn message_place(cx: MessageCx<'_>) -> Place {
    msg_id_element(cx).map_or(Place::Message(cx.index), |element| cx.at(element).into())
}

fn report_id<'s>(out: &'s mut Sink<'_>, cx: MessageCx<'_>, text: String) -> &'s mut Draft {
    out.report(message_place(cx), text)
}

/// Whether an element stands where commands stand: in `SyncBody`, in a container, or as the root of a fragment.
fn is_in_body(element: Element<'_>) -> bool {
    element.parent().is_none_or(|parent| parent.tag() == Tag::SyncBody || parent.tag().is_container())
}

/// Whether the document is a command alone, as in policy templates: the server that sends it gives it its CmdID.
fn is_bare_command(cx: MessageCx<'_>) -> bool {
    cx.message.kind == Kind::Fragment && cx.root().is_some_and(|root| root.tag().has_cmd_id())
}

//! DM-ALR-007 to DM-ALR-012 and DM-ALR-023: the generic alert, 1226 (DMP 8.7).

use super::{items_of_client, judge_answers};
use crate::rules::{ElementCx, MessageCx, Profile, SessionCx, Sink, quoted};
use crate::session::Session;
use crate::syncml::{Command, Header, Item, Message, Side, Tag};

const GENERIC: u16 = 1226;

/// How bad what an alert reports is (DMP 8.7.1.8).
const MARKS: [&str; 7] = ["fatal", "critical", "minor", "warning", "informational", "harmless", "indeterminate"];

/// A generic alert that holds nothing.
pub(in crate::rules) fn generic_alert_item_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let alert = cx.command();
    if alert.code() == Some(GENERIC) && cx.message.side() != Some(Side::Server) && alert.items().next().is_none() {
        out.report(cx.at(), "Alert 1226 has no Item; expected one for each thing it reports");
    }
}

/// An alert of which one does not learn what kind it is. Windows leaves out the format.
pub(in crate::rules) fn generic_alert_meta_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in items_of_client(cx, GENERIC) {
        if let Some(missing) = missing_meta(item, cx.message.profile) {
            out.report(cx.message.at(item.0), format!("this Item of Alert 1226 has no {missing} in its Meta"));
        }
    }
}

/// What an alert's item lacks to say what its data is.
pub(super) fn missing_meta(item: Item<'_>, profile: Profile) -> Option<&'static str> {
    let lacks = |tag| item.effective(tag).is_none();
    match (lacks(Tag::Type), lacks(Tag::Format) && profile == Profile::Oma) {
        (true, true) => Some("Type and no Format"),
        (true, false) => Some("Type"),
        (false, true) => Some("Format"),
        (false, false) => None,
    }
}

/// A type without the prefix that says what names it.
pub(in crate::rules) fn generic_alert_type_syntax(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in items_of_client(cx, GENERIC) {
        let element = item.meta().and_then(|meta| meta.0.child(Tag::Type));
        let Some((element, name)) = element.and_then(|element| Some((element, element.value()?))) else { continue };
        let has = |prefix: &str| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
        if !has("Content-Type:") && !has("Reversed-Domain-Name:") {
            let name = quoted(name);
            let text = format!("type of the alert is {name}; expected Content-Type: or Reversed-Domain-Name: before it");
            out.report(cx.message.at(element), text);
        }
    }
}

/// A level of importance outside the list.
pub(in crate::rules) fn alert_mark_value(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let Some(mark) = item.meta().and_then(|meta| meta.0.child(Tag::Mark)) else { continue };
        let seen = mark.value().unwrap_or_default();
        if !MARKS.iter().any(|known| known.eq_ignore_ascii_case(seen)) {
            let text = format!("Mark is {}; expected one of {}", quoted(seen), MARKS.join(", "));
            out.report(cx.message.at(mark), text);
        }
    }
}

/// An alert without its value.
pub(in crate::rules) fn generic_alert_data_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in items_of_client(cx, GENERIC).filter(|item| item.data().is_none()) {
        out.report(cx.message.at(item.0), "this Item of Alert 1226 has no Data; expected the value that it reports");
    }
}

/// A Status for a generic alert with a code that says nothing to the client.
pub(in crate::rules) fn generic_alert_answer_code(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let allowed = [200, 202, 401, 407, 412, 415, 500];
    judge_answers(cx, GENERIC, &allowed, "200, 202, 401, 407, 412, 415 or 500", out);
}

/// A generic alert that makes its message larger than the server takes, from a client that cannot divide it.
pub(in crate::rules) fn large_generic_alert(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some(alert) = cx.message.doc.alerts(GENERIC).next().filter(|_| cx.side() == Some(Side::Client)) else { return };
    let before = cx.session.messages.get(..cx.index).unwrap_or_default().iter().rev();
    let Some(most) = before.filter(|message| message.side == Some(Side::Server)).find_map(most_bytes) else { return };
    let size = cx.message.body.size();
    if size > most && cannot_divide(cx.session) {
        let text = format!("the message with this Alert has {size} bytes; the server takes at most {most}");
        out.report(cx.at(alert.0), text);
    }
}

/// The `MaxMsgSize` that a message announces.
fn most_bytes(message: &Message) -> Option<u64> {
    message.header().and_then(Header::meta)?.get(Tag::MaxMsgSize)?.parse().ok()
}

/// Whether the client said that it does not support large objects.
fn cannot_divide(session: &Session) -> bool {
    let results = session.of(Side::Client).flat_map(|(_, message)| message.doc.commands());
    let mut items = results.filter(|command| command.tag() == Tag::Results).flat_map(Command::items);
    items.any(|item| {
        item.source().is_some_and(|uri| uri.ends_with("DevDetail/LrgObj"))
            && item.data().and_then(|data| data.value()).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    })
}

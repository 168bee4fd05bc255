//! DM-WIN-001, 002, 008, 009 and 019: the headers that Windows' requests have. Heads that a log left out are not judged.

use super::known::latest;
use crate::http::{Half, Head};
use crate::rules::finding::Place;
use crate::rules::{CaptureCx, MessageCx, SessionCx, Sink, options, quoted};
use crate::session::Session;
use crate::syncml::{Command, Message, Side, Tag};

/// How Windows calls itself.
const USER_AGENT: &str = "MSFT OMA DM Client/";

/// The head of a request, when it was recorded.
fn request(message: &Message) -> Option<&Head> {
    let head = super::super::http::head(message)?;
    let half = message.http.as_ref().map(|http| http.half);
    (half == Some(Half::Request) && message.is_readable()).then_some(head)
}

fn requests(session: &Session) -> impl Iterator<Item = (usize, &Message, &Head)> {
    let all = session.of(Side::Client).filter(|(_, message)| !message.retransmission);
    all.filter_map(|(index, message)| Some((index, message, request(message)?)))
}

/// The value of `UserAgentOrigin`: what began the session.
pub(in crate::rules) fn origin(message: &Message) -> Option<&str> {
    request(message)?.header("useragentorigin")
}

/// A request of Windows without the words that Windows adds to the address. Told once.
pub(in crate::rules) fn management_query_missing(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let is_windows = |head: &Head| head.header("user-agent").is_some_and(|agent| agent.starts_with(USER_AGENT));
    let lacks = |head: &Head| !has_word(head, "mode=") && !has_word(head, "platform=");
    let found = requests(cx.session).find(|(_, _, head)| head.method == "POST" && is_windows(head) && lacks(head));
    if let Some((index, ..)) = found {
        let text = "the request's address has neither `mode=` nor `Platform=`; expected `?mode=Maintenance&Platform=WoA`";
        out.report(Place::Message(index), text);
    }
}

/// Whether the query of a request has a word that begins so, letters of either case.
pub(super) fn has_word(head: &Head, start: &str) -> bool {
    let query = head.target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|word| super::after(word, start).is_some())
}

/// A client that does not call itself what Windows does. Told once.
pub(in crate::rules) fn unexpected_user_agent(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let known = |agent: &str| {
        agent.starts_with(USER_AGENT) || out.any_word(options::unexpected_user_agent::ALSO, |word| agent.starts_with(word))
    };
    let other = requests(cx.session).find_map(|(index, _, head)| {
        let agent = head.header("user-agent").filter(|agent| !agent.is_empty() && !known(agent));
        Some((index, agent?))
    });
    if let Some((index, agent)) = other {
        let text = format!("User-Agent is {}; Windows says `{USER_AGENT}` and a version", quoted(agent));
        out.report(Place::Message(index), text);
    }
}

/// `MDM-GenericAlert` that is not in all requests, or that names other alerts than package 1 has.
pub(in crate::rules) fn genericalert_header_mismatch(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    const NAME: &str = "MDM-GenericAlert";
    let Some((first, value)) = requests(cx.session).find_map(|(index, _, head)| Some((index, head.header(NAME)?))) else { return };
    if let Some((index, ..)) = requests(cx.session).find(|(_, _, head)| head.header(NAME).is_none()) {
        out.report(Place::Message(index), format!("the request has no {NAME}, which another of the session has"))
            .related(Place::Message(first), "one with it");
    }
    let package_1 = cx.messages().find(|message| message.is_package_1() && message.message.is_readable() && message.has_final());
    let Some(package_1) = package_1 else { return };
    let named: Vec<&str> = value.split(['<', '>', ' ']).filter(|name| !name.is_empty()).collect();
    let urgent = urgent_alerts(package_1);
    let has = |name: &&str| urgent.iter().any(|(_, own)| *own == *name);
    if let Some((alert, name)) = urgent.iter().find(|(_, own)| !named.contains(own)) {
        let text = format!("{NAME} does not name the alert {} of package 1", quoted(name));
        out.report(Place::Message(first), text).related(package_1.at(alert.0), "the alert");
    } else if let Some(name) = named.iter().find(|name| !has(name)) {
        let text = format!("{NAME} names {}, which is no critical or fatal alert of package 1", quoted(name));
        out.report(Place::Message(first), text);
    }
}

/// The generic alerts that begin a session by themselves, with their types.
fn urgent_alerts<'a>(cx: MessageCx<'a>) -> Vec<(Command<'a>, &'a str)> {
    let items = cx.message.doc.alerts(1226).flat_map(|alert| alert.items().map(move |item| (alert, item)));
    let urgent = items.filter(|(_, item)| {
        item.effective(Tag::Mark).is_some_and(|mark| mark.eq_ignore_ascii_case("critical") || mark.eq_ignore_ascii_case("fatal"))
    });
    urgent.map(|(alert, item)| (alert, item.media_type())).collect()
}

/// A request without signature of a device that was told to sign. Told once.
pub(in crate::rules) fn signature_header_missing(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let signed = |head: &Head| ["ms-signature", "mdm-signature"].iter().any(|name| head.header(name).is_some());
    let unsigned = requests(cx.session.session).find(|(_, _, head)| !signed(head));
    if latest(cx, |known| known.signing) == Some(true)
        && let Some((index, ..)) = unsigned
    {
        let text = "the request has neither MS-Signature nor MDM-Signature, and RequireMessageSigning was set in an earlier session";
        out.report(Place::Message(index), text);
    }
}

/// A cause of a session that is not on the list. Told once.
pub(in crate::rules) fn useragentorigin_range(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let known = |value: &str| matches!(value.as_bytes(), [b'1'..=b'7']);
    let found = requests(cx.session).find_map(|(index, message, _)| Some((index, origin(message).filter(|value| !known(value))?)));
    if let Some((index, value)) = found {
        out.report(Place::Message(index), format!("UserAgentOrigin is {}; expected 1 to 7", quoted(value)));
    }
}

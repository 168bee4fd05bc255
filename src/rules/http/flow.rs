//! DM-HTTP-014 to DM-HTTP-017: when the client sends, and to where.

use super::status;
use crate::http::{Half, Head};
use crate::rules::finding::Place;
use crate::rules::{CaptureCx, MessageCx, SessionCx, Sink, options, quoted};
use crate::session::Session;
use crate::syncml::{Header, Kind, Message, Side, uri};
use crate::time::Time;

/// Nanoseconds of a millisecond.
const MILLISECOND: i64 = 1_000_000;
/// How far behind a request its response is looked for, in messages.
const NEAR: usize = 16;

/// A message that the client sent once more.
pub(in crate::rules) fn duplicate_transport_retry(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.message.retransmission && cx.side() == Some(Side::Client) {
        let id = cx.message.msg_id().unwrap_or("without MsgID");
        let finding = out.report(Place::Message(cx.index), format!("message {id} is sent once more, byte for byte"));
        if let Some((first, _)) = cx.session.previous_of_side(cx.index) {
            finding.related(Place::Message(first), "the first time");
        }
    }
}

/// How long a server told a client to stay away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) struct Wait {
    said: Time,
    seconds: i64,
}

/// What the last response of a session says of that.
pub(in crate::rules) fn wait(session: &Session) -> Option<Wait> {
    session.of(Side::Server).last().and_then(|(_, message)| wait_of(message))
}

fn wait_of(message: &Message) -> Option<Wait> {
    let (429 | 503, head) = status(message)? else { return None };
    let seconds = head.header("retry-after")?.parse().ok()?;
    Some(Wait { said: message.last.or(message.first)?, seconds })
}

/// A client that comes back before its time.
pub(in crate::rules) fn retry_after_ignored(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let slack = i64::from(out.number(options::retry_after_ignored::TOLERANCE_MILLISECONDS)) * MILLISECOND;
    let past = cx.earlier().find(|past| past.server.as_deref() == session.server.as_deref());
    let mut pending = past.and_then(|past| past.wait).map(|wait| (wait, None));
    for message in cx.session.messages() {
        if let Some(wait) = wait_of(message.message) {
            pending = Some((wait, Some(message.index)));
        }
        let (Some((wait, place)), Some(sent), Some(Side::Client)) = (pending, message.message.first, message.side()) else {
            continue;
        };
        pending = None;
        let waited = sent.0.saturating_sub(wait.said.0);
        if message.message.kind != Kind::Missing
            && waited >= 0
            && waited.saturating_add(slack) < wait.seconds.saturating_mul(1_000_000_000)
        {
            let seconds = waited / 1_000_000_000;
            let text = format!("the client comes back after {seconds} s; Retry-After said {} s", wait.seconds);
            let finding = out.report(Place::Message(message.index), text);
            if let Some(place) = place {
                finding.related(Place::Message(place), "the response that said so");
            }
        }
    }
}

/// A client that does not go where the server sent it.
pub(in crate::rules) fn respuri_not_followed(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    for message in cx.readable().filter(|message| message.side() == Some(Side::Server)) {
        let header = message.message.header().and_then(Header::resp_uri).zip(message.message.header());
        let Some((expected, header)) = header.filter(|(uri, _)| uri::is_http(uri)) else { continue };
        let Some(next) = message.answer().filter(|next| next.message.is_readable()) else { continue };
        let asked = message.message.http.as_ref().and_then(|http| http.request_head());
        let (Some(asked), Some(next_head)) = (asked, next.message.http.as_ref().map(|http| &*http.head)) else { continue };
        let Some(seen) = rest_of(&next_head.target).filter(|_| is_plain(*cx, message, asked)) else { continue };
        if rest_of(expected).is_some_and(|expected| expected != seen) {
            let place = header.0.child(crate::syncml::Tag::RespURI).unwrap_or(header.0);
            let text = format!("the message goes to {}; expected {}", quoted(&next_head.target), quoted(expected));
            out.report(Place::Message(next.index), text).related(message.at(place), "the address to answer to");
        }
    }
}

/// A request that does not wait for the answer to the one before.
pub(in crate::rules) fn overlapping_requests_in_session(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let sent = |cx: &MessageCx<'_>| {
        let is_request = cx.message.http.as_ref().is_some_and(|http| http.half == Half::Request);
        is_request && cx.side() == Some(Side::Client) && cx.message.kind != Kind::Missing && !cx.is_repeated()
    };
    let slack = i64::from(out.number(options::overlapping_requests_in_session::TOLERANCE_MILLISECONDS)) * MILLISECOND;
    let mut before: Option<MessageCx<'_>> = None;
    for request in cx.messages().filter(sent) {
        let Some(earlier) = before.replace(request).filter(|earlier| earlier.message.input == request.message.input) else { continue };
        let overlap = answered(*cx, earlier).zip(request.message.first).map(|(answered, sent)| answered.0.saturating_sub(sent.0));
        if let Some(overlap) = overlap.filter(|overlap| *overlap > slack) {
            let text = format!(
                "the request is sent {} ms before the answer to the one before it was complete; expected one after the other",
                overlap / MILLISECOND
            );
            out.report(Place::Message(request.index), text).related(Place::Message(earlier.index), "the request before it");
        }
    }
}

/// When the last byte of the response to a request came. It is looked for near the request.
fn answered(cx: SessionCx<'_>, request: MessageCx<'_>) -> Option<Time> {
    let of = request.message.http.as_ref()?;
    let answers = |message: &MessageCx<'_>| {
        let http = message.message.http.as_ref().filter(|http| http.half == Half::Response && message.message.input == request.message.input);
        http.is_some_and(|http| http.connection.number == of.connection.number && http.exchange == of.exchange)
    };
    let near = cx.session.messages.len().min(request.index + 1 + NEAR);
    let mut behind = (request.index + 1..near).filter_map(|index| cx.message(index));
    behind.find(answers).filter(|answer| answer.message.kind != Kind::Missing)?.message.last
}

/// Whether the address in the client's header is that of its request, so that nothing between rewrites addresses.
fn is_plain(cx: SessionCx<'_>, answer: MessageCx<'_>, asked: &Head) -> bool {
    let request = cx.message(answer.index.saturating_sub(1)).filter(|request| request.side() == Some(Side::Client));
    let named = request.and_then(|request| request.message.header()?.target());
    named.is_some_and(|named| rest_of(named).is_some() && rest_of(named) == rest_of(&asked.target))
}

/// Path and query of a request's target, without what Windows adds to the query; sorted, for it may add in any place.
fn rest_of(target: &str) -> Option<(&str, Vec<&str>)> {
    let rest = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let added = |word: &&str| {
        let name = word.split('=').next().unwrap_or_default();
        !word.is_empty() && !name.eq_ignore_ascii_case("mode") && !name.eq_ignore_ascii_case("platform")
    };
    let mut words: Vec<&str> = query.split('&').filter(added).collect();
    words.sort_unstable();
    path.starts_with('/').then_some((path, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_compared_without_what_windows_adds() {
        let same = |a, b| rest_of(a) == rest_of(b);
        assert!(same("https://mdm.example/x?id=7", "/x?mode=Maintenance&id=7&Platform=WoA"));
        assert!(same("https://mdm.example", "/") && !same("/x?id=7", "/x") && !same("/x", "/y"));
        assert_eq!(rest_of("mdm.example:443"), None);
    }
}

//! DM-ENR-014 to DM-ENR-019 and DM-ENR-032: how messages of enrollment travel, and their envelopes.

use crate::enroll::soap::{SOAP_11, SOAP_12};
use crate::enroll::{Envelope, Step, discovery, policy, token};
use crate::http::Head;
use crate::origin::{Span, Unit};
use crate::rules::finding::Place;
use crate::rules::{ExchangeCx, MessageCx, Severity, Sink, quoted};
use crate::syncml::{Element, Kind};

/// The steps that are SOAP.
pub(super) fn is_soap(step: Step) -> bool {
    !matches!(step, Step::Tunnel | Step::Probe | Step::SignIn)
}

/// A response that does not say its length.
pub(in crate::rules) fn chunked_enrollment_response(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Some(head), Some(response)) = (cx.response_head().filter(|_| is_soap(cx.step())), cx.response()) else { return };
    if !head.version.eq_ignore_ascii_case("HTTP/1.1") {
        return;
    }
    let coding = head.header("transfer-encoding").filter(|coding| coding.to_ascii_lowercase().contains("chunked"));
    // Recorders of HTTP leave heads out; packets do not.
    let from_packets = response.message.body.origin.locate(Span::default()).is_some_and(|at| matches!(at.first, Unit::Frame(_)));
    let unsized_body = head.header("content-length").is_none() && from_packets && !response.message.body.bytes.is_empty();
    let text = match coding {
        Some(_) => "the response is sent in chunks; expected Content-Length",
        None if unsized_body => "the response has no Content-Length, it ends with the connection; expected Content-Length",
        None => return,
    };
    out.report(Place::Message(response.index), text);
}

fn envelopes<'a>(cx: &ExchangeCx<'a>) -> impl Iterator<Item = (MessageCx<'a>, Envelope<'a>)> {
    let both = [(cx.request(), cx.asks()), (cx.response(), cx.answers())];
    both.into_iter().filter_map(|(message, envelope)| message.zip(envelope))
}

fn own_head<'a>(cx: MessageCx<'a>) -> Option<&'a Head> {
    cx.message.http.as_ref().map(|http| &*http.head).filter(|head| head.unknown == 0)
}

/// SOAP 1.2 with another media type.
pub(in crate::rules) fn soap_content_type(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    for (message, envelope) in envelopes(cx) {
        let Some(head) = own_head(message).filter(|_| envelope.0.namespace() == SOAP_12) else { continue };
        let media_type = head.media_type();
        if media_type != "application/soap+xml" {
            let seen = if media_type.is_empty() { "missing".to_owned() } else { quoted(&media_type) };
            out.report(Place::Message(message.index), format!("Content-Type is {seen}; expected `application/soap+xml`"));
        }
    }
}

/// An envelope of another SOAP than 1.2, or written in other letters.
pub(in crate::rules) fn soap_envelope_namespace(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let asked = cx.asks().map(|envelope| envelope.0.namespace());
    for (message, envelope) in envelopes(cx) {
        let (root, namespace) = (envelope.0, envelope.0.namespace());
        let place = message.at(root);
        let is_answer = Some(message.index) == cx.asked.response;
        if root.name() != "Envelope" {
            out.report(place, format!("the root element is {}; expected `Envelope`", quoted(root.name())));
        } else if let Some(asked) = asked.filter(|asked| is_answer && *asked != namespace) {
            out.report(place, format!("the answer is in namespace {}, the request in {}", quoted(namespace), quoted(asked)));
        } else if namespace == SOAP_11 {
            let text = format!("the envelope is one of SOAP 1.1; expected namespace `{SOAP_12}`");
            out.report(place, text).at_most(Severity::Info);
        } else if namespace != SOAP_12 {
            out.report(place, format!("the namespace of the envelope is {}; expected `{SOAP_12}`", quoted(namespace)));
        }
    }
}

/// A MessageID without the prefixes that samples write once or twice.
fn bare_id(id: &str) -> String {
    let mut id = id.trim().to_ascii_lowercase();
    while let Some(rest) = id.strip_prefix("urn:uuid:") {
        id = rest.to_owned();
    }
    id
}

/// A response that does not say which request it answers.
pub(in crate::rules) fn relatesto_mismatch(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Some(asks), Some(answers)) = (cx.asks(), cx.answers()) else { return };
    let Some(id) = asks.message_id().and_then(Element::value) else { return };
    match answers.relates_to().and_then(|relates| Some((relates, relates.value()?))) {
        Some((_, relates)) if bare_id(relates) == bare_id(id) => {}
        Some((element, relates)) => {
            let text = format!("RelatesTo is {}; the request's MessageID is {}", quoted(relates), quoted(id));
            out.report(cx.in_response(element), text);
        }
        None => {
            let place = answers.header().unwrap_or(answers.0);
            out.report(cx.in_response(place), format!("there is no RelatesTo; the request's MessageID is {}", quoted(id)));
        }
    }
}

/// A response with the action of something else.
pub(in crate::rules) fn response_action(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(answers) = cx.answers().filter(|envelope| envelope.fault().is_none()) else { return };
    let expected = match cx.step() {
        Step::Discover => discovery::RESPONSE_ACTION,
        Step::Policies => policy::RESPONSE_ACTION,
        Step::Token | Step::Renew => token::RESPONSE_ACTION,
        _ => return,
    };
    let action = answers.action();
    let seen = action.and_then(Element::value);
    if seen != Some(expected) {
        let place = action.or_else(|| answers.header()).unwrap_or(answers.0);
        let seen = seen.map_or("missing".to_owned(), |seen| format!("`{}`", crate::escape::shorten(seen, 120)));
        out.report(cx.in_response(place), format!("Action is {seen}; expected `{expected}`"));
    }
}

/// A request that does not say who asks.
pub(in crate::rules) fn security_header_missing(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(asks) = cx.asks().filter(|_| matches!(cx.step(), Step::Policies | Step::Token)) else { return };
    if asks.security().is_none() {
        let place = asks.header().unwrap_or(asks.0);
        out.report(cx.in_request(place), "the request has no Security header, so it does not say who asks");
    }
}

/// Success without a word.
pub(in crate::rules) fn empty_200(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let posts = cx.request_head().is_some_and(|head| head.method == "POST");
    let (Some(response), Some(status)) = (cx.response().filter(|_| posts && is_soap(cx.step())), cx.status()) else { return };
    let empty = response.message.kind == Kind::Empty && response.message.judged().is_ok();
    if empty && (200..300).contains(&status) {
        let step = cx.step().name();
        let text = format!("HTTP {status} with an empty body answers the {step} request; expected a SOAP message");
        out.report(Place::Message(response.index), text);
    }
}

//! Why an exchange of enrollment failed, from what travelled.

use super::code::{self, of_http};
use super::{Cause, Stop};
use crate::enroll::token::{Content, TokenResponse};
use crate::enroll::{Envelope, Fault, Step, soap};
use crate::escape;
use crate::http::Head;
use crate::session::{Asked, Edge, Enrollment};
use crate::syncml::{Element, Kind, Message, secret};

/// Characters of a body that is no SOAP that are shown.
const SHOWN: usize = 160;

/// A stop with the advice of its code.
pub(super) fn stop(stage: &'static str, what: impl Into<String>, code: Option<u32>, shown: Vec<Cause>) -> Stop {
    let explained = code.and_then(code::of_number);
    let mut causes = shown;
    let mut next = Vec::new();
    if let Some(explained) = &explained {
        causes.extend(explained.causes.iter().map(|cause| Cause::known(cause.as_str())));
        next.extend(explained.next.iter().cloned());
    }
    let code = explained.map(|explained| (code.unwrap_or_default(), explained.meaning));
    Stop { stage, what: what.into(), code, causes, next, place: None }
}

/// The same, with what of the capture speaks for its first cause.
fn proved(mut stop: Stop, evidence: Vec<String>) -> Stop {
    if let Some(first) = stop.causes.first_mut() {
        first.evidence = evidence;
    }
    stop
}

/// Why an exchange failed; `None` when it did not, or when that was not captured.
pub(super) fn of(enrollment: &Enrollment<'_>, asked: &Asked) -> Option<Stop> {
    let stage = stage_of(asked.step);
    let request = enrollment.message(asked.request);
    let Some(response) = enrollment.message(asked.response) else {
        return unanswered(enrollment, asked);
    };
    if response.judged().is_err()
        || response.in_token
        || (response.kind == Kind::Provisioning && response.http.is_none())
    {
        return None;
    }
    if let Some(fault) = Envelope::of(&response.doc).and_then(Envelope::fault) {
        let mut stop = of_fault(stage, fault, response);
        if let Some(cause) = request_version(enrollment, asked, fault) {
            stop.causes.insert(0, cause);
        }
        return Some(stop);
    }
    let head = response.http.as_ref().map(|http| &*http.head);
    let status = head.map_or(200, |head| head.status);
    match status {
        407 => Some(of_proxy(stage, head)),
        300..=399 => redirected(stage, status, head),
        400.. => Some(of_status(stage, status, request, response)),
        _ if matches!(asked.step, Step::Tunnel | Step::Probe | Step::SignIn) => None,
        _ => misunderstood(stage, asked, request, response),
    }
}

/// The stage that a step is part of.
fn stage_of(step: Step) -> &'static str {
    if step < Step::Discover { Step::Discover.name() } else { step.name() }
}

/// Versions up to this one are in every server of the last years; newer systems ask for more.
const COMMON_VERSION: f64 = 7.0;

/// A discovery that is refused although nothing is wrong with it but that the server is older than the device.
fn request_version(enrollment: &Enrollment<'_>, asked: &Asked, fault: Fault<'_>) -> Option<Cause> {
    let (_, discover) = enrollment.discover().filter(|_| asked.step == Step::Discover)?;
    let version = discover.request_version()?;
    let words = [fault.message(), fault.reason()].into_iter().flatten();
    let named = words.into_iter().any(|text| text.to_ascii_lowercase().contains("version"));
    let high = version.parse::<f64>().is_ok_and(|number| number > COMMON_VERSION);
    let text = "the server rejects a RequestVersion that it does not know; it should answer with its own version";
    (named || high).then(|| Cause::shown(text, format!("RequestVersion {}", escape::line(version))))
}

fn unanswered(enrollment: &Enrollment<'_>, asked: &Asked) -> Option<Stop> {
    let last = asked.request? + 1 == enrollment.session.messages.len();
    let seen = last && enrollment.session.end == Edge::Seen;
    let what = format!("the server closed the connection without an answer to the {} request", asked.step.name());
    seen.then(|| stop(stage_of(asked.step), what, Some(0x8018_0010), Vec::new()))
}

fn of_fault(stage: &'static str, fault: Fault<'_>, response: &Message) -> Stop {
    let named = fault.error_type().and_then(Element::value).or_else(|| fault.subcode().and_then(Element::value));
    let said = |text: Option<&str>| text.map(|text| escape::shorten(&escape::line(text), SHOWN).into_owned());
    let words = said(fault.message().or_else(|| fault.reason()));
    let what = match (&named, &words) {
        (Some(name), Some(words)) => {
            format!("the server refused with the SOAP fault {}: \u{201C}{words}\u{201D}", escape::line(name))
        }
        (Some(name), None) => format!("the server refused with the SOAP fault {}", escape::line(name)),
        (None, Some(words)) => format!("the server refused with a SOAP fault: \u{201C}{words}\u{201D}"),
        (None, None) => "the server refused with a SOAP fault that says nothing".to_owned(),
    };
    let known = fault.known();
    let evidence = named.map_or("no subcode".to_owned(), |name| format!("subcode {}", escape::line(name)));
    let unknown = "the server's fault has no subcode that Windows knows, so the device shows an unknown error";
    let shown = match known {
        // What has no advice of its own is told by its meaning.
        Some(known) if code::of_number(known.hresult).is_none_or(|explained| explained.causes.is_empty()) => {
            vec![Cause::known(known.meaning)]
        }
        Some(_) => Vec::new(),
        None => vec![Cause::known(unknown)],
    };
    let code = Some(known.map_or(0x8018_0008, |known| known.hresult));
    let mut stop = proved(stop(stage, what, code, shown), vec![evidence]);
    if let Some(root) = response.doc.root().filter(|root| root.name() != "Envelope") {
        let text = "the fault is no SOAP fault to a strict reader: its elements are not in the letters of the standard";
        stop.causes.insert(0, Cause::shown(text, format!("root {}", escape::line(root.name()))));
    }
    stop.next.retain(|next| !next.contains("TraceId"));
    match said(fault.trace_id()) {
        Some(trace) => stop.next.insert(0, format!("Search the server's log for TraceId {trace}.")),
        None if fault.message().is_none() => {
            stop.next.push("Let the server's fault say what it got and what it expects, with a TraceId.".into());
        }
        None => {}
    }
    stop
}

fn of_proxy(stage: &'static str, head: Option<&Head>) -> Stop {
    let scheme = head.and_then(|head| head.header("proxy-authenticate")).and_then(|value| value.split(' ').next());
    let by = head.and_then(|head| head.header("via").or_else(|| head.header("server")));
    let evidence: Vec<String> = [
        Some("HTTP 407".to_owned()),
        scheme.map(|scheme| format!("Proxy-Authenticate: {}", escape::line(scheme))),
        by.map(|by| format!("it calls itself {}", escape::line(by))),
    ]
    .into_iter()
    .flatten()
    .collect();
    proved(stop(stage, "a proxy refused with HTTP 407", Some(of_http(407)), Vec::new()), evidence)
}

fn redirected(stage: &'static str, status: u16, head: Option<&Head>) -> Option<Stop> {
    let to = head.and_then(|head| head.header("location"))?;
    let plain = to.trim().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let shown = escape::line(&secret::url(to)).into_owned();
    let cause = Cause::shown("the redirection leads to plain http", format!("HTTP {status}, Location: {shown}"));
    plain.then(|| stop(stage, format!("HTTP {status} redirects to plain http"), Some(0x8018_001A), vec![cause]))
}

fn of_status(stage: &'static str, status: u16, request: Option<&Message>, response: &Message) -> Stop {
    let reason = response.http.as_ref().map(|http| escape::line(&http.head.reason).into_owned()).unwrap_or_default();
    let what = format!("the server answered with HTTP {status} {reason}").trim_end().to_owned() + " and no SOAP fault";
    let mut shown = emptied(request);
    if let Some(body) = body(response) {
        shown.push(Cause::shown("what stands in the answer", body));
    }
    stop(stage, what, Some(of_http(status)), shown)
}

/// A request whose body did not come through.
fn emptied(request: Option<&Message>) -> Vec<Cause> {
    let empty = request.filter(|request| request.kind == Kind::Empty && method(request) == "POST");
    let cause = |request: &Message| {
        let length = request.http.as_ref().and_then(|http| http.head.header("content-length"));
        let evidence = length.map_or("POST without a body".to_owned(), |length| {
            format!("POST with Content-Length: {}", escape::line(length))
        });
        Cause::shown("the request itself is empty: something between device and server took its body", evidence)
    };
    empty.map(cause).into_iter().collect()
}

fn method(message: &Message) -> &str {
    message.http.as_ref().and_then(|http| http.request_head()).map_or("", |head| &head.method)
}

/// What a body that is no SOAP begins with, on one line.
fn body(message: &Message) -> Option<String> {
    let text = String::from_utf8_lossy(message.body.bytes.get(..message.body.bytes.len().min(4096))?).into_owned();
    let text = match message.kind {
        Kind::Html => title(&text).unwrap_or(text),
        _ => text,
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = secret::mask(&line);
    (!line.is_empty())
        .then(|| format!("it begins with \u{201C}{}\u{201D}", escape::shorten(&escape::line(&line), SHOWN)))
}

fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = lower.get(start..)?.find('<')? + start;
    page.get(start..end).map(str::to_owned)
}

/// An answer with a good status whose content is not what the step needs.
fn misunderstood(stage: &'static str, asked: &Asked, request: Option<&Message>, response: &Message) -> Option<Stop> {
    let media = response.media_type();
    match response.kind {
        Kind::Empty => {
            let what = "the server answered 200 with an empty body";
            let stop = proved(stop(stage, what, Some(0x8018_0029), Vec::new()), vec!["HTTP 200, no body".into()]);
            return Some(Stop { causes: [emptied(request), stop.causes].concat(), ..stop });
        }
        Kind::Html | Kind::Other | Kind::OtherXml => {
            let what = if response.kind == Kind::Html { "a web page" } else { "something that is no SOAP" };
            let mut evidence = vec![format!("Content-Type: {}", if media.is_empty() { "none" } else { &media })];
            evidence.extend(body(response));
            let what = format!("the server answered 200 with {what}");
            let stop = proved(stop(stage, what, Some(of_http(200)), Vec::new()), evidence);
            return Some(Stop { causes: [emptied(request), stop.causes].concat(), ..stop });
        }
        Kind::Soap => {}
        _ => return None,
    }
    if !response.is_well_formed() {
        let note = response.doc.notes.first().map(|note| escape::line(&note.detail).into_owned()).unwrap_or_default();
        let cause = Cause::shown("the answer is no well-formed XML", note);
        return Some(stop(stage, "the answer cannot be read as XML", Some(0x8018_0008), vec![cause]));
    }
    let content = Envelope::of(&response.doc).and_then(Envelope::content);
    let expected: &[&str] = match asked.step {
        Step::Discover => &["DiscoverResponse"],
        Step::Policies => &["GetPoliciesResponse"],
        _ => &["RequestSecurityTokenResponseCollection", "RequestSecurityTokenResponse"],
    };
    if !content.is_some_and(|content| expected.iter().any(|name| soap::is(content, name))) {
        let seen = content.map_or("an empty body".to_owned(), |content| escape::line(content.name()).into_owned());
        let cause = Cause::shown(
            format!("the answer is of another kind than {}", expected[0]),
            format!("its body holds {seen}"),
        );
        return Some(stop(stage, format!("the answer is no {}", expected[0]), Some(0x8018_0008), vec![cause]));
    }
    if matches!(asked.step, Step::Token | Step::Renew) && asked.document.is_none() {
        return Some(without_document(stage, content));
    }
    None
}

fn without_document(stage: &'static str, content: Option<Element<'_>>) -> Stop {
    let token = content.and_then(TokenResponse::of).and_then(TokenResponse::token);
    let evidence = match token {
        None => "RequestedSecurityToken holds no BinarySecurityToken".to_owned(),
        Some(token) if token.0.value().is_none() => "the token is empty".to_owned(),
        Some(token) if token.decoded().is_none() => "the token is no base64".to_owned(),
        Some(token) if token.content() != Content::ProvisionDoc => {
            "ValueType is not DeviceEnrollmentProvisionDoc".to_owned()
        }
        Some(_) => "the token decodes to something else".to_owned(),
    };
    let cause = Cause::shown("the answer brings no provisioning document", evidence);
    stop(stage, "the answer brings no provisioning document that can be read", Some(0x8018_0008), vec![cause])
}

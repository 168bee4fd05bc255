//! What stands around a notification or a bootstrap: content type, headers, ports, and how a bootstrap is secured.

use crate::push::{Content, Framing, PORT, Value, names};
use crate::rules::finding::Place;
use crate::rules::{NotificationCx, Profile, Sink, quoted};

/// Octets of all headers at most (DMN 7.1).
const HEADERS: usize = 48;
/// Octets of the header of WDP in a short message: it has the two ports.
const WDP: usize = 7;
/// Hexadecimal digits of an HMAC-SHA1.
const MAC: usize = 40;
/// The kind of security whose MAC the user types in.
const USERPINMAC: u64 = 3;

/// A notification with other headers than a device looks for.
pub(in crate::rules) fn trigger_push_headers(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    if cx.bearer.framing == Framing::Bare || cx.push.kind() != Content::Trigger {
        return;
    }
    let place = Place::Message(cx.message.index);
    if let Some(fault) = &cx.push.fault {
        out.report(place, format!("the headers of the push cannot be read: {fault}"));
        return;
    }
    let content_type = &cx.push.content_type;
    match content_type.code {
        Some(names::TRIGGER_CODE) => {}
        Some(code) => {
            out.report(place, format!("the content type is 0x{code:02X}; expected 0x44, {}", names::TRIGGER));
        }
        None => {
            out.report(place, format!("the content type is spelled out as {}; expected its code, 0x44", quoted(&content_type.name)));
        }
    }
    match cx.push.application() {
        Some((_, Some(names::DM_CLIENT_CODE))) => {}
        Some((_, Some(code))) => {
            out.report(place, format!("X-Wap-Application-Id is 0x{code:02X}; expected 0x07, {}", names::DM_CLIENT));
        }
        Some((name, None)) => {
            out.report(place, format!("X-Wap-Application-Id is spelled out as {}; expected its code, 0x07", quoted(&name)));
        }
        None => {
            out.report(place, "X-Wap-Application-Id is missing; expected 0x07, the DM client");
        }
    }
    let to = cx.bearer.ends.map(|(_, to)| to.port()).filter(|to| *to != PORT && cx.bearer.framing == Framing::Wsp);
    if let Some(to) = to {
        out.report(place, format!("the push goes to port {to}; expected {PORT}"));
    }
    let octets = cx.push.content_at + WDP;
    if octets > HEADERS {
        out.report(place, format!("the headers take {octets} octets with the {WDP} of WDP; expected at most {HEADERS}"));
    }
}

/// Any push to a device that is managed by an enterprise.
pub(in crate::rules) fn wap_push_to_windows(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let what = match cx.push.kind() {
        Content::Trigger | Content::OtherTrigger => "a notification",
        Content::Bootstrap { .. } => "a bootstrap",
        Content::Other => return,
    };
    if cx.message.profile == Profile::Windows {
        out.report(Place::Message(cx.message.index), format!("{what} came by WAP push; expected WNS, or the schedule of the DMClient CSP"));
    }
}

/// A bootstrap that anybody can have sent.
pub(in crate::rules) fn bootstrap_security(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let Content::Bootstrap { binary } = cx.push.kind() else { return };
    let place = Place::Message(cx.message.index);
    if cx.bearer.framing == Framing::Bare || cx.push.fault.is_some() {
        return;
    }
    let content_type = &cx.push.content_type;
    if !binary {
        out.report(place, format!("the bootstrap is {}; expected WBXML", quoted(&content_type.name)));
    }
    let security = content_type.parameter("SEC");
    match security {
        None => {
            out.report(place, "the bootstrap has no parameter SEC; expected one that names how it is secured");
        }
        Some(value) if security_code(value).is_none() => {
            out.report(place, format!("SEC is {}; expected 0 to 3, {}", written(value), names::SECURITY.join(", ")));
        }
        Some(_) => {}
    }
    match content_type.parameter("MAC") {
        None if security.and_then(security_code) != Some(USERPINMAC) => {
            out.report(place, format!("the bootstrap has no parameter MAC; expected {MAC} hexadecimal digits"));
        }
        Some(value) if !is_mac(value) => {
            out.report(place, format!("MAC is {}; expected {MAC} hexadecimal digits", form(value)));
        }
        _ => {}
    }
}

/// The kind of security, as a code or spelled out.
fn security_code(value: &Value) -> Option<u64> {
    match value {
        Value::Number(code) => names::security(*code).map(|_| *code),
        Value::Text(name) => {
            let at = names::SECURITY.iter().position(|known| known.eq_ignore_ascii_case(name));
            at.map(|at| at as u64).or_else(|| name.parse().ok().filter(|code| names::security(*code).is_some()))
        }
        Value::Nothing | Value::Octets(_) => None,
    }
}

fn is_mac(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.len() == MAC && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A value without what it says: a MAC is made with a short PIN.
fn form(value: &Value) -> String {
    match value {
        Value::Text(text) if text.len() == MAC => "a text with other characters".to_owned(),
        Value::Text(text) => format!("a text of {} characters", text.chars().count()),
        Value::Number(_) => "a number".to_owned(),
        Value::Nothing => "empty".to_owned(),
        Value::Octets(octets) => format!("{} octets", octets.len()),
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Number(code) => code.to_string(),
        Value::Text(text) => quoted(text),
        Value::Nothing | Value::Octets(_) => "no number".to_owned(),
    }
}

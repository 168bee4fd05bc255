//! DM-HTTP-012, DM-HTTP-013 and DM-HTTP-019: answers that HTTP gave in place of device management.

use super::status;
use crate::rules::finding::Place;
use crate::rules::{MessageCx, Sink, quoted};

/// An error of the transport: the management server did not answer.
pub(in crate::rules) fn http_error_status(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some((code @ 400.., head)) = status(cx.message) else { return };
    if cx.answers().is_none() || (matches!(code, 401 | 407) && is_overcome(cx)) {
        return;
    }
    let text = format!("the response is HTTP {code} {}; expected 200 with a SyncML message", head.reason);
    let finding = out.report(Place::Message(cx.index), text.trim_end().replace(" ;", ";"));
    let proxy = head.header("via").map(|via| format!(" A proxy took part (Via {}).", quoted(via)));
    if let Some(meaning) = meaning(code) {
        finding.help(format!("{meaning}{}", proxy.unwrap_or_default()));
    }
}

/// Whether the client sent its message once more, with credentials, and was answered.
fn is_overcome(cx: &MessageCx<'_>) -> bool {
    let again = cx.answer().filter(|again| again.message.retransmission);
    again.and_then(|again| again.answer()).and_then(|answer| status(answer.message)).is_some_and(|(code, _)| code == 200)
}

/// What a status says in an exchange of device management.
fn meaning(code: u16) -> Option<&'static str> {
    Some(match code {
        400 => "The server could not read the request: look at its log, and at what stands between (proxy, firewall).",
        401 | 403 => "Credentials of the transport were refused: check the token or the client certificate.",
        404 => "There is no management server under this address: check the address that the device was given.",
        406 => "The server does not offer the character set or the type that the client accepts.",
        407 => "A proxy asks for credentials, which Windows does not give it: let this host pass the proxy.",
        408 | 504 => "The server took too long to answer.",
        413 => "The message is larger than the web server takes: raise its limit.",
        415 => "The server does not take this Content-Type: let it take the types of SyncML DM.",
        429 => "The server limits how often the device may come: the client has to wait as long as Retry-After says.",
        500..=599 => "The server failed before it could answer: look at its log. The client tries again later.",
        _ => return None,
    })
}

/// A redirection.
pub(in crate::rules) fn redirect_in_dm_session(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some((code @ (300..=303 | 305..=399), head)) = status(cx.message) else { return };
    if cx.answers().is_some() {
        let to = head.header("location").map(|location| format!(" to {}", quoted(location))).unwrap_or_default();
        out.report(Place::Message(cx.index), format!("the response is HTTP {code}, a redirection{to}; expected 200"));
    }
}

/// A challenge of HTTP.
pub(in crate::rules) fn http_auth_versus_dm_auth(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    let Some((401, head)) = status(cx.message) else { return };
    let schemes = head.all("www-authenticate").filter_map(|value| value.split_whitespace().next());
    let asked = |scheme: &&str| ["basic", "digest"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let mut schemes = schemes.map(|scheme| scheme.trim_end_matches(',')).filter(asked);
    let Some(scheme) = schemes.next().filter(|_| cx.answers().is_some()) else { return };
    let text = format!("HTTP asks for {scheme} credentials; device management would ask by Status 407 and Chal");
    let finding = out.report(Place::Message(cx.index), text);
    let request = cx.message.http.as_ref().and_then(|http| http.request_head());
    let bearer = request.and_then(|request| request.header("authorization"));
    if bearer.is_some_and(|value| value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))) {
        finding.help("The client sent a bearer token: it has expired, or is not for this server.");
    }
}

//! DM-ENR-038 and DM-ENR-039: what stands between device and server.

use crate::enroll::step::is_enrollment_host;
use crate::rules::finding::Place;
use crate::rules::{EncryptedCx, ExchangeCx, Sink, quoted};
use crate::tls::{Alert, Side};

/// The device breaks off TLS to a host of enrollment.
pub(in crate::rules) fn tls_failure_at_enrollment(cx: &EncryptedCx<'_>) -> Option<String> {
    let facts = cx.encrypted.facts();
    let of_client = |alert: &&Alert| alert.from == Side::Client && matches!(alert.code, 42 | 44..=46 | 48 | 49);
    facts.alerts.iter().find(of_client)?;
    let failure = facts.failure().filter(|_| is_enrollment_host(cx.host) || cx.manages)?;
    Some(format!("the client broke off TLS to {}: {failure}", quoted(cx.host)))
}

/// A proxy that wants credentials.
pub(in crate::rules) fn proxy_authentication(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Some(407), Some(index)) = (cx.status(), cx.asked.response) else { return };
    let scheme = cx.response_head().and_then(|head| head.header("proxy-authenticate")?.split_whitespace().next());
    let scheme = scheme.map(|scheme| format!(" ({})", quoted(scheme))).unwrap_or_default();
    let text = format!("a proxy asks for credentials{scheme} with HTTP 407, which Windows does not give it during enrollment");
    out.report(Place::Message(index), text);
}

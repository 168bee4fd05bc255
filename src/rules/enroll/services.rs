//! DM-ENR-003, DM-ENR-012 and DM-ENR-013: the addresses that the server sends the device to.

use crate::enroll::Address;
use crate::enroll::discovery::DiscoverResponse;
use crate::rules::finding::Place;
use crate::rules::{ExchangeCx, Sink, quoted};
use crate::syncml::secret;

fn is_plain(url: &str) -> bool {
    url.trim().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

/// A redirection to plain HTTP.
pub(in crate::rules) fn insecure_redirect(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(head) = cx.response_head().filter(|head| (300..400).contains(&head.status)) else { return };
    let (Some(to), Some(index)) = (head.header("location").filter(|to| is_plain(to)), cx.asked.response) else { return };
    let (status, to) = (head.status, secret::url(to));
    out.report(Place::Message(index), format!("HTTP {status} redirects to {}; expected an https address", quoted(&to)));
}

/// A service of the DiscoverResponse on plain HTTP.
pub(in crate::rules) fn enrollment_url_not_https(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(response) = cx.answers_with("DiscoverResponse").map(DiscoverResponse) else { return };
    // A page to sign in has a rule of its own.
    let is_service = |name: &str| !name.eq_ignore_ascii_case("AuthenticationServiceUrl");
    for url in response.urls().filter(|url| is_service(url.name()) && url.value().is_some_and(is_plain)) {
        let seen = secret::url(url.value().unwrap_or_default());
        out.report(cx.in_response(url), format!("{} is {}; expected an https address", url.name(), quoted(&seen)));
    }
}

/// Services for policy and enrollment on different hosts.
pub(in crate::rules) fn service_hosts_differ(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(response) = cx.answers_with("DiscoverResponse").map(DiscoverResponse) else { return };
    let host = |url: Option<&str>| url.and_then(Address::of).map(|address| address.host);
    let hosts = host(response.policy_url()).zip(host(response.enrollment_url()));
    let Some((policy, enrollment)) = hosts.filter(|(policy, enrollment)| policy != enrollment) else { return };
    if let Some(field) = response.field("EnrollmentPolicyServiceUrl") {
        let text = format!("the policy service is on {}, the enrollment service on {}; expected one host", quoted(&policy), quoted(&enrollment));
        out.report(cx.in_response(field), text);
    }
}

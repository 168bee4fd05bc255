//! DM-ENR-001 to DM-ENR-008: what is asked of the discovery service.

use crate::enroll::Step;
use crate::enroll::discovery::{ACTION, Discover, DiscoverResponse};
use crate::rules::finding::Place;
use crate::rules::{ExchangeCx, Severity, Sink, quoted};
use crate::syncml::Element;

/// The probe before discovery gets no 200.
pub(in crate::rules) fn discovery_get_refused(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Step::Probe, Some(index), Some(status)) = (cx.step(), cx.asked.response, cx.status()) else { return };
    // A redirection and a proxy have rules of their own.
    if status == 200 || (300..400).contains(&status) || status == 407 {
        return;
    }
    out.report(Place::Message(index), format!("the GET on the discovery service is answered with HTTP {status}; expected 200"));
}

/// A Discover with another action.
pub(in crate::rules) fn discover_action(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(discover) = cx.asks_for("Discover") else { return };
    let Some(action) = cx.asks().and_then(|envelope| envelope.action()) else {
        out.report(cx.in_request(discover), format!("the Discover request has no Action; expected `{ACTION}`"));
        return;
    };
    if action.value() != Some(ACTION) {
        let seen = action.value().unwrap_or_default();
        out.report(cx.in_request(action), format!("Action is {}; expected `{ACTION}`", quoted(seen)));
    }
}

/// Fields that must be there always, and those that come with version 3.0.
const FIELDS: [&str; 3] = ["EmailAddress", "RequestVersion", "DeviceType"];
const LATER_FIELDS: [&str; 3] = ["ApplicationVersion", "OSEdition", "AuthPolicies"];

/// A Discover without a field that it must have.
pub(in crate::rules) fn discover_field_missing(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(discover) = cx.asks_for("Discover").map(Discover) else { return };
    let missing = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| discover.field(name).is_none()).collect()
    };
    let version = discover.request_version().and_then(|version| version.parse::<f64>().ok());
    let later = if version.is_some_and(|version| version >= 3.0) { missing(&LATER_FIELDS) } else { Vec::new() };
    let (always, place) = (missing(&FIELDS), cx.in_request(discover.request()));
    if !always.is_empty() {
        out.report(place, format!("the Discover request has no {}", always.join(", no ")));
    } else if !later.is_empty() {
        let version = discover.request_version().map(quoted).unwrap_or_default();
        let text = format!("the Discover request of version {version} has no {}", later.join(", no "));
        out.report(place, text).at_most(Severity::Warning);
    }
}

/// A DiscoverResponse that does not say how to authenticate, or where to enroll.
pub(in crate::rules) fn discoverresponse_incomplete(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(response) = cx.answers_with("DiscoverResponse").map(DiscoverResponse) else { return };
    let without = |name: &&&str| response.field(name).and_then(Element::value).is_none();
    let missing: Vec<&str> = ["AuthPolicy", "EnrollmentServiceUrl"].iter().filter(without).copied().collect();
    if !missing.is_empty() {
        out.report(cx.in_response(response.result()), format!("the DiscoverResponse has no {}", missing.join(", no ")));
    }
}

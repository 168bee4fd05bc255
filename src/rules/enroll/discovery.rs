//! DM-ENR-001, DM-ENR-002 and DM-ENR-004 to DM-ENR-011: what is asked of the discovery service, and what it answers.

use crate::enroll::Step;
use crate::enroll::discovery::{ACTION, Discover, DiscoverResponse};
use crate::rules::finding::Place;
use crate::rules::{ExchangeCx, Severity, Sink, quoted};
use crate::session::At;
use crate::syncml::{Element, secret};

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

/// A Discover that goes to another path than the fixed one.
pub(in crate::rules) fn discovery_path_or_host(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Some(_), Some(index), Some(address)) = (cx.asks_for("Discover"), cx.asked.request, cx.address()) else { return };
    if !address.path.eq_ignore_ascii_case(PATH) {
        out.report(Place::Message(index), format!("the Discover request goes to {}; expected `{PATH}`", quoted(&address.path)));
    }
}

/// Where every discovery service is.
const PATH: &str = "/EnrollmentServer/Discovery.svc";

/// Versions that are known to be sent: MS-MDE2 has 1.0 to 7.0, newer builds of Windows 11 send 8.0 and 9.0.
fn is_known_version(version: &str) -> bool {
    let major = version.strip_suffix(".0").and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| (1..=9).contains(&major))
}

/// A field of a Discover with a value that it cannot have.
pub(in crate::rules) fn discover_field_value(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(discover) = cx.asks_for("Discover").map(Discover) else { return };
    let mut wrong = |name: &str, expected: &str, is_right: &dyn Fn(&str) -> bool, mild: bool| {
        let Some((field, value)) = discover.field(name).and_then(|field| Some((field, field.value()?))) else { return };
        if is_right(value) {
            return;
        }
        let finding = out.report(cx.in_request(field), format!("{name} is {}; expected {expected}", quoted(value)));
        if mild {
            finding.at_most(Severity::Info);
        }
    };
    let numeric = |value: &str| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let four = |value: &str| value.split('.').count() == 4 && value.split('.').all(numeric);
    let mailbox = |value: &str| value.split_once('@').is_some_and(|(user, domain)| !user.is_empty() && domain.find('.').is_some_and(|at| at > 0 && at + 1 < domain.len()));
    let device = |value: &str| matches!(value, "CIMClient_Windows" | "WindowsPhone");
    wrong("EmailAddress", "a mail address with a domain, such as user@contoso.com", &mailbox, false);
    wrong("OSEdition", "a number", &numeric, false);
    wrong("ApplicationVersion", "four numbers, such as 10.0.22621.3155", &four, false);
    wrong("DeviceType", "`CIMClient_Windows` or `WindowsPhone`", &device, false);
    wrong("RequestVersion", "1.0 to 9.0", &is_known_version, true);
}

/// The ways to authenticate.
const WAYS: [&str; 3] = ["Federated", "Certificate", "OnPremise"];

/// AuthPolicies without a way, with too many, or with one that does not exist.
pub(in crate::rules) fn authpolicies_values(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(discover) = cx.asks_for("Discover").map(Discover) else { return };
    let Some(policies) = discover.auth_policies() else { return };
    let offered: Vec<Element<'_>> = discover.offered().collect();
    if offered.is_empty() || offered.len() > WAYS.len() {
        let text = format!("AuthPolicies has {} ways to authenticate; expected 1 to 3", offered.len());
        out.report(cx.in_request(policies), text);
    }
    for way in offered.into_iter().filter(|way| !way.value().is_some_and(|value| WAYS.contains(&value))) {
        let seen = quoted(way.value().unwrap_or_default());
        out.report(cx.in_request(way), format!("AuthPolicy is {seen}; expected Federated, Certificate or OnPremise"));
    }
}

/// An answer that chooses a way to authenticate that the device did not offer.
pub(in crate::rules) fn authpolicy_not_offered(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let asks = cx.asks_for("Discover").map(Discover);
    let answers = cx.answers_with("DiscoverResponse").map(DiscoverResponse);
    let (Some(discover), Some(response)) = (asks, answers) else { return };
    let offered: Vec<&str> = discover.offered().filter_map(Element::value).collect();
    let Some((field, chosen)) = response.field("AuthPolicy").and_then(|field| Some((field, field.value()?))) else { return };
    if !offered.is_empty() && !offered.iter().any(|way| way.eq_ignore_ascii_case(chosen)) {
        let text = format!("AuthPolicy is {}; the device offered {}", quoted(chosen), offered.join(", "));
        let finding = out.report(cx.in_response(field), text);
        if let (Some(policies), Some(request)) = (discover.auth_policies(), cx.asked.request) {
            finding.related(At { message: request, node: policies.id() }, "what the device offered");
        }
    }
}

/// A federated sign-in without an https page to sign in.
pub(in crate::rules) fn authentication_url(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(response) = cx.answers_with("DiscoverResponse").map(DiscoverResponse) else { return };
    if !response.auth_policy().is_some_and(|policy| policy.eq_ignore_ascii_case("Federated")) {
        return;
    }
    let is_https = |url: &str| url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    match (response.authentication_url(), response.field("AuthenticationServiceUrl")) {
        (Some(url), _) if is_https(url) => {}
        (Some(url), Some(field)) => {
            let seen = quoted(&secret::url(url)).clone();
            out.report(cx.in_response(field), format!("AuthenticationServiceUrl is {seen}; expected an https address"));
        }
        _ => {
            let place = cx.in_response(response.result());
            out.report(place, "AuthPolicy is Federated, and there is no AuthenticationServiceUrl");
        }
    }
}

/// An EnrollmentVersion that does not fit.
pub(in crate::rules) fn enrollmentversion(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(response) = cx.answers_with("DiscoverResponse").map(DiscoverResponse) else { return };
    let Some((field, version)) = response.field("EnrollmentVersion").and_then(|field| Some((field, field.value()?))) else {
        return;
    };
    let number = |version: &str| version.strip_suffix(".0").and_then(|major| major.parse::<u32>().ok());
    let asked = cx.asks_for("Discover").map(Discover).and_then(|discover| discover.request_version());
    let expected = match (number(version), asked.and_then(number)) {
        (None, _) => "a version such as 5.0".to_owned(),
        (Some(..3), _) => "3.0 or higher".to_owned(),
        (Some(own), Some(asked)) if own > asked => format!("a version not above the request's {asked}.0"),
        _ => return,
    };
    out.report(cx.in_response(field), format!("EnrollmentVersion is {}; expected {expected}", quoted(version)));
}

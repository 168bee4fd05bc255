//! DM-ENR-020 to DM-ENR-022 and DM-ENR-042: how a request shows who asks.

use std::time::Duration;

use crate::enroll::Step;
use crate::enroll::signature::{EXCLUSIVE_C14N, RSA_SHA256, SHA256, Signature};
use crate::enroll::soap::child;
use crate::enroll::token::{BASE64, Content, Security, USER_TOKEN, X509_TOKEN};
use crate::rules::security::is_exposed;
use crate::rules::{ExchangeCx, Severity, Sink, quoted};
use crate::session::At;
use crate::syncml::Element;

/// How a device has to authenticate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Federated,
    OnPremise,
    Certificate,
}

/// What discovery chose before an exchange: the way, and where it says so.
fn chosen<'a>(cx: &ExchangeCx<'a>) -> Option<(Way, usize, Element<'a>)> {
    let (index, discovered) = cx.whole.enrollment.discovered()?;
    let field = discovered.field("AuthPolicy").filter(|_| Some(index) < cx.asked.request)?;
    let ways = [("Federated", Way::Federated), ("OnPremise", Way::OnPremise), ("Certificate", Way::Certificate)];
    let value = field.value()?;
    let (_, way) = ways.iter().find(|(name, _)| name.eq_ignore_ascii_case(value))?;
    Some((*way, index, field))
}

/// What a request shows, if it is one that has to show something.
fn shown<'a>(cx: &ExchangeCx<'a>) -> Option<Security<'a>> {
    cx.asks().filter(|_| matches!(cx.step(), Step::Policies | Step::Token))?.security()
}

/// A token of another kind than the chosen way to authenticate wants.
pub(in crate::rules) fn token_type_for_policy(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Some(security), Some((way, index, field))) = (shown(cx), chosen(cx)) else { return };
    let (user, binary) = (security.username_token(), security.binary());
    let (expected, fits) = match way {
        Way::Federated => ("a BinarySecurityToken", binary.is_some()),
        Way::OnPremise => ("a UsernameToken", user.is_some()),
        Way::Certificate => ("a BinarySecurityToken with a Signature", binary.is_some() && security.signature().is_some()),
    };
    if fits {
        return;
    }
    let (place, seen) = match (user, binary) {
        (Some(user), _) => (user, "a UsernameToken"),
        (None, Some(binary)) if way == Way::Certificate => (binary.0, "a BinarySecurityToken without a Signature"),
        (None, Some(binary)) => (binary.0, "a BinarySecurityToken"),
        (None, None) => (security.0, "neither UsernameToken nor BinarySecurityToken"),
    };
    let chosen = quoted(field.value().unwrap_or_default());
    let text = format!("the request has {seen}; AuthPolicy is {chosen}, which expects {expected}");
    out.report(cx.in_request(place), text).related(At { message: index, node: field.id() }, "what the server chose");
}

/// A token that is not named as it should be.
pub(in crate::rules) fn bst_attributes(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(token) = shown(cx).and_then(Security::binary) else { return };
    let way = chosen(cx).map(|(way, ..)| way);
    let of_sign_in = token.content() == Content::Jwt || token.value_type() == Some(USER_TOKEN);
    // The text of the specification names the token of a certificate in either way.
    let of_certificate = token.value_type() == Some(X509_TOKEN) && way.is_none_or(|way| way == Way::Certificate);
    if !of_sign_in && !of_certificate {
        let expected = if way == Some(Way::Certificate) { X509_TOKEN } else { USER_TOKEN };
        out.report(cx.in_request(token.0), format!("ValueType is {}; expected `{expected}`", attribute(token.value_type())));
    }
    if !token.encoding_type().is_some_and(|encoding| encoding.eq_ignore_ascii_case(BASE64)) {
        let seen = attribute(token.encoding_type());
        out.report(cx.in_request(token.0), format!("EncodingType is {seen}; expected `{BASE64}`"));
    }
}

/// An address in an attribute as it stands in a message: its end tells it from others.
fn attribute(value: Option<&str>) -> String {
    value.map_or_else(|| "missing".to_owned(), |value| format!("`{}`", crate::escape::shorten(value, 120)))
}

/// How long a time stamp may hold.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far clocks may differ.
const SLACK: Duration = Duration::from_secs(3600);

/// A request that a certificate proves, with a time stamp or a signature that is not as it has to be.
pub(in crate::rules) fn certificate_auth_signature(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(security) = shown(cx) else { return };
    let by_certificate = match chosen(cx) {
        Some((way, ..)) => way == Way::Certificate,
        None => security.signature().is_some(),
    };
    if by_certificate {
        time_stamp(cx, security, out);
        if let Some(signature) = security.signature() {
            algorithms(cx, signature, out);
        }
    }
}

fn time_stamp(cx: &ExchangeCx<'_>, security: Security<'_>, out: &mut Sink<'_>) {
    let Some(stamp) = security.timestamp() else {
        out.report(cx.in_request(security.0), "the request has no Timestamp; expected one with Created and Expires");
        return;
    };
    let place = cx.in_request(stamp.0);
    for (name, element) in [("Created", stamp.created()), ("Expires", stamp.expires())] {
        if element.is_none() {
            out.report(place, format!("the Timestamp has no {name}"));
        }
    }
    let Some((created, expires)) = stamp.life() else { return };
    let life = expires.since(created);
    if life.is_zero() {
        out.report(place, format!("Expires is {expires}; expected a time behind Created, {created}"));
    } else if life > DAY {
        out.report(place, format!("the Timestamp holds for {} hours; expected 24 at most", life.as_secs() / 3600));
    } else if let Some(sent) = cx.request().and_then(|cx| cx.message.first).filter(|sent| sent.since(expires) > SLACK) {
        let text = format!("the Timestamp was over at {expires}; the request is of {sent}");
        out.report(place, text).at_most(Severity::Warning);
    }
}

fn algorithms(cx: &ExchangeCx<'_>, signature: Signature<'_>, out: &mut Sink<'_>) {
    let around = signature.info().unwrap_or(signature.0);
    let whole = signature.whole();
    let parts = [
        ("CanonicalizationMethod", around, signature.canonicalization(), EXCLUSIVE_C14N),
        ("SignatureMethod", around, signature.method(), RSA_SHA256),
        ("DigestMethod", whole.unwrap_or(around), whole.and_then(|whole| child(whole, "DigestMethod")), SHA256),
    ];
    if whole.is_none() {
        out.report(cx.in_request(around), "no Reference has the URI \"\"; expected one, so that all of the envelope is signed");
    }
    for (name, around, element, expected) in parts.into_iter().filter(|(name, ..)| whole.is_some() || *name != "DigestMethod") {
        let seen = element.and_then(|element| element.attribute("Algorithm"));
        if seen.map(str::trim) != Some(expected) {
            let text = format!("{name} is {}; expected `{expected}`", attribute(seen));
            out.report(cx.in_request(element.unwrap_or(around)), text);
        }
    }
}

/// A password that others can read: told once.
pub(in crate::rules) fn onpremise_password_exposed(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some((password, why, severity)) = exposed(cx) else { return };
    let mut earlier = cx.whole.exchanges().take_while(|earlier| earlier.asked.request < cx.asked.request);
    if !earlier.any(|earlier| exposed(&earlier).is_some()) {
        out.report(cx.in_request(password), format!("the password travels as it is {why}; expected https")).at_most(severity);
    }
}

/// A password, and why others can read it.
fn exposed<'a>(cx: &ExchangeCx<'a>) -> Option<(Element<'a>, String, Severity)> {
    let password = cx.asks()?.security()?.password().filter(|password| password.value().is_some())?;
    let kind = password.attribute("Type").unwrap_or("#PasswordText").trim();
    let http = cx.request()?.message.http.as_ref().filter(|_| kind.ends_with("#PasswordText"))?;
    if is_exposed(http) {
        return Some((password, "over plain HTTP".to_owned(), Severity::Error));
    }
    let fault = http.connection.handshake.as_ref()?.facts().server_faults().into_iter().next()?;
    let why = crate::escape::line(&format!("over TLS that proves nothing ({})", fault.text)).into_owned();
    Some((password, why, Severity::Warning))
}

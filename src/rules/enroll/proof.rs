//! DM-ENR-020 and DM-ENR-021: how a request shows who asks.

use crate::enroll::Step;
use crate::enroll::token::{BASE64, Content, Security, USER_TOKEN, X509_TOKEN};
use crate::rules::{ExchangeCx, Sink, quoted};
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

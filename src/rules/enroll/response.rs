//! DM-ENR-030 and DM-ENR-031: the answer to a request for a certificate, and the document in it.

use crate::enroll::token::{Binary, Content, PROVISION_DOC, TokenResponse};
use crate::limits::Limits;
use crate::rules::{ExchangeCx, Sink, quoted};
use crate::syncml::Element;

/// The content of an answer with a token, or with a collection of such answers.
fn collection<'a>(cx: &ExchangeCx<'a>) -> Option<Element<'a>> {
    let named = |name: &str| cx.answers_with(name);
    named("RequestSecurityTokenResponseCollection").or_else(|| named("RequestSecurityTokenResponse"))
}

/// An answer without one of its parts, or with another token than a provisioning document.
pub(in crate::rules) fn rstr_form(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(content) = collection(cx) else { return };
    let Some(response) = TokenResponse::of(content) else {
        out.report(cx.in_response(content), "the collection has no RequestSecurityTokenResponse");
        return;
    };
    let token = response.token();
    let parts = [
        ("TokenType", response.token_type().is_some()),
        ("BinarySecurityToken in a RequestedSecurityToken", token.is_some()),
        ("RequestID", response.request_id().is_some()),
    ];
    let missing: Vec<&str> = parts.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if !missing.is_empty() {
        out.report(cx.in_response(response.0), format!("the response has no {}", missing.join(", no ")));
    }
    let other = |token: &Binary<'_>| !token.value_type().is_some_and(|kind| kind.eq_ignore_ascii_case(PROVISION_DOC));
    if let Some(token) = token.filter(other) {
        let seen = token.value_type().map_or_else(|| "missing".to_owned(), |kind| format!("`{}`", crate::escape::shorten(kind, 120)));
        out.report(cx.in_response(token.0), format!("ValueType is {seen}; expected `{PROVISION_DOC}`"));
    }
}

/// A token that is no provisioning document in base64.
pub(in crate::rules) fn provisioning_not_decodable(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let token = collection(cx).and_then(TokenResponse::of).and_then(TokenResponse::token);
    // What says that it is something else is told by its ValueType.
    let Some(token) = token.filter(|token| matches!(token.content(), Content::ProvisionDoc | Content::Other)) else { return };
    if cx.asked.document.is_some() {
        return;
    }
    let what = match (token.0.value(), token.decoded()) {
        (None, _) if token.0.children().next().is_some() => "the token holds elements".to_owned(),
        (None, _) => "the token is empty".to_owned(),
        (Some(text), None) if text.starts_with('<') => "the token holds XML as it is".to_owned(),
        (Some(_), None) => "the token is no base64".to_owned(),
        (Some(_), Some(bytes)) => format!("the token decodes to {}", described(&bytes)),
    };
    out.report(cx.in_response(token.0), format!("{what}; expected a wap-provisioningdoc in base64"));
}

/// What some bytes are, without a word of what they say.
fn described(bytes: &[u8]) -> String {
    let doc = crate::xml::parse(&bytes.into(), &Limits::default());
    match doc.root() {
        Some(root) => format!("XML with the root {}", quoted(root.name())),
        None => format!("{} bytes that are no XML", bytes.len()),
    }
}

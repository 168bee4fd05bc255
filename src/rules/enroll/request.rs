//! DM-ENR-027 to DM-ENR-029: what the request for a certificate says and brings.

use crate::enroll::Step;
use crate::enroll::policy::PoliciesResponse;
use crate::enroll::token::{Content, DEVICE_TOKEN, RequestType, TokenRequest, X509_TOKEN};
use crate::rules::{ExchangeCx, Sink, quoted};
use crate::session::At;
use crate::syncml::Element;
use crate::x509::CertificateRequest;

fn request<'a>(cx: &ExchangeCx<'a>) -> Option<TokenRequest<'a>> {
    cx.asks_for("RequestSecurityToken").map(TokenRequest)
}

/// A request for a certificate that is not of the form that MS-MDE2 gives it.
pub(in crate::rules) fn rst_request_form(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(request) = request(cx).filter(|request| !is_plain_wstep(cx, *request)) else { return };
    let whole = cx.in_request(request.0);
    match request.token_type().map(|kind| (kind, kind.value())) {
        Some((_, Some(DEVICE_TOKEN))) => {}
        Some((kind, value)) => {
            out.report(cx.in_request(kind), format!("TokenType is {}; expected `{DEVICE_TOKEN}`", long(value)));
        }
        None => {
            out.report(whole, format!("the request has no TokenType; expected `{DEVICE_TOKEN}`"));
        }
    }
    let kind = request.request_type();
    if kind == RequestType::Other {
        let place = request.request_type_element().map_or(whole, |element| cx.in_request(element));
        let seen = request.request_type_element().map_or_else(|| "missing".to_owned(), |element| long(element.value()));
        out.report(place, format!("RequestType is {seen}; expected an address that ends in /Issue, /Renew or /Recovery"));
    }
    let (expected, name) = match kind {
        RequestType::Renew => (Content::Pkcs7, "#PKCS7"),
        _ => (Content::Pkcs10, "#PKCS10"),
    };
    match request.token() {
        Some(token) if token.content() == expected => {}
        Some(token) => {
            let seen = token.value_type().map_or_else(|| "missing".to_owned(), |value| long(Some(value)));
            out.report(cx.in_request(token.0), format!("ValueType is {seen}; expected one that ends in {name}"));
        }
        None => {
            out.report(whole, "the request has no BinarySecurityToken, and so no certificate request");
        }
    }
}

/// A client of WSTEP that is no device: it says nothing of a device, and comes without discovery.
fn is_plain_wstep(cx: &ExchangeCx<'_>, request: TokenRequest<'_>) -> bool {
    let plain = request.token_type().and_then(Element::value) == Some(X509_TOKEN);
    plain && request.additional_context().is_none() && cx.whole.enrollment.discover().is_none()
}

/// An address: what tells it from others stands at its end.
fn long(value: Option<&str>) -> String {
    value.map_or_else(|| "empty".to_owned(), |value| format!("`{}`", crate::escape::shorten(value, 120)))
}

/// The policies, where their message was captured whole.
fn policies<'a>(cx: &ExchangeCx<'a>) -> Option<(usize, PoliciesResponse<'a>)> {
    cx.whole.enrollment.policies().filter(|(index, _)| is_whole(cx, *index))
}

fn is_whole(cx: &ExchangeCx<'_>, index: usize) -> bool {
    cx.whole.session.message(index).is_some_and(|cx| cx.message.judged().is_ok())
}

/// Whether discovery says that there is no policy service.
fn has_no_policies(cx: &ExchangeCx<'_>) -> bool {
    let discovered = cx.whole.enrollment.discovered().filter(|(index, _)| is_whole(cx, *index));
    let asked = cx.whole.of_step(Step::Policies).next().is_some();
    !asked && discovered.is_some_and(|(_, discovered)| discovered.policy_url().is_none())
}

/// Bits of a key where no policy asks for more.
const DEFAULT_BITS: u32 = 2048;

/// A certificate request that is none, or does not follow the policies.
pub(in crate::rules) fn csr_against_policy(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(token) = request(cx).and_then(TokenRequest::token) else { return };
    if !matches!(token.content(), Content::Pkcs10 | Content::Pkcs7) {
        return;
    }
    let place = cx.in_request(token.0);
    let Some(csr) = token.certificate_request() else {
        // What is wrong with a message that is signed is for DM-ENR-041 to say.
        if token.content() == Content::Pkcs10 {
            let seen = if token.0.value().is_none() { "is empty" } else { "cannot be read" };
            out.report(place, format!("the token {seen}; expected a certificate request (PKCS#10) in base64"));
        }
        return;
    };
    weak_key(cx, place, &csr, out);
    other_hash(cx, place, &csr, out);
}

fn weak_key(cx: &ExchangeCx<'_>, place: At, csr: &CertificateRequest, out: &mut Sink<'_>) {
    let (wanted, why) = match policies(cx) {
        Some((_, response)) => match response.policies().filter_map(|policy| policy.key_bits()).min() {
            Some(bits) => (bits, "as the policy wants"),
            None => (DEFAULT_BITS, "as no policy wants less"),
        },
        None if has_no_policies(cx) => (DEFAULT_BITS, "as there is no policy"),
        None => return,
    };
    let rsa = csr.key.as_ref().filter(|key| key.algorithm == "RSA").and_then(|key| Some((key, key.bits?)));
    if let Some((key, _)) = rsa.filter(|(_, bits)| *bits < wanted) {
        let text = format!("the certificate request is for a key of {key}; expected {wanted} bits or more, {why}");
        with_policy(cx, place, text, out);
    }
}

/// Hashes by the OIDs with which policies name them, of the hash alone or with RSA, and by how names of signatures begin.
const HASHES: [(&str, &[&str], &[&str]); 4] = [
    ("SHA-1", &["1.3.14.3.2.26", "1.3.14.3.2.29", "1.2.840.113549.1.1.5"], &["sha1", "ecdsa-with-SHA1"]),
    ("SHA-256", &["2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11"], &["sha256", "ecdsa-with-SHA256"]),
    ("SHA-384", &["2.16.840.1.101.3.4.2.2", "1.2.840.113549.1.1.12"], &["sha384", "ecdsa-with-SHA384"]),
    ("SHA-512", &["2.16.840.1.101.3.4.2.3", "1.2.840.113549.1.1.13"], &["sha512", "ecdsa-with-SHA512"]),
];

fn other_hash(cx: &ExchangeCx<'_>, place: At, csr: &CertificateRequest, out: &mut Sink<'_>) {
    let of_oid = |oid: &str| HASHES.iter().find(|(_, oids, _)| oids.contains(&oid)).map(|(name, ..)| *name);
    let of_signature = |signature: &str| {
        let begins = |start: &&str| signature.starts_with(*start);
        HASHES.iter().find(|(.., starts)| starts.iter().any(begins)).map(|(name, ..)| *name)
    };
    let Some(signature) = csr.signature.as_deref() else { return };
    let Some((_, response)) = policies(cx) else { return };
    let references = response.policies().filter_map(|policy| policy.hash()?.value());
    let wanted: Option<Vec<&str>> = references.map(|reference| of_oid(response.oid(reference)?)).collect();
    // Nothing is wanted, or something that is not known here.
    let (Some(wanted), Some(seen)) = (wanted, of_signature(signature)) else { return };
    if let Some(first) = wanted.first().filter(|_| !wanted.contains(&seen)) {
        let text = format!("the certificate request is signed with {seen} ({signature}); expected {first}, as the policy wants");
        with_policy(cx, place, text, out);
    }
}

fn with_policy(cx: &ExchangeCx<'_>, place: At, text: String, out: &mut Sink<'_>) {
    let finding = out.report(place, text);
    if let Some((message, response)) = policies(cx)
        && let Some(policy) = response.policies().next()
    {
        finding.related(At { message, node: policy.0.id() }, "the policy");
    }
}

/// What a device has to say of itself.
const REQUIRED: [&str; 5] = ["OSVersion", "DeviceType", "EnrollmentType", "DeviceID", "ApplicationVersion"];

/// A request that does not say enough of the device.
pub(in crate::rules) fn additionalcontext(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let Some(request) = request(cx).filter(|_| cx.step() == Step::Token) else { return };
    let Some(context) = request.additional_context() else {
        if !is_plain_wstep(cx, request) {
            out.report(cx.in_request(request.0), "the request has no AdditionalContext, so it says nothing of the device");
        }
        return;
    };
    let missing: Vec<&str> = REQUIRED.into_iter().filter(|name| request.context(name).is_none()).collect();
    if !missing.is_empty() {
        out.report(cx.in_request(context), format!("AdditionalContext has no {}", missing.join(", no ")));
    }
    let kind = request.context_item("EnrollmentType").and_then(|item| Some((item, item.value()?)));
    if let Some((item, kind)) = kind.filter(|(_, kind)| !["Full", "Device"].iter().any(|known| kind.eq_ignore_ascii_case(known))) {
        out.report(cx.in_request(item), format!("EnrollmentType is {}; expected `Full` or `Device`", quoted(kind)));
    }
}

//! DM-ENR-041: how a certificate is renewed.

use crate::enroll::provisioning::Characteristic;
use crate::enroll::token::{Content, TokenRequest};
use crate::enroll::{Provisioning, Step};
use crate::rules::finding::Place;
use crate::rules::{EnrollmentCx, ExchangeCx, Severity, Sink, quoted};
use crate::syncml::Element;
use crate::x509::{Certificate, Name};

/// A renewal that is redirected, that no valid certificate signs, or that brings more than a certificate.
pub(in crate::rules) fn renewal_form(cx: &EnrollmentCx<'_>, out: &mut Sink<'_>) {
    for exchange in cx.of_step(Step::Renew) {
        redirected(&exchange, out);
        signer(&exchange, out);
    }
    if !cx.enrollment.renews() {
        return;
    }
    for document in cx.documents() {
        if let Some((element, name)) = more(document.document) {
            let text = format!("the answer to a renewal brings {}; the certificate and PROVIDER-ID are enough", quoted(name));
            out.report(document.at(element), text).at_most(Severity::Info);
        }
    }
}

fn redirected(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let (Some(response), Some(status)) = (cx.asked.response, cx.status()) else { return };
    if (300..400).contains(&status) {
        out.report(Place::Message(response), format!("HTTP {status} answers the renewal; expected 200: devices do not follow"));
    }
}

fn signer(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let token = cx.asks_for("RequestSecurityToken").and_then(|content| TokenRequest(content).token());
    // What does not say that it is signed is told by its ValueType.
    let Some(token) = token.filter(|token| token.content() == Content::Pkcs7) else { return };
    let place = cx.in_request(token.0);
    let Some(message) = token.signed_message() else {
        let seen = if token.0.value().is_none() { "is empty" } else { "cannot be read" };
        out.report(place, format!("the token {seen}; expected a signed message (PKCS#7) in base64"));
        return;
    };
    if message.content.is_none() {
        out.report(place, "the signed message holds nothing; expected the certificate request in it");
    }
    let sent = cx.request().and_then(|cx| cx.message.first).and_then(|sent| u64::try_from(sent.0 / 1_000_000_000).ok());
    let over = |certificate: &&Certificate| {
        let until = certificate.not_after.map(|date| date.unix_duration().as_secs());
        until.zip(sent).is_some_and(|(until, sent)| until < sent)
    };
    let mut own = message.certificates.iter().filter(|certificate| certificate.is_ca != Some(true)).peekable();
    if let Some(first) = own.peek().copied()
        && own.all(|certificate| over(&certificate))
        && let Some(until) = first.not_after
    {
        let name = first.subject.as_ref().map_or_else(String::new, Name::to_string);
        let text = format!("the certificate {} that signs the renewal expired at {until}; expected a valid one", quoted(&name));
        out.report(place, text);
    }
}

/// The first thing in a document that a renewal does not need, and its name.
fn more(document: Provisioning<'_>) -> Option<(Element<'_>, &str)> {
    document.top().find_map(|top| match top {
        _ if top.is("CertificateStore") => None,
        _ if top.is("APPLICATION") => of_account(top),
        _ => Some((top.0, top.kind())),
    })
}

fn of_account(account: Characteristic<'_>) -> Option<(Element<'_>, &str)> {
    let needed = |name: &str| ["APPID", "PROVIDER-ID"].iter().any(|known| name.eq_ignore_ascii_case(known));
    let parm = account.parms().find(|parm| !needed(parm.name())).map(|parm| (parm.0, parm.name()));
    parm.or_else(|| account.children().next().map(|below| (below.0, below.kind())))
}

//! DM-PRV-004 to DM-PRV-009: the certificates of the document.

use crate::enroll::provisioning::{Parm, Store};
use crate::enroll::token::Content;
use crate::rules::finding::Place;
use crate::rules::{ProvisioningCx, Sink, quoted};
use crate::syncml::Element;
use crate::x509::{Certificate, CertificateRequest, PublicKey, SignedMessage};

/// No certificate for the device.
pub(in crate::rules) fn client_certificate_missing(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    if !cx.enrolls() || !cx.enrolls_device() {
        return;
    }
    let stores = || cx.document.top().filter(|top| top.is("CertificateStore"));
    let own = || stores().flat_map(|store| store.all("My"));
    let is_certificate = |element: Element<'_>| Parm(element).name().eq_ignore_ascii_case("EncodedCertificate");
    // Which store it lies in is not asked here: all that is below My counts.
    if own().any(|my| my.0.descendants().any(is_certificate)) {
        return;
    }
    let place = own().next().or_else(|| stores().next()).map_or(cx.document.0, |node| node.0);
    let store = if is_for_system(cx) { "System" } else { "User" };
    out.report(cx.at(place), format!("there is no certificate for the device; expected one in CertificateStore/My/{store}"));
}

/// Whether the device enrolls as such, and not for its user.
fn is_for_system(cx: &ProvisioningCx<'_>) -> bool {
    let request = cx.whole.enrollment.token_request();
    request.and_then(|(_, request)| request.context("EnrollmentType")).is_some_and(|kind| kind.eq_ignore_ascii_case("Device"))
}

/// A certificate in a node that is not named after its thumbprint.
pub(in crate::rules) fn certificate_hash_mismatch(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    for certificate in cx.document.certificates() {
        let Some(der) = certificate.der() else { continue };
        let read = Certificate::read(&der);
        // What is no certificate belongs to another rule.
        if read.key.is_none() || read.thumbprint().eq_ignore_ascii_case(certificate.thumbprint().trim()) {
            continue;
        }
        let text = format!("the node is called {}; the SHA-1 of its certificate is `{}`", quoted(certificate.thumbprint()), read.thumbprint());
        out.report(cx.at(certificate.node.0), text);
    }
}

/// A certificate that cannot be read.
pub(in crate::rules) fn certificate_encoding(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    for certificate in cx.document.certificates() {
        let Some(parm) = certificate.encoded() else { continue };
        let value = parm.value().unwrap_or_default();
        let what = match certificate.der() {
            _ if value.is_empty() => "is empty",
            _ if value.contains("-----BEGIN") => "is a PEM file",
            None => "is not base64",
            Some(der) if Certificate::read(&der).key.is_none() => "is base64 of something else than an X.509 certificate",
            Some(_) if value.contains(|letter: char| letter.is_ascii_whitespace()) => "has white space in it",
            Some(_) => continue,
        };
        out.report(cx.at(parm.0), format!("EncodedCertificate {what}; expected the base64 of a certificate in DER, on one line"));
    }
}

/// A certificate without the node for its key.
pub(in crate::rules) fn private_key_container(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let own = cx.document.certificates().filter(|certificate| certificate.store == Store::My);
    for certificate in own.filter(|own| own.encoded().is_some() && own.key_container().is_none()) {
        let text = format!("My/{} has a certificate and no PrivateKeyContainer", certificate.scope);
        out.report(cx.at(certificate.node.0), text);
    }
}

/// The key that the device asked a certificate for.
fn requested(cx: &ProvisioningCx<'_>) -> Option<(usize, PublicKey)> {
    let (index, request) = cx.whole.enrollment.token_request()?;
    let token = request.token()?;
    let der = token.decoded()?;
    let request = match token.content() {
        Content::Pkcs7 => CertificateRequest::read(SignedMessage::read(&der)?.content.as_deref()?),
        _ => CertificateRequest::read(&der),
    };
    Some((index, request?.key?))
}

/// A certificate that was issued for another key than the device's.
pub(in crate::rules) fn certificate_key_mismatch(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    let Some((index, asked)) = requested(cx) else { return };
    let Some(own) = cx.document.client_certificate() else { return };
    let Some((parm, der)) = own.encoded().zip(own.der()) else { return };
    if Certificate::read(&der).key.is_some_and(|key| key.der != asked.der) {
        let text = "the certificate is for another key than the one of the device's request";
        out.report(cx.at(parm.0), text).related(Place::Message(index), "the request");
    }
}

/// More certificates of authorities than a document may bring.
pub(in crate::rules) fn too_many_ca_certificates(cx: &ProvisioningCx<'_>, out: &mut Sink<'_>) {
    for (store, name) in [(Store::Root, "Root/System"), (Store::Ca, "CA/System")] {
        let mut own = cx.document.certificates().filter(|certificate| certificate.store == store);
        let Some(second) = own.nth(1) else { continue };
        let many = own.count() + 2;
        out.report(cx.at(second.node.0), format!("there are {many} certificates for {name}; expected one"));
    }
}

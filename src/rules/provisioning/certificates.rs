//! DM-PRV-005, DM-PRV-008 and DM-PRV-009: the certificates of the document.

use crate::enroll::provisioning::Store;
use crate::enroll::token::Content;
use crate::rules::finding::Place;
use crate::rules::{ProvisioningCx, Sink, quoted};
use crate::x509::{Certificate, CertificateRequest, PublicKey, SignedMessage};

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

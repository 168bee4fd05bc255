//! Certificate requests (PKCS#10, RFC 2986), and signed messages around them (PKCS#7, RFC 5652 section 5).

use x509_cert::der::Tag;

use super::{Certificate, Element, MAX_NAMES, Name, PublicKey, algorithm, elements, oid};

/// Content type of a signed message.
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// What a device asks a certificate with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    /// Whom it shall be issued to; the CA may choose another name.
    pub subject: Option<Name>,
    /// The key it shall be issued for.
    pub key: Option<PublicKey>,
    /// The algorithm of the request's signature, such as `sha256WithRSAEncryption`.
    pub signature: Option<String>,
}

impl CertificateRequest {
    /// Reads a request; `None` for what has not its shape. A field that cannot be read is `None`.
    pub fn read(der: &[u8]) -> Option<CertificateRequest> {
        let outer = sequence(elements(der).next())?;
        let mut parts = elements(outer.content);
        let info = sequence(parts.next())?;
        let signature = parts.next().and_then(|part| algorithm(&part));
        let mut fields = elements(info.content);
        fields.next().filter(|version| version.tag == Tag::Integer)?;
        let subject = fields.next().and_then(|field| Name::of(&field));
        let key = fields.next().and_then(|field| PublicKey::of(field.raw));
        Some(CertificateRequest { subject, key, signature })
    }
}

/// A message that is signed, with the certificates that came with it. The signature is not verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedMessage {
    /// What is signed; `None` when it is not in the message.
    pub content: Option<Box<[u8]>>,
    /// The certificates.
    pub certificates: Vec<Certificate>,
}

impl SignedMessage {
    /// Reads a message; `None` for what is no signed message.
    pub fn read(der: &[u8]) -> Option<SignedMessage> {
        let outer = sequence(elements(der).next())?;
        let mut parts = elements(outer.content);
        parts.next().and_then(|id| oid(&id)).filter(|id| id.to_string() == SIGNED_DATA)?;
        let data = parts.next().filter(|part| part.number() == Some(0))?;
        let data = sequence(elements(data.content).next())?;
        let mut message = SignedMessage::default();
        let mut fields = elements(data.content).skip(2);
        let encapsulated = sequence(fields.next())?;
        let content = elements(encapsulated.content).find(|part| part.number() == Some(0));
        let octets = content.and_then(|content| elements(content.content).next());
        message.content = octets.filter(|octets| octets.tag == Tag::OctetString).map(|octets| octets.content.into());
        let certificates = fields.take_while(|field| field.number() == Some(0));
        let certificates = certificates.flat_map(|field| elements(field.content)).take(MAX_NAMES);
        message.certificates = certificates.map(|certificate| Certificate::read(certificate.raw)).collect();
        Some(message)
    }
}

fn sequence(element: Option<Element<'_>>) -> Option<Element<'_>> {
    element.filter(|element| element.tag == Tag::Sequence)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REQUEST: &[u8] = include_bytes!("../../tests/rules/certificates/request.der");
    const RENEWAL: &[u8] = include_bytes!("../../tests/rules/certificates/renewal.der");
    const DEVICE: &[u8] = include_bytes!("../../tests/rules/certificates/device.der");

    #[test]
    fn a_request_names_subject_and_key() {
        let request = CertificateRequest::read(REQUEST).expect("a request");
        assert_eq!(request.subject.as_ref().map(Name::to_string).as_deref(), Some("CN=ConfigMgrEnroll"));
        assert_eq!(request.key.as_ref().map(PublicKey::to_string).as_deref(), Some("RSA 2048"));
        assert_eq!(request.signature.as_deref(), Some("sha256WithRSAEncryption"));
        assert_eq!(Certificate::read(DEVICE).key, request.key);
    }

    #[test]
    fn a_signed_message_brings_content_and_certificates() {
        let message = SignedMessage::read(RENEWAL).expect("a message");
        assert_eq!(message.content.as_deref(), Some(REQUEST));
        assert_eq!(message.certificates, [Certificate::read(DEVICE)]);
        assert!(SignedMessage::read(REQUEST).is_none() && CertificateRequest::read(DEVICE).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(at in 0..RENEWAL.len(), byte: u8, cut in 0..RENEWAL.len()) {
            let mut bytes = RENEWAL.to_vec();
            bytes[at] = byte;
            bytes.truncate(cut);
            let _ = SignedMessage::read(&bytes);
            let _ = CertificateRequest::read(bytes.get(70..).unwrap_or_default());
        }
    }
}

//! X.509 certificates (RFC 5280): what one says of itself, each field read alone.
//!
//! In: the DER of a certificate, as TLS, CertificateStore nodes and enrollment carry it. Out: a [`Certificate`]. A field
//! that cannot be read is `None` or empty and named in [`Certificate::unreadable`]; the others are there all the same, and
//! text with characters that its type does not allow is kept (Windows writes such). Nothing is verified. Bound:
//! `MAX_NAMES`.

#[cfg(test)]
#[path = "../tests/build/x509.rs"]
pub(crate) mod build;
mod key;
mod name;
mod request;

use sha1::{Digest, Sha1};
use sha2::Sha256;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::oid::db::{DB, rfc5280};
use x509_cert::der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

pub use key::PublicKey;
pub use name::{AltName, Name};
pub use request::{CertificateRequest, SignedMessage};
pub use x509_cert::der::DateTime;

/// Alternative names and purposes of one certificate that are kept. Those of large content networks have some hundreds.
const MAX_NAMES: usize = 512;

/// What a certificate says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it was issued to.
    pub subject: Option<Name>,
    /// Who issued it.
    pub issuer: Option<Name>,
    /// The serial number in lower case hexadecimal digits, as it is encoded.
    pub serial: Option<String>,
    /// The first second at which it is valid.
    pub not_before: Option<DateTime>,
    /// The last second at which it is valid.
    pub not_after: Option<DateTime>,
    /// The names it holds for.
    pub alt_names: Vec<AltName>,
    /// The key it was issued for.
    pub key: Option<PublicKey>,
    /// The algorithm of its signature, such as `sha256WithRSAEncryption`; the digits of its OID where that has no name.
    pub signature: Option<String>,
    /// Whether it may issue others: what BasicConstraints say, `None` without them.
    pub is_ca: Option<bool>,
    /// What its key may be used for (ExtendedKeyUsage), such as `clientAuth`; empty without that extension.
    pub purposes: Vec<String>,
    /// The policies that it was issued under (CertificatePolicies), as digits of OIDs; empty without that extension.
    pub policies: Vec<String>,
    /// SHA-1 of the DER, which Windows calls the thumbprint.
    pub sha1: [u8; 20],
    /// SHA-256 of the DER.
    pub sha256: [u8; 32],
    /// Fields that could not be read, by their names in RFC 5280.
    pub unreadable: Vec<&'static str>,
}

impl Certificate {
    /// Reads a certificate. Bytes behind it do not count for its fields, but for the thumbprints.
    pub fn read(der: &[u8]) -> Certificate {
        let mut certificate = Certificate {
            sha1: Sha1::digest(der).into(),
            sha256: Sha256::digest(der).into(),
            ..Certificate::default()
        };
        let mut outer = elements(der).next().map(|outer| elements(outer.content)).into_iter().flatten();
        match outer.next() {
            Some(body) => certificate.body(body.content),
            None => certificate.unreadable.push("Certificate"),
        }
        certificate
    }

    fn body(&mut self, bytes: &[u8]) {
        let mut fields = elements(bytes).peekable();
        // The version: it only says which of the others may be there.
        fields.next_if(|field| field.number() == Some(0));
        self.serial = fields.next().filter(|field| field.tag == Tag::Integer).map(|field| hex(field.content));
        self.signature = fields.next().and_then(|field| algorithm(&field));
        self.issuer = fields.next().and_then(|field| Name::of(&field));
        let validity: Vec<_> = fields.next().map(|field| elements(field.content).collect()).unwrap_or_default();
        self.not_before = validity.first().and_then(date);
        self.not_after = validity.get(1).and_then(date);
        self.subject = fields.next().and_then(|field| Name::of(&field));
        self.key = fields.next().and_then(|field| PublicKey::of(field.raw));
        let read = [
            ("serialNumber", self.serial.is_some()),
            ("signature", self.signature.is_some()),
            ("issuer", self.issuer.is_some()),
            ("validity", self.not_before.is_some() && self.not_after.is_some()),
            ("subject", self.subject.is_some()),
            ("subjectPublicKeyInfo", self.key.is_some()),
        ];
        self.unreadable.extend(read.into_iter().filter(|(_, read)| !read).map(|(name, _)| name));
        let extensions =
            fields.find(|field| field.number() == Some(3)).and_then(|field| elements(field.content).next());
        for extension in extensions.into_iter().flat_map(|list| elements(list.content)) {
            self.extension(extension.content);
        }
    }

    fn extension(&mut self, bytes: &[u8]) {
        let mut parts = elements(bytes);
        let id = parts.next().and_then(|id| oid(&id));
        let Some(value) = parts.find(|part| part.tag == Tag::OctetString) else { return };
        let Some(value) = elements(value.content).next() else { return };
        match id {
            Some(rfc5280::ID_CE_SUBJECT_ALT_NAME) => {
                let names = elements(value.content).filter_map(|name| AltName::of(&name));
                self.alt_names.extend(names.take(MAX_NAMES));
            }
            Some(rfc5280::ID_CE_BASIC_CONSTRAINTS) => {
                let first = elements(value.content).next();
                self.is_ca = Some(first.is_some_and(|flag| flag.tag == Tag::Boolean && flag.content != [0]));
            }
            Some(rfc5280::ID_CE_EXT_KEY_USAGE) => {
                let purposes = elements(value.content).filter_map(|purpose| oid(&purpose));
                self.purposes.extend(purposes.take(MAX_NAMES).map(|purpose| purpose_name(&purpose)));
            }
            Some(rfc5280::ID_CE_CERTIFICATE_POLICIES) => {
                let policies = elements(value.content).filter_map(|policy| oid(&elements(policy.content).next()?));
                self.policies.extend(policies.take(MAX_NAMES).map(|policy| policy.to_string()));
            }
            _ => {}
        }
    }

    /// Whether an authority that browsers trust says to have issued it for a server: such ones must name a policy of the
    /// CA/Browser Forum (Baseline Requirements 7.1.6).
    pub fn is_public(&self) -> bool {
        self.policies.iter().any(|policy| policy.starts_with("2.23.140.1."))
    }

    /// The thumbprint as Windows shows it and CertificateStore names it: SHA-1 in upper case hexadecimal digits.
    pub fn thumbprint(&self) -> String {
        hex(&self.sha1).to_ascii_uppercase()
    }

    /// Whether subject and issuer are the same.
    pub fn is_self_issued(&self) -> bool {
        self.subject.is_some() && self.subject == self.issuer
    }

    /// Whether it holds for a host: by its alternative names, or where those name no host by the common name. `None` when
    /// it names no host at all.
    pub fn covers(&self, host: &str) -> Option<bool> {
        let named: Vec<&AltName> =
            self.alt_names.iter().filter(|name| matches!(name, AltName::Dns(_) | AltName::Ip(_))).collect();
        if named.is_empty() {
            let name = self.subject.as_ref()?.common_name()?;
            return Some(name::matches(name, host));
        }
        Some(named.into_iter().any(|name| name.covers(host)))
    }
}

/// An element of DER.
struct Element<'a> {
    tag: Tag,
    content: &'a [u8],
    /// With tag and length.
    raw: &'a [u8],
}

impl Element<'_> {
    /// The number of a tag that has its meaning from where it stands.
    fn number(&self) -> Option<u32> {
        match self.tag {
            Tag::ContextSpecific { number: TagNumber(number), .. } => Some(number),
            _ => None,
        }
    }
}

/// The elements that follow each other in `bytes`, as far as they can be told apart.
fn elements(bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut reader = SliceReader::new(bytes).ok();
    std::iter::from_fn(move || {
        let raw = reader.as_mut()?.tlv_bytes().ok()?;
        let any = AnyRef::from_der(raw).ok()?;
        Some(Element { tag: any.tag(), content: any.value(), raw })
    })
}

fn oid(element: &Element<'_>) -> Option<ObjectIdentifier> {
    ObjectIdentifier::from_bytes(element.content).ok().filter(|_| element.tag == Tag::ObjectIdentifier)
}

/// The name of an AlgorithmIdentifier.
fn algorithm(element: &Element<'_>) -> Option<String> {
    let oid = oid(&elements(element.content).next()?)?;
    Some(DB.by_oid(&oid).map_or_else(|| oid.to_string(), str::to_owned))
}

fn purpose_name(oid: &ObjectIdentifier) -> String {
    match DB.by_oid(oid) {
        Some(name) => name.trim_start_matches("id-kp-").to_owned(),
        None => oid.to_string(),
    }
}

fn date(element: &Element<'_>) -> Option<DateTime> {
    x509_cert::time::Time::from_der(element.raw).ok().map(|time| time.to_date_time())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;

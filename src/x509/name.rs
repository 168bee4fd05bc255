//! Names of subjects, issuers and hosts.

use std::fmt;
use std::net::IpAddr;

use x509_cert::der::Tag;
use x509_cert::der::asn1::ObjectIdentifier;

use super::{Element, MAX_NAMES, elements, hex, oid};

/// Attribute types by the abbreviations that Windows and OpenSSL print.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "E"),
];
/// The user principal name of Windows, in an otherName.
const UPN: &str = "1.3.6.1.4.1.311.20.2.3";

/// A distinguished name. Two are equal when their DER is.
#[derive(Clone, Debug)]
pub struct Name {
    parts: Vec<(String, String)>,
    der: Box<[u8]>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.der == other.der
    }
}

impl Eq for Name {}

impl Name {
    /// Reads a name, as far as it goes.
    pub(super) fn of(element: &Element<'_>) -> Option<Name> {
        let attributes = elements(element.content).flat_map(|set| elements(set.content));
        let parts = attributes.filter_map(|attribute| {
            let mut pair = elements(attribute.content);
            Some((attribute_name(&oid(&pair.next()?)?), text(&pair.next()?)))
        });
        let parts = parts.take(MAX_NAMES).collect();
        (element.tag == Tag::Sequence).then(|| Name { parts, der: element.raw.into() })
    }

    /// Its attributes in their order: the type's abbreviation, else the digits of its OID, and the value.
    pub fn parts(&self) -> &[(String, String)] {
        &self.parts
    }

    /// The last common name, which is the most specific.
    pub fn common_name(&self) -> Option<&str> {
        self.parts.iter().rev().find(|(kind, _)| kind == "CN").map(|(_, value)| value.as_str())
    }
}

/// `CN=device, O=Contoso`, in the order of the certificate. Not escaped.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (kind, value)) in self.parts.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            // A comma within a value must not look like the next attribute.
            let quote = if value.contains([',', '=', '"']) { "\"" } else { "" };
            write!(f, "{comma}{kind}={quote}{}{quote}", value.replace('"', "\"\""))?;
        }
        Ok(())
    }
}

fn attribute_name(oid: &ObjectIdentifier) -> String {
    let digits = oid.to_string();
    let known = ATTRIBUTES.iter().find(|(known, _)| *known == digits);
    known.map_or(digits, |(_, name)| (*name).to_owned())
}

/// The text of a string of any type. Characters that the type does not allow are kept.
fn text(element: &Element<'_>) -> String {
    let bytes = element.content;
    match element.tag {
        Tag::BmpString => {
            let units: Vec<u16> = bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::TeletexString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::GeneralString => latin(bytes),
        _ => format!("#{}", hex(element.raw)),
    }
}

/// UTF-8, or Latin-1 where it is none.
fn latin(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// A name of the extension SubjectAltName.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AltName {
    /// A host, perhaps with a wildcard.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// A mailbox.
    Email(String),
    /// A URI.
    Uri(String),
    /// A user principal name.
    Upn(String),
    /// A distinguished name.
    Directory(Name),
}

impl AltName {
    /// Reads a name; `None` for the kinds that are not known here.
    pub(super) fn of(element: &Element<'_>) -> Option<AltName> {
        let text = || latin(element.content);
        Some(match element.number()? {
            0 => {
                let mut parts = elements(element.content);
                let is_upn = oid(&parts.next()?)?.to_string() == UPN;
                let value = parts.next().filter(|_| is_upn).and_then(|value| elements(value.content).next())?;
                AltName::Upn(latin(value.content))
            }
            1 => AltName::Email(text()),
            2 => AltName::Dns(text()),
            4 => AltName::Directory(Name::of(&elements(element.content).next()?)?),
            6 => AltName::Uri(text()),
            7 => match element.content.len() {
                4 => AltName::Ip(IpAddr::from(*element.content.first_chunk::<4>()?)),
                _ => AltName::Ip(IpAddr::from(*element.content.first_chunk::<16>()?)),
            },
            _ => return None,
        })
    }

    /// Whether it holds for a host.
    pub(super) fn covers(&self, host: &str) -> bool {
        match self {
            AltName::Dns(name) => matches(name, host),
            AltName::Ip(address) => host.parse() == Ok(*address),
            _ => false,
        }
    }
}

/// `DNS:mdm.example.test`. Not escaped.
impl fmt::Display for AltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AltName::Dns(name) => write!(f, "DNS:{name}"),
            AltName::Ip(address) => write!(f, "IP:{address}"),
            AltName::Email(name) => write!(f, "email:{name}"),
            AltName::Uri(name) => write!(f, "URI:{name}"),
            AltName::Upn(name) => write!(f, "UPN:{name}"),
            AltName::Directory(name) => write!(f, "dirName:{name}"),
        }
    }
}

/// Whether a name, whose first label may be a wildcard, is that of a host (RFC 9525 section 6.3).
pub(super) fn matches(name: &str, host: &str) -> bool {
    let (name, host) = (name.trim_end_matches('.'), host.trim_end_matches('.'));
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(name), Some((label, rest))) => !label.is_empty() && name.contains('.') && name.eq_ignore_ascii_case(rest),
        _ => name.eq_ignore_ascii_case(host),
    }
}

//! Public keys: algorithm and size.

use std::fmt;

use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::db::{DB, rfc5912};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::elements;

/// Curves: their OID, their name in FIPS 186 or SEC 2, and the size of their field in bits.
const CURVES: &[(ObjectIdentifier, &str, u32)] = &[
    (rfc5912::SECP_256_R_1, "P-256", 256),
    (rfc5912::SECP_384_R_1, "P-384", 384),
    (rfc5912::SECP_521_R_1, "P-521", 521),
    (rfc5912::SECP_224_R_1, "P-224", 224),
];

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `RSA`, `EC P-256`, or the name or OID of another algorithm.
    pub algorithm: String,
    /// Its size in bits, where that is known.
    pub bits: Option<u32>,
    /// The SubjectPublicKeyInfo in DER, by which keys can be compared.
    pub der: Box<[u8]>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    pub fn of(der: &[u8]) -> Option<PublicKey> {
        let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        let (id, key) = (info.algorithm.oid, info.subject_public_key.raw_bytes());
        let curve = info.algorithm.parameters.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        let (algorithm, bits) = match id {
            rfc5912::RSA_ENCRYPTION => ("RSA".to_owned(), modulus_bits(key)),
            rfc5912::ID_EC_PUBLIC_KEY => match CURVES.iter().find(|(known, ..)| Some(*known) == curve) {
                Some((_, name, bits)) => (format!("EC {name}"), Some(*bits)),
                None => (format!("EC {}", curve.as_ref().map_or_else(|| "curve unknown".to_owned(), name)), None),
            },
            other => (name(&other), None),
        };
        Some(PublicKey { algorithm, bits, der: der.into() })
    }
}

/// `RSA 2048`, `EC P-256`.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits {
            Some(bits) if self.algorithm == "RSA" => write!(f, "RSA {bits}"),
            _ => f.write_str(&self.algorithm),
        }
    }
}

fn name(oid: &ObjectIdentifier) -> String {
    DB.by_oid(oid).map_or_else(|| oid.to_string(), |name| name.trim_start_matches("id-").to_owned())
}

/// Bits of the modulus of an RSAPublicKey, which is its first number.
fn modulus_bits(key: &[u8]) -> Option<u32> {
    let modulus = elements(elements(key).next()?.content).next()?.content;
    let start = modulus.iter().position(|byte| *byte != 0)?;
    let (first, rest) = modulus.get(start..)?.split_first()?;
    u32::try_from(rest.len()).ok()?.checked_mul(8)?.checked_add(8 - first.leading_zeros())
}

//! RSA private keys: PEM or DER, PKCS#1 or PKCS#8. The one file that uses `rustls_pemfile` and `rsa`.
//!
//! In: the bytes of a file. Out: keys that decrypt premaster secrets. The decryption is not constant in time, which is of
//! no concern here: nobody waits for its answer but the owner of key and recording (see `docs/security.md`).

use std::fmt;

use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Encrypt, PrivateKey};
use rustls_pemfile::Item;
use thiserror::Error;

/// A private key.
pub struct RsaKey(Box<PrivateKey>);

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({} bits)", self.0.size() * 8)
    }
}

/// Why a file gives no key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// It is protected by a passphrase.
    #[error("the key is encrypted; write it without passphrase first (openssl pkey -in KEY -out PLAIN)")]
    Encrypted,
    /// It holds another kind of key.
    #[error("the key is not an RSA key; only RSA keys can decrypt a recording (and only RSA key exchange)")]
    NotRsa,
    /// It holds no private key.
    #[error("there is no private key in it; expected PEM or DER, PKCS#1 or PKCS#8")]
    None,
}

/// The keys in a file.
///
/// # Errors
/// There is none that can be used.
pub fn read(bytes: &[u8]) -> Result<Vec<RsaKey>, KeyError> {
    if !bytes.windows(11).any(|part| part == b"-----BEGIN ") {
        return of_der(bytes).map(|key| vec![key]);
    }
    let (mut keys, mut wrong) = (Vec::new(), KeyError::None);
    let mut rest = bytes;
    while let Ok(Some(item)) = rustls_pemfile::read_one(&mut rest) {
        let key = match item {
            Item::Pkcs1Key(der) => of_der(der.secret_pkcs1_der()),
            Item::Pkcs8Key(der) => of_der(der.secret_pkcs8_der()),
            Item::Sec1Key(_) => Err(KeyError::NotRsa),
            _ => continue,
        };
        match key {
            Ok(key) => keys.push(key),
            Err(error) => wrong = error,
        }
    }
    let encrypted = [&b"BEGIN ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"];
    if encrypted.iter().any(|sign| bytes.windows(sign.len()).any(|part| part == *sign)) {
        wrong = KeyError::Encrypted;
    }
    if keys.is_empty() { Err(wrong) } else { Ok(keys) }
}

fn of_der(der: &[u8]) -> Result<RsaKey, KeyError> {
    if let Ok(key) = PrivateKey::from_pkcs1_der(der).or_else(|_| PrivateKey::from_pkcs8_der(der)) {
        return Ok(RsaKey(Box::new(key)));
    }
    // A PKCS#8 envelope of another algorithm.
    match rsa::pkcs8::PrivateKeyInfoRef::try_from(der) {
        Ok(_) => Err(KeyError::NotRsa),
        Err(_) => Err(KeyError::None),
    }
}

impl RsaKey {
    /// The premaster secret in a ClientKeyExchange; `None` when it was encrypted for another key. What comes of another key is no
    /// error, but some bytes (implicit rejection): a premaster secret begins with the version of the client (RFC 5246, 7.4.7.1).
    pub(super) fn premaster(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let secret = self.0.decrypt(Pkcs1v15Encrypt, encrypted).ok()?;
        (secret.len() == super::schedule::MASTER && secret.first() == Some(&3)).then_some(secret)
    }
}

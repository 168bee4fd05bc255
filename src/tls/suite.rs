//! Cipher suites: number, name, and what the name says of the key exchange, the cipher and the hash (IANA's registry).

use std::fmt;

/// A cipher suite by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize)]
pub struct Suite(pub u16);

/// How the keys of a connection come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyExchange {
    /// The client encrypts a secret with the server's RSA key: that key decrypts recordings.
    Rsa,
    /// A fresh key for each connection: nothing but a key log decrypts it.
    Ephemeral,
    /// A key agreed upon before, or the server's fixed Diffie-Hellman key.
    Other,
}

/// The cipher proper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bulk {
    Null,
    Rc4,
    TripleDes,
    Aes128Cbc,
    Aes256Cbc,
    Aes128Gcm,
    Aes256Gcm,
    ChaCha,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
}

/// A hash function: of the MAC, or of the key schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    pub(super) fn len(self) -> usize {
        match self {
            Hash::Md5 => 16,
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }
}

/// What decryption needs to know of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) bulk: Bulk,
    /// The MAC of suites that are no AEAD.
    pub(super) mac: Hash,
    /// The hash of the key schedule, from TLS 1.2 on.
    pub(super) prf: Hash,
}

impl Bulk {
    /// Bytes of its key.
    pub(super) fn key_len(self) -> usize {
        match self {
            Bulk::Null => 0,
            Bulk::Rc4 | Bulk::Aes128Cbc | Bulk::Aes128Gcm | Bulk::Aes128Ccm | Bulk::Aes128Ccm8 => 16,
            Bulk::TripleDes => 24,
            Bulk::Aes256Cbc | Bulk::Aes256Gcm | Bulk::ChaCha | Bulk::Aes256Ccm | Bulk::Aes256Ccm8 => 32,
        }
    }

    /// Bytes of a block, for the ciphers that chain blocks.
    pub(super) fn block_len(self) -> Option<usize> {
        match self {
            Bulk::TripleDes => Some(8),
            Bulk::Aes128Cbc | Bulk::Aes256Cbc => Some(16),
            _ => None,
        }
    }

    pub(super) fn is_aead(self) -> bool {
        !matches!(self, Bulk::Null | Bulk::Rc4 | Bulk::TripleDes | Bulk::Aes128Cbc | Bulk::Aes256Cbc)
    }
}

impl Suite {
    /// The name without `TLS_`; `None` for a suite that is not in the table.
    fn short_name(self) -> Option<&'static str> {
        let at = SUITES.binary_search_by_key(&self.0, |(number, _)| *number).ok()?;
        SUITES.get(at).map(|(_, name)| *name)
    }

    /// How the keys come about; `None` for a suite that is not in the table.
    pub fn key_exchange(self) -> Option<KeyExchange> {
        let name = self.short_name()?;
        let Some((exchange, _)) = name.split_once("_WITH_") else { return Some(KeyExchange::Ephemeral) };
        Some(match exchange {
            "RSA" => KeyExchange::Rsa,
            _ if exchange.starts_with("ECDHE") || exchange.starts_with("DHE") => KeyExchange::Ephemeral,
            _ if exchange.ends_with("anon") => KeyExchange::Ephemeral,
            _ => KeyExchange::Other,
        })
    }

    /// What the name says of cipher and hash.
    pub(super) fn parts(self) -> Option<Parts> {
        let name = self.short_name()?;
        let cipher = name.split_once("_WITH_").map_or(name, |(_, cipher)| cipher);
        let (bulk, rest) = CIPHERS.iter().find_map(|(start, bulk)| Some((*bulk, cipher.strip_prefix(start)?)))?;
        let mac = match rest {
            "_MD5" => Hash::Md5,
            "_SHA" => Hash::Sha1,
            "_SHA384" => Hash::Sha384,
            _ => Hash::Sha256,
        };
        let prf = if mac == Hash::Sha384 { Hash::Sha384 } else { Hash::Sha256 };
        Some(Parts { bulk, mac, prf })
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.short_name() {
            Some(name) => write!(f, "TLS_{name}"),
            None => write!(f, "0x{:04X}", self.0),
        }
    }
}

/// Beginnings of the second half of a name; of two that fit the longer stands first.
const CIPHERS: &[(&str, Bulk)] = &[
    ("NULL", Bulk::Null),
    ("RC4_128", Bulk::Rc4),
    ("3DES_EDE_CBC", Bulk::TripleDes),
    ("AES_128_CBC", Bulk::Aes128Cbc),
    ("AES_256_CBC", Bulk::Aes256Cbc),
    ("AES_128_GCM", Bulk::Aes128Gcm),
    ("AES_256_GCM", Bulk::Aes256Gcm),
    ("CHACHA20_POLY1305", Bulk::ChaCha),
    ("AES_128_CCM_8", Bulk::Aes128Ccm8),
    ("AES_256_CCM_8", Bulk::Aes256Ccm8),
    ("AES_128_CCM", Bulk::Aes128Ccm),
    ("AES_256_CCM", Bulk::Aes256Ccm),
];

/// By number. Suites whose ciphers nobody uses (Camellia, ARIA, SEED, IDEA, single DES) are left out.
const SUITES: &[(u16, &str)] = &[
    (0x0001, "RSA_WITH_NULL_MD5"),
    (0x0002, "RSA_WITH_NULL_SHA"),
    (0x0004, "RSA_WITH_RC4_128_MD5"),
    (0x0005, "RSA_WITH_RC4_128_SHA"),
    (0x000a, "RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x000d, "DH_DSS_WITH_3DES_EDE_CBC_SHA"),
    (0x0010, "DH_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0013, "DHE_DSS_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0018, "DH_anon_WITH_RC4_128_MD5"),
    (0x001b, "DH_anon_WITH_3DES_EDE_CBC_SHA"),
    (0x002f, "RSA_WITH_AES_128_CBC_SHA"),
    (0x0030, "DH_DSS_WITH_AES_128_CBC_SHA"),
    (0x0031, "DH_RSA_WITH_AES_128_CBC_SHA"),
    (0x0032, "DHE_DSS_WITH_AES_128_CBC_SHA"),
    (0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0034, "DH_anon_WITH_AES_128_CBC_SHA"),
    (0x0035, "RSA_WITH_AES_256_CBC_SHA"),
    (0x0036, "DH_DSS_WITH_AES_256_CBC_SHA"),
    (0x0037, "DH_RSA_WITH_AES_256_CBC_SHA"),
    (0x0038, "DHE_DSS_WITH_AES_256_CBC_SHA"),
    (0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x003a, "DH_anon_WITH_AES_256_CBC_SHA"),
    (0x003b, "RSA_WITH_NULL_SHA256"),
    (0x003c, "RSA_WITH_AES_128_CBC_SHA256"),
    (0x003d, "RSA_WITH_AES_256_CBC_SHA256"),
    (0x003e, "DH_DSS_WITH_AES_128_CBC_SHA256"),
    (0x003f, "DH_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0040, "DHE_DSS_WITH_AES_128_CBC_SHA256"),
    (0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x0068, "DH_DSS_WITH_AES_256_CBC_SHA256"),
    (0x0069, "DH_RSA_WITH_AES_256_CBC_SHA256"),
    (0x006a, "DHE_DSS_WITH_AES_256_CBC_SHA256"),
    (0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x006c, "DH_anon_WITH_AES_128_CBC_SHA256"),
    (0x006d, "DH_anon_WITH_AES_256_CBC_SHA256"),
    (0x008a, "PSK_WITH_RC4_128_SHA"),
    (0x008b, "PSK_WITH_3DES_EDE_CBC_SHA"),
    (0x008c, "PSK_WITH_AES_128_CBC_SHA"),
    (0x008d, "PSK_WITH_AES_256_CBC_SHA"),
    (0x009c, "RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "RSA_WITH_AES_256_GCM_SHA384"),
    (0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0x00a0, "DH_RSA_WITH_AES_128_GCM_SHA256"),
    (0x00a1, "DH_RSA_WITH_AES_256_GCM_SHA384"),
    (0x00a2, "DHE_DSS_WITH_AES_128_GCM_SHA256"),
    (0x00a3, "DHE_DSS_WITH_AES_256_GCM_SHA384"),
    (0x00a4, "DH_DSS_WITH_AES_128_GCM_SHA256"),
    (0x00a5, "DH_DSS_WITH_AES_256_GCM_SHA384"),
    (0x00a6, "DH_anon_WITH_AES_128_GCM_SHA256"),
    (0x00a7, "DH_anon_WITH_AES_256_GCM_SHA384"),
    (0x00a8, "PSK_WITH_AES_128_GCM_SHA256"),
    (0x00a9, "PSK_WITH_AES_256_GCM_SHA384"),
    (0x00ae, "PSK_WITH_AES_128_CBC_SHA256"),
    (0x00af, "PSK_WITH_AES_256_CBC_SHA384"),
    (0x1301, "AES_128_GCM_SHA256"),
    (0x1302, "AES_256_GCM_SHA384"),
    (0x1303, "CHACHA20_POLY1305_SHA256"),
    (0x1304, "AES_128_CCM_SHA256"),
    (0x1305, "AES_128_CCM_8_SHA256"),
    (0xc002, "ECDH_ECDSA_WITH_RC4_128_SHA"),
    (0xc003, "ECDH_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc004, "ECDH_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc005, "ECDH_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc007, "ECDHE_ECDSA_WITH_RC4_128_SHA"),
    (0xc008, "ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc00c, "ECDH_RSA_WITH_RC4_128_SHA"),
    (0xc00d, "ECDH_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc00e, "ECDH_RSA_WITH_AES_128_CBC_SHA"),
    (0xc00f, "ECDH_RSA_WITH_AES_256_CBC_SHA"),
    (0xc011, "ECDHE_RSA_WITH_RC4_128_SHA"),
    (0xc012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0xc016, "ECDH_anon_WITH_RC4_128_SHA"),
    (0xc017, "ECDH_anon_WITH_3DES_EDE_CBC_SHA"),
    (0xc018, "ECDH_anon_WITH_AES_128_CBC_SHA"),
    (0xc019, "ECDH_anon_WITH_AES_256_CBC_SHA"),
    (0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc025, "ECDH_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc026, "ECDH_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc029, "ECDH_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc02a, "ECDH_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc02b, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02d, "ECDH_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02e, "ECDH_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc02f, "ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xc031, "ECDH_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc032, "ECDH_RSA_WITH_AES_256_GCM_SHA384"),
    (0xc033, "ECDHE_PSK_WITH_RC4_128_SHA"),
    (0xc034, "ECDHE_PSK_WITH_3DES_EDE_CBC_SHA"),
    (0xc035, "ECDHE_PSK_WITH_AES_128_CBC_SHA"),
    (0xc036, "ECDHE_PSK_WITH_AES_256_CBC_SHA"),
    (0xc037, "ECDHE_PSK_WITH_AES_128_CBC_SHA256"),
    (0xc038, "ECDHE_PSK_WITH_AES_256_CBC_SHA384"),
    (0xc09c, "RSA_WITH_AES_128_CCM"),
    (0xc09d, "RSA_WITH_AES_256_CCM"),
    (0xc09e, "DHE_RSA_WITH_AES_128_CCM"),
    (0xc09f, "DHE_RSA_WITH_AES_256_CCM"),
    (0xc0a0, "RSA_WITH_AES_128_CCM_8"),
    (0xc0a1, "RSA_WITH_AES_256_CCM_8"),
    (0xc0a2, "DHE_RSA_WITH_AES_128_CCM_8"),
    (0xc0a3, "DHE_RSA_WITH_AES_256_CCM_8"),
    (0xc0a4, "PSK_WITH_AES_128_CCM"),
    (0xc0a5, "PSK_WITH_AES_256_CCM"),
    (0xc0a8, "PSK_WITH_AES_128_CCM_8"),
    (0xc0a9, "PSK_WITH_AES_256_CCM_8"),
    (0xc0ac, "ECDHE_ECDSA_WITH_AES_128_CCM"),
    (0xc0ad, "ECDHE_ECDSA_WITH_AES_256_CCM"),
    (0xc0ae, "ECDHE_ECDSA_WITH_AES_128_CCM_8"),
    (0xc0af, "ECDHE_ECDSA_WITH_AES_256_CCM_8"),
    (0xcca8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccaa, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccab, "PSK_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccac, "ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccad, "DHE_PSK_WITH_CHACHA20_POLY1305_SHA256"),
    (0xccae, "RSA_PSK_WITH_CHACHA20_POLY1305_SHA256"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_name_is_understood() {
        assert!(SUITES.is_sorted_by(|one, next| one.0 < next.0));
        for (number, name) in SUITES {
            assert!(Suite(*number).parts().is_some(), "{name}");
        }
    }

    #[test]
    fn names_tell_the_parts() {
        let parts = |number| Suite(number).parts().unwrap();
        assert_eq!(parts(0xc028), Parts { bulk: Bulk::Aes256Cbc, mac: Hash::Sha384, prf: Hash::Sha384 });
        assert_eq!(parts(0x002f), Parts { bulk: Bulk::Aes128Cbc, mac: Hash::Sha1, prf: Hash::Sha256 });
        assert_eq!(parts(0xc0a0).bulk, Bulk::Aes128Ccm8);
        assert_eq!(parts(0x1302).prf, Hash::Sha384);
        assert_eq!(Suite(0x009d).key_exchange(), Some(KeyExchange::Rsa));
        assert_eq!(Suite(0xc030).key_exchange(), Some(KeyExchange::Ephemeral));
        assert_eq!(Suite(0x1301).to_string(), "TLS_AES_128_GCM_SHA256");
        assert_eq!(Suite(0x5600).to_string(), "0x5600");
    }
}

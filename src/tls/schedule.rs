//! From secrets to the keys of records: the PRFs of SSL 3.0 to TLS 1.2 (RFC 6101, 2246, 5246, 7627) and the labels of
//! TLS 1.3 (RFC 8446 §7.1).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

use super::suite::Hash;
use super::version::Version;

/// Bytes of a master secret.
pub(super) const MASTER: usize = 48;

/// HMAC with one of the hashes, over parts that follow each other.
pub(super) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn with<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return Vec::new() };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Md5 => with::<Hmac<Md5>>(key, parts),
        Hash::Sha1 => with::<Hmac<Sha1>>(key, parts),
        Hash::Sha256 => with::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => with::<Hmac<Sha384>>(key, parts),
    }
}

/// A digest over parts that follow each other.
pub(super) fn digest(hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    fn with<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut digest = D::new();
        parts.iter().for_each(|part| digest.update(part));
        digest.finalize().to_vec()
    }
    match hash {
        Hash::Md5 => with::<Md5>(parts),
        Hash::Sha1 => with::<Sha1>(parts),
        Hash::Sha256 => with::<Sha256>(parts),
        Hash::Sha384 => with::<Sha384>(parts),
    }
}

/// `P_hash` of RFC 5246 §5.
fn p_hash(hash: Hash, secret: &[u8], seed: &[&[u8]], len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + hash.len());
    let mut a = hmac(hash, secret, seed);
    while out.len() < len {
        let parts: Vec<&[u8]> = std::iter::once(a.as_slice()).chain(seed.iter().copied()).collect();
        out.extend(hmac(hash, secret, &parts));
        a = hmac(hash, secret, &[&a]);
    }
    out.truncate(len);
    out
}

/// SSL 3.0's way: MD5 over SHA-1 over letters, the secret and both randoms.
fn ssl3(secret: &[u8], seed: &[&[u8]], len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 16);
    for (letter, count) in (b'A'..=b'Z').zip(1..) {
        if out.len() >= len {
            break;
        }
        let letters = vec![letter; count];
        let mut parts: Vec<&[u8]> = vec![&letters, secret];
        parts.extend(seed);
        let inner = digest(Hash::Sha1, &parts);
        out.extend(digest(Hash::Md5, &[secret, &inner]));
    }
    out.truncate(len);
    out
}

fn prf(version: Version, hash: Hash, secret: &[u8], label: &str, seed: &[&[u8]], len: usize) -> Vec<u8> {
    if version == Version::SSL3 {
        return ssl3(secret, seed, len);
    }
    let mut labelled = vec![label.as_bytes()];
    labelled.extend(seed);
    if version >= Version::TLS12 {
        return p_hash(hash, secret, &labelled, len);
    }
    // The halves of the secret share the middle byte when its length is odd.
    let half = secret.len().div_ceil(2);
    let first = p_hash(Hash::Md5, secret.get(..half).unwrap_or(secret), &labelled, len);
    let second = p_hash(Hash::Sha1, secret.get(secret.len() - half..).unwrap_or(secret), &labelled, len);
    first.iter().zip(&second).map(|(one, other)| one ^ other).collect()
}

/// The master secret out of the premaster secret, bound to both randoms.
pub(super) fn master(version: Version, hash: Hash, premaster: &[u8], client: &[u8], server: &[u8]) -> Vec<u8> {
    prf(version, hash, premaster, "master secret", &[client, server], MASTER)
}

/// The extended master secret (RFC 7627), bound to the handshake up to the client's key exchange.
pub(super) fn extended_master(version: Version, hash: Hash, premaster: &[u8], handshake: &[u8]) -> Vec<u8> {
    let session = if version >= Version::TLS12 {
        digest(hash, &[handshake])
    } else {
        [digest(Hash::Md5, &[handshake]), digest(Hash::Sha1, &[handshake])].concat()
    };
    prf(version, hash, premaster, "extended master secret", &[&session], MASTER)
}

/// The key block up to TLS 1.2.
pub(super) fn key_block(
    version: Version,
    hash: Hash,
    master: &[u8],
    client: &[u8],
    server: &[u8],
    len: usize,
) -> Vec<u8> {
    prf(version, hash, master, "key expansion", &[server, client], len)
}

/// `HKDF-Expand-Label` with an empty context. `None` when the secret is too short for the hash.
pub(super) fn expand_label(hash: Hash, secret: &[u8], label: &str, len: usize) -> Option<Vec<u8>> {
    let name = format!("tls13 {label}");
    let mut info = u16::try_from(len).ok()?.to_be_bytes().to_vec();
    info.push(u8::try_from(name.len()).ok()?);
    info.extend_from_slice(name.as_bytes());
    info.push(0);
    let mut out = vec![0; len];
    match hash {
        Hash::Sha384 => Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
        _ => Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?,
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    /// RFC 8448 §3: keys of the server's handshake traffic.
    #[test]
    fn labels_expand_as_in_rfc_8448() {
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let key = expand_label(Hash::Sha256, &secret, "key", 16).unwrap();
        assert_eq!(key, hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(expand_label(Hash::Sha256, &secret, "iv", 12).unwrap(), hex("5d313eb2671276ee13000b30"));
    }

    /// The test vector for P_SHA256 that was published on the working group's list.
    #[test]
    fn the_prf_of_tls12_is_the_published_one() {
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let out = prf(Version::TLS12, Hash::Sha256, &secret, "test label", &[&seed], 32);
        assert_eq!(out, hex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"));
    }
}

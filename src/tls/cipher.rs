//! Opening records: one [`Opener`] for each direction and key.
//!
//! In: a record and its number. Out: its plaintext, or nothing when the key does not fit it; a failed attempt changes
//! nothing (but in RC4, whose key stream is then lost). That makes the tag the judge of which key a record has.

use aead::inout::InOutBuf;
use aes::{Aes128, Aes256};
use aes_gcm::aead::{self, AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, StreamCipher};
use ccm::Ccm;
use ccm::consts::{U8, U12, U16};
use chacha20poly1305::ChaCha20Poly1305;
use des::TdesEde3;
use rc4::Rc4;

use super::record::{Header, Kind};
use super::schedule;
use super::suite::{Bulk, Hash, Parts};
use super::version::Version;

/// A key of one direction.
pub(super) struct Opener {
    bulk: Cipher,
    /// Number of the next record.
    pub(super) seq: u64,
    pub(super) what: What,
}

/// What a key is for, as far as that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Early data of TLS 1.3.
    Early,
    /// Early data that the server passed over: the client says it again later.
    Refused,
    /// All else.
    Common,
}

enum Cipher {
    Aead { aead: Aead, iv: Vec<u8>, form: Form },
    Macced(Macced),
}

enum Aead {
    Gcm128(Box<Aes128Gcm>),
    Gcm256(Box<Aes256Gcm>),
    ChaCha(Box<ChaCha20Poly1305>),
    Ccm128(Box<Ccm<Aes128, U16, U12>>),
    Ccm256(Box<Ccm<Aes256, U16, U12>>),
    Ccm8With128(Box<Ccm<Aes128, U8, U12>>),
    Ccm8With256(Box<Ccm<Aes256, U8, U12>>),
}

/// How nonce and additional data are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// TLS 1.2 GCM and CCM: four bytes of salt, eight sent with the record.
    Explicit,
    /// TLS 1.2 ChaCha20: the number mixed into the IV.
    Mixed,
    /// TLS 1.3: the same; the header is the additional data.
    Tls13,
    /// Drafts of TLS 1.3 before 25: without additional data.
    Draft,
}

/// A cipher with a MAC beside it.
struct Macced {
    block: Block,
    version: Version,
    mac: Hash,
    mac_key: Vec<u8>,
    encrypt_then_mac: bool,
}

enum Block {
    Null,
    Rc4(Box<Rc4>),
    /// The IV of the next record where it is not sent: TLS 1.0 chains records.
    Cbc {
        bulk: Bulk,
        key: Vec<u8>,
        chained: Option<Vec<u8>>,
    },
}

/// What came out of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// What it holds.
    pub(super) kind: Kind,
    /// Offset in the record's content at which the ciphertext of the plaintext begins.
    pub(super) skipped: usize,
}

/// Keys of both directions, client's first, out of the master secret.
pub(super) fn openers(
    version: Version,
    parts: Parts,
    encrypt_then_mac: bool,
    master: &[u8],
    client: &[u8],
    server: &[u8],
) -> Option<[Opener; 2]> {
    let (bulk, mac_len) = (parts.bulk, if parts.bulk.is_aead() { 0 } else { parts.mac.len() });
    let iv_len = match bulk {
        Bulk::ChaCha => 12,
        _ if bulk.is_aead() => 4,
        // Newer versions send it with each record.
        _ => bulk.block_len().filter(|_| version < Version::TLS11).unwrap_or(0),
    };
    let len = 2 * (mac_len + bulk.key_len() + iv_len);
    let block = schedule::key_block(version, parts.prf, master, client, server, len);
    let mut wire = super::wire::Wire::new(&block);
    let mut pair = |len| Some([wire.take(len)?, wire.take(len)?]);
    let (macs, keys, ivs) = (pair(mac_len)?, pair(bulk.key_len())?, pair(iv_len)?);
    let one = |side: usize| {
        let (key, iv) = (keys[side], ivs[side]);
        let cipher = if bulk.is_aead() {
            let form = if bulk == Bulk::ChaCha { Form::Mixed } else { Form::Explicit };
            Cipher::Aead { aead: Aead::new(bulk, key)?, iv: iv.to_vec(), form }
        } else {
            let block = match bulk {
                Bulk::Null => Block::Null,
                Bulk::Rc4 => Block::Rc4(Box::new(Rc4::new_from_slice(key).ok()?)),
                _ => Block::Cbc { bulk, key: key.to_vec(), chained: (iv_len > 0).then(|| iv.to_vec()) },
            };
            let mac_key = macs[side].to_vec();
            Cipher::Macced(Macced { block, version, mac: parts.mac, mac_key, encrypt_then_mac })
        };
        Some(Opener { bulk: cipher, seq: 0, what: What::Common })
    };
    Some([one(0)?, one(1)?])
}

impl Opener {
    /// The key of a traffic secret of TLS 1.3.
    pub(super) fn of_secret(version: Version, parts: Parts, secret: &[u8]) -> Option<Opener> {
        if secret.len() != parts.prf.len() {
            return None;
        }
        let key = schedule::expand_label(parts.prf, secret, "key", parts.bulk.key_len())?;
        let iv = schedule::expand_label(parts.prf, secret, "iv", 12)?;
        let form = if version.draft().is_some_and(|draft| draft < 25) { Form::Draft } else { Form::Tls13 };
        Some(Opener { bulk: Cipher::Aead { aead: Aead::new(parts.bulk, &key)?, iv, form }, seq: 0, what: What::Common })
    }

    /// The same for early data.
    pub(super) fn for_early(self) -> Opener {
        Opener { what: What::Early, ..self }
    }

    /// Opens the record numbered `seq` into `out`. On success the next one is expected to follow it.
    pub(super) fn open(&mut self, seq: u64, header: Header, content: &[u8], out: &mut Vec<u8>) -> Option<Opened> {
        out.clear();
        let opened = match &mut self.bulk {
            Cipher::Aead { aead, iv, form } => open_aead(aead, iv, *form, seq, header, content, out),
            Cipher::Macced(macced) => macced.open(seq, header, content, out),
        }?;
        self.seq = seq.saturating_add(1);
        Some(opened)
    }

    /// Passes over a record that cannot be opened because bytes of it are missing; `tail` are its last bytes, as far as they
    /// were captured.
    pub(super) fn pass(&mut self, len: usize, tail: &[u8]) {
        self.seq = self.seq.saturating_add(1);
        match &mut self.bulk {
            Cipher::Macced(Macced { block: Block::Rc4(stream), .. }) => stream.apply_keystream(&mut vec![0; len]),
            _ => self.chain(tail),
        }
    }

    /// Bytes of plaintext in a record of that many, where the cipher tells.
    pub(super) fn plain_len(&self, len: usize) -> Option<usize> {
        match &self.bulk {
            Cipher::Aead { aead, form, .. } => {
                let added = match form {
                    Form::Explicit => 8,
                    Form::Mixed => 0,
                    Form::Tls13 | Form::Draft => 1,
                };
                len.checked_sub(aead.tag_len() + added)
            }
            Cipher::Macced(Macced { block: Block::Cbc { .. }, .. }) => None,
            Cipher::Macced(macced) => len.checked_sub(macced.mac.len()),
        }
    }

    /// Whether records can be tried with numbers out of order.
    pub(super) fn can_skip(&self) -> bool {
        !matches!(&self.bulk, Cipher::Macced(Macced { block: Block::Rc4(_), .. }))
    }

    /// Takes the last bytes of a record as the IV of the next, where records are chained.
    pub(super) fn chain(&mut self, content: &[u8]) {
        let Cipher::Macced(Macced { block: Block::Cbc { chained: Some(chained), .. }, .. }) = &mut self.bulk else {
            return;
        };
        if let Some(iv) = content.len().checked_sub(chained.len()).and_then(|at| content.get(at..)) {
            *chained = iv.to_vec();
        }
    }
}

impl Aead {
    fn new(bulk: Bulk, key: &[u8]) -> Option<Aead> {
        Some(match bulk {
            Bulk::Aes128Gcm => Aead::Gcm128(Box::new(Aes128Gcm::new_from_slice(key).ok()?)),
            Bulk::Aes256Gcm => Aead::Gcm256(Box::new(Aes256Gcm::new_from_slice(key).ok()?)),
            Bulk::ChaCha => Aead::ChaCha(Box::new(ChaCha20Poly1305::new_from_slice(key).ok()?)),
            Bulk::Aes128Ccm => Aead::Ccm128(Box::new(Ccm::new_from_slice(key).ok()?)),
            Bulk::Aes256Ccm => Aead::Ccm256(Box::new(Ccm::new_from_slice(key).ok()?)),
            Bulk::Aes128Ccm8 => Aead::Ccm8With128(Box::new(Ccm::new_from_slice(key).ok()?)),
            Bulk::Aes256Ccm8 => Aead::Ccm8With256(Box::new(Ccm::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }

    fn tag_len(&self) -> usize {
        if matches!(self, Aead::Ccm8With128(_) | Aead::Ccm8With256(_)) { 8 } else { 16 }
    }

    /// Decrypts in place; false when the tag is not that of this key, nonce and data.
    fn decrypt(&self, nonce: &[u8; 12], data: &[u8], buffer: &mut [u8], tag: &[u8]) -> bool {
        fn with<A: AeadInOut>(aead: &A, nonce: &[u8; 12], data: &[u8], buffer: &mut [u8], tag: &[u8]) -> bool {
            let (Ok(nonce), Ok(tag)) = (nonce.as_slice().try_into(), tag.try_into()) else { return false };
            aead.decrypt_inout_detached(nonce, data, InOutBuf::from(buffer), tag).is_ok()
        }
        match self {
            Aead::Gcm128(aead) => with(&**aead, nonce, data, buffer, tag),
            Aead::Gcm256(aead) => with(&**aead, nonce, data, buffer, tag),
            Aead::ChaCha(aead) => with(&**aead, nonce, data, buffer, tag),
            Aead::Ccm128(aead) => with(&**aead, nonce, data, buffer, tag),
            Aead::Ccm256(aead) => with(&**aead, nonce, data, buffer, tag),
            Aead::Ccm8With128(aead) => with(&**aead, nonce, data, buffer, tag),
            Aead::Ccm8With256(aead) => with(&**aead, nonce, data, buffer, tag),
        }
    }
}

fn open_aead(
    aead: &Aead,
    iv: &[u8],
    form: Form,
    seq: u64,
    header: Header,
    content: &[u8],
    out: &mut Vec<u8>,
) -> Option<Opened> {
    let (skipped, nonce) = match form {
        Form::Explicit => {
            let salted = [iv, content.get(..8)?].concat();
            (8, salted.as_slice().try_into().ok()?)
        }
        _ => (0, mixed(iv, seq)?),
    };
    let sealed = content.get(skipped..)?;
    let (text, tag) = sealed.split_at_checked(sealed.len().checked_sub(aead.tag_len())?)?;
    let data = match form {
        Form::Explicit | Form::Mixed => numbered(seq, header, text.len()),
        Form::Tls13 => header.bytes().to_vec(),
        Form::Draft => Vec::new(),
    };
    out.extend_from_slice(text);
    if !aead.decrypt(&nonce, &data, out, tag) {
        return None;
    }
    if matches!(form, Form::Explicit | Form::Mixed) {
        return Some(Opened { kind: header.kind, skipped });
    }
    // The true kind stands behind the text, zeros may follow.
    let last = out.iter().rposition(|byte| *byte != 0)?;
    let kind = Kind::of(*out.get(last)?)?;
    out.truncate(last);
    Some(Opened { kind, skipped })
}

fn mixed(iv: &[u8], seq: u64) -> Option<[u8; 12]> {
    let mut nonce: [u8; 12] = iv.try_into().ok()?;
    nonce.iter_mut().skip(4).zip(seq.to_be_bytes()).for_each(|(byte, seq)| *byte ^= seq);
    Some(nonce)
}

/// Number, kind, version and length: the additional data and the beginning of what a MAC covers.
fn numbered(seq: u64, header: Header, len: usize) -> Vec<u8> {
    let [kind, major, minor, ..] = header.bytes();
    let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    [&seq.to_be_bytes()[..], &[kind, major, minor, high, low]].concat()
}

impl Macced {
    fn open(&mut self, seq: u64, header: Header, content: &[u8], out: &mut Vec<u8>) -> Option<Opened> {
        let opened = |skipped| Opened { kind: header.kind, skipped };
        let block = match &mut self.block {
            Block::Null => {
                out.extend_from_slice(content);
                return self.fits(seq, header, out).then(|| opened(0));
            }
            Block::Rc4(stream) => {
                out.extend_from_slice(content);
                stream.apply_keystream(out);
                return self.fits(seq, header, out).then(|| opened(0));
            }
            Block::Cbc { bulk, key, chained } => (*bulk, key, chained),
        };
        let (bulk, key, chained) = block;
        let sealed = if self.encrypt_then_mac {
            let (sealed, tag) = content.split_at_checked(content.len().checked_sub(self.mac.len())?)?;
            let covered = numbered(seq, header, sealed.len());
            if schedule::hmac(self.mac, &self.mac_key, &[&covered, sealed]) != tag {
                return None;
            }
            sealed
        } else {
            content
        };
        let block_len = bulk.block_len()?;
        let (iv, text) = match chained {
            Some(iv) => (iv.as_slice(), sealed),
            None => sealed.split_at_checked(block_len)?,
        };
        out.extend_from_slice(text);
        decrypt_cbc(bulk, key, iv, out)?;
        let padding = usize::from(*out.last()?);
        let unpadded = out.len().checked_sub(padding + 1)?;
        // SSL 3.0 says nothing of the other bytes.
        let even = out.get(unpadded..)?.iter().all(|byte| usize::from(*byte) == padding);
        if !even && self.version != Version::SSL3 {
            return None;
        }
        out.truncate(unpadded);
        let next = text.get(text.len().checked_sub(block_len)?..)?.to_vec();
        let skipped = if chained.is_some() { 0 } else { block_len };
        if !self.encrypt_then_mac && !self.fits(seq, header, out) {
            return None;
        }
        if let Block::Cbc { chained: Some(chained), .. } = &mut self.block {
            *chained = next;
        }
        Some(opened(skipped))
    }

    /// Takes the MAC off the end of `out`; whether it is right.
    fn fits(&self, seq: u64, header: Header, out: &mut Vec<u8>) -> bool {
        let Some(len) = out.len().checked_sub(self.mac.len()) else { return false };
        let tag = out.split_off(len);
        let expected = if self.version == Version::SSL3 {
            self.ssl3_mac(seq, header, out)
        } else {
            schedule::hmac(self.mac, &self.mac_key, &[&numbered(seq, header, len), out])
        };
        expected == tag
    }

    /// The MAC of SSL 3.0 (RFC 6101 §5.2.3.1).
    fn ssl3_mac(&self, seq: u64, header: Header, text: &[u8]) -> Vec<u8> {
        let pad = if self.mac == Hash::Md5 { 48 } else { 40 };
        let [high, low] = u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes();
        let covered = [&seq.to_be_bytes()[..], &[header.kind as u8, high, low]].concat();
        let inner = schedule::digest(self.mac, &[&self.mac_key, &vec![0x36; pad], &covered, text]);
        schedule::digest(self.mac, &[&self.mac_key, &vec![0x5c; pad], &inner])
    }
}

fn decrypt_cbc(bulk: Bulk, key: &[u8], iv: &[u8], text: &mut [u8]) -> Option<()> {
    fn with<D: BlockModeDecrypt + KeyIvInit>(key: &[u8], iv: &[u8], text: &mut [u8]) -> Option<()> {
        D::new_from_slices(key, iv).ok()?.decrypt_padded::<NoPadding>(text).ok().map(|_| ())
    }
    match bulk {
        Bulk::Aes128Cbc => with::<cbc::Decryptor<Aes128>>(key, iv, text),
        Bulk::Aes256Cbc => with::<cbc::Decryptor<Aes256>>(key, iv, text),
        Bulk::TripleDes => with::<cbc::Decryptor<TdesEde3>>(key, iv, text),
        _ => None,
    }
}

impl std::fmt::Debug for Opener {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("seq", &self.seq).finish_non_exhaustive()
    }
}

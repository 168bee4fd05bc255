//! TLS up to 1.2 as its two sides write it, for tests: handshakes with any certificates, alerts, and data under
//! `TLS_RSA_WITH_NULL_SHA`, which is authenticated and not encrypted. The key log opens it.

// Each user takes its own part of this.
#![allow(dead_code, unreachable_pub)]

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

pub const TLS10: u16 = 0x0301;
pub const TLS11: u16 = 0x0302;
pub const TLS12: u16 = 0x0303;

const MASTER: [u8; 48] = [0x4d; 48];
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// Who sends something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Client,
    Server,
}

/// What the sides say to each other before there is data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    pub version: u16,
    /// The host that the client asks for.
    pub name: String,
    /// Makes the randoms of one connection differ from those of others.
    pub number: u8,
    /// The server's certificate in DER.
    pub server: Vec<u8>,
    /// Whether the server asks for a client certificate.
    pub asks: bool,
    /// The client's certificate in DER.
    pub client: Option<Vec<u8>>,
    /// A fatal alert that ends the handshake: after the server's certificate, or from the server after the client's.
    pub alert: Option<(From, u8)>,
}

impl Handshake {
    fn random(&self, from: From) -> [u8; 32] {
        let mut random = [if from == From::Client { 0xc1 } else { 0x5e }; 32];
        random[31] = self.number;
        random
    }

    /// The line that opens its data.
    pub fn key_log(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        format!("CLIENT_RANDOM {} {}\n", hex(&self.random(From::Client)), hex(&MASTER))
    }

    /// What is sent before data: flights in turn, beginning with the client's; and what seals the data of both sides.
    pub fn flights(&self) -> (Vec<(From, Vec<u8>)>, [Sealer; 2]) {
        let mut sealers = self.sealers();
        let clear = |kind, content: &[u8]| record(kind, self.version, content);
        let mut all = vec![(From::Client, clear(HANDSHAKE, &self.client_hello()))];
        let mut answer = [self.server_hello(), certificates(std::slice::from_ref(&self.server))].concat();
        if self.asks || self.client.is_some() {
            answer.extend(self.request());
        }
        answer.extend(message(14, &[]));
        all.push((From::Server, clear(HANDSHAKE, &answer)));
        if let Some((From::Client, code)) = self.alert {
            all.push((From::Client, clear(21, &[2, code])));
            return (all, sealers);
        }
        let own = (self.asks || self.client.is_some()).then(|| certificates(self.client.as_slice()));
        let exchange = message(16, &block(2, &[0x77; 256]));
        let finished = message(20, &[0x0f; 12]);
        let mut flight = clear(HANDSHAKE, &[own.unwrap_or_default(), exchange].concat());
        flight.extend(clear(20, &[1]));
        flight.extend(sealers[0].seal(HANDSHAKE, &finished));
        all.push((From::Client, flight));
        match self.alert {
            Some((From::Server, code)) => all.push((From::Server, clear(21, &[2, code]))),
            _ => {
                let mut flight = clear(20, &[1]);
                flight.extend(sealers[1].seal(HANDSHAKE, &finished));
                all.push((From::Server, flight));
            }
        }
        (all, sealers)
    }

    fn client_hello(&self) -> Vec<u8> {
        let name = block(2, &block(2, &[&[0][..], &block(2, self.name.as_bytes())].concat()));
        let extensions = block(2, &[&[0, 0][..], &name].concat());
        let version = self.version.to_be_bytes();
        let head = [&version[..], &self.random(From::Client), &block(1, &[])].concat();
        message(1, &[head, block(2, &[0, 2]), block(1, &[0]), extensions].concat())
    }

    fn server_hello(&self) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        message(2, &[&version[..], &self.random(From::Server), &block(1, &[]), &[0, 2], &[0]].concat())
    }

    fn request(&self) -> Vec<u8> {
        let algorithms = if self.version >= TLS12 { block(2, &[4, 1]) } else { Vec::new() };
        message(13, &[block(1, &[1]), algorithms, block(2, &[])].concat())
    }

    fn sealers(&self) -> [Sealer; 2] {
        let seed = [&b"key expansion"[..], &self.random(From::Server), &self.random(From::Client)].concat();
        let keys = match self.version {
            TLS12 => expand::<Hmac<Sha256>>(&MASTER, &seed),
            _ => {
                let (first, second) = MASTER.split_at(24);
                let (md5, sha) = (expand::<Hmac<Md5>>(first, &seed), expand::<Hmac<Sha1>>(second, &seed));
                md5.iter().zip(sha).map(|(one, other)| one ^ other).collect()
            }
        };
        [0, 1].map(|side| Sealer { version: self.version, key: keys[side * 20..][..20].to_vec(), next: 0 })
    }
}

/// Seals the records of one side.
#[derive(Clone, Debug)]
pub struct Sealer {
    version: u16,
    key: Vec<u8>,
    next: u64,
}

impl Sealer {
    /// Data in as many records as it takes.
    pub fn data(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes.chunks(16_384 - 64).flat_map(|part| self.seal(DATA, part)).collect()
    }

    fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let [high, low] = self.version.to_be_bytes();
        let len = (content.len() as u16).to_be_bytes();
        let tag = mac::<Hmac<Sha1>>(&self.key, &[&self.next.to_be_bytes(), &[kind, high, low], &len, content]);
        self.next += 1;
        record(kind, self.version, &[content, &tag].concat())
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// `P_hash` of RFC 5246 §5, long enough for two keys.
fn expand<M: Mac + KeyInit>(secret: &[u8], seed: &[u8]) -> Vec<u8> {
    let (mut out, mut a) = (Vec::new(), mac::<M>(secret, &[seed]));
    while out.len() < 40 {
        out.extend(mac::<M>(secret, &[&a, seed]));
        a = mac::<M>(secret, &[&a]);
    }
    out
}

fn certificates(chain: &[Vec<u8>]) -> Vec<u8> {
    let list: Vec<u8> = chain.iter().flat_map(|der| block(3, der)).collect();
    message(11, &block(3, &list))
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &block(3, body)].concat()
}

fn record(kind: u8, version: u16, content: &[u8]) -> Vec<u8> {
    [&[kind][..], &version.to_be_bytes(), &block(2, content)].concat()
}

/// A block behind its length.
fn block(len_bytes: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - len_bytes..], content].concat()
}

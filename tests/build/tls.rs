//! The octets of TLS 1.3 (RFC 8446) that two peers send each other, and the key log that opens them. Nothing here comes
//! from the code under test; nothing is verified, for nobody listens.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// Octets of text in one record at most.
pub const RECORD: usize = 16_384;

const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const SUITE: [u8; 2] = [0x13, 0x01];

/// A connection with `TLS_AES_128_GCM_SHA256`.
#[derive(Clone, Debug)]
pub struct Secure {
    random: [u8; 32],
    handshake: [Sealer; 2],
    traffic: [Sealer; 2],
    alpn: Option<String>,
}

/// One direction under one secret.
#[derive(Clone, Debug)]
struct Sealer {
    secret: [u8; 32],
    records: u64,
}

impl Secure {
    /// The connection of this number: its secrets are those of no other.
    pub fn new(number: u32) -> Secure {
        let octets = |what: u8| {
            let mut octets = [what; 32];
            octets[..4].copy_from_slice(&number.to_be_bytes());
            octets
        };
        let sealer = |what| Sealer { secret: octets(what), records: 0 };
        Secure { random: octets(0), handshake: [sealer(1), sealer(2)], traffic: [sealer(3), sealer(4)], alpn: None }
    }

    /// The same with a protocol that both agree upon.
    pub fn speaking(self, protocol: &str) -> Secure {
        Secure { alpn: Some(protocol.to_owned()), ..self }
    }

    /// What client, server and client say before there is data.
    pub fn handshake(&mut self, server_name: &str) -> [Vec<u8>; 3] {
        let name = block(2, &block(2, &[&[0][..], &block(2, server_name.as_bytes())].concat()));
        let versions = block(2, &block(1, &[3, 4]));
        let alpn = |alpn: &String| [&[0, 16][..], &block(2, &block(2, &block(1, alpn.as_bytes())))].concat();
        let alpn = self.alpn.as_ref().map(alpn).unwrap_or_default();
        let extensions = block(2, &[&[0, 0][..], &name, &[0, 43], &versions, &alpn].concat());
        let offer = [&[3, 3][..], &self.random, &block(1, &[]), &block(2, &SUITE), &block(1, &[0]), &extensions];
        let extensions = block(2, &[0, 43, 0, 2, 3, 4]);
        let choice = [&[3, 3][..], &[5; 32], &block(1, &[]), &SUITE, &[0], &extensions];
        let said = [message(8, &block(2, &alpn)), message(20, &[6; 32])].concat();
        [
            record(HANDSHAKE, &message(1, &offer.concat())),
            [record(HANDSHAKE, &message(2, &choice.concat())), self.handshake[1].seal(HANDSHAKE, &said)].concat(),
            self.handshake[0].seal(HANDSHAKE, &message(20, &[7; 32])),
        ]
    }

    /// What the client sends of this data.
    pub fn client(&mut self, data: &[u8]) -> Vec<u8> {
        self.traffic[0].data(data)
    }

    /// What the server sends of this data.
    pub fn server(&mut self, data: &[u8]) -> Vec<u8> {
        self.traffic[1].data(data)
    }

    /// Its lines of a key log.
    pub fn key_log(&self) -> String {
        let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        let secrets = self.handshake.iter().chain(&self.traffic);
        let labels = [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0",
        ];
        let line =
            |(label, sealer): (&str, &Sealer)| format!("{label} {} {}\n", hex(&self.random), hex(&sealer.secret));
        labels.into_iter().zip(secrets).map(line).collect()
    }
}

impl Sealer {
    fn data(&mut self, data: &[u8]) -> Vec<u8> {
        data.chunks(RECORD).flat_map(|part| self.seal(DATA, part)).collect()
    }

    fn seal(&mut self, kind: u8, text: &[u8]) -> Vec<u8> {
        let key: [u8; 16] = self.expand("key");
        let mut nonce: [u8; 12] = self.expand("iv");
        nonce[4..].iter_mut().zip(self.records.to_be_bytes()).for_each(|(octet, number)| *octet ^= number);
        self.records += 1;
        let mut sealed = [text, &[kind]].concat();
        let [high, low] = ((sealed.len() + 16) as u16).to_be_bytes();
        let head = [DATA, 3, 3, high, low];
        let cipher = Aes128Gcm::new(&key.into());
        cipher.encrypt_in_place(&Nonce::from(nonce), &head, &mut sealed).expect("a record that is not too long");
        [&head[..], &sealed].concat()
    }

    /// `HKDF-Expand-Label` without a context.
    fn expand<const N: usize>(&self, label: &str) -> [u8; N] {
        let label = format!("tls13 {label}");
        let info = [&(N as u16).to_be_bytes()[..], &block(1, label.as_bytes()), &[0]].concat();
        let mut out = [0; N];
        Hkdf::<Sha256>::from_prk(&self.secret)
            .and_then(|prk| prk.expand(&info, &mut out).map_err(|_| hkdf::InvalidPrkLength))
            .expect("a key");
        out
    }
}

/// Octets behind their number.
pub fn block(octets_of_length: usize, content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[4 - octets_of_length..], content].concat()
}

/// A message of the handshake.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &block(3, body)].concat()
}

/// A record in the clear.
pub fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1][..], &block(2, content)].concat()
}

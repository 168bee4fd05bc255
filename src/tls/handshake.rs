//! Handshake messages (RFC 5246 §7.4, RFC 8446 §4): put together from records, and read as far as they were captured.
//!
//! Bound: a message is at most [`MAX_MESSAGE`] bytes; a longer one is passed over. Nothing here judges.

use super::suite::Suite;
use super::version::Version;
use super::wire::Wire;

/// The longest message that is put together. Chains of certificates take some KiB; OpenSSL refuses above 100 KiB.
pub(super) const MAX_MESSAGE: usize = 128 * 1024;
/// Certificates of one chain that are kept.
const MAX_CHAIN: usize = 16;
/// Names of protocols, suites and versions that are kept of an offer.
const MAX_OFFERS: usize = 256;

pub(super) const HELLO_REQUEST: u8 = 0;
pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const NEW_SESSION_TICKET: u8 = 4;
pub(super) const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(super) const CERTIFICATE: u8 = 11;
pub(super) const CERTIFICATE_REQUEST: u8 = 13;
pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(super) const FINISHED: u8 = 20;
pub(super) const KEY_UPDATE: u8 = 24;

/// The random of a ServerHello that is a HelloRetryRequest in truth: SHA-256 of that name.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Bytes of handshake records in which messages follow each other.
#[derive(Debug, Default)]
pub(super) struct Messages {
    bytes: Vec<u8>,
    /// Bytes of a message that is too long, still to come.
    passing: usize,
}

impl Messages {
    pub(super) fn push(&mut self, content: &[u8]) {
        let passed = self.passing.min(content.len());
        self.passing -= passed;
        self.bytes.extend_from_slice(content.get(passed..).unwrap_or_default());
    }

    /// The next whole message: its type, and all its bytes with the four of its header.
    pub(super) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut wire = Wire::new(&self.bytes);
        let (kind, len) = (wire.u8()?, wire.u24()?);
        let total = len + 4;
        if len > MAX_MESSAGE {
            self.passing = total.saturating_sub(self.bytes.len());
            self.bytes.clear();
            return None;
        }
        (total <= self.bytes.len()).then(|| {
            let rest = self.bytes.split_off(total);
            (kind, std::mem::replace(&mut self.bytes, rest))
        })
    }

    /// The message that was begun, as far as it came: its type and its body.
    pub(super) fn take_unfinished(&mut self) -> Option<(u8, Vec<u8>)> {
        let bytes = std::mem::take(&mut self.bytes);
        Some((*bytes.first()?, bytes.get(4..)?.to_vec()))
    }

    /// Forgets what was begun: bytes after it were lost.
    pub(super) fn clear(&mut self) {
        *self = Messages::default();
    }

    pub(super) fn held(&self) -> usize {
        self.bytes.len()
    }
}

/// A ClientHello, as far as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHello {
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    /// The newest version offered.
    pub(super) version: Option<Version>,
    pub(super) suites: Vec<Suite>,
    pub(super) server_name: Option<String>,
    pub(super) alpn: Vec<String>,
    /// The ticket of an earlier session.
    pub(super) ticket: Vec<u8>,
}

impl ClientHello {
    /// Reads the body of the message; `None` when not even the random is there.
    pub(super) fn read(body: &[u8]) -> Option<ClientHello> {
        let mut wire = Wire::new(body);
        let legacy = Version(wire.u16()?);
        let mut hello = ClientHello { random: wire.array()?, version: Some(legacy), ..ClientHello::default() };
        hello.rest(&mut wire);
        Some(hello)
    }

    /// Reads a hello in the form of SSL 2.0, as old clients send it to servers that may know no more (RFC 5246 §E.2); with
    /// it comes the number of bytes that it takes.
    pub(super) fn read_old(bytes: &[u8]) -> Option<(usize, ClientHello)> {
        let mut wire = Wire::new(bytes);
        let len = usize::from(wire.u16()? & 0x7fff);
        let mut wire = Wire::new(wire.take(len)?);
        if !is_old_hello(bytes) || wire.u8()? != CLIENT_HELLO {
            return None;
        }
        let version = Version(wire.u16()?);
        let [specs, id, challenge] = [wire.u16()?, wire.u16()?, wire.u16()?].map(usize::from);
        let specs = wire.take(specs)?.chunks_exact(3);
        let suites = specs.filter_map(|spec| Some(Suite(u16::from_be_bytes(*spec.strip_prefix(&[0])?.first_chunk()?))));
        let suites = suites.take(MAX_OFFERS).collect();
        let session_id = wire.take(id)?.to_vec();
        let challenge = wire.take(challenge)?;
        let mut random = [0; 32];
        random.get_mut(32usize.checked_sub(challenge.len())?..)?.copy_from_slice(challenge);
        let hello = ClientHello { random, session_id, version: Some(version), suites, ..ClientHello::default() };
        Some((2 + len, hello))
    }

    fn rest(&mut self, wire: &mut Wire<'_>) -> Option<()> {
        self.session_id = wire.block8()?.to_vec();
        let mut suites = Wire::new(wire.block16_cut()?);
        while let Some(suite) = suites.u16().filter(|_| self.suites.len() < MAX_OFFERS) {
            self.suites.push(Suite(suite));
        }
        wire.block8()?;
        for (kind, data) in Extensions(Wire::new(wire.block16_cut()?)) {
            match kind {
                0 => self.server_name = self.server_name.take().or_else(|| host(data)),
                16 => self.alpn = protocols(data),
                35 => self.ticket = data.to_vec(),
                43 => {
                    let mut versions = Wire::new(Wire::new(data).block8().unwrap_or_default());
                    let known = std::iter::from_fn(|| versions.u16().map(Version)).filter(|version| version.is_known());
                    self.version = known.map(|version| (version.is_13(), version)).max().map(|(_, version)| version);
                }
                _ => {}
            }
        }
        Some(())
    }
}

/// Whether bytes begin as a hello in the form of SSL 2.0 does, for SSL 3.0 or TLS.
pub fn is_old_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80..=0xff, _, CLIENT_HELLO, 3, 0..=4, _, _, 0, 0..=32, 0, 16..=32, ..])
}

/// A ServerHello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) version: Version,
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    pub(super) suite: Suite,
    pub(super) alpn: Option<String>,
    pub(super) extended_master_secret: bool,
    pub(super) encrypt_then_mac: bool,
    /// It takes up the session of a pre-shared key (TLS 1.3).
    pub(super) pre_shared: bool,
}

impl ServerHello {
    /// Reads the body of the message; `None` when the suite is not there.
    pub(super) fn read(body: &[u8]) -> Option<ServerHello> {
        let mut wire = Wire::new(body);
        let version = Version(wire.u16()?);
        let random = wire.array()?;
        // Drafts before 22 had no session id and no compression here.
        let early_draft = version.draft().is_some();
        let session_id = if early_draft { Vec::new() } else { wire.block8()?.to_vec() };
        let suite = Suite(wire.u16()?);
        let mut hello = ServerHello {
            version,
            random,
            session_id,
            suite,
            alpn: None,
            extended_master_secret: false,
            encrypt_then_mac: false,
            pre_shared: false,
        };
        if !early_draft {
            wire.u8();
        }
        for (kind, data) in Extensions(Wire::new(wire.block16_cut().unwrap_or_default())) {
            match kind {
                16 => hello.alpn = protocols(data).into_iter().next(),
                22 => hello.encrypt_then_mac = true,
                23 => hello.extended_master_secret = true,
                41 => hello.pre_shared = true,
                43 => hello.version = Wire::new(data).u16().map_or(version, Version),
                _ => {}
            }
        }
        Some(hello)
    }

    /// Whether it asks for another ClientHello.
    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }
}

/// An extension among EncryptedExtensions.
fn encrypted_extension(body: &[u8], kind: u16) -> Option<&[u8]> {
    let list = Wire::new(body).block16_cut()?;
    Extensions(Wire::new(list)).find(|(known, _)| *known == kind).map(|(_, data)| data)
}

/// The protocol that EncryptedExtensions choose.
pub(super) fn chosen_protocol(body: &[u8]) -> Option<String> {
    protocols(encrypted_extension(body, 16)?).into_iter().next()
}

/// Whether EncryptedExtensions say that early data is taken.
pub(super) fn takes_early_data(body: &[u8]) -> bool {
    encrypted_extension(body, 42).is_some()
}

/// The certificates of a message, the owner's first.
pub(super) fn certificates(version: Version, body: &[u8]) -> Vec<Vec<u8>> {
    let mut wire = Wire::new(body);
    if version.is_13() {
        wire.block8();
    }
    let mut list = Wire::new(wire.block24().unwrap_or_default());
    let mut chain = Vec::new();
    while let Some(certificate) = list.block24().filter(|_| chain.len() < MAX_CHAIN) {
        chain.push(certificate.to_vec());
        if version.is_13() {
            list.block16();
        }
    }
    chain
}

/// The ticket of a NewSessionTicket up to TLS 1.2.
pub(super) fn ticket(body: &[u8]) -> Option<&[u8]> {
    let mut wire = Wire::new(body);
    wire.take(4)?;
    wire.block16()
}

/// The premaster secret as the client encrypted it; SSL 3.0 sends it without its length.
pub(super) fn encrypted_premaster(version: Version, body: &[u8]) -> Option<&[u8]> {
    if version == Version::SSL3 { Some(body) } else { Wire::new(body).block16() }
}

/// Extensions, one after the other.
struct Extensions<'a>(Wire<'a>);

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        Some((self.0.u16()?, self.0.block16()?))
    }
}

/// The first host name of a `server_name` extension, in lower case (RFC 6066 §3).
fn host(data: &[u8]) -> Option<String> {
    let mut list = Wire::new(Wire::new(data).block16()?);
    if list.u8()? != 0 {
        return None;
    }
    let name = list.block16()?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let fits = !name.is_empty() && name.len() <= 255 && name.iter().all(plain);
    fits.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
}

/// Protocol names (RFC 7301), those of printable characters.
fn protocols(data: &[u8]) -> Vec<String> {
    let mut list = Wire::new(Wire::new(data).block16().unwrap_or_default());
    let names = std::iter::from_fn(|| list.block8());
    let plain = names.filter(|name| name.iter().all(u8::is_ascii_graphic));
    plain.take(MAX_OFFERS).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(len_bytes: usize, content: &[u8]) -> Vec<u8> {
        let len = (content.len() as u32).to_be_bytes();
        [&len[4 - len_bytes..], content].concat()
    }

    /// A ClientHello that asks for `name`, behind an extension of another kind.
    fn hello(name: &[u8]) -> Vec<u8> {
        let entry = [&[0][..], &block(2, name)].concat();
        let versions = [&[0, 43][..], &block(2, &block(1, &[0x3a, 0x3a, 3, 4, 3, 3]))].concat();
        let sni = [&[0, 0][..], &block(2, &block(2, &entry))].concat();
        let alpn =
            [&[0, 16][..], &block(2, &block(2, &[&block(1, b"h2")[..], &block(1, b"http/1.1")].concat()))].concat();
        let extensions = block(2, &[versions, sni, alpn].concat());
        let body = [&[3, 3][..], &[7; 32], &block(1, &[9; 32]), &block(2, &[0x13, 1]), &block(1, &[0]), &extensions];
        [&[CLIENT_HELLO][..], &block(3, &body.concat())].concat()
    }

    #[test]
    fn a_message_is_put_together_however_it_is_cut() {
        let whole = hello(b"MDM.Example.test");
        for size in [1, 7, 100, 16_384] {
            let mut messages = Messages::default();
            let mut found = None;
            for part in whole.chunks(size) {
                assert_eq!(found, None);
                messages.push(part);
                found = messages.next();
            }
            let (kind, message) = found.unwrap();
            assert_eq!(kind, CLIENT_HELLO);
            let hello = ClientHello::read(&message[4..]).unwrap();
            assert_eq!(hello.server_name.as_deref(), Some("mdm.example.test"));
            assert_eq!((hello.version, hello.alpn.len()), (Some(Version::TLS13), 2));
            assert_eq!(hello.suites, [Suite(0x1301)]);
        }
    }

    #[test]
    fn a_cut_hello_tells_what_it_holds() {
        let whole = hello(b"mdm.example.test");
        let cut = ClientHello::read(&whole[4..whole.len() - 15]).unwrap();
        assert_eq!((cut.random, cut.server_name.as_deref()), ([7; 32], Some("mdm.example.test")));
        assert_eq!(ClientHello::read(&whole[4..20]), None);
    }

    #[test]
    fn a_name_with_control_characters_is_none() {
        assert_eq!(ClientHello::read(&hello(b"mdm\x1b[2J")[4..]).unwrap().server_name, None);
    }

    #[test]
    fn a_message_beyond_the_bound_is_passed_over() {
        let mut messages = Messages::default();
        messages.push(&[11, 0xff, 0xff, 0xff, 1, 2, 3]);
        assert_eq!(messages.next(), None);
        messages.push(&vec![0; 0x00ff_ffff - 3]);
        messages.push(&[14, 0, 0, 0]);
        assert_eq!(messages.next(), Some((14, vec![14, 0, 0, 0])));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..200) {
            let mut harmed = hello(b"mdm.example.test");
            let end = harmed.len().min(at + bytes.len());
            if at < end {
                harmed[at..end].copy_from_slice(&bytes[..end - at]);
            }
            for body in [&bytes[..], &harmed[4..]] {
                ClientHello::read(body);
                ServerHello::read(body);
                certificates(Version::TLS12, body);
                certificates(Version::TLS13, body);
                chosen_protocol(body);
                takes_early_data(body);
                ticket(body);
            }
        }
    }
}

//! What the handshake agrees upon, and the keys that follow from it.
//!
//! In: handshake messages of both sides. Out: facts, and keys for both directions as soon as there are any: by key log when
//! the ServerHello is there, by RSA key or an earlier session when the first side begins to encrypt. Bound: a transcript of
//! [`MAX_TRANSCRIPT`] bytes for each side, for the extended master secret.

use super::cipher::{self, Opener};
use super::facts::{Alert, Handshake, Sealed, Seen, Side};
use super::half::Half;
use super::handshake::{self, ClientHello, ServerHello};
use super::keys::{Keys, Secret, Secrets};
use super::schedule;
use super::suite::{Hash, KeyExchange, Parts, Suite};
use super::version::Version;

pub(super) const CLIENT: usize = 0;
pub(super) const SERVER: usize = 1;

/// Bytes of handshake kept of each side.
const MAX_TRANSCRIPT: usize = 256 * 1024;
/// Bytes of encrypted records with which a client that refuses the server in TLS 1.3 ends: an alert and its tag.
const ALERT_13: u64 = 19;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Negotiation {
    pub(super) keys: Keys,
    pub(super) facts: Handshake,
    pub(super) client: Option<ClientHello>,
    pub(super) server: Option<ServerHello>,
    /// Where the record that is being read was captured.
    pub(super) here: Seen,
    /// The premaster secret, as the client sent it.
    exchange: Option<Vec<u8>>,
    /// Whether that was tried with every key.
    rsa_tried: bool,
    /// Whether keys were found for this handshake.
    keyed: bool,
    /// The session's names, under which its master secret is remembered.
    names: Vec<Vec<u8>>,
    master: Option<Secret>,
    transcripts: [Vec<u8>; 2],
    /// Whether the server said what it does with early data.
    early_answered: bool,
}

impl Negotiation {
    pub(super) fn new(keys: Keys) -> Negotiation {
        Negotiation {
            keys,
            facts: Handshake::default(),
            client: None,
            server: None,
            here: Seen::default(),
            exchange: None,
            rsa_tried: false,
            keyed: false,
            names: Vec::new(),
            master: None,
            transcripts: Default::default(),
            early_answered: false,
        }
    }

    pub(super) fn held(&self) -> usize {
        self.transcripts.iter().map(Vec::len).sum()
    }

    pub(super) fn is_13(&self) -> bool {
        self.server.as_ref().is_some_and(|server| server.version.is_13())
    }

    /// Whether what the client sends may be early data of which the server will say whether it takes it.
    pub(super) fn awaits_early(&self, halves: &[Half; 2]) -> bool {
        let server = &halves[SERVER];
        !self.early_answered && halves[CLIENT].is_early() && !server.is_keyless() && server.failed == 0
    }

    /// Reads all messages that are whole.
    pub(super) fn messages(&mut self, side: usize, halves: &mut [Half; 2]) {
        while let Some((kind, message)) = halves[side].messages.next() {
            self.keep_transcript(side, kind, &message);
            self.message(side, kind, message.get(4..).unwrap_or_default(), halves);
        }
    }

    /// Reads a hello of which the end is missing.
    pub(super) fn cut_message(&mut self, side: usize, halves: &mut [Half; 2]) {
        self.messages(side, halves);
        if let Some((kind, body)) = halves[side].messages.take_unfinished() {
            match (kind, side) {
                (handshake::CLIENT_HELLO, CLIENT) if self.client.is_none() => self.client_hello(&body),
                (handshake::SERVER_HELLO, SERVER) if self.server.is_none() => self.server_hello(&body, halves),
                _ => {}
            }
        }
    }

    /// Keeps the handshake up to the client's key exchange.
    fn keep_transcript(&mut self, side: usize, kind: u8, message: &[u8]) {
        let kept = &mut self.transcripts[side];
        let over = self.exchange.is_some() || self.server.as_ref().is_some_and(|server| server.version.is_13());
        if !over && kind != handshake::HELLO_REQUEST && kept.len() + message.len() <= MAX_TRANSCRIPT {
            kept.extend_from_slice(message);
        }
    }

    fn message(&mut self, side: usize, kind: u8, body: &[u8], halves: &mut [Half; 2]) {
        let version = self.server.as_ref().map_or(Version::TLS12, |server| server.version);
        match (kind, side) {
            (handshake::CLIENT_HELLO, CLIENT) => {
                if halves[CLIENT].opener.is_some() {
                    self.renegotiate(body, halves);
                }
                self.client_hello(body);
            }
            (handshake::SERVER_HELLO, SERVER) => self.server_hello(body, halves),
            (handshake::ENCRYPTED_EXTENSIONS, SERVER) => {
                let alpn = handshake::chosen_protocol(body);
                self.facts.set(|facts| facts.alpn = alpn);
                self.early_answered = true;
                if !handshake::takes_early_data(body) {
                    halves[CLIENT].refuse_early();
                }
            }
            (handshake::CERTIFICATE, _) => {
                let chain = handshake::certificates(version, body).into_iter().map(Into::into).collect();
                let here = self.here;
                self.facts.set(|facts| {
                    facts.certificates_seen[side] = here;
                    match side {
                        CLIENT => facts.client_certificates = chain,
                        _ => facts.server_certificates = chain,
                    }
                });
            }
            (handshake::CERTIFICATE_REQUEST, SERVER) => self.facts.set(|facts| facts.certificate_requested = true),
            (handshake::CLIENT_KEY_EXCHANGE, CLIENT) => {
                self.exchange = handshake::encrypted_premaster(version, body).map(<[u8]>::to_vec);
                // The client's certificate stands before it.
                self.facts.set(|facts| facts.client_visible = true);
            }
            (handshake::FINISHED, CLIENT) if version.is_13() => self.facts.set(|facts| facts.client_visible = true),
            (handshake::NEW_SESSION_TICKET, SERVER) if !version.is_13() => {
                self.names.extend(handshake::ticket(body).map(<[u8]>::to_vec));
                self.remember();
            }
            (handshake::KEY_UPDATE, _) => halves[side].update_key(),
            _ => {}
        }
    }

    fn client_hello(&mut self, body: &[u8]) {
        if let Some(hello) = ClientHello::read(body) {
            self.begin(hello);
        }
    }

    /// Takes the client's hello.
    pub(super) fn begin(&mut self, hello: ClientHello) {
        let here = self.here;
        self.facts.set(|facts| {
            facts.hello = here;
            facts.client_random = Some(hello.random);
            facts.offered = hello.version;
            facts.offered_suites = hello.suites.len();
            facts.offered_protocols.clone_from(&hello.alpn);
            facts.server_name = hello.server_name.clone().or(facts.server_name.take());
        });
        self.client = Some(hello);
    }

    /// A new handshake inside the connection: other randoms, other keys.
    fn renegotiate(&mut self, body: &[u8], halves: &mut [Half; 2]) {
        (self.exchange, self.rsa_tried, self.keyed, self.master) = (None, false, false, None);
        self.names.clear();
        halves.iter_mut().for_each(|half| half.next.clear());
        let [_, high, middle, low] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
        self.transcripts = [[&[handshake::CLIENT_HELLO, high, middle, low][..], body].concat(), Vec::new()];
    }

    fn server_hello(&mut self, body: &[u8], halves: &mut [Half; 2]) {
        // After a HelloRetryRequest both hellos come again.
        let Some(hello) = ServerHello::read(body).filter(|hello| !hello.is_retry()) else { return };
        let same_id = self.client.as_ref().is_some_and(|client| client.session_id == hello.session_id);
        let is_13 = hello.version.is_13();
        let resumed = if is_13 { hello.pre_shared } else { same_id && !hello.session_id.is_empty() };
        let here = self.here;
        self.facts.set(|facts| {
            facts.answer = here;
            facts.version = Some(hello.version);
            facts.suite = Some(hello.suite);
            facts.resumed = resumed;
            facts.alpn = hello.alpn.clone().or(facts.alpn.take());
        });
        if !is_13 {
            self.names.push(hello.session_id.clone());
        }
        self.server = Some(hello);
        self.try_log(halves);
    }

    /// Finds keys, where that was not possible before.
    pub(super) fn try_keys(&mut self, halves: &mut [Half; 2]) {
        if self.keyed {
            return;
        }
        if self.server.is_none() {
            return self.guess_suite(halves);
        }
        self.try_log(halves);
        if self.keyed || self.is_13() {
            return;
        }
        let master = match &self.exchange {
            Some(_) if self.rsa_tried => None,
            Some(encrypted) => self.decrypted_premaster(encrypted).map(|premaster| self.master_of(&premaster)),
            None => self.resumed_master(),
        };
        self.rsa_tried = self.exchange.is_some();
        if let Some(master) = master {
            self.use_master(&master, halves);
        }
    }

    /// Looks for the connection in the key logs, and makes the keys of both sides.
    fn try_log(&mut self, halves: &mut [Half; 2]) {
        let (Some(client), Some(server)) = (&self.client, &self.server) else { return };
        let Some(secrets) = self.keys.store().secrets(&client.random) else { return };
        let Some(parts) = server.suite.parts() else { return };
        if server.version.is_13() {
            let version = server.version;
            return self.use_secrets(&secrets, version, parts, halves);
        }
        let master = match (secrets.master(), secrets.premaster()) {
            (Some(master), _) => master.to_vec(),
            (None, Some(premaster)) if self.exchange.is_some() || !server.extended_master_secret => {
                self.master_of(premaster)
            }
            _ => return,
        };
        self.use_master(&master, halves);
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let store = self.keys.store();
        let logged = store.premaster(encrypted).map(|secret| secret.bytes().to_vec());
        logged.or_else(|| store.rsa().iter().find_map(|key| key.premaster(encrypted)))
    }

    fn resumed_master(&self) -> Option<Vec<u8>> {
        let (client, server) = (self.client.as_ref()?, self.server.as_ref()?);
        let store = self.keys.store();
        let found = store.session(&client.ticket).or_else(|| store.session(&server.session_id));
        found.map(|secret| secret.bytes().to_vec())
    }

    fn master_of(&self, premaster: &[u8]) -> Vec<u8> {
        let (Some(client), Some(server)) = (&self.client, &self.server) else { return Vec::new() };
        let hash = server.suite.parts().map_or(Hash::Sha256, |parts| parts.prf);
        if !server.extended_master_secret {
            return schedule::master(server.version, hash, premaster, &client.random, &server.random);
        }
        // The client's hello, all of the server, the rest of the client.
        let [own, other] = &self.transcripts;
        let hello = own
            .first_chunk()
            .map_or(0, |[_, high, middle, low]| 4 + u32::from_be_bytes([0, *high, *middle, *low]) as usize);
        let (hello, rest) = own.split_at_checked(hello).unwrap_or((own, &[]));
        schedule::extended_master(server.version, hash, premaster, &[hello, other, rest].concat())
    }

    fn use_master(&mut self, master: &[u8], halves: &mut [Half; 2]) {
        let (Some(client), Some(server)) = (&self.client, &self.server) else { return };
        let Some(parts) = server.suite.parts() else { return };
        let etm = server.encrypt_then_mac;
        let keys = cipher::openers(server.version, parts, etm, master, &client.random, &server.random);
        let Some(keys) = keys else { return };
        for (half, opener) in halves.iter_mut().zip(keys) {
            half.next.push_back(opener);
        }
        self.keyed = true;
        self.master = Some(Secret::new(master));
        self.remember();
    }

    /// Remembers the session for those that resume it. Key logs have a line for each of them, RSA keys do not help there.
    fn remember(&mut self) {
        let mut store = self.keys.store();
        if let Some(master) = self.master.as_ref().filter(|_| store.remembers()) {
            self.names.iter().for_each(|name| store.remember(name, master.bytes()));
        }
    }

    /// Makes the keys of a TLS 1.3 connection, in the order in which they come to be used.
    fn use_secrets(&mut self, secrets: &Secrets, version: Version, parts: Parts, halves: &mut [Half; 2]) {
        for (side, half) in halves.iter_mut().enumerate() {
            let early = secrets.early().filter(|_| side == CLIENT);
            let stages = [early, secrets.handshake(side), secrets.application(side)];
            for (stage, secret) in stages.into_iter().enumerate() {
                let opener = secret.and_then(|secret| Opener::of_secret(version, parts, secret));
                half.next.extend(opener.map(|opener| if stage == 0 { opener.for_early() } else { opener }));
            }
            if let Some(secret) = secrets.application(side) {
                half.set_traffic(version, parts, secret);
            }
        }
        self.keyed = halves.iter().any(|half| !half.next.is_empty());
    }

    /// The ServerHello was lost: what the key log says of a TLS 1.3 connection is tried with every suite that fits.
    fn guess_suite(&mut self, halves: &mut [Half; 2]) {
        let Some(client) = &self.client else { return };
        let Some(secrets) = self.keys.store().secrets(&client.random).filter(Secrets::are_13) else { return };
        let offered = [0x1301, 0x1302, 0x1303].map(Suite).into_iter().filter(|suite| client.suites.contains(suite));
        let fitting: Vec<Parts> = offered.filter_map(Suite::parts).collect();
        for parts in fitting {
            self.use_secrets(&secrets, Version::TLS13, parts, halves);
        }
    }

    /// Takes an alert; true when it ends the connection.
    pub(super) fn alert(&mut self, side: usize, content: &[u8]) -> bool {
        let [level, code] = *content else { return false };
        if code == 0 {
            return true;
        }
        // TLS 1.3 gives the level no meaning. user_canceled and no_renegotiation end nothing.
        let fatal = !matches!(code, 90 | 100) && (level == 2 || self.is_13());
        let from = if side == CLIENT { Side::Client } else { Side::Server };
        let seen = self.here;
        self.facts.set(|facts| facts.add_alert(Alert { from, code, fatal, seen }));
        fatal
    }

    /// Why nothing was decrypted. `cut` when more may have been sent than was captured.
    pub(super) fn why_sealed(&self, halves: &[Half; 2], cut: bool) -> Option<Sealed> {
        let facts = self.facts.facts();
        if facts.decrypted {
            return None;
        }
        if facts.plain_answer.is_some() || facts.alerts.iter().any(|alert| alert.fatal) {
            return Some(Sealed::Failed);
        }
        let (Some(client), Some(server)) = (&self.client, &self.server) else {
            // What is encrypted was agreed upon: the hellos were not captured.
            let harmed = cut || halves.iter().any(|half| half.harmed || half.sealed.0 > 0);
            return Some(match (&self.client, &self.server) {
                (None, None) => Sealed::NoStart,
                (Some(_), None) if !harmed => Sealed::Failed,
                _ => Sealed::Incomplete,
            });
        };
        let harmed = cut || halves.iter().any(|half| half.harmed && half.failed == 0);
        let failed = halves.iter().any(|half| half.failed > 0);
        if !facts.completed {
            return Some(if harmed { Sealed::Incomplete } else { Sealed::Failed });
        }
        if halves.iter().any(|half| half.opened > 0) {
            return Some(Sealed::Empty);
        }
        if server.version.is_13() && halves[CLIENT].sealed.1 <= ALERT_13 && !harmed {
            return Some(Sealed::Failed);
        }
        if server.suite.parts().is_none() {
            return Some(Sealed::Suite);
        }
        let mut store = self.keys.store();
        if failed && store.secrets(&client.random).is_some() {
            return Some(Sealed::WrongKeys);
        }
        let rsa_suite = server.suite.key_exchange() == Some(KeyExchange::Rsa);
        Some(match (store.has_log(), !store.rsa().is_empty()) {
            (_, true) if rsa_suite && facts.resumed => Sealed::Resumed,
            (_, true) if rsa_suite => Sealed::OtherKey,
            (true, _) => Sealed::NotLogged,
            (false, true) => Sealed::ForwardSecret,
            (false, false) => Sealed::NoKeys,
        })
    }
}

//! What decrypts: secrets by client random out of key logs, RSA keys, and sessions that were seen before.
//!
//! In: key logs (NSS format, from files and from secrets blocks), private keys. Out: the secrets of a connection. Bounds:
//! `limits.secrets` connections, `limits.resumable` sessions. Nothing here is ever printed.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;

use super::keyfile::RsaKey;
use super::negotiation::{CLIENT, SERVER};
use super::schedule::MASTER;
use crate::limits::Limits;

/// Bytes of the longest line of a key log: a label, a random and a secret of 64 bytes in hex are below 300.
const MAX_LINE: usize = 4096;

/// A secret. Its bytes do not show in debug output.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(Box<[u8]>);

impl Secret {
    pub(super) fn new(bytes: &[u8]) -> Secret {
        Secret(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a secret of a key log is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Master,
    Premaster,
    Early,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

/// What a key log says of one connection: label, length and octets of each secret, one behind the other. There are as many of
/// these as connections in a log, so each is one piece of memory without slack.
#[derive(Clone, Default)]
pub(super) struct Secrets(Box<[u8]>);

impl Secrets {
    /// Master secret, up to TLS 1.2.
    pub(super) fn master(&self) -> Option<&[u8]> {
        self.get(Label::Master)
    }

    /// Premaster secret, up to TLS 1.2.
    pub(super) fn premaster(&self) -> Option<&[u8]> {
        self.get(Label::Premaster)
    }

    /// The client's early data.
    pub(super) fn early(&self) -> Option<&[u8]> {
        self.get(Label::Early)
    }

    /// Handshake traffic of a side.
    pub(super) fn handshake(&self, side: usize) -> Option<&[u8]> {
        self.get(if side == CLIENT { Label::ClientHandshake } else { Label::ServerHandshake })
    }

    /// Application traffic of a side.
    pub(super) fn application(&self, side: usize) -> Option<&[u8]> {
        self.get(if side == CLIENT { Label::ClientTraffic } else { Label::ServerTraffic })
    }

    /// Whether they are those of a TLS 1.3 connection.
    pub(super) fn are_13(&self) -> bool {
        [CLIENT, SERVER].into_iter().any(|side| self.handshake(side).or(self.application(side)).is_some())
    }

    fn get(&self, label: Label) -> Option<&[u8]> {
        self.pieces().find(|piece| piece.first() == Some(&(label as u8)))?.get(2..)
    }

    /// Sets a secret, in place of an earlier one of that label.
    fn set(&mut self, label: Label, secret: &[u8]) {
        let (label, Ok(len)) = (label as u8, u8::try_from(secret.len())) else { return };
        let mut pieces: Vec<&[u8]> = self.pieces().filter(|piece| piece.first() != Some(&label)).collect();
        let head = [label, len];
        pieces.extend([&head[..], secret]);
        self.0 = pieces.concat().into();
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || {
            let [_, len] = rest.first_chunk()?;
            let (piece, after) = rest.split_at_checked(2 + usize::from(*len))?;
            rest = after;
            Some(piece)
        })
    }
}

/// Secrets do not show in debug output.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// Keys for one run, shared by all its connections.
#[derive(Clone, Default)]
pub struct Keys(Arc<Mutex<Store>>);

#[derive(Default)]
pub(super) struct Store {
    logged: HashMap<[u8; 32], Secrets, RandomState>,
    /// By the first bytes of the encrypted premaster secret.
    premasters: HashMap<[u8; 8], Secret, RandomState>,
    /// Master secrets by session id or ticket.
    sessions: HashMap<Vec<u8>, Secret, RandomState>,
    rsa: Vec<RsaKey>,
    limits: Limits,
    followed: Vec<Followed>,
    left_out: bool,
    may_come: bool,
}

/// A key log file that may grow while packets are captured.
struct Followed {
    path: PathBuf,
    read: u64,
}

/// What a key log held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Lines with a secret.
    pub secrets: usize,
    /// Lines that are neither a secret, a comment nor empty.
    pub other: usize,
}

impl Keys {
    /// No keys yet.
    pub fn new(limits: &Limits) -> Keys {
        Keys(Arc::new(Mutex::new(Store { limits: limits.clone(), ..Store::default() })))
    }

    /// Adds the lines of a key log.
    pub fn add_log(&self, text: &[u8]) -> Lines {
        self.store().add_log(text)
    }

    /// Adds an RSA key.
    pub fn add_rsa(&self, key: RsaKey) {
        self.store().rsa.push(key);
    }

    /// Reads on in this key log, of which `read` bytes were added, whenever a connection finds no secrets.
    pub fn follow(&self, path: PathBuf, read: u64) {
        self.store().followed.push(Followed { path, read });
    }

    /// Says whether keys may turn up after the traffic they decrypt: connections without keys are then kept for a while.
    pub fn expect_more(&self, may_come: bool) {
        self.store().may_come = may_come;
    }

    /// Whether a key log is read on while packets are captured.
    pub fn follows(&self) -> bool {
        !self.store().followed.is_empty()
    }

    /// Whether secrets were left out because there were too many, since the last call.
    pub fn take_left_out(&self) -> bool {
        std::mem::take(&mut self.store().left_out)
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.store();
        write!(f, "Keys({} connections, {} RSA keys)", store.logged.len(), store.rsa.len())
    }
}

impl Store {
    /// The secrets of the connection with this client random.
    pub(super) fn secrets(&mut self, random: &[u8; 32]) -> Option<Secrets> {
        if !self.logged.contains_key(random) {
            self.read_on();
        }
        self.logged.get(random).cloned()
    }

    pub(super) fn rsa(&self) -> &[RsaKey] {
        &self.rsa
    }

    /// A premaster secret that the log names by its encrypted form.
    pub(super) fn premaster(&self, encrypted: &[u8]) -> Option<Secret> {
        self.premasters.get(encrypted.first_chunk::<8>()?).cloned()
    }

    /// Whether any key log or secrets block was given.
    pub(super) fn has_log(&self) -> bool {
        !self.logged.is_empty() || !self.premasters.is_empty() || !self.followed.is_empty()
    }

    /// Whether a connection that holds so many bytes is to be kept because its keys may still come.
    pub(super) fn may_come(&self, held: usize) -> bool {
        self.may_come && held < self.limits.parked
    }

    /// Whether sessions are worth remembering: without RSA keys a key log has a line for each that is resumed.
    pub(super) fn remembers(&self) -> bool {
        !self.rsa.is_empty() || !self.premasters.is_empty()
    }

    /// Remembers a session that may be resumed.
    pub(super) fn remember(&mut self, name: &[u8], master: &[u8]) {
        if !name.is_empty() && self.sessions.len() < self.limits.resumable {
            self.sessions.insert(name.to_vec(), Secret(master.into()));
        }
    }

    pub(super) fn session(&self, name: &[u8]) -> Option<Secret> {
        self.sessions.get(name).cloned()
    }

    fn add_log(&mut self, text: &[u8]) -> Lines {
        let mut lines = Lines::default();
        for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match self.add_line(line) {
                Some(()) => lines.secrets += 1,
                None => lines.other += 1,
            }
        }
        lines
    }

    fn add_line(&mut self, line: &[u8]) -> Option<()> {
        let line = std::str::from_utf8(line.get(..MAX_LINE).unwrap_or(line)).ok()?;
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [label, first, second] = words[..] else { return None };
        let label = label.to_ascii_uppercase();
        if label == "RSA" {
            return self.add_rsa_line(first, second);
        }
        let random: [u8; 32] = hex(first)?.try_into().ok()?;
        let secret = hex(second).filter(|secret| (16..=64).contains(&secret.len()))?;
        let label = match label.as_str() {
            "CLIENT_RANDOM" if secret.len() == MASTER => Label::Master,
            "PMS_CLIENT_RANDOM" => Label::Premaster,
            "CLIENT_EARLY_TRAFFIC_SECRET" => Label::Early,
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
            "SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
            "CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
            "SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
            // Known, and of no use here.
            "EXPORTER_SECRET" | "EARLY_EXPORTER_SECRET" | "ECH_SECRET" | "ECH_CONFIG" => return Some(()),
            _ => return None,
        };
        if self.logged.len() >= self.limits.secrets && !self.logged.contains_key(&random) {
            self.left_out = true;
            return Some(());
        }
        self.logged.entry(random).or_default().set(label, &secret);
        Some(())
    }

    /// `RSA` with eight bytes of the encrypted premaster secret and the secret, or with a session id and its master secret.
    fn add_rsa_line(&mut self, first: &str, second: &str) -> Option<()> {
        let after = |text: &str, name: &str| {
            let (start, rest) = text.split_at_checked(name.len())?;
            start.eq_ignore_ascii_case(name).then(|| hex(rest)).flatten()
        };
        if let (Some(id), Some(master)) = (after(first, "Session-ID:"), after(second, "Master-Key:")) {
            self.remember(&id, &master);
            return Some(());
        }
        let (encrypted, secret) = (hex(first)?, hex(second)?);
        if self.premasters.len() < self.limits.secrets {
            self.premasters.insert(*encrypted.first_chunk()?, Secret(secret.into()));
        }
        Some(())
    }

    /// Reads what was added to the followed files, up to the last whole line.
    fn read_on(&mut self) {
        for mut file in std::mem::take(&mut self.followed) {
            let added = super::keylog::read_from(&file.path, file.read, self.limits.key_logs);
            let whole = added.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.add_log(added.get(..whole).unwrap_or_default());
            file.read += whole as u64;
            self.followed.push(file);
        }
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes().chunks_exact(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, random: u8, secret: usize) -> String {
        format!("{label} {} {}", format!("{random:02x}").repeat(32), "AB".repeat(secret))
    }

    #[test]
    fn all_kinds_of_lines_are_read() {
        let keys = Keys::new(&Limits::default());
        let log = [
            "# a comment".to_owned(),
            String::new(),
            line("CLIENT_RANDOM", 1, 48) + "\r",
            line("client_random", 2, 48).to_uppercase(),
            line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", 3, 32),
            line("SERVER_HANDSHAKE_TRAFFIC_SECRET", 3, 32),
            line("CLIENT_TRAFFIC_SECRET_0", 3, 32),
            line("SERVER_TRAFFIC_SECRET_0", 3, 32),
            line("EXPORTER_SECRET", 3, 32),
            line("CLIENT_EARLY_TRAFFIC_SECRET", 3, 32),
            format!("RSA {} {}", "01".repeat(8), "02".repeat(48)),
            format!("RSA Session-ID:{} Master-Key:{}", "0a".repeat(32), "0b".repeat(48)),
            "CLIENT_RANDOM 00 11".to_owned(),
            "what is this".to_owned(),
        ];
        assert_eq!(keys.add_log(log.join("\n").as_bytes()), Lines { secrets: 10, other: 2 });
        let mut store = keys.store();
        assert!(store.secrets(&[1; 32]).unwrap().master().is_some());
        assert!(store.secrets(&[2; 32]).unwrap().master().is_some());
        let third = store.secrets(&[3; 32]).unwrap();
        assert!(
            third.are_13()
                && third.early().is_some()
                && [CLIENT, SERVER].iter().all(|side| third.handshake(*side).is_some())
        );
        assert!(store.premaster(&[1; 256]).is_some());
        assert!(store.session(&[10; 32]).is_some());
        assert!(store.secrets(&[4; 32]).is_none());
    }

    #[test]
    fn the_secrets_of_a_connection_take_their_octets_and_two_more_each() {
        let keys = Keys::new(&Limits::default());
        let labels = ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"];
        let log = labels.map(|label| line(label, 1, 32) + "\n").concat();
        // Twice: a capture that is read again brings its key log again.
        assert_eq!(keys.add_log(log.as_bytes()), keys.add_log(log.as_bytes()));
        assert_eq!(keys.store().secrets(&[1; 32]).unwrap().0.len(), 3 * (2 + 32));
        assert!(size_of::<([u8; 32], Secrets)>() <= 48);
        keys.add_log(line(labels[2], 1, 48).as_bytes());
        let secrets = keys.store().secrets(&[1; 32]).unwrap();
        assert_eq!(secrets.application(CLIENT), Some(&[0xab; 48][..]));
        assert_eq!((secrets.handshake(SERVER).unwrap().len(), secrets.0.len()), (32, 2 * (2 + 32) + 2 + 48));
    }

    #[test]
    fn secrets_are_bounded_and_do_not_print() {
        let keys = Keys::new(&Limits { secrets: 1, ..Limits::default() });
        keys.add_log([line("CLIENT_RANDOM", 1, 48), line("CLIENT_RANDOM", 2, 48)].join("\n").as_bytes());
        assert!(keys.take_left_out() && keys.store().secrets(&[2; 32]).is_none());
        let secrets = keys.store().secrets(&[1; 32]).unwrap();
        let shown = format!("{secrets:?} {keys:?}");
        assert!(!shown.contains("171") && !shown.contains("ab"), "{shown}");
    }

    #[test]
    fn a_followed_file_is_read_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let keys = Keys::new(&Limits::default());
        keys.follow(file.path().to_owned(), 0);
        let first = line("CLIENT_RANDOM", 1, 48) + "\n";
        std::fs::write(file.path(), format!("{first}{}", &line("CLIENT_RANDOM", 2, 48)[..90])).unwrap();
        assert!(keys.store().secrets(&[1; 32]).is_some());
        assert!(keys.store().secrets(&[2; 32]).is_none());
        std::fs::write(file.path(), first + &line("CLIENT_RANDOM", 2, 48) + "\n").unwrap();
        assert!(keys.store().secrets(&[2; 32]).is_some());
    }
}

//! What is remembered of judged sessions, for rules that look over several.
//!
//! In: sessions in the order they close. Out: the [`Earlier`] ones of a device. Bounds: `limits.devices` devices, and the
//! last [`PER_DEVICE`] sessions of each.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use super::alert::Started;
use super::announced::{Announced, Announcements};
use super::auth::Remembered;
use super::enrolled::Enrolled;
use super::http::Wait;
use super::pending::{Pending, left_open};
use super::security::of_server;
use super::unenroll::{Leaving, Setting};
use super::windows::Known;
use crate::http::InputId;
use crate::limits::Limits;
use crate::octets::share;
use crate::session::{At, Flavor, Session, device_key};
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Side, Tag};
use crate::time::Time;

/// Sessions remembered for a device: as many as a counter of one byte tells apart.
pub const PER_DEVICE: usize = 255;

/// What tells one device from another.
pub const IDENTITY: [&str; 3] = ["./DevInfo/DevId", "./DevInfo/Man", "./DevInfo/Mod"];
/// Two inputs whose sessions begin less than this apart, in nanoseconds, may be recordings of the same ones.
const RECORDED_TWICE: u64 = 60_000_000_000;
/// Longest value that is remembered, in bytes.
const VALUE: usize = 256;

/// An earlier session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub number: u32,
    /// Its SessionID.
    pub session_id: Option<Box<str>>,
    /// Its server.
    pub server: Option<Arc<str>>,
    /// Time of its first message.
    pub started: Option<Time>,
    /// Time of its last message.
    pub ended: Option<Time>,
    /// What the device said of itself, for each node of [`IDENTITY`].
    pub identity: [Option<Box<str>>; 3],
    /// Its Execs with a Correlator; `None` where not all of them were captured.
    pub(in crate::rules) execs: Option<Vec<Started>>,
    /// What it left open; kept of the last session alone.
    pub pending: Vec<Pending>,
    /// The nonces that each side was given, and how it ended.
    pub(in crate::rules) auth: Option<Box<Remembered>>,
    /// How long its last response told the client to stay away.
    pub(in crate::rules) wait: Option<Wait>,
    /// What it showed of the settings of the device's client.
    pub(in crate::rules) known: Known,
    /// What it showed of a device that leaves.
    pub(in crate::rules) leaving: Option<Box<Leaving>>,
    /// What it made of the device, when it was an enrollment.
    pub(in crate::rules) enrolled: Option<Box<Enrolled>>,
}

/// What a device says of itself in a session, for each node of [`IDENTITY`]: the place and the value.
pub fn identity(session: &Session) -> [Option<(At, &str)>; 3] {
    let mut said = [None; 3];
    for (index, message) in session.of(Side::Client).filter(|(_, message)| message.is_readable()) {
        let replaces = message.doc.of_tag(Tag::Replace);
        for item in replaces.flat_map(|replace| replace.items()) {
            let (Some(uri), Some(data)) = (item.source().or(item.target()), item.data()) else { continue };
            let node = IDENTITY.iter().position(|node| Key::same(uri, node, Naming::Windows));
            let value = data.value().filter(|value| value.len() <= VALUE);
            if let (Some(slot), Some(value)) = (node.and_then(|node| said.get_mut(node)), value) {
                *slot = Some((At { message: index, node: data.id() }, value));
            }
        }
        if said.iter().any(Option::is_some) {
            break;
        }
    }
    said
}

/// The earlier sessions of one device, and what sessions of any device share with the one that follows them.
#[derive(Clone, Debug, Default)]
pub struct Earlier {
    past: Box<[Arc<Past>]>,
    /// Nonces of the session that an earlier one had, with its number.
    nonces: Box<[(Box<[u8]>, u32)]>,
    /// Hashes of secrets of the server that another device has, too, with its session.
    secrets: Box<[(u64, u32)]>,
    /// The other device that showed the session's client certificate, and the number of that session.
    owner: Option<(Box<str>, u32)>,
    /// Notifications that concern the session.
    announced: Box<[Announced]>,
}

impl Earlier {
    /// The sessions, the last one first.
    pub fn iter(&self) -> impl Iterator<Item = &Past> {
        self.past.iter().map(|past| &**past)
    }

    /// Those since the device was enrolled with the server of a session, the last one first.
    pub(in crate::rules) fn since_enrollment(&self, session: &Session) -> impl Iterator<Item = &Past> {
        let enrolls = |past: &&Past| past.enrolled.as_ref().is_some_and(|enrolled| enrolled.is_with(session));
        self.iter().take_while(move |past| !enrolls(past))
    }

    /// The notifications that concern the session, in order: of a notification others for the same session, of other sessions
    /// those that the device answered.
    pub(in crate::rules) fn announced(&self) -> impl Iterator<Item = &Announced> {
        self.announced.iter()
    }

    /// The session of another device in which the server had the same secret, by its hash.
    pub(in crate::rules) fn owner_of_secret(&self, hash: u64) -> Option<u32> {
        self.secrets.iter().find(|(known, _)| *known == hash).map(|(_, session)| *session)
    }

    /// The other device that showed the session's client certificate first, and the number of that session.
    pub(in crate::rules) fn owner_of_certificate(&self) -> Option<(&str, u32)> {
        self.owner.as_ref().map(|(device, session)| (&**device, *session))
    }

    /// The number of the first session that had a nonce of this one.
    pub(in crate::rules) fn session_of_nonce(&self, octets: &[u8]) -> Option<u32> {
        self.nonces.iter().find(|(known, _)| **known == *octets).map(|(_, session)| *session)
    }
}

/// Where a nonce was given first.
#[derive(Clone, Copy, Debug)]
struct Issue {
    session: u32,
    input: Option<InputId>,
    at: Option<Time>,
}

impl Issue {
    fn of(session: &Session) -> Issue {
        let input = session.messages.first().map(|first| first.input);
        Issue { session: session.number, input, at: session.started() }
    }

    /// Whether the two sessions are certainly not two recordings of one.
    fn is_apart(self, other: Issue) -> bool {
        let pause = self.at.zip(other.at).map(|(a, b)| a.0.abs_diff(b.0));
        self.input == other.input || pause.is_some_and(|pause| pause > RECORDED_TWICE)
    }
}

/// See the module's head.
#[derive(Clone, Debug)]
pub struct History {
    devices: HashMap<Box<str>, VecDeque<Arc<Past>>>,
    /// Nonces with the first session that had each; at most `most`.
    nonces: HashMap<Box<[u8]>, Issue>,
    /// Hashes of the server's secrets with the first device that has each, and its session; at most `most`.
    secrets: HashMap<u64, (Box<str>, u32)>,
    /// Client certificates by their SHA-256, with the first device that showed each and its session; at most `most`.
    certificates: HashMap<[u8; 32], (Box<str>, u32)>,
    announcements: Announcements,
    /// The server of the session before, and what it set.
    last: (Option<Arc<str>>, Arc<[Setting]>),
    most: usize,
    is_full: bool,
}

impl History {
    /// Nothing remembered yet.
    pub fn new(limits: &Limits) -> History {
        History {
            devices: HashMap::new(),
            nonces: HashMap::new(),
            secrets: HashMap::new(),
            certificates: HashMap::new(),
            announcements: Announcements::default(),
            last: Default::default(),
            most: limits.devices,
            is_full: false,
        }
    }

    /// Remembers a session of a known device.
    pub fn add(&mut self, session: &Session) {
        if session.flavor == Flavor::Notification {
            return self.announcements.add(session);
        }
        let Some(device) = session.device.as_deref().map(device_key) else { return };
        for (_, _, hash) in of_server(session) {
            if self.secrets.len() < self.most {
                self.secrets.entry(hash).or_insert_with(|| (device.as_str().into(), session.number));
            }
        }
        let auth = Remembered::of(session);
        for given in auth.iter().flat_map(|auth| auth.all()) {
            if self.nonces.len() < self.most {
                self.nonces.entry(given.octets.clone()).or_insert_with(|| Issue::of(session));
            }
        }
        if let Some(certificate) = super::security::client_certificate(session)
            && self.certificates.len() < self.most
        {
            self.certificates.entry(certificate.sha256).or_insert_with(|| (device.as_str().into(), session.number));
        }
        if !self.devices.contains_key(device.as_str()) && self.devices.len() >= self.most {
            self.is_full = true;
            return;
        }
        let known = self.devices.entry(device.into_boxed_str()).or_default();
        if known.len() >= PER_DEVICE {
            known.pop_front();
        }
        let session_id = session.session_id.as_deref().map(Into::into);
        let mut server = session.server.as_deref().map(Arc::from);
        share(&mut self.last.0, &mut server);
        let mut leaving = Leaving::of(session);
        if let Some(leaving) = &mut leaving {
            leaving.share_settings(&mut self.last.1);
        }
        let identity = identity(session).map(|said| said.map(|(_, value)| value.into()));
        let execs = super::alert::started(session);
        let (number, started, ended) = (session.number, session.started(), session.ended());
        if let Some(last) = known.back_mut() {
            Arc::make_mut(last).pending = Vec::new();
        }
        let (pending, wait) = (left_open(session), super::http::wait(session));
        let client = super::windows::known(session);
        known.push_back(Arc::new(Past {
            number,
            session_id,
            server,
            started,
            ended,
            identity,
            execs,
            pending,
            auth,
            wait,
            known: client,
            leaving,
            enrolled: Enrolled::of(session),
        }));
    }

    /// What is remembered of the device of a session, as of now.
    pub fn before(&self, session: &Session) -> Earlier {
        let device = session.device.as_deref().map(device_key);
        let known = device.as_deref().and_then(|device| self.devices.get(device));
        let mut past: Vec<Arc<Past>> = known.map(|known| known.iter().rev().cloned().collect()).unwrap_or_default();
        // One whose end was lost closes late.
        past.sort_by_key(|past| Reverse(past.number));
        let shared = |hash: u64| {
            let (owner, number) = self.secrets.get(&hash)?;
            (device.as_deref() != Some(&**owner)).then_some((hash, *number))
        };
        let secrets = device.iter().flat_map(|_| of_server(session)).filter_map(|(_, _, hash)| shared(hash)).collect();
        Earlier {
            past: past.into_boxed_slice(),
            nonces: self.nonces_again(session),
            secrets,
            owner: self.owner_of_certificate(session),
            announced: self.announcements.of(session),
        }
    }

    fn owner_of_certificate(&self, session: &Session) -> Option<(Box<str>, u32)> {
        let device = session.device.as_deref().filter(|_| !self.certificates.is_empty()).map(device_key)?;
        let owner = self.certificates.get(&super::security::client_certificate(session)?.sha256)?;
        (*owner.0 != *device).then(|| owner.clone())
    }

    fn nonces_again(&self, session: &Session) -> Box<[(Box<[u8]>, u32)]> {
        let auth = Remembered::of(session).filter(|_| !self.nonces.is_empty());
        let issued = |octets: &[u8]| self.nonces.get(octets).filter(|issue| issue.is_apart(Issue::of(session)));
        let given = auth.iter().flat_map(|auth| auth.all()).map(|given| &given.octets);
        given.filter_map(|octets| Some((octets.clone(), issued(octets)?.session))).collect()
    }

    /// Whether there were more devices than are remembered.
    pub fn is_full(&self) -> bool {
        self.is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u32, device: &str) -> Session {
        let mut session = Session::new(number, Vec::new());
        session.device = Some(device.into());
        session
    }

    fn numbers(history: &History, device: &str) -> Vec<u32> {
        history.before(&session(0, device)).iter().map(|past| past.number).collect()
    }

    #[test]
    fn sessions_are_remembered_by_device() {
        let mut history = History::new(&Limits { devices: 2, ..Limits::default() });
        for (number, device) in [(1, "a"), (2, "b"), (3, "a"), (4, "c")] {
            history.add(&session(number, device));
        }
        assert_eq!((numbers(&history, "a"), numbers(&history, "b")), (vec![3, 1], vec![2]));
        assert!(numbers(&history, "c").is_empty() && history.is_full());
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut history = History::new(&Limits::default());
        for number in 0..1000 {
            history.add(&session(number, "a"));
        }
        assert_eq!(numbers(&history, "a").len(), PER_DEVICE);
        assert_eq!(numbers(&history, "a").last(), Some(&745));
        assert!(!history.is_full());
    }
}

//! One direction of a connection: the key in use, those that may follow, and what was lost.
//!
//! Which key a record is sealed with is told by its tag: the key in use is tried first, then those that may follow it. So
//! lost records, key updates and renegotiation need no book-keeping; early data that the server passed over is opened and
//! dropped. Bound: [`EFFORT`].

use std::collections::VecDeque;

use super::cipher::{Opened, Opener, What};
use super::handshake::Messages;
use super::record::{Header, Kind};
use super::schedule;
use super::suite::Parts;
use super::version::Version;

/// The most records that are taken for lost at once. A gap of 1 MiB holds 64 full ones.
const MAX_LOST: u64 = 4096;
/// Bytes of records that are tried in vain, in one direction: past it only what is most likely is tried.
const EFFORT: u64 = 256 * 1024 * 1024;

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// The key in use; none while records are in the clear.
    pub(super) opener: Option<Opener>,
    /// Keys that may follow, in this order.
    pub(super) next: VecDeque<Opener>,
    /// Whether records are encrypted from here on (ChangeCipherSpec up to TLS 1.2).
    pub(super) is_sealed: bool,
    pub(super) messages: Messages,
    /// The most records that may have been lost since the last one that was opened.
    pub(super) lost: u64,
    /// Whether something was lost at any time.
    pub(super) harmed: bool,
    pub(super) opened: u32,
    pub(super) failed: u32,
    /// Encrypted records, and bytes in them.
    pub(super) sealed: (u32, u64),
    /// How to make the key after the last one (TLS 1.3).
    traffic: Option<Traffic>,
    tried: u64,
}

#[derive(Debug)]
struct Traffic {
    version: Version,
    parts: Parts,
    secret: Secret,
}

/// The newest application traffic secret.
struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Half {
    /// Whether records are in the clear.
    pub(super) fn is_clear(&self) -> bool {
        self.opener.is_none() && !self.is_sealed
    }

    /// Whether there is no key for what is encrypted.
    pub(super) fn is_keyless(&self) -> bool {
        self.opener.is_none() && self.next.is_empty()
    }

    /// Takes note that up to so many records were lost, and what was begun with them.
    pub(super) fn lose(&mut self, records: u64) {
        self.messages.clear();
        self.harmed = true;
        self.lost = self.lost.saturating_add(records).min(MAX_LOST);
    }

    /// The application traffic secret, from which later keys are made.
    pub(super) fn set_traffic(&mut self, version: Version, parts: Parts, secret: &[u8]) {
        self.traffic = Some(Traffic { version, parts, secret: Secret(secret.to_vec()) });
    }

    /// A KeyUpdate was read: another key follows.
    pub(super) fn update_key(&mut self) {
        if let Some((opener, secret)) = self.generation_after() {
            self.next.push_back(opener);
            self.advance_traffic(secret);
        }
    }

    fn generation_after(&self) -> Option<(Opener, Vec<u8>)> {
        let Traffic { version, parts, secret } = self.traffic.as_ref()?;
        let secret = schedule::expand_label(parts.prf, &secret.0, "traffic upd", parts.prf.len())?;
        Some((Opener::of_secret(*version, *parts, &secret)?, secret))
    }

    fn advance_traffic(&mut self, secret: Vec<u8>) {
        if let Some(traffic) = &mut self.traffic {
            traffic.secret = Secret(secret);
        }
    }

    /// The server passes over early data.
    pub(super) fn refuse_early(&mut self) {
        let all = self.opener.iter_mut().chain(&mut self.next);
        all.filter(|opener| opener.what == What::Early).for_each(|opener| opener.what = What::Refused);
    }

    /// Whether early data comes, or may.
    pub(super) fn is_early(&self) -> bool {
        self.opener.iter().chain(&self.next).any(|opener| opener.what == What::Early)
    }

    /// Whether what was opened last was passed over by the other side.
    pub(super) fn is_refused(&self) -> bool {
        self.opener.as_ref().is_some_and(|opener| opener.what == What::Refused)
    }

    /// ChangeCipherSpec: what follows is sealed with the next key, if there is one.
    pub(super) fn change_cipher(&mut self) {
        self.opener = self.next.pop_front();
        self.is_sealed = true;
        self.messages.clear();
        self.lost = 0;
    }

    /// Opens a record into `out` with the first key that fits.
    pub(super) fn open(&mut self, header: Header, content: &[u8], out: &mut Vec<u8>) -> Option<Opened> {
        let reach = if self.tried < EFFORT { self.lost } else { 0 };
        let mut tried = 0;
        let mut open = |opener: &mut Opener| {
            let reach = if opener.can_skip() { reach } else { 0 };
            (0..=reach).find_map(|skipped| {
                let seq = opener.seq.saturating_add(skipped);
                tried += content.len() as u64;
                opener.open(seq, header, content, out)
            })
        };
        let mut opened = self.opener.as_mut().and_then(&mut open);
        if opened.is_none() {
            let found = self.next.iter_mut().enumerate().find_map(|(at, opener)| Some((at, open(opener)?)));
            if let Some((at, content)) = found {
                self.next.drain(..at);
                self.opener = self.next.pop_front();
                opened = Some(content);
            }
        }
        if opened.is_none() && self.lost > 0 && self.opened > 0 {
            // The KeyUpdate may have been among what was lost.
            if let Some((mut opener, secret)) = self.generation_after() {
                opened = open(&mut opener);
                if opened.is_some() {
                    self.opener = Some(opener);
                    self.advance_traffic(secret);
                }
            }
        }
        match &opened {
            Some(_) => {
                self.lost = 0;
                self.opened = self.opened.saturating_add(1);
            }
            None => {
                self.tried = self.tried.saturating_add(tried);
                self.fail(content);
            }
        }
        opened
    }

    /// No key fits: the next record may be numbered as if this one had counted.
    fn fail(&mut self, content: &[u8]) {
        if self.is_keyless() {
            return;
        }
        self.failed = self.failed.saturating_add(1);
        self.lose(1);
        if let Some(opener) = &mut self.opener {
            opener.chain(content);
        }
    }

    /// Passes over a record that has a hole; `tail` are its last bytes. How many bytes of data it held, where that is sure.
    pub(super) fn pass(&mut self, header: Header, tail: &[u8]) -> Option<usize> {
        self.messages.clear();
        self.harmed = true;
        let was_open = self.opened > 0 && self.lost == 0;
        let Some(opener) = &mut self.opener else {
            self.lose(1);
            return None;
        };
        let len = opener.plain_len(header.len).filter(|_| header.kind == Kind::Data && was_open);
        opener.pass(header.len, tail);
        len
    }
}

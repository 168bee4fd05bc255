//! What is remembered of notifications: for other notifications, and for the session that follows.
//!
//! In: sessions in the order they close. Out: the [`Announced`] that concern one. Bound: the last [`MOST`] notifications.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use foldhash::fast::FixedState;

use crate::session::{Flavor, Session, device_key};
use crate::time::Time;

/// Notifications remembered: those of some minutes, of a server that calls a whole fleet.
const MOST: usize = 1024;

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// The number of its own session here.
    pub(super) number: u32,
    /// The session that it asks for.
    pub(super) session: u16,
    pub(super) at: Option<Time>,
    /// A hash of all that it says, its digest left out: repeated with another nonce it says the same.
    pub(super) content: u64,
    server: Box<[u8]>,
    to: Option<IpAddr>,
    device: Option<Box<str>>,
}

impl Announced {
    /// What a session is, if it is a notification.
    pub(super) fn of(session: &Session) -> Option<Announced> {
        let message = session.messages.first().filter(|_| session.flavor == Flavor::Notification)?;
        message.judged().ok()?;
        let trigger = message.push()?.trigger()?;
        Some(Announced {
            number: session.number,
            session: trigger.session,
            at: message.first,
            content: FixedState::default().hash_one(trigger.signed),
            server: trigger.server.into(),
            to: message.bearer.and_then(|bearer| bearer.ends).map(|(_, to)| to.ip()),
            device: session.device.as_deref().map(|device| device_key(device).into_boxed_str()),
        })
    }

    /// Whether another one asks the same device, for the same server, for the session of that number.
    fn is_rival(&self, other: &Announced) -> bool {
        let apart = self.to.zip(other.to).is_some_and(|(a, b)| a != b);
        let devices = self.device.as_ref().zip(other.device.as_ref());
        !apart && devices.is_none_or(|(a, b)| a == b) && self.session == other.session && self.server == other.server
    }
}

/// See the module's head.
#[derive(Clone, Debug, Default)]
pub(super) struct Announcements(VecDeque<Announced>);

impl Announcements {
    /// Remembers a session that is a notification.
    pub(super) fn add(&mut self, session: &Session) {
        if let Some(announced) = Announced::of(session) {
            if self.0.len() >= MOST {
                self.0.pop_front();
            }
            self.0.push_back(announced);
        }
    }

    /// Those that concern a session, in order: of a notification its rivals, of others those that its device answered.
    pub(super) fn of(&self, session: &Session) -> Box<[Announced]> {
        if self.0.is_empty() {
            return Box::default();
        }
        if session.flavor == Flavor::Notification {
            let own = Announced::of(session);
            return self
                .0
                .iter()
                .filter(|known| own.as_ref().is_some_and(|own| own.is_rival(known)))
                .cloned()
                .collect();
        }
        let device = session.device.as_deref().map(device_key);
        self.0
            .iter()
            .filter(|known| device.is_some() && known.device.as_deref() == device.as_deref())
            .cloned()
            .collect()
    }
}

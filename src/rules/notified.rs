//! What rules on notifications are given: the push, and what is remembered of those before it.

use super::MessageCx;
use super::finding::Place;
use super::history::Earlier;
use crate::origin::Span;
use crate::push::{Bearer, Push, Trigger};

/// For rules on a push: a notification, or a bootstrap.
#[derive(Clone)]
pub struct NotificationCx<'a> {
    /// The message that it is.
    pub message: MessageCx<'a>,
    /// What it says.
    pub push: Push<'a>,
    /// How it travelled.
    pub bearer: Bearer,
    /// What is remembered of the device's sessions, and of other notifications.
    pub earlier: &'a Earlier,
}

impl<'a> NotificationCx<'a> {
    /// The notification that it brings, when that can be read.
    pub fn trigger(&self) -> Option<Trigger<'a>> {
        self.push.trigger()
    }

    /// Octets of the content.
    pub fn content(&self, from: usize, octets: usize) -> Place {
        let from = self.push.content_at + from;
        Place::Bytes(self.message.index, Span::new(from, from + octets))
    }
}

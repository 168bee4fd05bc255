//! What a rule is given: the session, the message, the element, and the profile.

use super::Profile;
use crate::session::{At, Session};
use crate::syncml::{Command, Element, Message, Side};

/// For rules of scope session.
#[derive(Clone, Copy)]
pub struct SessionCx<'a> {
    /// The session.
    pub session: &'a Session,
    /// The profile in force.
    pub profile: Profile,
}

/// For rules of scope message: the message in its session.
#[derive(Clone, Copy)]
pub struct MessageCx<'a> {
    /// The session.
    pub session: &'a Session,
    /// The message's index in it.
    pub index: usize,
    /// The message.
    pub message: &'a Message,
    /// The profile in force.
    pub profile: Profile,
}

/// For rules that look at single elements.
#[derive(Clone, Copy)]
pub struct ElementCx<'a> {
    /// The message.
    pub message: MessageCx<'a>,
    /// The element.
    pub element: Element<'a>,
}

impl<'a> SessionCx<'a> {
    /// Each message with its own context.
    pub fn messages(self) -> impl Iterator<Item = MessageCx<'a>> {
        let SessionCx { session, profile } = self;
        session.messages.iter().enumerate().map(move |(index, message)| MessageCx { session, index, message, profile })
    }

    /// Each readable SyncML message with its own context: what a session rule may judge.
    pub fn readable(self) -> impl Iterator<Item = MessageCx<'a>> {
        self.messages().filter(|cx| cx.message.is_readable())
    }
}

impl<'a> MessageCx<'a> {
    /// Who sent it; `None` when neither HTTP nor the content tells.
    pub fn side(self) -> Option<Side> {
        self.message.side
    }

    /// Its root element.
    pub fn root(self) -> Option<Element<'a>> {
        self.message.doc.root()
    }

    /// Its commands, statuses and results, those in containers included, in document order.
    pub fn commands(self) -> impl Iterator<Item = Command<'a>> {
        self.message.doc.all_commands()
    }

    /// Its `Status` elements.
    pub fn statuses(self) -> impl Iterator<Item = Command<'a>> {
        self.message.doc.statuses()
    }

    /// The place of an element of this message.
    pub fn at(self, element: Element<'_>) -> At {
        At { message: self.index, node: element.id() }
    }

    /// Whether it is the first client message of a session whose start was captured.
    pub fn is_package_1(self) -> bool {
        let first = self.session.of(Side::Client).next();
        self.session.start == crate::session::Edge::Seen && first.is_some_and(|(index, _)| index == self.index)
    }
}

impl<'a> ElementCx<'a> {
    /// The element as a command, status or results.
    pub fn command(self) -> Command<'a> {
        Command(self.element)
    }

    /// The session.
    pub fn session(self) -> &'a Session {
        self.message.session
    }

    /// Its place.
    pub fn at(self) -> At {
        self.message.at(self.element)
    }
}

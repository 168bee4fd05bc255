//! What a rule is given: the session, the message, the element, and the profile.

use super::Profile;
use super::enrolled::Enrolled;
use super::facts::Facts;
use super::history::{Earlier, Past};
use crate::credentials::Credentials;
use crate::http::Encrypted;
use crate::session::{At, Session};
use crate::syncml::{Command, Element, Item, Message, Side};

/// For rules of scope session.
#[derive(Clone, Copy)]
pub struct SessionCx<'a> {
    /// The session.
    pub session: &'a Session,
    /// The profile in force.
    pub profile: Profile,
    /// The secrets that the user gave.
    pub credentials: &'a Credentials,
    /// What rules share.
    pub facts: &'a Facts<'a>,
}

/// For rules of scope capture: a session, and what is remembered of those that closed before it.
#[derive(Clone, Copy)]
pub struct CaptureCx<'a> {
    /// The session.
    pub session: SessionCx<'a>,
    /// What is remembered of the device's sessions before it.
    pub earlier: &'a Earlier,
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
    /// The secrets that the user gave.
    pub credentials: &'a Credentials,
    /// What rules share.
    pub facts: &'a Facts<'a>,
}

/// For rules that look at single elements.
#[derive(Clone, Copy)]
pub struct ElementCx<'a> {
    /// The message.
    pub message: MessageCx<'a>,
    /// The element.
    pub element: Element<'a>,
}

/// For rules on what could not be decrypted: the connections to one host.
#[derive(Clone, Copy)]
pub struct EncryptedCx<'a> {
    /// The connections.
    pub encrypted: &'a Encrypted,
    /// The host: a name, else an address.
    pub host: &'a str,
    /// Whether a session with that host was read from any input.
    pub manages: bool,
}

impl<'a> CaptureCx<'a> {
    /// The device's sessions before it, the last one first.
    pub fn earlier(self) -> impl Iterator<Item = &'a Past> {
        self.earlier.iter()
    }

    /// The device's last enrollment with the server of the session, where the capture has it.
    pub(super) fn enrolled(self) -> Option<&'a Enrolled> {
        self.earlier()
            .filter_map(|past| past.enrolled.as_deref())
            .find(|enrolled| enrolled.is_with(self.session.session))
    }

    /// Those of them with the same server since the device was enrolled with it, the last one first.
    pub(super) fn of_enrollment(self) -> impl Iterator<Item = &'a Past> {
        let server = self.session.session.server.as_deref();
        self.earlier.since_enrollment(self.session.session).filter(move |past| past.server.as_deref() == server)
    }

    /// Those of them with the same server.
    pub fn with_server(self) -> impl Iterator<Item = &'a Past> {
        let server = self.session.session.server.as_deref();
        self.earlier().filter(move |past| past.server.as_deref() == server)
    }
}

impl<'a> SessionCx<'a> {
    /// Each message with its own context.
    pub fn messages(self) -> impl Iterator<Item = MessageCx<'a>> {
        let SessionCx { session, profile, credentials, facts } = self;
        let messages = session.messages.iter().enumerate();
        messages.map(move |(index, message)| MessageCx { session, index, message, profile, credentials, facts })
    }

    /// Each readable SyncML message with its own context: what a session rule may judge. Each once, however often it
    /// was sent.
    pub fn readable(self) -> impl Iterator<Item = MessageCx<'a>> {
        self.messages().filter(|cx| cx.message.is_readable() && !cx.message.retransmission)
    }

    /// Whether the capture shows that a command has no Status: the other side ended its package without one.
    pub(super) fn is_unanswered(self, command: At) -> bool {
        let all = || {
            let missing = super::status::without_status(self);
            let mut all: Vec<At> = missing.map(|(answered, command)| answered.message.at(command.0)).collect();
            all.sort_unstable();
            all
        };
        self.facts.unanswered.get_or_init(all).binary_search(&command).is_ok()
    }

    /// The message with that index.
    pub fn message(self, index: usize) -> Option<MessageCx<'a>> {
        let SessionCx { session, profile, credentials, facts } = self;
        let message = session.messages.get(index)?;
        Some(MessageCx { session, index, message, profile, credentials, facts })
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

    /// The session it lies in.
    pub fn in_session(self) -> SessionCx<'a> {
        let MessageCx { session, profile, credentials, facts, .. } = self;
        SessionCx { session, profile, credentials, facts }
    }

    /// Whether it ends its sender's package.
    pub fn has_final(self) -> bool {
        self.message.doc.has_final()
    }

    /// Whether an Alert with this code stands at its top level.
    pub fn has_alert(self, code: u16) -> bool {
        self.message.doc.alerts(code).next().is_some()
    }

    /// Whether it is Windows' keep-alive, sent in place of an answer that is not ready yet: an Alert 1224 of a type
    /// that ends in `requestpending`.
    pub fn is_keep_alive(self) -> bool {
        let mut types = self.message.doc.alerts(1224).flat_map(Command::items).map(Item::media_type);
        types.any(|name| name.ends_with("com.microsoft.mdm.requestpending"))
    }

    /// Whether it was sent once more after a timeout, or has the MsgID of its sender's message before: it answers
    /// nothing new.
    pub fn is_repeated(self) -> bool {
        let all = || self.in_session().messages().map(MessageCx::repeats).collect();
        self.facts.repeated.get_or_init(all).get(self.index).copied().unwrap_or_default()
    }

    fn repeats(self) -> bool {
        let before = self.session.previous_of_side(self.index).and_then(|(_, message)| message.msg_id());
        self.message.retransmission || (before.is_some() && before == self.message.msg_id())
    }

    /// The message it answers: the other side's, right before it, captured or not.
    pub fn answers(self) -> Option<MessageCx<'a>> {
        let before = self.in_session().message(self.index.checked_sub(1)?)?;
        (before.side()? == self.side()?.peer()).then_some(before)
    }

    /// The message that answers it: the other side's, right behind it, captured or not.
    pub fn answer(self) -> Option<MessageCx<'a>> {
        let after = self.in_session().message(self.index + 1)?;
        (after.side()? == self.side()?.peer()).then_some(after)
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

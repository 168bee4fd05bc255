//! What an export took out of a session before it was read: rules on secrets (`secrets = true` on their page) do not
//! judge it.

use super::finding::Place;
use crate::session::Session;
use crate::syncml::redact;

/// See the module's head.
pub(super) struct Redactions<'a> {
    session: &'a Session,
    /// Messages that were redacted, by index.
    messages: Vec<usize>,
}

impl<'a> Redactions<'a> {
    /// Finds them.
    pub(super) fn of(session: &'a Session) -> Redactions<'a> {
        let redacted = session.messages.iter().enumerate().filter(|(_, message)| redact::is_redacted(message));
        Redactions { session, messages: redacted.map(|(index, _)| index).collect() }
    }

    /// The messages that were redacted, by index.
    pub(super) fn messages(&self) -> &[usize] {
        &self.messages
    }

    /// Whether a finding on a secret there would be one on the mask.
    pub(super) fn hide(&self, place: Place) -> bool {
        let message = |index: usize| self.messages.contains(&index);
        match place {
            _ if self.messages.is_empty() => false,
            Place::Session => true,
            Place::Message(index) | Place::Bytes(index, _) => message(index),
            Place::Element(at) => {
                let http = self.session.messages.get(at.message).and_then(|message| message.http.as_ref());
                http.is_some_and(|http| redact::head_is_redacted(&http.head))
                    || (message(at.message) && self.session.element(at).is_some_and(redact::hides))
            }
        }
    }
}

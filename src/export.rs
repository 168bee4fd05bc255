//! Sessions for other tools: decrypted, decoded, secrets masked.
//!
//! In: closed sessions, and which of their messages are wanted. Out: HTTP archives (`har`), one JSON object a message
//! (`jsonl`), or a folder of pretty XML (`folder`). What is written can be read back by `transcript`. It judges nothing.

use std::borrow::Cow;

use crate::http::Body;
use crate::session::Session;
use crate::syncml::{Message, redact, secret};

mod folder;
mod har;
mod jsonl;
mod target;

pub use folder::Folder;
pub use har::Har;
pub use jsonl::Lines;
pub use target::{Error, Format, Target};

/// What is exported of a session.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The session.
    pub session: &'a Session,
    /// The names of the inputs, in their order.
    pub paths: &'a [String],
    /// Whether a message is wanted, by its index.
    pub wanted: &'a dyn Fn(usize) -> bool,
    /// Whether secrets are left as they are.
    pub show_secrets: bool,
}

impl<'a> Scope<'a> {
    /// The wanted messages with their indices, as they travelled.
    fn messages(self) -> impl Iterator<Item = (usize, &'a Message)> {
        self.documents().filter(|(_, message)| !message.in_token)
    }

    /// The same with the documents that were decoded out of tokens.
    fn documents(self) -> impl Iterator<Item = (usize, &'a Message)> {
        let Scope { session, wanted, .. } = self;
        session.messages.iter().enumerate().filter(move |(index, _)| wanted(*index))
    }

    /// The name of the input that a message was read from.
    fn path(self, message: &Message) -> Option<&'a str> {
        self.paths.get(message.input.0 as usize).map(String::as_str)
    }

    fn body<'m>(self, message: &'m Message) -> Cow<'m, Body> {
        if self.show_secrets { Cow::Borrowed(&message.body) } else { Cow::Owned(redact::body(message)) }
    }

    fn url<'u>(self, url: &'u str) -> Cow<'u, str> {
        if self.show_secrets { Cow::Borrowed(url) } else { secret::url(url) }
    }
}

//! Inputs without packets: recordings that already are HTTP messages or SyncML documents.

use crate::http::{Body, Event};
use crate::syncml::Side;
use crate::time::Time;

/// What such an input holds, in the order it was recorded.
#[derive(Clone, Debug)]
pub enum Record {
    /// One half of an HTTP exchange (or the end of a connection).
    Http(Event),
    /// A document without HTTP around it.
    Document(Document),
}

/// A SyncML, SOAP or provisioning document cut out of a text, or standing alone in a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its bytes; `captured` says when the recording tool cut them.
    pub body: Body,
    /// Who sent it, when the recording says so.
    pub side: Option<Side>,
    /// When, when the recording says so with a zone.
    pub at: Option<Time>,
    /// Line and column of its first byte in the file, from 1, column in characters.
    pub position: Option<(u32, u32)>,
}

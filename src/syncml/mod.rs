//! SyncML documents: the tree, its typed views, and one message with all that is known of it.
//!
//! In: a body from `http` or `transcript`. Out: [`message::Message`]. Nothing here fails: what cannot be read is a
//! note on the document, and every accessor is optional. It does not know sessions or rules.

pub mod alert;
pub mod doc;
pub mod dtd;
pub mod hresult;
pub mod message;
pub mod original_error;
pub mod read;
pub mod redact;
pub mod render;
pub mod secret;
pub mod status;
pub mod tag;
pub mod uri;
pub mod view;

pub use doc::{Doc, Element, NodeId};
pub use message::{Kind, Message, Side};
pub use tag::Tag;
pub use view::{Command, Header, Item, Meta};

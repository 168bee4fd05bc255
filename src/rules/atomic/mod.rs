//! DM-ATM: Atomic and Sequence (DMR 6.6.3 and 6.6.14).
//!
//! `content` judges what the server puts into them, `answers` how the client reports on them.

mod answers;
mod content;

pub(super) use answers::*;
pub(super) use content::*;

use crate::syncml::{Command, Element, Tag};

/// The elements around one, from the inside out.
fn around(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    std::iter::successors(element.parent(), |element| element.parent())
}

/// Whether a command stands in an Atomic, at any depth.
fn is_in_atomic(command: Command<'_>) -> bool {
    around(command.0).any(|element| element.tag() == Tag::Atomic)
}

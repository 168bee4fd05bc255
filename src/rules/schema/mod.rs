//! DM-SCH: which elements stand where, how often, and with what in them (RP 7, MI).
//!
//! `order` judges the place of elements among their sisters, `children` which of them there are and how many,
//! `items` what an Item of each command needs, `meta` what `Format` and `Type` say, `value` whether Data is what
//! they say.

mod children;
mod items;
mod meta;
mod order;
mod value;

pub(super) use children::*;
pub(super) use items::*;
pub(super) use meta::*;
pub(super) use order::*;
pub(super) use value::*;

use super::{ElementCx, MessageCx, SessionCx, Severity, Sink, quoted};
use crate::syncml::{Element, Item, Tag, dtd};

/// Elements whose children are all part of the protocol. Meta is a free container, Data is payload.
pub(super) fn holds_protocol(tag: Tag) -> bool {
    matches!(tag, Tag::SyncML | Tag::SyncBody | Tag::Chal) || !dtd::order(tag).is_empty()
}

/// The command, Status or Results that an Item stands in.
fn command_of(item: Item<'_>) -> Tag {
    item.0.parent().map_or(Tag::Other, Element::tag)
}

/// `a` or `an` with the name of an element.
fn article(tag: Tag) -> String {
    let name = tag.name();
    if name.starts_with(['A', 'E', 'I']) { format!("an {name}") } else { format!("a {name}") }
}

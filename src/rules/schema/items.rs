//! What the Items of each command need.

use super::{ElementCx, Sink, article, command_of, quoted};
use crate::syncml::{Item, Side, Tag};

/// An Item of a server's command that names no node.
pub(in crate::rules) fn item_without_target(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let item = Item(cx.element);
    let command = command_of(item);
    let needs = matches!(command, Tag::Add | Tag::Replace | Tag::Delete | Tag::Get | Tag::Exec) && !is_in_sync(item);
    if !needs || cx.message.side() != Some(Side::Server) || item.0.child(Tag::Target).is_some() {
        return;
    }
    let text = format!("this Item of {} has no Target", article(command));
    match item.source() {
        Some(source) => {
            let text = format!("{text}, but the Source {}", quoted(source));
            out.report(cx.at(), text).help("Write Target in place of Source.");
        }
        None => drop(out.report(cx.at(), text)),
    }
}

/// Whether the command of an Item stands in a Sync: data synchronization, where Source is right.
fn is_in_sync(item: Item<'_>) -> bool {
    let mut above = std::iter::successors(item.0.parent(), |element| element.parent());
    above.any(|element| element.tag() == Tag::Sync)
}

/// A value that is to be written, without a value.
pub(in crate::rules) fn item_missing_data(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let item = Item(cx.element);
    let command = command_of(item);
    let leaf = matches!(command, Tag::Add | Tag::Replace) && match (command, item.effective(Tag::Format)) {
        (Tag::Add, None) => false,
        (_, format) => !matches!(format, Some("node" | "null")),
    };
    if leaf && item.data().is_none() {
        let text = format!("this Item of {} has no Data; expected a value of format {}", article(command), quoted(item.format()));
        out.report(cx.at(), text);
    }
}

/// A URI right in Target or Source.
pub(in crate::rules) fn plain_text_target(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(text) = cx.element.value().filter(|_| cx.element.child(Tag::LocURI).is_none()) else { return };
    out.report(cx.at(), format!("{} holds the text {}; expected a LocURI", cx.element.name(), quoted(text)));
}

/// An Exec with more than one Item.
pub(in crate::rules) fn exec_with_several_items(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let count = cx.command().items().count();
    if let Some(second) = cx.command().items().nth(1) {
        out.at(cx.message.index, second.0, format!("this Exec has {count} Items; expected one"));
    }
}

/// A Copy that does not say from where, or to where.
pub(in crate::rules) fn copy_without_source(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for item in cx.command().items() {
        let missing: Vec<&str> =
            [Tag::Source, Tag::Target].into_iter().filter(|tag| item.0.child(*tag).is_none()).map(Tag::name).collect();
        if !missing.is_empty() {
            let text = format!("this Item of a Copy has no {}", missing.join(" and no "));
            out.at(cx.message.index, item.0, text);
        }
    }
}

/// An Add of a node that is neither leaf nor, by its Format, interior.
pub(in crate::rules) fn add_without_node_type(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let untold = |item: &Item<'_>| item.data().is_none() && item.effective(Tag::Format).is_none();
    for item in cx.command().items().filter(untold) {
        out.at(cx.message.index, item.0, "this Add has neither Data nor a Format; expected Format `node` for an interior node");
    }
}

/// A Get that sends a value.
pub(in crate::rules) fn get_with_data(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for data in cx.command().items().filter_map(Item::data) {
        if data.value().is_some() || data.children().next().is_some() {
            out.at(cx.message.index, data, "this Get sends Data; expected only the URI to read");
        }
    }
}

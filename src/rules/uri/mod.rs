//! DM-URI: the addresses by which the server names nodes of the device's tree.
//!
//! `written` judges how an address is written, `query` what stands behind its `?`, `place` which part of the tree it
//! names, `tree` what the session has shown of the node.

mod place;
mod query;
mod tree;
mod written;

pub(super) use place::*;
pub(super) use query::*;
pub(super) use tree::*;
pub(super) use written::*;

use super::{ElementCx, MessageCx};
use crate::syncml::uri::path;
use crate::syncml::{Command, Element, Side, Tag};

/// Names that stand right below the root of the tree.
const ROOTS: [&str; 11] =
    ["DevInfo", "DevDetail", "DMAcc", "SyncML", "Vendor", "Device", "User", "cimv2", "OMA", "Inbox", "Com"];

/// A URI by which a command addresses a node.
#[derive(Clone, Copy)]
struct Address<'a> {
    command: Command<'a>,
    /// `Target` or, in a `Copy`, `Source`.
    end: Tag,
    /// The `LocURI`.
    element: Element<'a>,
    uri: &'a str,
}

/// The addresses in a command of the server: the Target of each item, and for a Copy the Source too. What a client
/// sends repeats addresses of the server, or names nodes that are its own.
fn addresses<'a>(cx: MessageCx<'a>, command: Command<'a>) -> impl Iterator<Item = Address<'a>> + use<'a> {
    use Tag::*;
    let ends: &[Tag] = match (cx.side(), command.tag()) {
        (Some(Side::Client), _) => &[],
        (_, Copy) => &[Target, Source],
        (_, Add | Delete | Exec | Get | Replace) => &[Target],
        _ => &[],
    };
    command.items().flat_map(move |item| {
        ends.iter().filter_map(move |end| {
            let element = item.0.child(*end)?.child(LocURI)?;
            Some(Address { command, end: *end, element, uri: element.value()? })
        })
    })
}

/// The same for rules that are called for each command.
fn addressed<'a>(cx: &ElementCx<'a>) -> impl Iterator<Item = Address<'a>> + use<'a> {
    addresses(cx.message, cx.command())
}

/// The names of a path from the top, the `.` of the root among them. A slash at either end makes no name.
fn names(uri: &str) -> impl Iterator<Item = &str> {
    let path = path(uri);
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

/// Whether it is the address of a server, not of a node.
fn is_absolute(uri: &str) -> bool {
    uri.split_once("://").is_some_and(|(scheme, _)| !scheme.is_empty() && !scheme.contains('/'))
}

fn is_one_of(name: &str, list: &[&str]) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_names() {
        let list = |uri| names(uri).collect::<Vec<_>>();
        assert_eq!(list("./A/B?list=Struct"), [".", "A", "B"]);
        assert_eq!(list("/A/B/"), ["A", "B"]);
        assert_eq!(list("./A//B"), [".", "A", "", "B"]);
    }

    #[test]
    fn a_url_inside_a_path_does_not_make_it_absolute() {
        assert!(is_absolute("https://mdm.example/a") && !is_absolute("./A/https://mdm.example") && !is_absolute("://"));
    }
}

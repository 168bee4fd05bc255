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
use crate::session::At;
use crate::syncml::uri::{Key, Naming, path};
use crate::syncml::{Command, Element, Side, Tag};

/// Names that stand right below the root of the tree.
const ROOTS: [&str; 11] =
    ["DevInfo", "DevDetail", "DMAcc", "SyncML", "Vendor", "Device", "User", "cimv2", "OMA", "Inbox", "Com"];

/// A URI by which a command addresses a node.
pub(super) struct Address<'a> {
    /// The command's place.
    at: At,
    command: Command<'a>,
    /// `Target` or, in a `Copy`, `Source`.
    end: Tag,
    /// The `LocURI`.
    element: Element<'a>,
    uri: &'a str,
    key: Key<'a>,
    signs: Signs,
}

/// Which signs stand in a URI: most rules need not look at most URIs.
#[derive(Clone, Copy, Default)]
struct Signs {
    /// `?`
    query: bool,
    /// `%`
    percent: bool,
    /// `*`
    asterisk: bool,
    /// A name that begins with a dot, the first one not counted unless two dots begin it.
    dots: bool,
    /// Two slashes in a row.
    slashes: bool,
    /// Something that has to be escaped.
    bare: bool,
}

impl Signs {
    fn of(uri: &str) -> Signs {
        let mut signs = Signs { dots: uri.starts_with(".."), ..Signs::default() };
        let mut before = 0;
        for byte in uri.bytes() {
            match byte {
                b'?' => signs.query = true,
                b'%' => signs.percent = true,
                b'*' => signs.asterisk = true,
                b'.' => signs.dots |= before == b'/',
                b'/' => signs.slashes |= before == b'/',
                _ => signs.bare |= !is_plain(byte),
            }
            before = byte;
        }
        signs
    }
}

/// Whether a byte may stand in an address as it is (RFC 3986, without its brackets).
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~/%?=&+:@!$'(),;*".contains(&byte)
}

impl<'a> Address<'a> {
    fn node(&self, naming: Naming) -> Key<'_> {
        if self.signs.query { Key::node(self.uri, naming) } else { self.key.borrowed() }
    }
}

/// The addresses in a command of the server: the Target of each item, and for a Copy the Source too. What a client
/// sends repeats addresses of the server, or names nodes that are its own.
fn addresses<'a>(cx: MessageCx<'a>, command: Command<'a>) -> &'a [Address<'a>] {
    let all = cx.facts.addresses.get_or_init(|| cx.in_session().readable().flat_map(read).collect());
    let at = cx.at(command.0);
    if cx.side() == Some(Side::Client) {
        return &[];
    }
    let last = cx.facts.addressed.get();
    let is_it = all.get(last).is_some_and(|address| address.at == at);
    let from = if is_it { last } else { all.partition_point(|address| address.at < at) };
    cx.facts.addressed.set(from);
    let rest = all.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|address| address.at == at).count();
    rest.get(..length).unwrap_or_default()
}

/// The addresses of a message, in the order of its commands. A command may also be the root of a fragment.
fn read<'a>(cx: MessageCx<'a>) -> impl Iterator<Item = Address<'a>> {
    let ends = move |tag| match (cx.side(), tag) {
        (Some(Side::Client), _) => &[][..],
        (_, Tag::Copy) => &[Tag::Target, Tag::Source],
        (_, Tag::Add | Tag::Delete | Tag::Exec | Tag::Get | Tag::Replace) => &[Tag::Target],
        _ => &[],
    };
    let commands = cx.message.doc.elements().filter(move |element| !ends(element.tag()).is_empty()).map(Command);
    let items = commands.flat_map(|command| command.items().map(move |item| (command, item)));
    items.flat_map(move |(command, item)| {
        ends(command.tag()).iter().filter_map(move |end| {
            let element = item.0.child(*end)?.child(Tag::LocURI)?;
            let uri = element.value()?;
            let (key, signs) = (Key::of(uri, cx.profile.naming()), Signs::of(uri));
            Some(Address { at: cx.at(command.0), command, end: *end, element, uri, key, signs })
        })
    })
}

/// The same for rules that are called for each command.
fn addressed<'a>(cx: &ElementCx<'a>) -> impl Iterator<Item = &'a Address<'a>> + use<'a> {
    addresses(cx.message, cx.command()).iter()
}

/// The names of a path from the top, the `.` of the root among them. A slash at either end makes no name.
fn names(uri: &str) -> impl Iterator<Item = &str> {
    let path = path(uri);
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut rest = Some(path.strip_suffix('/').unwrap_or(path));
    std::iter::from_fn(move || {
        let path = rest?;
        let slash = path.bytes().position(|byte| byte == b'/');
        rest = slash.and_then(|slash| path.get(slash + 1..));
        path.get(..slash.unwrap_or(path.len()))
    })
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
    fn signs_of_a_uri() {
        let signs = |uri| {
            let Signs { query, percent, asterisk, dots, slashes, bare } = Signs::of(uri);
            [query, percent, asterisk, dots, slashes, bare]
        };
        assert_eq!(signs("./Device/Vendor/MSFT/A.b/c-d_e~"), [false; 6]);
        assert_eq!(signs("./A?list=%20*//../ü"), [true; 6]);
        assert_eq!((signs("../A")[3], signs("./A/.")[3], signs("./A B")[5]), (true, true, true));
    }

    #[test]
    fn a_url_inside_a_path_does_not_make_it_absolute() {
        assert!(is_absolute("https://mdm.example/a") && !is_absolute("./A/https://mdm.example") && !is_absolute("://"));
    }
}

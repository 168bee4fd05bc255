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

use std::ops::Range;

use super::gate::{set, sign};
use super::{ElementCx, MessageCx};
use crate::session::At;
use crate::syncml::uri::{Key, Naming, path};
use crate::syncml::{Command, Element, Item, Side, Tag};

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
    /// What stands in it, by `gate::sign`.
    signs: u32,
}

/// The signs of the addresses of a command together.
pub(super) fn signs_of<'a>(cx: MessageCx<'a>, command: Command<'a>) -> u32 {
    addresses(cx, command).iter().fold(0, |signs, address| signs | address.signs)
}

/// The signs of the addresses of a message together.
pub(super) fn signs_of_message(cx: MessageCx<'_>) -> u32 {
    of_message(cx).iter().fold(0, |signs, address| signs | address.signs)
}

/// The signs of a URI: most rules need not look at most URIs.
fn signs(uri: &str) -> u32 {
    let of_bytes = signs_of_bytes(uri.as_bytes());
    let path = if of_bytes & sign::query == 0 { uri } else { path(uri) };
    of_bytes
        | set(uri.starts_with(".."), sign::dots)
        | set(!uri.starts_with("./"), sign::unrooted)
        | set(path.ends_with('/'), sign::ends_open)
        | of_place(path)
}

/// The signs of the bytes of a URI.
fn signs_of_bytes(bytes: &[u8]) -> u32 {
    const BEHIND_SLASH: u32 = sign::dots | sign::slashes;
    let (mut signs, mut counted) = (0, !BEHIND_SLASH);
    for byte in bytes {
        signs |= OF_BYTE[usize::from(*byte)] & counted;
        counted = if *byte == b'/' { !0 } else { !BEHIND_SLASH };
    }
    signs
}

/// The sign of each byte, the dot and the slash as where they stand behind a slash.
static OF_BYTE: [u32; 256] = {
    let mut signs = [0; 256];
    let mut byte = 0;
    while byte < signs.len() {
        signs[byte] = match byte as u8 {
            b'?' => sign::query,
            b'%' => sign::percent,
            b'*' => sign::asterisk,
            b'.' => sign::dots,
            b'/' => sign::slashes,
            byte if is_plain(byte) => 0,
            _ => sign::bare,
        };
        byte += 1;
    }
    signs
};

/// The signs of the part of the tree that a path leads to.
fn of_place(path: &str) -> u32 {
    let trimmed = path.trim_end_matches('/');
    let last = memchr::memrchr(b'/', trimmed.as_bytes()).and_then(|slash| trimmed.get(slash + 1..)).unwrap_or(trimmed);
    let named = set(last.eq_ignore_ascii_case("Unenroll"), sign::unenroll) | set(after(last, "PFX").is_some(), sign::pfx);
    let Some(below) = path.strip_prefix("./") else { return named | sign::apart | sign::any_csp };
    if after(below, "User/").is_some() {
        return named | sign::any_csp;
    }
    let (rest, unscoped) = after(below, "Device/").map_or((below, sign::unscoped), |rest| (rest, 0));
    let Some(vendor) = after(rest, "Vendor/") else { return named | sign::apart | sign::unscoped | sign::any_csp };
    let object = after(vendor, "MSFT/").and_then(|rest| rest.get(..memchr::memchr(b'/', rest.as_bytes()).unwrap_or(rest.len())));
    named | unscoped | object.map_or(sign::any_csp, of_csp)
}

/// The sign of a CSP that has rules of its own.
fn of_csp(object: &str) -> u32 {
    let is = |name: &str| object.eq_ignore_ascii_case(name);
    match object.len() {
        8 if is("DMClient") => sign::dm_client,
        16 if is("CertificateStore") => sign::certificates,
        24 if is("ClientCertificateInstall") => sign::certificates,
        6 if is("Reboot") => sign::drastic,
        7 if is("CleanPC") => sign::drastic,
        9 if is("BitLocker") => sign::drastic,
        10 if is("RemoteWipe") || is("RemoteLock") => sign::drastic,
        _ => 0,
    }
}

/// Whether a byte may stand in an address as it is (RFC 3986, without its brackets).
const fn is_plain(byte: u8) -> bool {
    let letter = byte.is_ascii_alphabetic() | (byte == b'_') | (byte == b'~');
    let mark = (b'$' <= byte) & (byte <= b';');
    letter | mark | (byte == b'!') | (byte == b'=') | (byte == b'?') | (byte == b'@')
}

/// What stands behind a beginning, letters of either case.
#[inline]
pub(super) fn after<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    (head == start || head.eq_ignore_ascii_case(start)).then_some(rest)
}

impl<'a> Address<'a> {
    fn shows(&self, sign: u32) -> bool {
        self.signs & sign != 0
    }

    fn key(&self, naming: Naming) -> Key<'a> {
        let is_plain = !self.shows(sign::query | sign::percent | sign::bare);
        if is_plain { Key::plain(self.uri, naming) } else { Key::of(self.uri, naming) }
    }

    fn node(&self, naming: Naming) -> Key<'a> {
        if self.shows(sign::query) { Key::node(self.uri, naming) } else { self.key(naming) }
    }
}

/// The addresses in a command of the server: the Target of each item, and for a Copy the Source too. What a client
/// sends repeats addresses of the server, or names nodes that are its own.
fn addresses<'a>(cx: MessageCx<'a>, command: Command<'a>) -> &'a [Address<'a>] {
    let all = all_addresses(cx);
    let at = cx.at(command.0);
    if cx.side() == Some(Side::Client) {
        return &[];
    }
    let is_from = |from: &usize| all.get(*from).is_some_and(|address| address.at == at);
    let Range { start, end } = cx.facts.addressed.take();
    let from = [start, end].into_iter().find(is_from);
    let from = from.unwrap_or_else(|| all.partition_point(|address| address.at < at));
    let rest = all.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|address| address.at == at).count();
    cx.facts.addressed.set(from..from + length);
    rest.get(..length).unwrap_or_default()
}

/// The addresses in a message of the server; in one with elements astray also those that are in no command of it.
fn of_message<'a>(cx: MessageCx<'a>) -> &'a [Address<'a>] {
    let all = all_addresses(cx);
    let from = all.partition_point(|address| address.at.message < cx.index);
    let rest = all.get(from..).unwrap_or_default();
    let length = rest.iter().take_while(|address| address.at.message == cx.index).count();
    rest.get(..length).unwrap_or_default()
}

/// The addresses in the commands of a message.
fn of_commands<'a>(cx: MessageCx<'a>) -> impl Iterator<Item = &'a Address<'a>> + use<'a> {
    let is_astray = cx.message.doc.flags().astray;
    let all = if is_astray { &[] } else { of_message(cx) };
    let commands = cx.message.doc.all_commands().filter(move |_| is_astray);
    all.iter().chain(commands.flat_map(move |command| addresses(cx, command)))
}

/// The addresses of a session.
fn all_addresses<'a>(cx: MessageCx<'a>) -> &'a [Address<'a>] {
    cx.facts.addresses.get_or_init(|| {
        let mut all = Vec::new();
        cx.in_session().readable().filter(|cx| cx.side() != Some(Side::Client)).for_each(|cx| read(cx, &mut all));
        all
    })
}

/// Adds the addresses of a message, in the order of its commands. A command may also be the root of a fragment.
fn read<'a>(cx: MessageCx<'a>, all: &mut Vec<Address<'a>>) {
    let doc = &cx.message.doc;
    let each = |command: Command<'a>| {
        let ends: &[Tag] = match command.tag() {
            Tag::Copy => &[Tag::Target, Tag::Source],
            Tag::Add | Tag::Delete | Tag::Exec | Tag::Get | Tag::Replace => &[Tag::Target],
            _ => return,
        };
        for item in command.items() {
            all.extend(ends.iter().filter_map(|end| address(cx, command, item, *end)));
        }
    };
    match doc.flags().astray {
        true => doc.elements().map(Command).for_each(each),
        false => doc.all_commands().for_each(each),
    }
}

fn address<'a>(cx: MessageCx<'a>, command: Command<'a>, item: Item<'a>, end: Tag) -> Option<Address<'a>> {
    let element = item.0.child(end)?.child(Tag::LocURI)?;
    let uri = element.value()?;
    Some(Address { at: cx.at(command.0), command, end, element, uri, signs: signs(uri) })
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
    fn plain_bytes_are_those_of_rfc_3986() {
        let plain: String = (0..=255).filter(|byte| is_plain(*byte)).map(char::from).collect();
        let digits_and_letters = |from, to| (from..=to).collect::<String>();
        let (digits, upper, lower) = (digits_and_letters('0', '9'), digits_and_letters('A', 'Z'), digits_and_letters('a', 'z'));
        assert_eq!(plain, format!("!$%&'()*+,-./{digits}:;=?@{upper}_{lower}~"));
    }

    #[test]
    fn signs_of_a_uri() {
        let all = sign::query | sign::percent | sign::asterisk | sign::dots | sign::slashes | sign::bare;
        let of_bytes = |uri| signs(uri) & (all | sign::unrooted | sign::ends_open);
        assert_eq!(signs("./Device/Vendor/MSFT/A.b/c-d_e~"), 0);
        assert_eq!(of_bytes("./A?list=%20*//../ü"), all);
        assert_eq!(of_bytes("../A"), sign::dots | sign::unrooted);
        assert_eq!((of_bytes("./A/."), of_bytes("./A B"), of_bytes("./A/")), (sign::dots, sign::bare, sign::ends_open));
    }

    #[test]
    fn signs_of_a_place() {
        assert_eq!(of_place("./user/Vendor/MSFT/Policy"), sign::any_csp);
        assert_eq!(of_place("./Vendor/MSFT/Policy"), sign::unscoped);
        assert_eq!(of_place("./device/vendor/msft/dmclient/Provider/A/Unenroll/"), sign::dm_client | sign::unenroll);
        assert_eq!(of_place("./Device/Vendor/MSFT/Reboot/RebootNow"), sign::drastic);
        assert_eq!(of_place("./Device/Vendor/MSFT/ClientCertificateInstall/x/PFXCertBlob"), sign::certificates | sign::pfx);
        assert_eq!(of_place("./Device/Vendor/Other/A"), sign::any_csp);
        for apart in ["./DevInfo", "./Device/DevInfo/Man", "./%44evInfo", "DevInfo", "/Vendor", "././Vendor/A", "./Inbox", "."] {
            assert!(of_place(apart) & sign::apart != 0, "{apart}");
        }
    }

    #[test]
    fn a_url_inside_a_path_does_not_make_it_absolute() {
        assert!(is_absolute("https://mdm.example/a") && !is_absolute("./A/https://mdm.example") && !is_absolute("://"));
    }
}

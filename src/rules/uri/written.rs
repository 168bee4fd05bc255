//! DM-URI-001 to DM-URI-009, DM-URI-011 and DM-URI-021: how an address is written.

use super::{ROOTS, addressed, is_absolute, is_one_of, is_plain, names};
use crate::escape;
use crate::rules::gate::sign;
use crate::rules::{ElementCx, Profile, Severity, Sink, quoted};
use crate::session::At;
use crate::syncml::uri::path;
use crate::syncml::{Item, Side};

/// An address that begins with a slash.
pub(in crate::rules) fn locuri_leading_slash(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.uri.starts_with('/')) {
        let text = format!("LocURI is {}; expected it to begin with `./`", quoted(address.uri));
        out.at(cx.message.index, address.element, text);
    }
}

/// An address that ends with a slash.
pub(in crate::rules) fn locuri_trailing_slash(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx) {
        let path = path(address.uri);
        // Of several slashes each but the last ends an empty name.
        let Some(rest) = path.strip_suffix('/').filter(|rest| !rest.is_empty() && !rest.ends_with('/')) else { continue };
        let text = format!("LocURI is {}; expected {}", quoted(address.uri), quoted(rest));
        out.at(cx.message.index, address.element, text);
    }
}

/// An address that goes up.
pub(in crate::rules) fn locuri_parent_reference(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::dots) && names(address.uri).any(|name| name == "..")) {
        let text = format!("LocURI is {}, with `..` in it; expected the path of the node itself", quoted(address.uri));
        out.at(cx.message.index, address.element, text);
    }
}

/// An address with `.` behind its beginning.
pub(in crate::rules) fn locuri_inner_dot_segment(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::dots) && names(address.uri).skip(1).any(|name| name == ".")) {
        let text = format!("LocURI is {}; expected `.` at its beginning alone", quoted(address.uri));
        out.at(cx.message.index, address.element, text);
    }
}

/// An address with an empty name.
pub(in crate::rules) fn locuri_empty_segment(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::slashes) && !is_absolute(address.uri) && path(address.uri).contains("//")) {
        let text = format!("LocURI is {}, with an empty name between two slashes", quoted(address.uri));
        let draft = out.at(cx.message.index, address.element, text);
        if address.uri.contains("://") {
            draft.help("Write each slash of the address that is a name here as %2F.");
        }
    }
}

/// An address with `*` as a name.
pub(in crate::rules) fn locuri_asterisk_node(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::asterisk) && names(address.uri).any(|name| name == "*")) {
        let text = format!("LocURI is {}; expected the name of a node in place of `*`", quoted(address.uri));
        out.at(cx.message.index, address.element, text);
    }
}

/// An address with a character that has to be escaped.
pub(in crate::rules) fn locuri_unescaped_character(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::bare)) {
        let uri = address.uri;
        let Some(character) = bare(uri) else { continue };
        match names(uri).find(|name| is_placeholder(name)) {
            Some(name) => {
                let text = format!("LocURI is {}: the placeholder {} was left in", quoted(uri), quoted(name));
                out.at(cx.message.index, address.element, text).help("Put the name of the node in place of the placeholder.");
            }
            None => {
                let (seen, expected) = (shown(character), escaped(character));
                let text = format!("LocURI is {}, with {seen} in it; expected `{expected}` for that", quoted(uri));
                out.at(cx.message.index, address.element, text);
            }
        }
    }
}

/// An address with a percent sign that begins no escape, or escapes that are not UTF-8.
pub(in crate::rules) fn locuri_bad_escape(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::percent)) {
        let text = match decoded(address.uri) {
            Err(escape) => format!("LocURI is {}: {} is no escape", quoted(address.uri), quoted(&escape::line(&escape))),
            Ok(bytes) if std::str::from_utf8(&bytes).is_err() => {
                format!("LocURI is {}: its escapes are not UTF-8", quoted(address.uri))
            }
            Ok(_) => continue,
        };
        out.at(cx.message.index, address.element, text);
    }
}

/// An address that was escaped twice.
pub(in crate::rules) fn locuri_double_escape(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx).filter(|address| address.shows(sign::percent)) {
        let digits = address.uri.split("%25").skip(1).find_map(hex_pair);
        let Some(digits) = digits else { continue };
        let text = format!("LocURI is {}: `%25{digits}` is `%{digits}` escaped once more", quoted(address.uri));
        let draft = out.at(cx.message.index, address.element, text);
        // Names of policies that were ingested may hold escapes of their own.
        if cx.message.profile == Profile::Windows && names(address.uri).any(|name| name.eq_ignore_ascii_case("Policy")) {
            draft.at_most(Severity::Info);
        }
    }
}

/// An address that does not begin at the root.
pub(in crate::rules) fn locuri_not_full_device_uri(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    for address in addressed(cx) {
        let first = names(address.uri).next().unwrap_or_default();
        let known = cx.message.profile == Profile::Oma && is_one_of(first, &ROOTS);
        if matches!(first, "." | "..") || known || address.uri.starts_with('/') {
            continue;
        }
        let text = match is_absolute(address.uri) {
            true => format!("LocURI is {}, the address of a server; expected that of a node", quoted(address.uri)),
            false => format!("LocURI is {}; expected it to begin with `./`", quoted(address.uri)),
        };
        out.at(cx.message.index, address.element, text);
    }
}

/// A list of child names that are not escaped, or empty.
pub(in crate::rules) fn interior_list_encoding(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    if cx.message.side() == Some(Side::Server) {
        return;
    }
    for item in cx.command().items().filter(|item| item.format() == "node") {
        let Some(data) = item.data().filter(|data| data.children().next().is_none()) else { continue };
        let Some(list) = data.value().filter(|list| !list.contains('<')) else { continue };
        let text = list.split('/').find_map(|name| match bare(name) {
            Some(character) => {
                let (seen, expected) = (shown(character), escaped(character));
                Some(format!("the list of children has the name {}, with {seen} in it; expected `{expected}` for that", quoted(name)))
            }
            None => name.is_empty().then(|| "the list of children has an empty name".to_owned()),
        });
        if let Some(text) = text.filter(|_| !is_chunk(cx, item)) {
            out.at(cx.message.index, data, text);
        }
    }
}

/// Whether an item is a piece of a large object: its names may be cut anywhere.
fn is_chunk(cx: &ElementCx<'_>, item: Item<'_>) -> bool {
    let at = At { message: cx.message.index, node: item.0.id() };
    item.more_data() || cx.session().objects.iter().any(|object| object.chunks.contains(&at))
}

/// The first character that has to be escaped in an address.
fn bare(text: &str) -> Option<char> {
    text.chars().find(|character| !u8::try_from(*character).is_ok_and(is_plain))
}

/// `{ProviderID}`, as documentation writes it; a GUID in braces is a name.
fn is_placeholder(name: &str) -> bool {
    let inner = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| inner.bytes().any(|byte| !byte.is_ascii_hexdigit() && byte != b'-'))
}

fn shown(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        _ => format!("`{}`", escape::line(&character.to_string())),
    }
}

fn escaped(character: char) -> String {
    let mut bytes = [0; 4];
    character.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The two hexadecimal digits that a text begins with.
fn hex_pair(text: &str) -> Option<&str> {
    text.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The octets of a URI with its escapes resolved; the first that is none.
fn decoded(uri: &str) -> Result<Vec<u8>, String> {
    let mut pieces = uri.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let octet = hex_pair(piece).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let Some(octet) = octet else { return Err(format!("%{}", piece.chars().take(2).collect::<String>())) };
        bytes.push(octet);
        bytes.extend(piece.bytes().skip(2));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(decoded("./A%20B"), Ok(b"./A B".to_vec()));
        assert_eq!(decoded("100%"), Err("%".into()));
        assert_eq!(decoded("%4ü%41"), Err("%4ü".into()));
        assert_eq!((escaped('ä'), escaped(' ')), ("%C3%A4".into(), "%20".into()));
    }

    #[test]
    fn a_guid_in_braces_is_a_name() {
        assert!(is_placeholder("{ProviderID}") && !is_placeholder("{1803A630-3C38-4D2B-9B9A-0CB37243539C}"));
        assert!(!is_placeholder("ProviderID"));
    }
}

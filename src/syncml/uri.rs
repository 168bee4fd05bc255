//! When two URIs name the same node.
//!
//! In: URIs as written in `LocURI`, `TargetRef` and `SourceRef`. Out: [`Key`]s that are equal when the URIs name the same thing.
//! A leading `./` is optional (TND 5), percent-encoding is resolved where that loses nothing, and letters and the
//! `device` root count as the client at hand takes them.

use std::borrow::Cow;

/// How a client reads node names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Letters count (RP 5.4).
    Oma,
    /// Without case, and a URI without `./device` or `./user` before it means the device.
    Windows,
}

/// A URI in the one form that all ways to write it share.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<'a>(Cow<'a, str>);

impl<'a> Key<'a> {
    /// The key of a URI, its query included.
    pub fn of(uri: &'a str, naming: Naming) -> Key<'a> {
        let (path, query) = uri.split_at(path(uri).len());
        if query.is_empty() && path.is_ascii() && memchr::memchr(b'%', path.as_bytes()).is_none() {
            return Key::plain(path, naming);
        }
        let decoded = percent_decoded(relative(path));
        let named = match naming {
            Naming::Oma => decoded,
            Naming::Windows => without_device(lower_case(decoded)),
        };
        if query.is_empty() { Key(named) } else { Key(Cow::Owned(format!("{named}{query}"))) }
    }

    /// The key of a URI that is ASCII, without a query and `%`: nearly all are.
    pub fn plain(uri: &'a str, naming: Naming) -> Key<'a> {
        match naming {
            Naming::Oma => Key(Cow::Borrowed(relative(uri))),
            Naming::Windows => Key(windows_name(relative(uri))),
        }
    }

    /// The key of the node that a URI addresses: without `?list=` or `?prop=`.
    pub fn node(uri: &'a str, naming: Naming) -> Key<'a> {
        Key::of(path(uri), naming)
    }

    /// The same key, not copied.
    pub fn borrowed(&self) -> Key<'_> {
        Key(Cow::Borrowed(&self.0))
    }

    /// Whether it is a node or lies below it. The node is given by its plain path, without `Device`.
    pub fn lies_in(&self, node: &str, naming: Naming) -> bool {
        let node = node.strip_prefix("./").unwrap_or(node);
        let Some((head, rest)) = self.0.split_at_checked(node.len()) else { return false };
        let same = match naming {
            Naming::Oma => head == node,
            Naming::Windows => head.eq_ignore_ascii_case(node),
        };
        same && (rest.is_empty() || rest.starts_with('/'))
    }

    /// It and the nodes above it, up to the root; of a path deeper than any tree, the lowest 128.
    pub fn with_parents(&self) -> impl Iterator<Item = Key<'_>> {
        let names = std::iter::successors(Some(&*self.0), |name| match name.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None => (!name.is_empty()).then_some(""),
        });
        names.take(128).map(|name| Key(Cow::Borrowed(name)))
    }

    /// Whether both name the same thing.
    pub fn same(a: &str, b: &str, naming: Naming) -> bool {
        a == b || Key::of(a, naming) == Key::of(b, naming)
    }
}

/// The part of a URI before its query.
pub fn path(uri: &str) -> &str {
    let end = memchr::memchr(b'?', uri.as_bytes()).unwrap_or(uri.len());
    uri.get(..end).unwrap_or(uri)
}

/// Whether it is an address that a client could send its messages to.
pub fn is_http(uri: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| uri.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
}

/// The host of an http or https URI, without user and port.
pub fn host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://").filter(|_| is_http(uri))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let named = authority.rsplit('@').next()?;
    let host = match named.strip_prefix('[') {
        Some(address) => address.split(']').next()?,
        None => named.split(':').next()?,
    };
    (!host.is_empty()).then_some(host)
}

/// A path without the `./` before it and the slashes behind it.
fn relative(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed == "." { "" } else { trimmed.strip_prefix("./").unwrap_or(trimmed) }
}

/// What [`lower_case`] and [`without_device`] make of plain ASCII, in one step: nearly all URIs are.
fn windows_name(name: &str) -> Cow<'_, str> {
    const DEVICE: &str = "device/";
    let is_device = name.get(..DEVICE.len()).is_some_and(|start| start.eq_ignore_ascii_case(DEVICE));
    let name = if is_device { name.get(DEVICE.len()..).unwrap_or_default() } else { name };
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { text }
}

fn without_device(name: Cow<'_, str>) -> Cow<'_, str> {
    match name.strip_prefix("device/") {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => name,
    }
}

/// Percent-encoding resolved, but for `%2F`, which is no separator. Kept as it is where the result is not UTF-8.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        match (byte, octet(tail)) {
            (b'%', Some(octet)) if octet != b'/' => {
                decoded.push(octet);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'%', Some(_)) => {
                decoded.extend_from_slice(b"%2F");
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The octet that two hexadecimal digits stand for.
fn octet(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> (bool, bool) {
        (Key::same(a, b, Naming::Oma), Key::same(a, b, Naming::Windows))
    }

    #[test]
    fn one_node_has_many_spellings() {
        assert_eq!(same("./A/B", "A/B"), (true, true));
        assert_eq!(same("./A/B/", "./A/B"), (true, true));
        assert_eq!(same("./A/b%20c", "./A/b c"), (true, true));
        assert_eq!(same("./A/%c3%A4", "./A/ä"), (true, true));
        assert_eq!(same("./a", "./A"), (false, true));
        assert_eq!(same("./Device/Vendor/MSFT", "./Vendor/MSFT"), (false, true));
        assert_eq!(same(".", "./"), (true, true));
    }

    #[test]
    fn other_nodes_stay_other() {
        assert_eq!(same("./A", "./AB"), (false, false));
        assert_eq!(same("./A%2FB", "./A/B"), (false, false));
        assert_eq!(same("./A%2fB", "./A%2FB"), (true, true));
        assert_eq!(same("./User/Vendor", "./Device/Vendor"), (false, false));
        assert_eq!(same("./A?list=Struct", "./A"), (false, false));
        assert_eq!(same("./A%FF", "./A%FF"), (true, true));
        assert_eq!(same("./A%", "./A%2"), (false, false));
    }

    #[test]
    fn nodes_lie_below_their_parents() {
        let key = |uri| Key::node(uri, Naming::Windows);
        let below = |uri, base| key(uri).with_parents().any(|parent| parent == key(base));
        assert!(below("./Vendor/MSFT/X", "./vendor/msft?list=Struct"));
        assert!(below("./A", "./A") && below("./A", "."));
        assert!(!below("./AB", "./A") && !below("./A", "./A/B"));
        assert!(key("./Device/A/b").lies_in("./A", Naming::Windows) && key("./a").lies_in("./A", Naming::Windows));
        assert!(!key("./AB").lies_in("./A", Naming::Windows) && !key("./").lies_in("./A", Naming::Windows));
        assert!(!Key::of("./a/b", Naming::Oma).lies_in("./A", Naming::Oma));
    }

    #[test]
    fn http_addresses_are_known_in_any_case() {
        assert!(is_http("HTTPS://mdm.example/") && is_http("http://x"));
        assert!(!is_http("urn:uuid:1") && !is_http("ü") && !is_http("./A"));
    }
}

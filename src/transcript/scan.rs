//! The few pieces of XML syntax that finding documents in a text needs. All bounded, none ever fails on content.

use memchr::memmem;

/// A root element that begins a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `SyncML`, in any case of letters.
    SyncMl,
    /// A SOAP `Envelope`.
    Envelope,
    /// `wap-provisioningdoc`.
    Provisioning,
}

impl Root {
    /// The root of a name with or without prefix.
    pub fn of(name: &[u8]) -> Option<Root> {
        match local(name) {
            name if name.eq_ignore_ascii_case(b"SyncML") => Some(Root::SyncMl),
            b"Envelope" => Some(Root::Envelope),
            b"wap-provisioningdoc" => Some(Root::Provisioning),
            _ => None,
        }
    }
}

/// A start tag.
#[derive(Clone, Copy, Debug)]
pub struct Tag<'a> {
    /// Its name, with prefix.
    pub name: &'a [u8],
    /// The root that it opens, if it is one.
    pub root: Option<Root>,
    /// One past its `>`.
    pub end: usize,
    /// Written as `<a/>`.
    pub empty: bool,
    /// Its quotes stand behind backslashes.
    pub escaped: bool,
}

/// The local part of a name.
pub fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

fn name(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.' | 0x80..);
    let len = rest.iter().take(256).take_while(|byte| is_name(byte)).count();
    rest.get(..len).unwrap_or_default()
}

/// The start tag at `at`, which holds a `<`. `None` when what follows is none.
pub fn start_tag(text: &[u8], at: usize) -> Option<Tag<'_>> {
    let name = name(text, at + 1);
    if !name.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_') {
        return None;
    }
    let from = at + 1 + name.len();
    // XML has no `<` in attribute values: a tag that reaches one is broken, which also bounds the search.
    let rest = text.get(from..).unwrap_or_default();
    let inside = rest.get(..memchr::memchr(b'<', rest).unwrap_or(rest.len())).unwrap_or_default();
    let close = tag_close(inside)?;
    let inside = inside.get(..close).unwrap_or_default();
    let root = Root::of(name).filter(|root| *root != Root::Envelope || is_soap(name, inside));
    Some(Tag {
        name,
        root,
        end: from + close + 1,
        empty: inside.last() == Some(&b'/'),
        escaped: memmem::find(inside, b"=\\\"").is_some(),
    })
}

/// Offset of the `>` that ends a tag, quoted ones passed over; of the first one at all when quotes do not close.
fn tag_close(inside: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = inside.get(at..).and_then(|rest| memchr::memchr3(b'>', b'"', b'\'', rest)) {
        let quote = inside.get(at + found).copied().filter(|byte| *byte != b'>');
        let Some(quote) = quote else { return Some(at + found) };
        let value = at + found + 1;
        match inside.get(value..).and_then(|rest| memchr::memchr(quote, rest)) {
            Some(end) => at = value + end + 1,
            None => break,
        }
    }
    memchr::memchr(b'>', inside)
}

/// Other vocabularies have an `Envelope` too: SOAP's namespace, or at least its usual prefix, must show.
fn is_soap(name: &[u8], attributes: &[u8]) -> bool {
    let prefix = name.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
    let usual: [&[u8]; 5] = [b"s", b"soap", b"soapenv", b"soap-env", b"env"];
    usual.contains(&&*prefix) || attributes.windows(4).any(|four| four.eq_ignore_ascii_case(b"soap"))
}

/// The name of the end tag whose name starts at `at`, and where the tag ends.
pub fn end_tag(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let name = name(text, at);
    let rest = text.get(at + name.len()..).unwrap_or_default();
    let blanks = rest.len() - rest.trim_ascii_start().len();
    let closed = !name.is_empty() && rest.get(blanks) == Some(&b'>');
    closed.then_some((name, at + name.len() + blanks + 1))
}

/// Where the processing instruction at `at` ends. It must be on few lines: a `<?` in prose has no end.
pub fn instruction_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at + 2..)?;
    let rest = rest.get(..memchr::memchr(b'<', rest).unwrap_or(rest.len()))?;
    memmem::find(rest, b"?>").map(|end| at + 2 + end + 2)
}

/// Where the DOCTYPE at `at` ends, its internal subset included.
pub fn doctype_end(text: &[u8], at: usize) -> Option<usize> {
    const MAX: usize = 4096;
    let rest = text.get(at..)?;
    if !rest.get(..9)?.eq_ignore_ascii_case(b"<!DOCTYPE") {
        return None;
    }
    let rest = rest.get(..MAX).unwrap_or(rest);
    let close = memchr::memchr(b'>', rest)?;
    let Some(subset) = memchr::memchr(b'[', rest).filter(|subset| *subset < close) else { return Some(at + close + 1) };
    let inner = rest.get(subset..)?;
    let end = memchr::memchr(b']', inner)?;
    let close = memchr::memchr(b'>', inner.get(end..)?)?;
    Some(at + subset + end + close + 1)
}

/// The next place of a fixed string, remembered so that asking again and again stays one pass over the text.
#[derive(Debug)]
pub struct Next {
    needle: &'static [u8],
    /// From where it was searched, and what was found.
    known: Option<(usize, Option<usize>)>,
}

impl Next {
    /// For this string.
    pub fn new(needle: &'static [u8]) -> Next {
        Next { needle, known: None }
    }

    /// Its first place at or behind `from`.
    pub fn from(&mut self, text: &[u8], from: usize) -> Option<usize> {
        if let Some((searched, found)) = self.known
            && searched <= from
            && found.is_none_or(|found| found >= from)
        {
            return found;
        }
        let found = text.get(from..).and_then(|rest| memmem::find(rest, self.needle)).map(|at| from + at);
        self.known = Some((from, found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_behind_their_quotes() {
        let tag = start_tag(b"<d:SyncML a='>' b=\"x>\"/>rest", 0).unwrap();
        assert_eq!((tag.end, tag.empty, tag.root), (24, true, Some(Root::SyncMl)));
        assert!(start_tag(b"<SyncML a='never", 0).is_none());
        assert_eq!(start_tag(b"<a b='c><d>", 0).unwrap().end, 8);
    }

    #[test]
    fn an_envelope_is_one_only_with_soap() {
        assert!(start_tag(b"<Envelope>", 0).unwrap().root.is_none());
        assert!(start_tag(b"<s:Envelope>", 0).unwrap().root.is_some());
        assert!(
            start_tag(b"<x:Envelope xmlns:x='http://schemas.xmlsoap.org/soap/envelope/'>", 0).unwrap().root.is_some()
        );
    }

    #[test]
    fn a_doctype_ends_behind_its_subset() {
        let text = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>";
        assert_eq!(doctype_end(text, 0), Some(text.len() - 4));
        assert_eq!(doctype_end(b"<!doctype a><a/>", 0), Some(12));
    }

    #[test]
    fn a_string_is_searched_once() {
        let mut next = Next::new(b"]]>");
        assert_eq!(next.from(b"ab]]>cd", 1), Some(2));
        assert_eq!(next.from(b"ab]]>cd", 3), None);
        assert_eq!(next.known, Some((3, None)));
    }
}

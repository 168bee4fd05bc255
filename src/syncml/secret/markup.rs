//! Secrets in markup that is not a tree: payloads inside a text, and the bytes of a document as they were sent.
//!
//! A scan over `<`, `&lt;` and `&amp;lt;`, so that it reads markup however often it was escaped, needs no
//! well-formedness, and is linear.

use std::ops::Range;

use super::merge;
use super::name::{is_secret_element, is_secret_node, is_secret_parameter};
use crate::origin::Span;

const OPENERS: &[&[u8]] = &[b"<", b"&lt;", b"&amp;lt;"];
const CLOSERS: &[&[u8]] = &[b">", b"&gt;", b"&amp;gt;"];
const QUOTES: &[&[u8]] = &[b"\"", b"'", b"&quot;", b"&amp;quot;", b"&apos;"];

/// The secrets in some markup, as ranges that are sorted and apart from each other.
pub(super) fn pieces(text: &[u8]) -> Vec<Range<usize>> {
    spans(text).into_iter().map(Span::range).collect()
}

/// The secrets in the bytes of a body, whatever it is, sorted and apart from each other.
pub fn spans(text: &[u8]) -> Vec<Span> {
    let mut scan = Scan { text, at: 0, in_cred: false, in_secret_item: false, no_closer: false, out: Vec::new() };
    while scan.next_tag() {}
    merge(scan.out)
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    in_cred: bool,
    in_secret_item: bool,
    /// No tag ends behind the cursor; without this, unclosed tags in a row would each be looked through to the end.
    no_closer: bool,
    out: Vec<Span>,
}

/// How far a LocURI is read. Windows' nodes stay far below.
const MAX_URI: usize = 4096;

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Reads the next tag; false at the end.
    fn next_tag(&mut self) -> bool {
        let Some(found) = memchr::memchr2(b'<', b'&', self.rest()) else { return false };
        self.at += found;
        let Some(opener) = prefix(self.rest(), OPENERS) else {
            self.at += 1;
            return true;
        };
        let tag_at = self.at;
        self.at += opener;
        let end_tag = self.rest().first() == Some(&b'/');
        self.at += usize::from(end_tag);
        let name = self.name();
        if end_tag {
            self.end(name, tag_at)
        } else {
            self.start(name)
        }
        true
    }

    /// The local name at the cursor, which moves behind it.
    fn name(&mut self) -> &'a [u8] {
        let ends = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.'));
        let rest = self.rest();
        let name = rest.get(..rest.iter().position(ends).unwrap_or(rest.len())).unwrap_or_default();
        self.at += name.len();
        name.rsplit(|byte| *byte == b':').next().unwrap_or_default()
    }

    fn start(&mut self, name: &[u8]) {
        match name {
            b"Cred" => self.in_cred = true,
            b"Item" => self.in_secret_item = false,
            b"LocURI" => self.in_secret_item |= is_secret_node(self.content()),
            b"Data" if self.in_cred || self.in_secret_item => self.hide_content(),
            b"parm" | b"input" => self.hide_value(),
            _ if is_secret_element(name) => self.hide_content(),
            _ => {}
        }
    }

    fn end(&mut self, name: &[u8], tag_at: usize) {
        match name {
            b"Cred" => self.in_cred = false,
            b"Item" => self.in_secret_item = false,
            // Its start tag lies in the chunk before.
            _ if is_secret_element(name) && self.out.is_empty() => {
                let before = self.text.get(..tag_at).unwrap_or_default();
                let ends =
                    CLOSERS.iter().filter_map(|closer| Some(memchr::memmem::rfind(before, closer)? + closer.len()));
                self.out.push(Span::new(ends.max().unwrap_or(0), tag_at));
            }
            _ => {}
        }
    }

    /// What stands between the start tag at the cursor and the next tag.
    fn content(&self) -> &'a [u8] {
        let rest = self.rest();
        let rest = rest.get(..MAX_URI).unwrap_or(rest);
        let from = first(rest, CLOSERS).map_or(0, |(at, len)| at + len);
        let content = rest.get(from..).unwrap_or_default();
        content.get(..first(content, OPENERS).map_or(content.len(), |(at, _)| at)).unwrap_or_default()
    }

    /// Hides all between the start tag at the cursor and the next end tag.
    fn hide_content(&mut self) {
        let closer = if self.no_closer { None } else { first(self.rest(), CLOSERS) };
        let Some((at, len)) = closer else {
            self.no_closer = true;
            return;
        };
        if self.rest().get(at.wrapping_sub(1)) == Some(&b'/') {
            return;
        }
        let start = self.at + at + len;
        self.at = self.end_tag_from(start);
        self.out.push(Span::new(start, self.at));
    }

    /// Where the next end tag starts, nested elements passed over; the end of the text when there is none.
    fn end_tag_from(&self, mut from: usize) -> usize {
        while let Some((at, len)) = first(self.text.get(from..).unwrap_or_default(), OPENERS) {
            if self.text.get(from + at + len) == Some(&b'/') {
                return from + at;
            }
            from += at + len;
        }
        self.text.len()
    }

    /// Hides the `value` of a tag at the cursor whose `name` is a secret parameter's.
    fn hide_value(&mut self) {
        let (mut secret, mut value) = (false, None);
        while let Some((name, range)) = self.attribute() {
            match name {
                b"name" => secret = self.text.get(range).is_some_and(is_secret_parameter),
                b"value" => value = Some(range),
                _ => {}
            }
        }
        if let (true, Some(range)) = (secret, value) {
            self.out.push(Span::new(range.start, range.end));
        }
    }

    /// The next attribute of the tag at the cursor: name and where its value stands.
    fn attribute(&mut self) -> Option<(&'a [u8], Range<usize>)> {
        let skip = |scan: &mut Self| {
            scan.at += scan.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        };
        skip(self);
        let name = self.name();
        skip(self);
        if name.is_empty() || self.rest().first() != Some(&b'=') {
            return None;
        }
        self.at += 1;
        skip(self);
        let quote = prefix(self.rest(), QUOTES)?;
        let mark = self.rest().get(..quote)?;
        let start = self.at + quote;
        let len = memchr::memmem::find(self.text.get(start..)?, mark)?;
        self.at = start + len + quote;
        Some((name, start..start + len))
    }
}

/// Length of the token that `text` begins with.
fn prefix(text: &[u8], tokens: &[&[u8]]) -> Option<usize> {
    tokens.iter().find(|token| text.starts_with(token)).map(|token| token.len())
}

/// The first of the tokens (which start with `<`, `>` or `&`) in a text: place and length.
fn first(text: &[u8], tokens: &[&[u8]]) -> Option<(usize, usize)> {
    let sign = *tokens.first()?.first()?;
    memchr::memchr2_iter(sign, b'&', text)
        .find_map(|at| Some((at, prefix(text.get(at..).unwrap_or_default(), tokens)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hidden(text: &str) -> Vec<&str> {
        spans(text.as_bytes()).into_iter().map(|span| &text[span.range()]).collect()
    }

    #[test]
    fn elements_however_often_escaped() {
        assert_eq!(hidden("<sharedKey><keyMaterial>abc</keyMaterial></sharedKey>"), ["abc"]);
        assert_eq!(hidden("&lt;keyMaterial&gt;abc&lt;/keyMaterial&gt;"), ["abc"]);
        assert_eq!(hidden("&amp;lt;keyMaterial&amp;gt;abc&amp;lt;/keyMaterial&amp;gt;"), ["abc"]);
        assert_eq!(hidden("<o:Password Type='x'>p<![CDATA[q]]></o:Password> <a>b</a>"), ["p<![CDATA[q]]>"]);
        assert_eq!(hidden("<Password/><a>b</a>"), Vec::<&str>::new());
    }

    #[test]
    fn a_secret_cut_by_a_chunk_or_an_end() {
        assert_eq!(hidden("abc</keyMaterial><a>b</a>"), ["abc"]);
        assert_eq!(hidden("<a>b</a><keyMaterial>ab"), ["ab"]);
    }

    #[test]
    fn parameters_of_provisioning_documents_and_forms() {
        assert_eq!(hidden(r#"<parm name="AAUTHNAME" value="dave"/><parm name="AAUTHSECRET" value="s3"/>"#), ["s3"]);
        assert_eq!(hidden("<parm value='s3' name='aauthdata'/>"), ["s3"]);
        assert_eq!(hidden("&lt;parm name=&quot;AAUTHSECRET&quot; value=&quot;s3&quot;/&gt;"), ["s3"]);
        assert_eq!(hidden(r#"<input type="hidden" name="wresult" value="e30=" />"#), ["e30="]);
    }

    #[test]
    fn protocol_places_without_a_tree() {
        assert_eq!(hidden("<Cred><Meta><Type>b</Type></Meta><Data>QQ==</Data></Cred><Data>x</Data>"), ["QQ=="]);
        let items = "<Item><Target><LocURI>./A/Password</LocURI></Target><Data>p</Data></Item>\
                     <Item><Target><LocURI>./A/B</LocURI></Target><Data>q</Data></Item>";
        assert_eq!(hidden(items), ["p"]);
    }

    proptest! {
        #[test]
        fn any_bytes(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            for span in spans(&text) {
                prop_assert!(span.end as usize <= text.len());
            }
        }

        #[test]
        fn any_markup(text in "(<|&lt;|</|>|&gt;|/>|Password|Cred|Data|parm| name=| value=|\"|a|LocURI)*") {
            let spans = spans(text.as_bytes());
            prop_assert!(spans.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}

//! A message as it may be handed on: the same bytes with [`MASK`] in place of each secret.
//!
//! In: a message. Out: its body and its way back to the capture, so that all else of it can still be judged. What was
//! redacted is read back as such by [`is_redacted`]: rules on secrets do not judge it. Secrets that cannot be cut out of
//! the bytes (an encoding that is not ours to write, a document inside opaque data) take the whole body with them.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use super::doc::{Doc, Element, Form};
use super::message::{Kind, Message};
use super::secret::{self, MASK, Secret, Secrets};
use crate::http::{Body, Captured, Head};
use crate::octets::Octets;
use crate::origin::{Origin, Run};
use crate::push;

/// Why a body is left out.
const CANNOT: &str = "it was left out: the secrets in its encoding cannot be masked";

/// A stretch of bytes and what stands in its place.
type Cut = (Range<usize>, Vec<u8>);

/// The body with its secrets masked.
pub fn body(message: &Message) -> Body {
    if let Some(bearer) = message.bearer {
        let bytes = push::secret::masked(&message.body.bytes, bearer.framing);
        return Body { bytes: bytes.into(), redacted: Some(message.body.size()), ..message.body.clone() };
    }
    let cuts = match message.doc.is_empty() {
        true => Some(in_text(&message.body.bytes)),
        false => in_document(message),
    };
    let body = &message.body;
    let redacted = body.redacted.or(Some(body.bytes.len() as u64));
    match cuts {
        Some(cuts) if cuts.is_empty() => body.clone(),
        Some(cuts) => {
            let (bytes, origin) = cut(&body.bytes, &body.origin, cuts);
            Body { bytes, origin, redacted, ..body.clone() }
        }
        None => {
            let captured = Captured::Refused(CANNOT.to_owned());
            Body { bytes: Octets::default(), captured, redacted, ..body.clone() }
        }
    }
}

/// A head with its secrets masked.
pub fn head(head: &Head) -> Head {
    let value = |(name, value): &(String, String)| (name.clone(), secret::header(name, value).into_owned());
    Head {
        target: secret::url(&head.target).into_owned(),
        headers: head.headers.iter().map(value).collect(),
        ..head.clone()
    }
}

/// Whether secrets of a message were redacted before it was read.
pub fn is_redacted(message: &Message) -> bool {
    // What masks a push cannot be told from a digest.
    let is_push = message.kind == Kind::Push && message.body.redacted.is_some();
    let in_head = message.http.as_ref().is_some_and(|http| head_is_redacted(&http.head));
    is_push || in_head || (has_mask(&message.doc) && Secrets::of(&message.doc).are_redacted(&message.doc))
}

/// The same of what stands in an element, in its attributes, and below it.
pub fn hides(element: Element<'_>) -> bool {
    let masked = |element: Element<'_>| {
        element.text().contains(MASK) || element.attributes().any(|(_, value)| value.contains(MASK))
    };
    has_mask(element.doc()) && std::iter::once(element).chain(element.descendants()).any(masked)
}

fn has_mask(doc: &Doc) -> bool {
    may_hold_mask(doc.bytes()) && memmem::find(doc.bytes(), MASK.as_bytes()).is_some()
}

/// What is asked of every document and header: nearly none has a single star.
fn may_hold_mask(text: &[u8]) -> bool {
    memchr::memchr(b'*', text).is_some()
}

/// The same of a head.
pub fn head_is_redacted(head: &Head) -> bool {
    // Only where a secret would be masked.
    let hidden = |name: &str, value: &str| {
        let secret = || value.replace(MASK, "-");
        let holds_mask = may_hold_mask(value.as_bytes()) && value.contains(MASK);
        holds_mask && secret::header(name, value) == value && secret::header(name, &secret()) != secret()
    };
    hidden("", &head.target) || head.headers.iter().any(|(name, value)| hidden(name, value))
}

/// The secrets of a body that is no document.
fn in_text(bytes: &[u8]) -> Vec<Cut> {
    let spans = match std::str::from_utf8(bytes) {
        Ok(text) => secret::in_text(text),
        Err(_) => secret::in_bytes(bytes),
    };
    let masked = spans.into_iter().map(|span| (span.range(), MASK.as_bytes().to_vec()));
    masked.filter(|(range, mask)| bytes.get(range.clone()) != Some(mask)).collect()
}

/// The secrets of a document, as cuts in the body; `None` when they cannot all be had.
fn in_document(message: &Message) -> Option<Vec<Cut>> {
    let doc = &message.doc;
    let secrets = Secrets::of(doc);
    if secrets.is_empty() {
        // Markup that the tree does not know, as behind a broken tag.
        return Some(if doc.form() == Form::Xml { in_text(&message.body.bytes) } else { Vec::new() });
    }
    if !doc.is_exact() {
        return None;
    }
    let mut cuts: Vec<Cut> = match doc.form() {
        Form::Xml => secrets.iter(doc).filter_map(in_xml).collect(),
        Form::Wbxml => {
            let own: Option<Vec<Cut>> = secrets.iter(doc).map(in_wbxml).collect();
            own?.into_iter().chain(string_table(doc, &secrets)).collect()
        }
    };
    if doc.form() == Form::Xml {
        let more =
            in_text(doc.bytes()).into_iter().filter(|(more, _)| !cuts.iter().any(|(known, _)| meet(known, more)));
        let more: Vec<Cut> = more.collect();
        cuts.extend(more);
    }
    cuts.retain(|(range, mask)| doc.bytes().get(range.clone()) != Some(mask));
    cuts.sort_by_key(|(range, _)| (range.start, usize::MAX - range.end));
    // One inside another goes with it.
    let mut end = 0;
    cuts.retain(|(range, _)| {
        let apart = range.start >= end;
        end = end.max(range.end);
        apart
    });
    let holds = doc.form() == Form::Xml || !secrets.iter(doc).any(|(element, _)| is_embedded(element));
    holds.then_some(cuts)
}

fn meet(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

fn in_xml((element, secret): (Element<'_>, Secret)) -> Option<Cut> {
    let inner = element.inner().range();
    match secret {
        Secret::Attribute(at) => {
            let tag = element.span().range().start..inner.start.max(element.span().range().start);
            let value = attribute(element.doc().bytes().get(tag.clone())?, at)?;
            Some((tag.start + value.start..tag.start + value.end, MASK.as_bytes().to_vec()))
        }
        Secret::Text => Some((bare(element), MASK.as_bytes().to_vec())),
        Secret::Pieces(masked) if element.children().next().is_none() => {
            let bare = bare(element);
            let is_plain = element.doc().bytes().get(bare.clone()) == Some(element.text().as_bytes());
            let masked = if is_plain { Cow::Borrowed(masked.as_str()) } else { Cow::Owned(escaped(&masked)) };
            Some((if is_plain { bare } else { inner }, masked.as_bytes().to_vec()))
        }
        Secret::Pieces(_) => Some((inner, MASK.as_bytes().to_vec())),
    }
}

/// What stands between the tags of an element, without the CDATA section around it.
fn bare(element: Element<'_>) -> Range<usize> {
    let (inner, bytes) = (element.inner().range(), element.inner().slice(element.doc().bytes()));
    let section = bytes.strip_prefix(b"<![CDATA[").and_then(|rest| rest.strip_suffix(b"]]>"));
    match section.filter(|inside| memmem::find(inside, b"]]>").is_none()) {
        Some(inside) => inner.start + 9..inner.start + 9 + inside.len(),
        None => inner,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

/// Where the value of an attribute stands in a start tag, its quotes not included.
fn attribute(tag: &[u8], number: usize) -> Option<Range<usize>> {
    let mut at = tag.iter().position(u8::is_ascii_whitespace)?;
    for left in (0..=number).rev() {
        at += memchr::memchr(b'=', tag.get(at..)?)? + 1;
        at += tag.get(at..)?.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let quote = *tag.get(at).filter(|quote| matches!(quote, b'"' | b'\''))?;
        let len = memchr::memchr(quote, tag.get(at + 1..)?)?;
        if left == 0 {
            return Some(at + 1..at + 1 + len);
        }
        at += len + 2;
    }
    None
}

const STR_I: u8 = 0x03;
const OPAQUE: u8 = 0xC3;

/// Opaque data stays opaque: some rules ask how a text was written. `None` where a value was put together of pieces.
fn in_wbxml((element, secret): (Element<'_>, Secret)) -> Option<Cut> {
    let text = match secret {
        Secret::Attribute(at) => {
            let range = element.attribute_span(at)?.range();
            let in_table = range.start < start(element.doc());
            let mask = if in_table { vec![b'*'; range.len()] } else { MASK.as_bytes().to_vec() };
            return Some((range, mask));
        }
        Secret::Text => MASK.to_owned(),
        Secret::Pieces(masked) => masked,
    };
    let bytes = match element.flags().opaque {
        true => [&[OPAQUE], &*multi_byte(text.len()), text.as_bytes()].concat(),
        false => [&[STR_I], text.as_bytes(), &[0]].concat(),
    };
    Some((element.inner().range(), bytes))
}

fn multi_byte(number: usize) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7F) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        bytes.insert(0, (rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    bytes
}

/// Where the root begins, behind the string table.
fn start(doc: &Doc) -> usize {
    doc.root().map_or(0, |root| root.span().range().start)
}

/// Secrets that the string table holds: stars of the same number, since indexes point behind them.
fn string_table(doc: &Doc, secrets: &Secrets) -> Vec<Cut> {
    let bytes = doc.bytes();
    let head = bytes.get(..start(doc)).unwrap_or_default();
    let text = |(element, secret): (Element<'_>, Secret)| match secret {
        Secret::Attribute(at) => element.attributes().nth(at).map_or("", |(_, value)| value).to_owned(),
        Secret::Text | Secret::Pieces(_) => element.text().to_owned(),
    };
    let texts = secrets.iter(doc).map(text).filter(|text| text.len() > 2);
    let found = texts
        .flat_map(|text| memmem::find_iter(head, text.as_bytes()).map(|at| at..at + text.len()).collect::<Vec<_>>());
    found.map(|range| (range.clone(), vec![b'*'; range.len()])).collect()
}

/// Whether an element stands in a document inside opaque data, whose length would have to change too.
fn is_embedded(element: Element<'_>) -> bool {
    std::iter::successors(element.parent(), |above| above.parent()).any(|above| above.flags().opaque)
}

/// The bytes with the cuts made, which are sorted and apart, and where they came from.
fn cut(bytes: &[u8], origin: &Origin, cuts: Vec<Cut>) -> (Octets, Origin) {
    let (mut out, mut from) = (Vec::with_capacity(bytes.len()), Origin::default());
    let mut at = 0;
    let keep = |out: &mut Vec<u8>, from: &mut Origin, range: Range<usize>| {
        if let Some(kept) = bytes.get(range.clone()).filter(|kept| !kept.is_empty()) {
            from.append(out.len() as u64, &origin.sub(range.start as u64, range.end as u64));
            out.extend_from_slice(kept);
        }
    };
    for (range, mask) in cuts {
        keep(&mut out, &mut from, at..range.start);
        if let Some(run) = origin.run_at(range.start as u64) {
            from.push(Run { at: out.len() as u64, offset: 0, exact: false, ..*run });
        }
        out.extend_from_slice(&mask);
        at = range.end;
    }
    keep(&mut out, &mut from, at..bytes.len());
    (out.into(), from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::InputId;
    use crate::limits::Limits;
    use crate::transcript::Document;
    use proptest::prelude::*;

    fn message(bytes: &[u8]) -> Message {
        let body = Body::whole(bytes, Origin::file(0));
        let document = Document { body, side: None, at: None, position: None };
        Message::from_document(document, InputId(0), &Limits::default())
    }

    fn redacted(text: &str) -> String {
        String::from_utf8(body(&message(text.as_bytes())).bytes.to_vec()).unwrap()
    }

    fn item(uri: &str, data: &str) -> String {
        format!(
            "<SyncML><SyncBody><Replace><Item><Target><LocURI>{uri}</LocURI></Target>{data}</Item></Replace></SyncBody></SyncML>"
        )
    }

    #[test]
    fn nothing_but_the_secret_changes() {
        for (data, masked) in [
            ("<Data>HIDDEN</Data>", "<Data>********</Data>"),
            ("<Data>\n <![CDATA[HIDDEN]]></Data>", "<Data>********</Data>"),
            ("<Data><![CDATA[HIDDEN]]></Data>", "<Data><![CDATA[********]]></Data>"),
        ] {
            assert_eq!(redacted(&item("./A/Password", data)), item("./A/Password", masked));
        }
        let payload = |key: &str| format!("<Data>&lt;a b='1'>&lt;keyMaterial>{key}&lt;/keyMaterial> &amp;amp;</Data>");
        let again = redacted(&item("./W/WlanXml", &payload("HIDDEN")));
        assert!(!again.contains("HIDDEN") && again.contains(MASK), "{again}");
        let url = |token: &str| {
            format!(
                "<SyncML><SyncHdr><Target><LocURI>https://a/b?token={token}&amp;c=d</LocURI></Target></SyncHdr></SyncML>"
            )
        };
        assert!(!redacted(&url("HIDDEN")).contains("HIDDEN"));
        let parm = |value: &str| {
            format!("<wap-provisioningdoc><parm name = 'AAUTHSECRET' value='{value}' c='d'/></wap-provisioningdoc>")
        };
        assert_eq!(redacted(&parm("HIDDEN")), parm(MASK));
    }

    #[test]
    fn what_was_redacted_is_known_again_and_stays() {
        let text = item("./A/Password", "<Data>HIDDEN</Data>");
        assert!(!is_redacted(&message(text.as_bytes())));
        let once = redacted(&text);
        assert!(is_redacted(&message(once.as_bytes())));
        assert_eq!(redacted(&once), once);
        assert!(!is_redacted(&message(item("./A/Note", "<Data>********</Data>").as_bytes())));
    }

    #[test]
    fn the_way_back_to_the_capture_holds_behind_a_cut() {
        let text = item("./A/Password", "<Data>HIDDEN-SECRET</Data>");
        let body = body(&message(text.as_bytes()));
        let place = |text: &[u8]| memmem::find(text, b"</Item>").unwrap();
        let run = body.origin.run_at(place(&body.bytes) as u64).unwrap();
        assert!(run.exact);
        assert_eq!(run.offset + place(&body.bytes) as u64 - run.at, place(text.as_bytes()) as u64);
        assert_eq!(body.redacted, Some(text.len() as u64));
    }

    #[test]
    fn text_that_is_no_document_and_binary_forms() {
        assert_eq!(redacted("user=a&password=HIDDEN"), "user=a&password=********");
        let utf16: Vec<u8> = item("./A/Password", "<Data>x</Data>").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let left_out = body(&message(&[&[0xFF, 0xFE], &*utf16].concat()));
        assert!(left_out.bytes.is_empty() && matches!(left_out.captured, Captured::Refused(_)));
    }

    #[test]
    fn attributes_in_wbxml_are_cut_in_their_place_or_the_body_is_left_out() {
        // AAUTHSECRET, in the string table, in its place, and put together of pieces.
        let parm = |value: &[u8]| {
            let head = b"\x03\x0B\x6A\x07HIDDEN\0\xC5\x46\x01\x87\x00\x01\x32\x06";
            message(&[head.as_slice(), value, &[0x01, 0x01]].concat())
        };
        for value in [b"\x03HIDDEN\0".as_slice(), b"\x83\x00"] {
            let body = body(&parm(value));
            assert!(memmem::find(&body.bytes, b"HIDDEN").is_none(), "{:?}", body.bytes);
            let again = message(&body.bytes);
            let secret = again.doc.elements().last().unwrap().attribute("value").unwrap().to_owned();
            assert!(secret.bytes().all(|byte| byte == b'*') && again.is_well_formed(), "{secret}");
        }
        let left_out = body(&parm(b"\x03HID\0\x03DEN\0"));
        assert!(left_out.bytes.is_empty() && matches!(left_out.captured, Captured::Refused(_)));
    }

    #[test]
    fn wbxml_is_still_wbxml() {
        let xml =
            crate::xml::parse(&item("./A/Password", "<Data>HIDDEN</Data>").into_bytes().into(), &Limits::default());
        let bytes = crate::wbxml::encode::encode(&xml).0;
        let body = body(&message(&bytes));
        assert!(memmem::find(&body.bytes, b"HIDDEN").is_none());
        let again = message(&body.bytes);
        assert!(again.is_readable() && again.doc.notes.is_empty() && is_redacted(&again));
        let names = |doc: &Doc| doc.elements().map(|element| element.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&again.doc), names(&xml));
    }

    #[test]
    fn heads_keep_their_form() {
        let given = [
            ("Authorization", "Basic YTpi"),
            ("x-syncml-hmac", "algorithm=MD5, username=\"u\", mac=abc="),
            ("Host", "a"),
        ];
        let headers = given.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let masked = head(&Head { headers, target: "/a?token=b".into(), ..Head::default() });
        assert_eq!(masked.target, "/a?token=********");
        assert_eq!(masked.headers[1].1, "algorithm=MD5, username=\"********\", mac=********");
        assert!(
            head_is_redacted(&masked) && !head_is_redacted(&Head { target: "/********".into(), ..Head::default() })
        );
    }

    proptest! {
        #[test]
        fn any_document_keeps_its_elements(
            text in "(<Cred>|</Cred>|<Data>|</Data>|<Item>|</Item>|<LocURI>|</LocURI>|./A/Password|HIDDEN|<!\\[CDATA\\[|\\]\\]>|&lt;|<parm name='token' value='HIDDEN'/>|<a b='c'>|</a>| ){0,24}"
        ) {
            let text = format!("<SyncML>{text}</SyncML>");
            let before = message(text.as_bytes());
            let after = body(&before);
            let again = message(&after.bytes);
            let shown = crate::syncml::render::Rendering::new(&again.doc, true).text().to_owned();
            let masked = crate::syncml::render::Rendering::new(&before.doc, false).text().to_owned();
            // What the rendering masks, the bytes do not have.
            prop_assert!(masked.contains("HIDDEN") || !shown.contains("HIDDEN"), "{}\n{}", text, String::from_utf8_lossy(&after.bytes));
        }
    }
}

//! A document as WBXML: inline strings, opaque for what no string can hold, literals for names without a token.
//!
//! In: a document of either form. Out: WBXML 1.2 of the SyncML version that the document names, or of a provisioning
//! document with its attributes, in UTF-8. A device
//! description or DevInf inside `Data` becomes WBXML of its own, unless its type says that it is XML. Bound: the
//! document's own.

use super::provisioning;
use super::tables::{self, PAGE_DDF, PAGE_DEVINF, PAGE_METINF, PAGE_SYNCML, PUBLIC, global};
use crate::syncml::doc::Form;
use crate::syncml::{Doc, Element, Tag};

mod attributes;

const WBXML_1_2: u8 = 0x02;
const UTF_8: u8 = 0x6A;
const DEVINF_1_2: u32 = 0x1203;
const PROVISIONING: u32 = 0x0B;

/// Encodes a document; with it, what SyncML's tables do not have: the paths of elements that are spelled out in the
/// string table, and of attributes, which are left out.
pub fn encode(doc: &Doc) -> (Vec<u8>, Vec<String>) {
    let mut beyond = Vec::new();
    let bytes = doc.root().map(|root| document(root, &mut beyond)).unwrap_or_default();
    (bytes, beyond)
}

/// One document: the outer one, or one inside `Data`.
fn document(root: Element<'_>, beyond: &mut Vec<String>) -> Vec<u8> {
    let kind = Kind::of(root);
    let page = if kind == Kind::Ddf { PAGE_DDF } else { PAGE_SYNCML };
    let mut writer = Writer { out: Vec::new(), strings: Vec::new(), page, attribute_page: 0, kind, beyond };
    let mut prolog = vec![WBXML_1_2];
    match kind {
        Kind::Ddf => {
            let name = PUBLIC.iter().find(|(number, ..)| *number == 0).map_or("", |(_, name, _)| name);
            let index = writer.string(name);
            number(0, &mut prolog);
            number(index, &mut prolog);
        }
        Kind::DevInf => number(DEVINF_1_2, &mut prolog),
        Kind::Provisioning => number(PROVISIONING, &mut prolog),
        Kind::SyncMl(id) => number(id, &mut prolog),
    }
    writer.element(root);
    prolog.push(UTF_8);
    number(u32::try_from(writer.strings.len()).unwrap_or(u32::MAX), &mut prolog);
    [prolog, writer.strings, writer.out].concat()
}

/// Whose tables a document uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// SyncML of the version with this public identifier.
    SyncMl(u32),
    DevInf,
    Ddf,
    Provisioning,
}

impl Kind {
    fn of(root: Element<'_>) -> Kind {
        if root.name() == "wap-provisioningdoc" {
            return Kind::Provisioning;
        }
        match (embedded(root), root.namespace().to_ascii_uppercase().as_str()) {
            (Some(kind), _) => kind,
            (None, "SYNCML:SYNCML1.0") => Kind::SyncMl(0x0FD1),
            (None, "SYNCML:SYNCML1.1") => Kind::SyncMl(0x0FD3),
            (None, "SYNCML:SYNCML1.2") => Kind::SyncMl(0x1201),
            (None, _) => Kind::SyncMl(match root.doc().header().and_then(|header| header.ver_dtd()) {
                Some("1.0") => 0x0FD1,
                Some("1.1") => 0x0FD3,
                _ => 0x1201,
            }),
        }
    }
}

/// The kind of a document that stands inside `Data`, by its root.
fn embedded(root: Element<'_>) -> Option<Kind> {
    match root.name() {
        "DevInf" => Some(Kind::DevInf),
        "MgmtTree" => Some(Kind::Ddf),
        _ => None,
    }
}

struct Writer<'a> {
    out: Vec<u8>,
    strings: Vec<u8>,
    page: u8,
    /// The page of attributes, which only provisioning documents have.
    attribute_page: u8,
    kind: Kind,
    beyond: &'a mut Vec<String>,
}

impl Writer<'_> {
    fn element(&mut self, element: Element<'_>) {
        if self.kind == Kind::Provisioning {
            return self.with_attributes(element);
        }
        let lost = attributes::of(element).map(|(name, _)| name);
        self.beyond.extend(lost.map(|name| format!("{}/@{name}", element.path())));
        let payload = element.tag() == Tag::Data && element.children().next().is_some();
        let content = payload || element.children().next().is_some() || !element.text().is_empty();
        self.tag(element, if content { global::CONTENT } else { 0 });
        if !content {
            return;
        }
        if payload {
            self.payload(element);
        } else {
            self.text(element.text());
            element.children().for_each(|child| self.element(child));
        }
        self.out.push(global::END);
    }

    fn tag(&mut self, element: Element<'_>, content: u8) {
        match self.token(element) {
            Some((page, token)) => {
                if page != self.page {
                    self.out.extend([global::SWITCH_PAGE, page]);
                    self.page = page;
                }
                self.out.push(token | content);
            }
            None => {
                self.beyond.push(element.path());
                let index = self.string(element.name());
                self.out.push(global::LITERAL | content);
                number(index, &mut self.out);
            }
        }
    }

    /// The page and token of an element; one that a decoder named by its number has that token again.
    fn token(&self, element: Element<'_>) -> Option<(u8, u8)> {
        let own = match self.kind {
            Kind::SyncMl(_) => tables::token(element.tag()),
            Kind::DevInf => tables::named(PAGE_DEVINF, element.name()).map(|token| (PAGE_SYNCML, token)),
            Kind::Ddf => tables::named(PAGE_DDF, element.name()).map(|token| (PAGE_DDF, token)),
            Kind::Provisioning => provisioning::token(element.name()).map(|token| (self.page, token)),
        };
        let metinf = || tables::named(PAGE_METINF, element.name()).map(|token| (PAGE_METINF, token));
        let inner = self.kind != Kind::DevInf && element.namespace() == "syncml:metinf";
        let unknown = || {
            let digits = element.name().strip_prefix("unknown-0x")?;
            let token = u8::from_str_radix(digits, 16).ok().filter(|token| (5..0x40).contains(token))?;
            Some((if inner { PAGE_METINF } else { self.page }, token))
        };
        own.or_else(|| if inner { metinf() } else { None }).or_else(unknown)
    }

    /// Elements inside `Data`: as they are or as WBXML of their own where there are tables for them, else their text.
    fn payload(&mut self, data: Element<'_>) {
        let root = data.children().next().filter(|root| embedded(*root).is_some());
        let says_xml = [data.parent(), data.parent().and_then(Element::parent)].into_iter().flatten().any(|around| {
            let named = around.child(Tag::Meta).and_then(|meta| meta.child_value(Tag::Type));
            named.is_some_and(|named| named.ends_with("+xml"))
        });
        let is_binary = data.doc().form() == Form::Wbxml;
        let has_token = |element: Element<'_>| element.namespace() == "syncml:metinf" && self.token(element).is_some();
        match root.filter(|_| !says_xml || is_binary) {
            Some(root) => {
                let inner = document(root, self.beyond);
                self.opaque(&inner);
            }
            // What Meta holds may stand in Data as well: the anchors of an Alert.
            None if is_binary || data.descendants().all(has_token) => {
                data.children().for_each(|child| self.element(child));
            }
            None => self.opaque(data.inner().slice(data.doc().bytes())),
        }
    }

    fn text(&mut self, text: &str) {
        if text.contains('\0') {
            self.opaque(text.as_bytes());
        } else if !text.is_empty() {
            self.out.push(global::STR_I);
            self.out.extend(text.as_bytes());
            self.out.push(0);
        }
    }

    fn opaque(&mut self, bytes: &[u8]) {
        self.out.push(global::OPAQUE);
        number(u32::try_from(bytes.len()).unwrap_or(u32::MAX), &mut self.out);
        self.out.extend(bytes);
    }

    /// The index of a string of the table, which gets it when it has it not.
    fn string(&mut self, text: &str) -> u32 {
        let entry = [text.as_bytes(), &[0]].concat();
        let starts = |at: &usize| *at == 0 || self.strings.get(at - 1) == Some(&0);
        let known = memchr::memmem::find_iter(&self.strings, &entry).find(starts);
        let at = known.unwrap_or(self.strings.len());
        if known.is_none() {
            self.strings.extend(entry);
        }
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// An `mb_u_int32`.
fn number(value: u32, out: &mut Vec<u8>) {
    for group in (0..5).rev() {
        let digits = (value >> (7 * group)) as u8 & 0x7F;
        let is_leading = group > 0 && value >> (7 * group) == 0;
        if !is_leading {
            out.push(if group > 0 { digits | 0x80 } else { digits });
        }
    }
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;

    use super::*;
    use crate::limits::Limits;
    use crate::{wbxml, xml};

    fn parse(text: &str) -> Doc {
        xml::parse(&text.into(), &Limits::default())
    }

    fn back(doc: &Doc) -> (Vec<u8>, Vec<String>, Doc) {
        let (bytes, beyond) = encode(doc);
        let again = wbxml::parse(&bytes.as_slice().into(), &Limits::default());
        (bytes, beyond, again)
    }

    fn outline(doc: &Doc) -> Vec<(String, String)> {
        doc.elements().map(|element| (element.path(), element.text().trim().to_owned())).collect()
    }

    #[test]
    fn the_version_is_that_of_the_document() {
        for (text, prolog) in [
            ("<SyncML xmlns='SYNCML:SYNCML1.0'/>", [0x02, 0x9F, 0x51]),
            ("<SyncML xmlns='SYNCML:SYNCML1.1'/>", [0x02, 0x9F, 0x53]),
            ("<SyncML xmlns='SYNCML:SYNCML1.2'/>", [0x02, 0xA4, 0x01]),
            ("<SyncML><SyncHdr><VerDTD>1.1</VerDTD></SyncHdr></SyncML>", [0x02, 0x9F, 0x53]),
        ] {
            assert_eq!(encode(&parse(text)).0[..3], prolog, "{text}");
        }
    }

    #[test]
    fn names_without_a_token_are_spelled_out_and_unknown_tokens_come_back() {
        let doc = parse("<SyncML xmlns='SYNCML:SYNCML1.2'><Own a='1'>x</Own><unknown-0x3E/><Own/></SyncML>");
        let (bytes, beyond, again) = back(&doc);
        assert_eq!(beyond, ["/SyncML/Own[1]/@a", "/SyncML/Own[1]", "/SyncML/Own[2]"]);
        assert_eq!(outline(&again), outline(&doc));
        assert_eq!(bytes, b"\x02\xA4\x01\x6A\x04Own\0\x6D\x44\x00\x03x\0\x01\x3E\x04\x00\x01");
    }

    #[test]
    fn documents_inside_data_become_wbxml_of_their_own_unless_they_are_said_to_be_xml() {
        let devinf = "<DevInf xmlns='syncml:devinf'><VerDTD>1.2</VerDTD><Man>M</Man><Ext><XNam>n</XNam></Ext></DevInf>";
        let ddf =
            "<MgmtTree xmlns='syncml:dmddf1.2'><VerDTD>1.2</VerDTD><Node><NodeName>N</NodeName></Node></MgmtTree>";
        for (inner, kind) in [(devinf, "DevInf"), (ddf, "MgmtTree")] {
            let data = format!("<SyncML xmlns='SYNCML:SYNCML1.2'><Item><Data>{inner}</Data></Item></SyncML>");
            let doc = parse(&data);
            let (bytes, beyond, again) = back(&doc);
            assert_eq!((outline(&again), beyond.len(), again.notes.len()), (outline(&doc), 0, 0), "{bytes:02X?}");
            let meta = "<Meta><Type xmlns='syncml:metinf'>application/x+xml</Type></Meta>";
            let (bytes, ..) = back(&parse(&data.replace("<Item>", &format!("<Item>{meta}"))));
            let kept = memchr::memmem::find(&bytes, format!("<{kind}").as_bytes());
            assert!(kept.is_some(), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn numbers_have_as_many_bytes_as_they_take() {
        for (value, bytes) in
            [(0, &[0][..]), (0x7F, &[0x7F]), (0x80, &[0x81, 0]), (u32::MAX, &[0x8F, 0xFF, 0xFF, 0xFF, 0x7F])]
        {
            let mut out = Vec::new();
            number(value, &mut out);
            assert_eq!(out, bytes);
        }
    }

    proptest! {
        #[test]
        fn any_document_comes_back(texts in prop::collection::vec("[ -~é]{0,20}", 1..6), names in prop::collection::vec("[A-Z][a-z]{1,6}", 1..6)) {
            let inner: String = names.iter().zip(texts.iter().cycle()).map(|(name, text)| {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace("]]>", "");
                format!("<{name}>{text}</{name}>")
            }).collect();
            let doc = parse(&format!("<SyncML xmlns='SYNCML:SYNCML1.2'><SyncBody>{inner}</SyncBody></SyncML>"));
            let (.., again) = back(&doc);
            prop_assert_eq!(outline(&again), outline(&doc));
        }
    }
}

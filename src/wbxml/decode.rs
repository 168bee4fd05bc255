//! The decoder. Every read is bounded by the input's end; a read past it is [`Stop`], which ends the document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::provisioning;
use super::tables::{self, DocType, PAGE_DDF, PAGE_DEVINF, PAGE_METINF, PAGE_SYNCML, global};
use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::octets::Octets;
use crate::origin::Span;
use crate::syncml::Tag;
use crate::syncml::doc::{Builder, Doc, Form, Prolog, Text};

mod attributes;

/// Notes kept of one document: a garbled one would have thousands.
const MAX_NOTES: usize = 20;
/// Embedded documents inside embedded documents. DM nests one deep (TNDS, DevInf).
const MAX_EMBEDDED: usize = 2;
/// IANA MIBenum of UTF-8 and US-ASCII.
const UTF_8: u32 = 106;
const US_ASCII: u32 = 3;
/// What decoded text may take: so many times the size of the document, and some more. Strings of the table may be used
/// again and again.
const POOL_TIMES: usize = 16;
const POOL_SPARE: usize = 64 * 1024;
/// Namespaces of documents with tables of their own.
const DEVINF: &str = "syncml:devinf";
const DDF: &str = "syncml:dmddf1.2";

/// Whether bytes look like WBXML: a version byte, a public identifier and a character set that SyncML uses.
pub fn sniff(bytes: &[u8]) -> bool {
    let mut reader = Reader { bytes, at: 1, end: bytes.len() };
    let version = bytes.first().is_some_and(|version| *version <= 0x03);
    let Ok(public_id) = reader.number() else { return false };
    let named = public_id != 0 || reader.number().is_ok();
    let charset = reader.number();
    version && named && matches!(charset, Ok(0 | US_ASCII | UTF_8 | 4))
}

/// Whether bytes are a WBXML document without doubt: binary data may well look like one.
fn is_document(bytes: &[u8]) -> bool {
    let mut reader = Reader { bytes, at: 1, end: bytes.len() };
    match reader.number() {
        Ok(0) => sniff(bytes) && memchr::memmem::find(bytes, b"-//").is_some_and(|at| at <= 64),
        Ok(number) => sniff(bytes) && tables::PUBLIC.iter().any(|(known, ..)| *known == number),
        Err(Stop) => false,
    }
}

/// Reads a WBXML body.
pub fn parse(body: &Octets, limits: &Limits) -> Doc {
    let mut decoder = Decoder {
        reader: Reader { bytes: body, at: 0, end: body.len() },
        builder: Builder::new(Form::Wbxml, body.clone(), true),
        limits,
        strings: 0..0,
        namespace: "",
        page: PAGE_SYNCML,
        is_provisioning: false,
        attribute_page: 0,
        words: Vec::new(),
        embedded: 0,
        noted: 0,
    };
    let stopped = decoder.document().is_err();
    if stopped && !decoder.builder.doc().notes.iter().any(|note| note.kind == Kind::LimitDocument) {
        decoder.builder.note(Anomaly::new(
            Kind::WbxmlUnclosed,
            Span::new(body.len(), body.len()),
            "the document stops before its elements end",
        ));
    }
    decoder.builder.finish()
}

/// The input ended (or went wrong) in a way that nothing after it can be read.
struct Stop;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(..self.end)?.get(self.at).copied()
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = self.peek().ok_or(Stop)?;
        self.at += 1;
        Ok(byte)
    }

    /// An `mb_u_int32`: seven bits a byte, most significant first, at most five bytes.
    fn number(&mut self) -> Result<u32, Stop> {
        let mut value = 0u64;
        for _ in 0..5 {
            let byte = self.byte()?;
            value = value << 7 | u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| Stop);
            }
        }
        Err(Stop)
    }

    fn take(&mut self, len: usize) -> Result<Span, Stop> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.end).ok_or(Stop)?;
        let span = Span::new(self.at, end);
        self.at = end;
        Ok(span)
    }

    /// A string up to its NUL, which is taken but not part of the span.
    fn terminated(&mut self) -> Result<Span, Stop> {
        let rest = self.bytes.get(self.at..self.end).ok_or(Stop)?;
        let len = memchr::memchr(0, rest).ok_or(Stop)?;
        let span = self.take(len)?;
        self.at += 1;
        Ok(span)
    }

    fn slice(&self, span: Span) -> &'a [u8] {
        span.slice(self.bytes)
    }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    builder: Builder,
    limits: &'a Limits,
    /// The string table, as a range of the body.
    strings: std::ops::Range<usize>,
    /// The namespace of page 0.
    namespace: &'static str,
    page: u8,
    /// Whether it is a provisioning document: those have attributes.
    is_provisioning: bool,
    /// The page of attributes.
    attribute_page: u8,
    /// What tokens of attributes stand for, each put into the pool once.
    words: Vec<(&'static str, Text)>,
    embedded: usize,
    noted: usize,
}

impl Decoder<'_> {
    fn note(&mut self, kind: Kind, from: usize, detail: impl Into<String>) {
        self.noted += 1;
        if self.noted <= MAX_NOTES {
            self.builder.note(Anomaly::new(kind, Span::new(from, self.reader.at.max(from + 1)), detail));
        }
    }

    fn document(&mut self) -> Result<(), Stop> {
        let prolog = self.prolog()?;
        if self.embedded == 0 {
            self.builder.prolog(prolog);
        }
        self.page = if self.namespace == DDF { PAGE_DDF } else { PAGE_SYNCML };
        let floor = self.builder.depth();
        let mut roots = 0;
        while let Some(token) = self.reader.peek() {
            let before = self.builder.len();
            let at = self.reader.at;
            if roots > 0 && self.builder.depth() == floor {
                return self.after_root(at);
            }
            self.token(token, floor)?;
            roots += usize::from(self.builder.len() > before && roots == 0);
        }
        if self.builder.depth() > floor { Err(Stop) } else { Ok(()) }
    }

    /// What stands behind the root's END. Loggers leave NULs there.
    fn after_root(&mut self, at: usize) -> Result<(), Stop> {
        let rest = self.reader.slice(Span::new(at, self.reader.end));
        if rest.iter().any(|byte| *byte != 0) {
            self.reader.at = self.reader.end;
            self.note(Kind::WbxmlUnbalanced, at, format!("{} bytes behind the end of the root element", rest.len()));
        }
        self.reader.at = self.reader.end;
        Ok(())
    }

    fn prolog(&mut self) -> Result<Prolog, Stop> {
        let version = self.reader.byte()?;
        if !(1..=3).contains(&version) {
            self.note(Kind::WbxmlVersion, 0, format!("version byte is {version:02X}; expected 01, 02 or 03"));
        }
        let public_at = self.reader.at;
        let public_id = self.reader.number()?;
        let index = if public_id == 0 { Some(self.reader.number()?) } else { None };
        let charset_at = self.reader.at;
        let charset = self.reader.number()?;
        if charset != UTF_8 {
            self.note(Kind::WbxmlCharset, charset_at, format!("character set is {charset}; expected 106 (UTF-8)"));
        }
        let table_len = self.reader.number()? as usize;
        let table = self.reader.take(table_len).inspect_err(|Stop| {
            let note = Anomaly::new(
                Kind::WbxmlOverrun,
                Span::new(charset_at, charset_at + 1),
                format!("the string table of {table_len} bytes runs past the end"),
            );
            self.builder.note(note);
        })?;
        self.strings = table.range();
        let given = index.and_then(|index| self.table_string(index, public_at));
        let given = given.map(|span| String::from_utf8_lossy(self.reader.slice(span)).into_owned());
        self.doc_type(public_id, given.as_deref(), public_at);
        let known = tables::PUBLIC.iter().find(|(number, ..)| *number == public_id && public_id != 0);
        let public_text = given.or(known.map(|(_, text, _)| (*text).to_owned()));
        Ok(Prolog { version, public_id, public_text, charset })
    }

    fn doc_type(&mut self, public_id: u32, text: Option<&str>, at: usize) {
        let found = tables::PUBLIC.iter().find(|(number, formal, _)| match text {
            Some(text) => formal.eq_ignore_ascii_case(text),
            None => *number == public_id && public_id != 0,
        });
        self.namespace = match found.map(|(.., kind)| *kind) {
            Some(DocType::SyncMl("1.0")) => "SYNCML:SYNCML1.0",
            Some(DocType::SyncMl("1.1")) => "SYNCML:SYNCML1.1",
            Some(DocType::DevInf) => DEVINF,
            Some(DocType::Ddf) => DDF,
            Some(DocType::Provisioning) => "",
            _ => "SYNCML:SYNCML1.2",
        };
        self.is_provisioning = matches!(found, Some((_, _, DocType::Provisioning)));
        let is_message = matches!(found, Some((_, _, DocType::SyncMl(_)))) || self.is_provisioning;
        if !is_message && self.embedded == 0 {
            let seen = text.map_or_else(|| format!("0x{public_id:04X}"), |text| format!("\"{text}\""));
            self.note(Kind::WbxmlPublicId, at, format!("public identifier is {seen}; expected 0x1201 (SyncML 1.2)"));
        }
    }

    /// The string at an index of the string table.
    fn table_string(&mut self, index: u32, at: usize) -> Option<Span> {
        let start = self.strings.start.checked_add(index as usize);
        let start = start.filter(|start| *start < self.strings.end);
        let found = start.and_then(|start| {
            let rest = self.reader.bytes.get(start..self.strings.end)?;
            memchr::memchr(0, rest).map(|len| Span::new(start, start + len)).or_else(|| {
                // The document type may fill the table without a NUL: its length ends it.
                (index == 0).then(|| Span::new(start, self.strings.end))
            })
        });
        if found.is_none() {
            let len = self.strings.len();
            self.note(
                Kind::WbxmlStringTable,
                at,
                format!("index {index} points outside the string table of {len} bytes"),
            );
        }
        found
    }

    fn token(&mut self, token: u8, floor: usize) -> Result<(), Stop> {
        let at = self.reader.at;
        self.reader.at += 1;
        match token {
            global::SWITCH_PAGE => self.switch_page(at),
            global::END => self.end(at, floor),
            global::ENTITY => self.entity(at),
            global::STR_I => self.inline_string(at),
            global::STR_T => {
                let index = self.reader.number()?;
                match self.table_string(index, at) {
                    Some(span) => self.add_text(span, at),
                    None => Ok(()),
                }
            }
            global::OPAQUE => self.opaque(at),
            token if global::EXT_I.contains(&token) => {
                self.note(Kind::WbxmlExtension, at, format!("extension token {token:02X}"));
                self.reader.terminated().map(|_| ())
            }
            token if global::EXT_T.contains(&token) => {
                self.note(Kind::WbxmlExtension, at, format!("extension token {token:02X}"));
                self.reader.number().map(|_| ())
            }
            token if global::EXT.contains(&token) => {
                self.note(Kind::WbxmlExtension, at, format!("extension token {token:02X}"));
                Ok(())
            }
            global::PI => {
                self.note(Kind::WbxmlExtension, at, "processing instruction");
                self.skip_attributes()
            }
            token => self.element(token, at),
        }
    }

    fn switch_page(&mut self, at: usize) -> Result<(), Stop> {
        if self.is_provisioning {
            self.page = self.page_of_provisioning(at)?;
            return Ok(());
        }
        self.page = self.reader.byte()?;
        let allowed = [PAGE_SYNCML, PAGE_METINF].contains(&self.page) || (self.page == PAGE_DDF && self.embedded > 0);
        if !allowed {
            let page = self.page;
            self.note(Kind::WbxmlPage, at, format!("switch to code page {page}; SyncML has pages 0 and 1"));
        }
        Ok(())
    }

    /// A page of a provisioning document, of elements or of attributes.
    fn page_of_provisioning(&mut self, at: usize) -> Result<u8, Stop> {
        let page = self.reader.byte()?;
        if !provisioning::PAGES.contains(&page) {
            self.note(Kind::WbxmlPage, at, format!("switch to code page {page}; provisioning has pages 0 and 1"));
        }
        Ok(page)
    }

    fn end(&mut self, at: usize, floor: usize) -> Result<(), Stop> {
        if self.builder.depth() > floor {
            self.builder.close(offset(at), offset(self.reader.at));
        } else {
            self.note(Kind::WbxmlUnbalanced, at, "END without an open element");
        }
        Ok(())
    }

    fn element(&mut self, token: u8, at: usize) -> Result<(), Stop> {
        let size = self.builder.len().max(self.builder.attribute_count());
        if size >= self.limits.nodes || self.builder.depth() >= self.limits.depth {
            return Err(self.limit(at, "the document is larger or deeper than the limit".into()));
        }
        let number = token & !(global::ATTRIBUTES | global::CONTENT);
        let id = if number == global::LITERAL {
            let index = self.reader.number()?;
            let name = self.table_string(index, at).unwrap_or_default();
            let shown = String::from_utf8_lossy(self.reader.slice(name)).into_owned();
            self.note(Kind::WbxmlLiteral, at, format!("element \"{shown}\" is spelled out in the string table"));
            self.builder.open(Tag::Other, name, offset(at))
        } else {
            match self.known(number) {
                Some((tag, name)) => self.builder.open_token(tag, name, offset(at)),
                None => {
                    let page = self.page;
                    self.note(Kind::WbxmlTag, at, format!("token {number:02X} is not defined on code page {page}"));
                    self.builder.open_token(Tag::Other, &format!("unknown-0x{number:02X}"), offset(at))
                }
            }
        };
        let namespace = match self.page {
            _ if self.is_provisioning => "",
            PAGE_METINF => "syncml:metinf",
            PAGE_DDF => DDF,
            _ => self.namespace,
        };
        self.builder.namespace(id, namespace);
        if token & global::ATTRIBUTES != 0 && self.is_provisioning {
            self.attributes()?;
        } else if token & global::ATTRIBUTES != 0 {
            self.note(Kind::WbxmlAttributes, at, format!("token {token:02X} announces attributes; SyncML has none"));
            self.skip_attributes()?;
        }
        self.builder.content_from(id, offset(self.reader.at));
        if token & global::CONTENT == 0 {
            self.builder.flags(id, |flags| flags.empty_tag = true);
            self.builder.close(offset(self.reader.at), offset(self.reader.at));
        }
        Ok(())
    }

    /// The element of a token.
    fn known(&self, token: u8) -> Option<(Tag, &'static str)> {
        match self.is_provisioning {
            true => provisioning::element(token).map(|name| (Tag::Other, name)),
            false => tables::element(self.table(), token),
        }
    }

    /// Says at what bound the document ends.
    fn limit(&mut self, at: usize, detail: String) -> Stop {
        let span = Span::new(at, self.reader.at.max(at));
        self.builder.note(Anomaly::new(Kind::LimitDocument, span, detail));
        Stop
    }

    /// Whether decoded text, `more` of it to come, stays in proportion to the document.
    fn in_proportion(&mut self, more: usize, at: usize) -> Result<(), Stop> {
        let most = self.reader.bytes.len().saturating_mul(POOL_TIMES).saturating_add(POOL_SPARE);
        match self.builder.pool_len().saturating_add(more) > most {
            true => Err(self.limit(at, format!("decoded text of more than {most} bytes"))),
            false => Ok(()),
        }
    }

    /// The table of the current page: DevInf documents have their own page 0.
    fn table(&self) -> u8 {
        let devinf = self.page == PAGE_SYNCML && self.namespace == DEVINF;
        if devinf { PAGE_DEVINF } else { self.page }
    }

    /// Reads over an attribute list: there are no attribute tokens to understand.
    fn skip_attributes(&mut self) -> Result<(), Stop> {
        loop {
            match self.reader.byte()? {
                global::END => return Ok(()),
                global::STR_I => _ = self.reader.terminated()?,
                global::STR_T | global::LITERAL | global::ENTITY => _ = self.reader.number()?,
                global::OPAQUE => {
                    let len = self.reader.number()? as usize;
                    self.reader.take(len)?;
                }
                global::SWITCH_PAGE => _ = self.reader.byte()?,
                token if global::EXT_I.contains(&token) => _ = self.reader.terminated()?,
                token if global::EXT_T.contains(&token) => _ = self.reader.number()?,
                _ => {}
            }
        }
    }

    fn entity(&mut self, at: usize) -> Result<(), Stop> {
        let number = self.reader.number()?;
        self.note(Kind::WbxmlEntity, at, format!("character written as number {number}"));
        let shown = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER).to_string();
        let text = self.builder.pool(&shown);
        self.add_piece(text, at)
    }

    fn inline_string(&mut self, at: usize) -> Result<(), Stop> {
        match self.reader.terminated() {
            Ok(span) => self.add_text(span, at),
            Err(Stop) => {
                self.reader.at = self.reader.end;
                self.note(Kind::WbxmlString, at, "inline string without its terminating NUL");
                Err(Stop)
            }
        }
    }

    fn opaque(&mut self, at: usize) -> Result<(), Stop> {
        let len = self.reader.number().map_err(|stop| self.overrun(at, "an opaque length", stop))? as usize;
        let left = self.reader.end.saturating_sub(self.reader.at);
        if len > left {
            let what = format!("opaque data of {len} bytes where {left} are left");
            return Err(self.overrun(at, &what, Stop));
        }
        let span = self.reader.take(len)?;
        if let Some(id) = self.builder.current() {
            self.builder.flags(id, |flags| flags.opaque = true);
        }
        let bytes = self.reader.slice(span);
        if self.embedded < MAX_EMBEDDED && self.builder.current().is_some() && is_document(bytes) {
            return self.embedded_document(span);
        }
        let text = self.opaque_text(span);
        self.add_piece(text, at)
    }

    /// Opaque data as text: base64 where it is none.
    fn opaque_text(&mut self, span: Span) -> Text {
        let bytes = self.reader.slice(span);
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Text::Bytes(span),
            _ => self.builder.pool(&STANDARD.encode(bytes)),
        }
    }

    fn overrun(&mut self, at: usize, what: &str, stop: Stop) -> Stop {
        self.reader.at = self.reader.end;
        self.note(Kind::WbxmlOverrun, at, format!("{what} runs past the end"));
        stop
    }

    /// A document inside opaque data becomes children of the element that holds it.
    fn embedded_document(&mut self, span: Span) -> Result<(), Stop> {
        let reader = Reader { bytes: self.reader.bytes, at: span.range().start, end: span.range().end };
        let outer = std::mem::replace(&mut self.reader, reader);
        let kept = (self.page, self.namespace, self.strings.clone(), self.is_provisioning);
        let depth = self.builder.depth();
        self.embedded += 1;
        let whole = self.document().is_ok();
        self.embedded -= 1;
        while self.builder.depth() > depth {
            self.builder.close(span.end, span.end);
        }
        self.reader = outer;
        (self.page, self.namespace, self.strings, self.is_provisioning) = kept;
        if !whole {
            self.note(Kind::WbxmlText, span.range().start, "embedded document stops before its elements end");
        }
        Ok(())
    }

    fn add_text(&mut self, span: Span, at: usize) -> Result<(), Stop> {
        let text = self.text_at(span, at);
        self.add_piece(text, at)
    }

    fn text_at(&mut self, span: Span, at: usize) -> Text {
        let bytes = self.reader.slice(span);
        match std::str::from_utf8(bytes) {
            Ok(_) => Text::Bytes(span),
            Err(_) => {
                self.note(Kind::WbxmlText, at, "string that is not valid UTF-8");
                self.builder.pool(&String::from_utf8_lossy(bytes))
            }
        }
    }

    fn add_piece(&mut self, text: Text, at: usize) -> Result<(), Stop> {
        if let Some(id) = self.builder.current() {
            self.builder.add_text(id, text);
        }
        self.in_proportion(0, at)
    }
}

fn offset(at: usize) -> u32 {
    Span::new(at, at).start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wbxml::encode::encode;
    use crate::xml;

    fn decode(bytes: &[u8]) -> Doc {
        parse(&bytes.into(), &Limits::default())
    }

    fn kinds(bytes: &[u8]) -> Vec<Kind> {
        decode(bytes).notes.iter().map(|note| note.kind).collect()
    }

    /// `<SyncML>` with what is given inside, under a good prolog.
    fn document(inner: &[u8]) -> Vec<u8> {
        [&[0x02, 0xA4, 0x01, 0x6A, 0x00, 0x6D], inner, &[0x01]].concat()
    }

    const XML: &str = "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><VerDTD>1.2</VerDTD><MsgID>1</MsgID></SyncHdr>\
        <SyncBody><Replace><CmdID>2</CmdID><Meta><Format xmlns='syncml:metinf'>chr</Format></Meta><Item><Target>\
        <LocURI>./A</LocURI></Target><Data>a &lt; b</Data></Item></Replace><Final/></SyncBody></SyncML>";

    fn outline(doc: &Doc) -> Vec<(String, String, String)> {
        let row = |element: crate::syncml::Element<'_>| {
            (element.path(), element.namespace().to_owned(), element.text().to_owned())
        };
        doc.elements().map(row).collect()
    }

    #[test]
    fn xml_goes_through_wbxml_and_back() {
        let doc = xml::parse(&XML.as_bytes().into(), &Limits::default());
        let (bytes, left_out) = encode(&doc);
        let back = decode(&bytes);
        assert!(left_out.is_empty() && back.notes.is_empty());
        assert_eq!(outline(&back), outline(&doc));
        let data = back.elements().find(|element| element.tag() == Tag::Data).unwrap();
        assert_eq!(data.span().slice(&bytes), b"\x4F\x03a < b\x00\x01");
    }

    #[test]
    fn the_prolog_may_name_its_type_in_the_string_table() {
        let name = b"-//SYNCML//DTD SyncML 1.2//EN";
        let bytes = [&[0x02, 0x00, 0x00, 0x6A, name.len() as u8], name.as_slice(), &[0x2D]].concat();
        let doc = decode(&bytes);
        assert!(doc.notes.is_empty(), "{:?}", doc.notes);
        assert_eq!(doc.prolog.unwrap().public_text.unwrap().as_bytes(), name);
    }

    #[test]
    fn each_fault_has_its_note() {
        use Kind::*;
        assert_eq!(kinds(&document(&[])), []);
        assert_eq!(kinds(&[0x07, 0xA4, 0x01, 0x6A, 0x00, 0x2D]), [WbxmlVersion]);
        assert_eq!(kinds(&[0x02, 0xA4, 0x02, 0x6A, 0x00, 0x2D]), [WbxmlPublicId]);
        assert_eq!(kinds(&[0x02, 0xA4, 0x01, 0x03, 0x00, 0x2D]), [WbxmlCharset]);
        assert_eq!(kinds(&[0x02, 0xA4, 0x01, 0x6A, 0x7F, 0x2D]), [WbxmlOverrun, WbxmlUnclosed]);
        assert_eq!(kinds(&document(&[0x83, 0x09])), [WbxmlStringTable]);
        assert_eq!(kinds(&document(&[0x30])), [WbxmlTag]);
        assert_eq!(kinds(&document(&[0x00, 72, 0x05])), [WbxmlPage, WbxmlTag]);
        assert_eq!(kinds(&document(&[0x6B])), [WbxmlUnclosed]);
        assert_eq!(kinds(&[document(&[]), b"x".to_vec()].concat()), [WbxmlUnbalanced]);
        assert_eq!(kinds(&[document(&[]), vec![0]].concat()), []);
        assert_eq!(kinds(&document(&[0xAB, 0x05, 0x03, b'v', 0, 0x01])), [WbxmlAttributes]);
        assert_eq!(kinds(&document(&[0xC3, 0x40, 1])), [WbxmlOverrun, WbxmlUnclosed]);
        assert_eq!(kinds(&[0x02, 0xA4, 0x01, 0x6A, 0x00, 0x6D, 0x03, b'a']), [WbxmlString, WbxmlUnclosed]);
        assert_eq!(kinds(&document(&[0x03, 0xFF, 0])), [WbxmlText]);
        assert_eq!(kinds(&document(&[0x02, 0x41])), [WbxmlEntity]);
        assert_eq!(kinds(&document(&[0xC0, 0x81, 0x05])), [WbxmlExtension, WbxmlExtension]);
    }

    #[test]
    fn an_unknown_token_keeps_its_number_as_name() {
        let bytes = document(&[0x00, 72, 0x45, 0x03, b'v', 0, 0x01]);
        let doc = decode(&bytes);
        assert_eq!(doc.elements().nth(1).unwrap().path(), "/SyncML/unknown-0x05");
        assert_eq!(doc.elements().nth(1).unwrap().text(), "v");
    }

    #[test]
    fn embedded_wbxml_becomes_payload_of_its_data() {
        let inner = [0x03, 0x9F, 0x54, 0x6A, 0x00, 0x4A, 0x51, 0x03, b'M', 0, 0x01, 0x01];
        let bytes = document(&[&[0x4F, 0xC3, inner.len() as u8], inner.as_slice(), &[0x01]].concat());
        let doc = decode(&bytes);
        assert!(doc.notes.is_empty(), "{:?}", doc.notes);
        let man = doc.elements().last().unwrap();
        assert_eq!((man.path().as_str(), man.text(), man.flags().payload), ("/SyncML/Data/DevInf/Man", "M", true));
    }

    #[test]
    fn zeros_are_binary_data_and_no_embedded_document() {
        let doc = decode(&document(&[0x4F, 0xC3, 5, 0, 0, 0, 0, 0, 0x01]));
        assert!(doc.notes.is_empty(), "{:?}", doc.notes);
    }

    #[test]
    fn strings_of_the_table_that_are_used_again_and_again_end_at_a_bound() {
        let table = [b"x".repeat(0x3FFF), vec![0]].concat();
        let uses = [0x83, 0x00].repeat(1000);
        let inner = [&[0x6D, 0x4F], uses.as_slice(), &[0x01, 0x01]].concat();
        let bytes = [&[0x02, 0xA4, 0x01, 0x6A, 0x81, 0x80, 0x00], table.as_slice(), &inner].concat();
        let doc = decode(&bytes);
        assert_eq!(doc.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [Kind::LimitDocument]);
        assert!(doc.elements().all(|element| element.text().len() < 20 * bytes.len()));
    }

    #[test]
    fn a_limit_is_no_fault_of_the_sender() {
        let limits = Limits { nodes: 1, ..Limits::default() };
        let doc = parse(&document(&[0x2B]).into(), &limits);
        assert_eq!(doc.notes.iter().map(|note| note.kind).collect::<Vec<_>>(), [Kind::LimitDocument]);
    }

    #[test]
    fn opaque_bytes_that_are_no_text_show_as_base64() {
        let doc = decode(&document(&[0x4F, 0xC3, 3, 0xFF, 0, 1, 0x01]));
        let data = doc.elements().nth(1).unwrap();
        assert_eq!((data.text(), data.flags().opaque), ("/wAB", true));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_document(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let good = [&[0x02, 0xA4, 0x01, 0x6A, 0x00, 0x6D], bytes.as_slice()].concat();
            for input in [bytes.as_slice(), &good] {
                let doc = decode(input);
                for element in doc.elements() {
                    prop_assert!(element.span().range().end <= input.len());
                    prop_assert!(element.inner().range().end <= element.span().range().end);
                }
            }
        }

        #[test]
        fn every_truncation_ends_in_a_document(cut in 0usize..400) {
            let doc = xml::parse(&XML.as_bytes().into(), &Limits::default());
            let (bytes, _) = encode(&doc);
            let cut = cut % bytes.len();
            prop_assert!(cut < 6 || !decode(&bytes[..cut]).notes.is_empty());
        }
    }
}

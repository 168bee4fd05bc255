//! XML to a [`Doc`]: tags and text as they come, all else on quick-xml's events.
//!
//! In: the bytes of a body. Out: a document with byte spans. It never fails: what is not well-formed is noted at
//! its place, and the reading goes on as well as it can. Entities of a DTD are never expanded. Nearly all that stands
//! in a DM message is a start tag, the end tag that belongs to it, or text: finding their ends is done here, which takes
//! half of what an event of quick-xml costs. Bounds:
//! `limits.depth`, `limits.nodes`, `limits.attributes`, and the constants below. It does not know SyncML, but for
//! the names that [`Tag`](crate::syncml::Tag) lists.

mod encoding;
mod entity;
mod name;
mod tag;
pub mod write;

use quick_xml::events::Event;
use quick_xml::{Error, Reader};

use crate::anomaly::{Anomaly, Kind};
use crate::limits::Limits;
use crate::octets::Octets;
use crate::origin::Span;
use crate::syncml::NodeId;
use crate::syncml::doc::{Builder, Doc, Form, Text};
use name::Name;
use tag::{Attribute, Scan, Step};

/// Notes kept for one document; a body of garbage would have one for every other byte.
const NOTES: usize = 20;
/// Places after which reading starts again, in one document: each may cost a scan to the document's end.
const RESTARTS: usize = 32;
/// Namespace declarations in scope at one place. Real messages have two or three, SOAP five.
const BINDINGS: usize = 128;
/// Different namespaces of one document.
const NAMESPACES: usize = 64;
/// Decoded text beyond twice the size of the document: only text mixed with elements and references comes there.
const POOL_SPARE: usize = 64 * 1024;

/// The name of the encoding in the XML declaration of a body, as written.
pub fn declared_encoding(body: &[u8]) -> Option<&str> {
    encoding::declared(body).map(|(_, name)| name)
}

/// Reads a document. What was wrong with it is in [`Doc::notes`].
pub fn parse(body: &Octets, limits: &Limits) -> Doc {
    let decoded = encoding::decode(body);
    let text = decoded.text.clone();
    let bytes = &*text;
    let mut parser = Parser {
        bytes,
        builder: Builder::new(Form::Xml, decoded.text, decoded.exact),
        limits,
        open: Vec::new(),
        bindings: Vec::new(),
        namespace: 0,
        roots: 0,
        doctype: false,
        reference: Ahead::of(b'&'),
        carriage_return: Ahead::of(b'\r'),
        bracket: Ahead::of(b']'),
        noted: 0,
    };
    for note in decoded.notes {
        parser.builder.note(note);
    }
    let elements = memchr::memchr_iter(b'<', bytes).count() / 2 + 1;
    parser.builder.reserve(elements.min(limits.nodes));
    parser.forbidden_characters(decoded.start);
    parser.run(decoded.start);
    parser.finish()
}

/// An element that was not closed yet.
struct Open {
    id: NodeId,
    name: Name,
    /// Number of namespace bindings outside it.
    bindings: usize,
    said: Said,
}

/// What text an element has before its first child.
#[derive(Clone, Copy, PartialEq)]
enum Said {
    Nothing,
    Blank,
    Text,
}

/// A namespace declaration in scope.
struct Binding {
    prefix: Span,
    namespace: u16,
}

/// A byte that is looked for from front to back: where it stands next is remembered, so that all texts together are looked
/// through once.
struct Ahead {
    byte: u8,
    /// From where on was looked for it, and where it stands.
    seen: Span,
}

impl Ahead {
    fn of(byte: u8) -> Ahead {
        Ahead { byte, seen: Span::default() }
    }

    /// Whether it stands in a span of the bytes.
    #[inline]
    fn is_in(&mut self, bytes: &[u8], span: Span) -> bool {
        let known = self.seen.start..self.seen.end;
        if !known.contains(&span.start) {
            let rest = bytes.get(span.start as usize..).unwrap_or_default();
            let found = memchr::memchr(self.byte, rest).unwrap_or(rest.len());
            self.seen = Span::new(span.start as usize, span.start as usize + found);
        }
        self.seen.end < span.end
    }
}

/// What to do after an event.
enum Next {
    Event,
    /// Start reading again at this byte: quick-xml took what stands there for something else.
    Resume(usize),
    Stop,
}

struct Parser<'a> {
    bytes: &'a [u8],
    builder: Builder,
    limits: &'a Limits,
    open: Vec<Open>,
    bindings: Vec<Binding>,
    /// The namespace of names without a prefix, by its number.
    namespace: u16,
    roots: usize,
    doctype: bool,
    reference: Ahead,
    carriage_return: Ahead,
    bracket: Ahead,
    noted: usize,
}

impl Parser<'_> {
    fn run(&mut self, from: usize) {
        let mut from = from;
        for _ in 0..RESTARTS {
            match self.read(from) {
                Some(at) => from = at,
                None => return,
            }
        }
        self.fault(Span::new(from, self.bytes.len()), "too damaged to read on from here");
    }

    /// Reads from byte `from` on, to the end (`None`) or to where reading must start again.
    fn read(&mut self, from: usize) -> Option<usize> {
        // quick-xml skips a byte order mark without counting it.
        let mark = if self.bytes.get(from..)?.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
        let mut at = from + mark;
        loop {
            let (next, end) = match self.plain(at) {
                Some(read) => read,
                None => self.any(at)?,
            };
            match next {
                Next::Event => at = end,
                Next::Resume(at) => return Some(at),
                Next::Stop => return None,
            }
        }
    }

    /// Reads what stands at `at` if it is a start tag, the end tag that is due, or text; gives its end.
    #[inline]
    fn plain(&mut self, at: usize) -> Option<(Next, usize)> {
        match self.bytes.get(at..)? {
            [b'<', b'/', ..] => {
                let due = self.open.last()?.name;
                let end = at + "</>".len() + due.span.len();
                due.is_closed(self.bytes, at + 2).then(|| {
                    self.close(at, end);
                    (Next::Event, end)
                })
            }
            [b'<', ..] => {
                let name = Name::at(self.bytes, at + 1);
                if let Some(end) = self.bare(at, name) {
                    return Some((Next::Event, end));
                }
                let end = if name.span.is_empty() { None } else { tag::end(self.bytes, name.span.end as usize) }?;
                let empty = self.bytes.get(end - 2) == Some(&b'/');
                Some((self.named(at, name, end - 1 - usize::from(empty), end, empty), end))
            }
            [] | [b'&', ..] => None,
            rest => {
                let end = at + memchr::memchr2(b'<', b'&', rest).unwrap_or(rest.len());
                Some((self.text(at, end), end))
            }
        }
    }

    /// Reads `<name>`, which is what most start tags are, and the text and the end tag behind it if the element holds no more;
    /// gives the end.
    #[inline]
    fn bare(&mut self, at: usize, name: Name) -> Option<usize> {
        let is_bare = self.bytes.get(name.span.end as usize) == Some(&b'>') && !name.is_prefixed();
        if !is_bare || name.span.is_empty() || self.open.is_empty() || self.is_full() {
            return None;
        }
        let from = name.span.end as usize + 1;
        self.settle_text();
        let Some(text) = self.text_alone(from, name) else {
            let id = self.builder.open_at(name.tag, name.local(), [offset(at), offset(from)], self.namespace);
            self.open.push(Open { id, name, bindings: self.bindings.len(), said: Said::Nothing });
            return Some(from);
        };
        let end = text.end as usize + "</>".len() + name.span.len();
        self.builder.leaf(name.tag, name.local(), [Span::new(at, end), text], self.namespace);
        Some(end)
    }

    /// The text of an element from its start tag on, where nothing but its end tag follows it and nothing about it wants a closer look.
    #[inline]
    fn text_alone(&mut self, from: usize, name: Name) -> Option<Span> {
        let length = match self.bytes.get(from..)? {
            [b'<', b'/', ..] => 0,
            [b'<', ..] => return None,
            rest => less_than(rest)?,
        };
        let text = Span::new(from, from + length);
        let is_closed =
            self.bytes.get(from + length + 1) == Some(&b'/') && name.is_closed(self.bytes, from + length + 2);
        let is_blank = length > 0 && text.slice(self.bytes).iter().all(|byte| tag::is_space(*byte));
        let is_plain = is_closed && !is_blank && !self.is_marked(text);
        is_plain.then_some(text)
    }

    /// Whether a stretch holds what must be decoded, or noted.
    #[inline]
    fn is_marked(&mut self, span: Span) -> bool {
        let Parser { bytes, reference, carriage_return, bracket, .. } = self;
        reference.is_in(bytes, span) || carriage_return.is_in(bytes, span) || bracket.is_in(bytes, span)
    }

    /// Whether one more element is more than a limit allows.
    fn is_full(&self) -> bool {
        self.builder.depth() >= self.limits.depth
            || self.builder.len().max(self.builder.attribute_count()) >= self.limits.nodes
    }

    /// Reads what stands at `at`, whatever it is; gives its end. `None` at the end of the document.
    fn any(&mut self, at: usize) -> Option<(Next, usize)> {
        let mut reader = Reader::from_reader(self.bytes.get(at..)?);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        let event = reader.read_event();
        let end = at + usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX - at);
        let next = match event {
            Ok(Event::Eof) => return None,
            Ok(event) => self.event(&event, at, end),
            Err(error) => self.error(&error, at, end),
        };
        Some((next, end))
    }

    fn event(&mut self, event: &Event<'_>, at: usize, end: usize) -> Next {
        match event {
            Event::Start(_) => self.start(at, end - 1, end, false),
            Event::Empty(_) => self.start(at, end - 2, end, true),
            Event::End(_) => self.end(at, end),
            Event::Text(_) => self.text(at, end),
            Event::CData(_) => self.cdata(at + "<![CDATA[".len(), end - "]]>".len()),
            Event::GeneralRef(_) => self.reference(at, end),
            Event::Comment(_) => self.comment(at, end),
            Event::Decl(_) => self.declaration(at, end),
            Event::DocType(_) => self.doctype(at, end),
            Event::PI(_) | Event::Eof => Next::Event,
        }
    }

    /// A start tag from `at` to `end`, with its name and attributes before `inside`.
    fn start(&mut self, at: usize, inside: usize, end: usize, empty: bool) -> Next {
        let name = Name::at(self.bytes, at + 1);
        if name.span.is_empty() {
            self.fault(Span::new(at, at + 1), "`<` is not followed by a name");
            return self.literal(at, at + 1);
        }
        self.named(at, name, inside, end, empty)
    }

    /// The same with its name found.
    fn named(&mut self, at: usize, name: Name, inside: usize, end: usize, empty: bool) -> Next {
        if self.builder.depth() >= self.limits.depth {
            return self.limit(at, format!("elements nested deeper than {}", self.limits.depth));
        }
        if self.builder.len().max(self.builder.attribute_count()) >= self.limits.nodes {
            return self.limit(at, format!("more than {} elements or attributes", self.limits.nodes));
        }
        let id = self.open_element(at, name);
        match self.attributes(id, name.span.end as usize, inside) {
            Err(stop) => return stop,
            Ok(Some(cut)) => {
                let detail = format!("the tag <{}> is not closed before the next `<`", self.quote(name.span));
                self.fault(Span::new(at, cut), detail);
                self.builder.content_from(id, offset(cut));
                return Next::Resume(cut);
            }
            Ok(None) => {}
        }
        self.builder.content_from(id, offset(end));
        if empty {
            self.builder.flags(id, |flags| flags.empty_tag = true);
            self.close(end, end);
        }
        Next::Event
    }

    fn open_element(&mut self, at: usize, name: Name) -> NodeId {
        self.settle_text();
        if self.open.is_empty() {
            self.roots += 1;
            if self.roots == 2 {
                self.note(Kind::XmlSecondRoot, name.span, format!("a second root element, {}", self.quote(name.span)));
            }
        }
        let id = self.builder.open(name.tag, name.local(), offset(at));
        if name.is_prefixed() {
            self.builder.flags(id, |flags| flags.prefixed = true);
        }
        self.open.push(Open { id, name, bindings: self.bindings.len(), said: Said::Nothing });
        id
    }

    /// What stood before the first child is text only if it is more than white space.
    fn settle_text(&mut self) {
        let Some(parent) = self.open.last_mut() else { return };
        match std::mem::replace(&mut parent.said, Said::Nothing) {
            Said::Nothing => {}
            Said::Blank => self.builder.text(parent.id, Text::None),
            Said::Text => self.builder.flags(parent.id, |flags| flags.mixed = true),
        }
    }

    /// Reads the attributes of the element just opened, then binds its namespace. Gives where another tag cuts this one.
    fn attributes(&mut self, id: NodeId, at: usize, end: usize) -> Result<Option<usize>, Next> {
        let mut cut = None;
        if at < end {
            let first = self.builder.attribute_count();
            for step in Scan::new(self.bytes, at, end) {
                match step {
                    Step::Attribute(attribute) => self.attribute(id, attribute)?,
                    Step::Fault(span, detail) => self.fault(span, detail),
                    Step::Cut(at) => cut = Some(at),
                }
                if self.builder.attribute_count() - first > self.limits.attributes {
                    let most = self.limits.attributes;
                    return Err(self.limit(at, format!("an element with more than {most} attributes")));
                }
            }
        }
        let prefix = self.open.last().map(|open| open.name.prefix()).unwrap_or_default();
        let namespace = if prefix.is_empty() { Some(self.namespace) } else { self.bound(prefix) };
        if let Some(namespace) = namespace {
            self.builder.set_namespace(id, namespace);
        }
        Ok(cut)
    }

    /// The namespace that a prefix is bound to, by its number.
    fn bound(&self, prefix: Span) -> Option<u16> {
        let wanted = prefix.slice(self.bytes);
        let found = self.bindings.iter().rev().find(|binding| binding.prefix.slice(self.bytes) == wanted);
        found.map(|binding| binding.namespace)
    }

    fn attribute(&mut self, id: NodeId, attribute: Attribute) -> Result<(), Next> {
        let name = attribute.name.slice(self.bytes);
        let twice = self
            .builder
            .doc()
            .element(id)
            .is_some_and(|element| element.attributes().any(|(known, _)| known.as_bytes() == name));
        if twice {
            self.fault(attribute.name, format!("attribute {} stands twice", self.quote(attribute.name)));
        }
        let value = self.attribute_value(attribute.value);
        self.builder.attribute(Text::Bytes(attribute.name), value);
        let prefix = match name.strip_prefix(b"xmlns") {
            Some([]) => Span::default(),
            Some([b':', ..]) => Span { start: attribute.name.start + 6, end: attribute.name.end },
            _ => return Ok(()),
        };
        match self.builder.namespace_of(value, NAMESPACES) {
            Some(namespace) if self.bindings.len() < BINDINGS => {
                self.bindings.push(Binding { prefix, namespace });
                if prefix.is_empty() {
                    self.namespace = namespace;
                }
            }
            _ => return Err(self.limit(attribute.name.start as usize, "too many namespace declarations".into())),
        }
        Ok(())
    }

    /// The value with references resolved and white space made plain, in place when there is nothing to do.
    fn attribute_value(&mut self, span: Span) -> Text {
        let raw = span.slice(self.bytes);
        if !raw.iter().any(|byte| matches!(byte, b'&' | b'\t' | b'\r' | b'\n')) {
            return Text::Bytes(span);
        }
        let raw = std::str::from_utf8(raw).unwrap_or_default();
        let mut value = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(found) = rest.find(['&', '\t', '\r', '\n']) {
            let (plain, from) = rest.split_at(found);
            value.push_str(plain);
            rest = if from.starts_with('&') {
                self.reference_in(from, span, &mut value)
            } else {
                value.push(' ');
                from.strip_prefix("\r\n").or_else(|| from.get(1..)).unwrap_or_default()
            };
        }
        value.push_str(rest);
        self.builder.pool(&value)
    }

    /// Decodes the reference at the front of `from` into `value`; gives what follows it.
    fn reference_in<'t>(&mut self, from: &'t str, span: Span, value: &mut String) -> &'t str {
        let name = from.get(1..).and_then(|rest| rest.split_once(';'));
        let resolved = name.and_then(|(name, rest)| Some((entity::resolve(name)?, rest)));
        let Some((char, rest)) = resolved else {
            self.fault(span, "`&` in an attribute value without a known reference");
            value.push('&');
            return from.get(1..).unwrap_or_default();
        };
        value.push(char);
        rest
    }

    fn end(&mut self, at: usize, end: usize) -> Next {
        if let Some(open) = self.open.last()
            && self.bytes.get(at + 2..end - 1) == Some(open.name.span.slice(self.bytes))
        {
            self.close(at, end);
            return Next::Event;
        }
        let inside = end - 1;
        let name = Span::new(at + 2, tag::name_end(self.bytes, at + 2, inside));
        if name.is_empty() {
            self.fault(Span::new(at, end), format!("{} is not an end tag", self.quote(Span::new(at, end))));
            return Next::Event;
        }
        let rest = self.bytes.get(name.end as usize..inside).unwrap_or_default();
        let cut = memchr::memchr(b'<', rest).map(|less| name.end as usize + less);
        let end = cut.unwrap_or(end);
        if cut.is_some() || !rest.iter().all(u8::is_ascii_whitespace) {
            self.fault(Span::new(at, end), format!("the end tag </{}> is not closed by `>`", self.quote(name)));
        }
        self.close_named(name, at, end);
        cut.map_or(Next::Event, Next::Resume)
    }

    /// Closes the element that this end tag belongs to, and those left open inside it.
    fn close_named(&mut self, name: Span, at: usize, end: usize) {
        let Some(expected) = self.open.last().map(|open| open.name.span) else {
            self.fault(Span::new(at, end), format!("</{}> closes nothing", self.quote(name)));
            return;
        };
        let wanted = name.slice(self.bytes);
        if expected.slice(self.bytes) == wanted {
            return self.close(at, end);
        }
        let detail = format!("</{}> where </{}> should stand", self.quote(name), self.quote(expected));
        self.fault(Span::new(at, end), detail);
        match self.open.iter().rposition(|open| open.name.span.slice(self.bytes) == wanted) {
            Some(found) => {
                while self.open.len() > found + 1 {
                    self.abandon(at);
                }
                self.close(at, end);
            }
            None if expected.slice(self.bytes).eq_ignore_ascii_case(wanted) => self.close(at, end),
            None => {}
        }
    }

    fn abandon(&mut self, at: usize) {
        if let Some(open) = self.open.last() {
            self.builder.flags(open.id, |flags| flags.unclosed = true);
        }
        self.close(at, at);
    }

    fn close(&mut self, content_end: usize, end: usize) {
        if let Some(open) = self.open.pop() {
            if self.bindings.len() > open.bindings {
                self.bindings.truncate(open.bindings);
                self.namespace = self.bound(Span::default()).unwrap_or_default();
            }
            self.builder.close(offset(content_end), offset(end));
        }
    }

    fn text(&mut self, at: usize, end: usize) -> Next {
        let raw = self.bytes.get(at..end).unwrap_or_default();
        if raw.iter().all(|byte| tag::is_space(*byte)) {
            return self.add_text(at, end, true);
        }
        if raw.first() == Some(&b'&') {
            self.fault(Span::new(at, at + 1), "`&` does not begin a reference");
        }
        let is_marked = self.bracket.is_in(self.bytes, Span::new(at, end));
        let closes = if is_marked { memchr::memmem::find(raw, b"]]>") } else { None };
        if let Some(found) = closes {
            self.fault(Span::new(at + found, at + found + 3), "`]]>` in text");
        }
        self.add_text(at, end, false)
    }

    fn cdata(&mut self, at: usize, end: usize) -> Next {
        match self.open.last() {
            Some(open) => self.builder.flags(open.id, |flags| flags.cdata = true),
            None => self.fault(Span::new(at, end), "a CDATA section outside the root element"),
        }
        self.add_text(at, end, at == end)
    }

    /// Adds a stretch of the document to the text of the innermost element.
    fn add_text(&mut self, at: usize, end: usize, blank: bool) -> Next {
        let span = Span::new(at, end);
        if self.open.is_empty() {
            if !blank {
                self.fault(span, format!("text outside the root element, {:?}", self.quote(span)));
            }
            return Next::Event;
        }
        let raw = span.slice(self.bytes);
        // White space that stands first is mostly indentation, dropped at the first child: not worth a copy.
        let leading = blank && self.open.last().is_some_and(|open| open.said == Said::Nothing);
        let piece = if !leading && self.carriage_return.is_in(self.bytes, span) {
            let plain = line_feeds(std::str::from_utf8(raw).unwrap_or_default());
            self.builder.pool(&plain)
        } else {
            Text::Bytes(span)
        };
        self.add_piece(piece, blank)
    }

    fn add_piece(&mut self, piece: Text, blank: bool) -> Next {
        let Some(open) = self.open.last_mut() else { return Next::Event };
        let id = open.id;
        if self.builder.has_children(id) {
            if blank {
                return Next::Event;
            }
            self.builder.flags(id, |flags| flags.mixed = true);
        } else if open.said != Said::Text {
            open.said = if blank { Said::Blank } else { Said::Text };
        }
        self.builder.add_text(id, piece);
        if self.builder.pool_len() > self.bytes.len().saturating_mul(2).saturating_add(POOL_SPARE) {
            return self.limit(0, "text in so many pieces that it takes more than twice the document's size".into());
        }
        Next::Event
    }

    fn reference(&mut self, at: usize, end: usize) -> Next {
        let span = Span::new(at, end);
        let name = std::str::from_utf8(Span::new(at + 1, end - 1).slice(self.bytes)).unwrap_or_default();
        if self.open.is_empty() {
            self.fault(span, "a reference outside the root element");
            return Next::Event;
        }
        if let Some(char) = entity::resolve(name) {
            let piece = self.builder.pool(char.encode_utf8(&mut [0; 4]));
            let blank = matches!(char, ' ' | '\t' | '\r' | '\n');
            return self.add_piece(piece, blank);
        }
        if self.doctype && tag::name_end(self.bytes, at + 1, end - 1) == end - 1 {
            let detail = format!("entity {} is not expanded", self.quote(span));
            self.note(Kind::XmlDoctype, span, detail);
        } else if entity::is_forbidden(name) {
            self.note(
                Kind::XmlCharacter,
                span,
                format!("{} stands for no character that XML allows", self.quote(span)),
            );
        } else {
            self.fault(span, format!("{} is no reference that XML knows", self.quote(span)));
        }
        self.add_piece(Text::Bytes(span), false)
    }

    fn comment(&mut self, at: usize, end: usize) -> Next {
        let inside = Span::new(at + "<!--".len(), end - "-->".len());
        if memchr::memmem::find(inside.slice(self.bytes), b"--").is_some() || inside.slice(self.bytes).ends_with(b"-") {
            self.fault(Span::new(at, end), "`--` in a comment");
        }
        self.builder.comment(inside);
        Next::Event
    }

    fn declaration(&mut self, at: usize, end: usize) -> Next {
        let before = self.bytes.get(..at).unwrap_or_default();
        if !matches!(before, [] | [0xEF, 0xBB, 0xBF]) {
            self.fault(Span::new(at, end), "an XML declaration that is not at the very start");
        }
        let first = Scan::new(self.bytes, at + "<?xml".len(), end - "?>".len()).next();
        let versioned = matches!(&first, Some(Step::Attribute(found)) if found.name.slice(self.bytes) == b"version");
        if !versioned {
            self.fault(Span::new(at, end), "an XML declaration without a version");
        }
        Next::Event
    }

    fn doctype(&mut self, at: usize, end: usize) -> Next {
        let span = Span::new(at, end);
        self.doctype = true;
        self.note(Kind::XmlDoctype, span, "a DOCTYPE; nothing in it was used".into());
        if self.roots > 0 {
            self.fault(span, "a DOCTYPE behind the root element's start");
        }
        Next::Event
    }

    /// What quick-xml could not read: noted, and skipped up to the next thing that looks like markup.
    fn error(&mut self, error: &Error, at: usize, end: usize) -> Next {
        use quick_xml::errors::SyntaxError;
        let rest = self.bytes.get(at..).unwrap_or_default();
        match error {
            Error::Syntax(SyntaxError::UnclosedCData) => {
                self.fault(Span::new(at, self.bytes.len()), "the document ends inside a CDATA section");
                let from = at + "<![CDATA[".len();
                if rest.starts_with(b"<![CDATA[") {
                    self.cdata(from, self.bytes.len());
                }
                Next::Stop
            }
            Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                self.fault(Span::new(at, at + 2), "`<!` does not begin a comment, a CDATA section or a DOCTYPE");
                self.literal(at, at + 1)
            }
            Error::IllFormed(error) => {
                self.fault(Span::new(at, end), error.to_string());
                Next::Event
            }
            _ => {
                self.fault(Span::new(at, self.bytes.len()), "markup that begins here is not closed");
                let less = rest.get(1..).and_then(|rest| memchr::memchr(b'<', rest));
                let Some(next) = less.map(|less| at + 1 + less) else { return Next::Stop };
                let tag = rest.get(1).is_some_and(|byte| tag::starts_name(*byte));
                match if tag { self.start(at, next, next, false) } else { Next::Event } {
                    Next::Event => Next::Resume(next),
                    other => other,
                }
            }
        }
    }

    /// Takes a stretch that cannot be markup for text, and goes on behind it.
    fn literal(&mut self, at: usize, end: usize) -> Next {
        if !self.open.is_empty() {
            self.add_text(at, end, false);
        }
        Next::Resume(end)
    }

    fn limit(&mut self, at: usize, detail: String) -> Next {
        let span = Span::new(at, self.bytes.len());
        self.builder.note(Anomaly::new(Kind::LimitDocument, span, format!("{detail}; the rest was not read")));
        Next::Stop
    }

    fn fault(&mut self, span: Span, detail: impl Into<String>) {
        self.note(Kind::XmlNotWellFormed, span, detail.into());
    }

    fn note(&mut self, kind: Kind, span: Span, detail: String) {
        self.noted += 1;
        if self.noted <= NOTES {
            self.builder.note(Anomaly::new(kind, span, detail));
        }
    }

    /// A stretch of the document for a message, shortened.
    fn quote(&self, span: Span) -> String {
        let text = std::str::from_utf8(span.slice(self.bytes)).unwrap_or_default().trim();
        match text.char_indices().nth(40) {
            Some((cut, _)) => format!("{}…", text.get(..cut).unwrap_or_default()),
            None => text.to_owned(),
        }
    }

    /// Characters that no XML document may hold (XML 1.0, 2.2).
    fn forbidden_characters(&mut self, from: usize) {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let Some(found) = control(rest).or_else(|| beyond(rest)) else { return };
        let tail = std::str::from_utf8(rest.get(found..).unwrap_or_default()).unwrap_or_default();
        let char = tail.chars().next().unwrap_or_default();
        let span = Span::new(from + found, from + found + char.len_utf8());
        let detail = format!("character U+{:04X} is not allowed in XML", u32::from(char));
        self.note(Kind::XmlCharacter, span, detail);
    }

    fn finish(mut self) -> Doc {
        let end = self.bytes.len();
        let limited = self.builder.doc().notes.iter().any(|note| note.kind == Kind::LimitDocument);
        if !limited && !self.open.is_empty() {
            let missing: Vec<String> =
                self.open.iter().rev().map(|open| format!("</{}>", self.quote(open.name.span))).collect();
            self.fault(Span::new(end, end), format!("the document ends without {}", missing.join(" ")));
        }
        if self.roots == 0 && self.noted == 0 {
            self.fault(Span::new(0, end), "no element");
        }
        let mut doc = self.builder.finish();
        if self.roots == 0 {
            doc.notes.truncate(1);
        }
        doc
    }
}

fn offset(at: usize) -> u32 {
    Span::new(at, at).start
}

#[cfg(test)]
mod tests;

/// Where the next `<` stands. Most texts are short: in them it is found with less than it takes to call for help.
#[inline]
fn less_than(bytes: &[u8]) -> Option<usize> {
    const ONES: u128 = u128::from_le_bytes([1; 16]);
    const HIGH: u128 = u128::from_le_bytes([0x80; 16]);
    if let Some(word) = bytes.first_chunk() {
        // A byte that is zero borrows, and is the first to do so.
        let word = u128::from_le_bytes(*word) ^ u128::from_le_bytes([b'<'; 16]);
        let found = word.wrapping_sub(ONES) & !word & HIGH;
        if found != 0 {
            return Some((found.trailing_zeros() / 8) as usize);
        }
    }
    memchr::memchr(b'<', bytes)
}

/// The first control character that XML forbids. In blocks, which the compiler compares many bytes at a time.
fn control(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let bad = |byte: u8| byte < b' ' && byte != b'\t' && byte != b'\r' && byte != b'\n';
    let is_low = |block: &[u8]| block.iter().fold(b' ', |least, byte| least.min(*byte)) < b' ';
    let holds = |block: &[u8]| is_low(block) && block.iter().fold(false, |found, byte| found | bad(*byte));
    let at = bytes.chunks(BLOCK).position(holds)? * BLOCK;
    Some(at + bytes.get(at..)?.iter().position(|byte| bad(*byte))?)
}

/// The first of `U+FFFE` and `U+FFFF`.
fn beyond(bytes: &[u8]) -> Option<usize> {
    let starts = memchr::memchr_iter(0xEF, bytes);
    starts.into_iter().find(|at| matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])))
}

/// The text with its line ends as XML has them (XML 1.0, 2.11).
fn line_feeds(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\r') {
        out.push_str(line);
        out.push('\n');
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    out.push_str(rest);
    out
}

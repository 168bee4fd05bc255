//! One document as a flat tree over the bytes it was read from.
//!
//! Built by `xml` (and by the WBXML decoder) through [`Builder`]; read through [`Element`]. No rule can tell from
//! which encoding a document came, but for [`Doc::form`]. Text is a span of the bytes, or of a small pool where it
//! had to be decoded (entity references, CDATA, several pieces).

mod builder;

use super::tag::Tag;
use crate::anomaly::Anomaly;
use crate::octets::Octets;
use crate::origin::Span;
pub use builder::Builder;

/// Index of a node in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

const NONE: u32 = u32::MAX;

/// How a document was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text XML.
    Xml,
    /// WAP Binary XML.
    Wbxml,
}

/// Where the decoded text of a node or attribute is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// There is none.
    #[default]
    None,
    /// It stands in the document's bytes just so.
    Bytes(Span),
    /// It was decoded into the pool.
    Pool(Span),
}

/// What a rule may want to know of how a node was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Its text holds a CDATA section.
    pub cdata: bool,
    /// Text and child elements are mixed, with more than white space in the text.
    pub mixed: bool,
    /// Written as `<a/>`.
    pub empty_tag: bool,
    /// The end tag is missing: the document ended, or another end tag closed it.
    pub unclosed: bool,
    /// It stands below a `Data` element: payload, not protocol.
    pub payload: bool,
    /// The name was written with a prefix.
    pub prefixed: bool,
    /// Its text holds WBXML opaque data; shown as base64 where that is no text.
    pub opaque: bool,
    /// White space stands around its text, and more than that in it.
    pub padded: bool,
    /// Its text is white space, or it has none.
    pub blank: bool,
    /// Two of its children may have one name; where this is not set, none have.
    pub twins: bool,
    /// One of its children has neither text nor children, or no end tag.
    pub hollow: bool,
    /// Its children stand in another order than the DTD has them in.
    pub disordered: bool,
    /// It may lack a child that it needs.
    pub lacking: bool,
    /// Of a document: a command, Status or Results stands where none is expected, so that it is not among its commands.
    pub astray: bool,
}

/// What stands before the root of a WBXML document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prolog {
    /// Version byte: `03` is WBXML 1.3.
    pub version: u8,
    /// The public identifier by number; 0 when it is given as text.
    pub public_id: u32,
    /// The public identifier as text: as given, or the formal name of a known number.
    pub public_text: Option<String>,
    /// Character set by IANA MIBenum: 106 is UTF-8.
    pub charset: u32,
}

#[derive(Clone, Debug)]
struct Node {
    tag: Tag,
    flags: Flags,
    namespace: u16,
    /// For a command, Status or Results: the code that its `Data` holds.
    code: Option<u16>,
    parent: u32,
    first: u32,
    next: u32,
    /// The tags of its children, by [`Tag::bit`].
    below: u64,
    name: Text,
    span: Span,
    inner: Span,
    text: Text,
    attributes: (u32, u32),
}

/// A command, Status or Results in the list of all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) node: NodeId,
    pub(super) tag: Tag,
    /// Whether it stands in a container.
    pub(super) nested: bool,
}

#[derive(Clone, Debug)]
struct Attribute {
    name: Text,
    value: Text,
}

/// A document. See the module's head.
#[derive(Clone, Debug)]
pub struct Doc {
    form: Form,
    /// What its spans refer to: a text, or bytes that hold texts among others.
    source: Octets,
    /// Whether `source` is the body's own, so that spans are also spans of the body.
    exact: bool,
    pool: String,
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    namespaces: Vec<Box<str>>,
    /// The commands, statuses and results in document order, those in containers included.
    commands: Box<[Listed]>,
    /// The tags of its elements, as a set of [`Tag::bit`].
    tags: u64,
    /// What any of its elements is marked with.
    flags: Flags,
    /// What stood before the root, for WBXML.
    pub prolog: Option<Prolog>,
    /// What the parser noticed; spans are in [`Doc::bytes`].
    pub notes: Vec<Anomaly>,
    /// The text of comments that are for this program, the first `limits::REMARKS` of them.
    pub remarks: Vec<Span>,
}

/// What a comment for this program holds.
pub const REMARK: &str = "dmscope:";

impl Doc {
    /// A document without nodes.
    pub fn empty() -> Doc {
        Builder::new(Form::Xml, Octets::default(), true).finish()
    }

    /// How it was encoded.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The bytes that all spans refer to: the body, or its UTF-8 transcoding (see [`Doc::is_exact`]).
    pub fn bytes(&self) -> &[u8] {
        &self.source
    }

    /// Whether spans of the document are spans of the body as captured.
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Memory that it takes in bytes, about; the body's own bytes not counted.
    pub fn size(&self) -> usize {
        let tables = self.nodes.capacity() * size_of::<Node>() + self.attributes.capacity() * size_of::<Attribute>();
        let bytes = if self.exact { 0 } else { self.bytes().len() };
        let tables = tables + self.commands.len() * size_of::<Listed>();
        tables.saturating_add(self.pool.capacity()).saturating_add(bytes)
    }

    /// True without any element.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The tags of its elements, as a set of [`Tag::bit`].
    pub fn tags(&self) -> u64 {
        self.tags
    }

    /// What one of its elements at least is marked with.
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The root element.
    pub fn root(&self) -> Option<Element<'_>> {
        self.element(NodeId(0))
    }

    /// The element of an id of this document.
    #[inline]
    pub fn element(&self, id: NodeId) -> Option<Element<'_>> {
        self.nodes.get(id.0 as usize).map(|_| Element { doc: self, id })
    }

    /// All elements in document order, payload below `Data` included.
    #[inline]
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (0..self.nodes.len() as u32).map(|id| Element { doc: self, id: NodeId(id) })
    }

    /// The commands, statuses and results of which that is true, in document order; `tags` are those that they may have.
    #[inline]
    pub(super) fn listed(&self, tags: u64, is: impl Fn(&Listed) -> bool) -> impl Iterator<Item = Element<'_>> {
        let all = if self.tags & tags == 0 { &[][..] } else { &self.commands };
        all.iter().filter(move |listed| is(listed)).map(|listed| Element { doc: self, id: listed.node })
    }

    /// The innermost element whose span holds byte `at`.
    pub fn element_at(&self, at: u32) -> Option<Element<'_>> {
        self.elements().filter(|element| (element.span().start..element.span().end).contains(&at)).last()
    }

    /// A node and its sisters behind it.
    #[inline]
    fn chain(&self, first: u32) -> impl Iterator<Item = Element<'_>> {
        let mut next = first;
        std::iter::from_fn(move || {
            let id = next;
            next = self.nodes.get(id as usize)?.next;
            Some(Element { doc: self, id: NodeId(id) })
        })
    }

    #[inline]
    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The bytes of a text of this document.
    fn bytes_of(&self, text: Text) -> &[u8] {
        match text {
            Text::None => &[],
            Text::Bytes(span) => span.slice(&self.source),
            Text::Pool(span) => span.slice(self.pool.as_bytes()),
        }
    }

    /// A text of this document.
    #[inline]
    pub(crate) fn text_of(&self, text: Text) -> &str {
        match text {
            Text::None => "",
            Text::Bytes(span) => self.source.text_in(span),
            Text::Pool(span) => self.pool.get(span.range()).unwrap_or_default(),
        }
    }
}

/// An element of a document: a borrowed cursor.
#[derive(Clone, Copy)]
pub struct Element<'a> {
    doc: &'a Doc,
    id: NodeId,
}

impl std::fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.path(), self.span().start)
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.doc, other.doc) && self.id == other.id
    }
}

impl<'a> Element<'a> {
    /// Its document.
    pub fn doc(self) -> &'a Doc {
        self.doc
    }

    /// Its id in the document.
    #[inline]
    pub fn id(self) -> NodeId {
        self.id
    }

    #[inline]
    fn node(self) -> &'a Node {
        self.doc.node(self.id)
    }

    /// Its known name; [`Tag::Other`] for all else and for whatever stands below `Data`.
    #[inline]
    pub fn tag(self) -> Tag {
        self.node().tag
    }

    /// Its local name as written.
    pub fn name(self) -> &'a str {
        match self.node().tag {
            Tag::Other => self.doc.text_of(self.node().name),
            tag => tag.name(),
        }
    }

    /// Its namespace URI; empty when none is bound.
    pub fn namespace(self) -> &'a str {
        self.doc.namespaces.get(self.node().namespace as usize).map_or("", |uri| uri)
    }

    /// How it was written.
    #[inline]
    pub fn flags(self) -> Flags {
        self.node().flags
    }

    /// From its `<` to behind the `>` of its end tag.
    pub fn span(self) -> Span {
        self.node().span
    }

    /// What stands between its tags; empty for `<a/>`.
    pub fn inner(self) -> Span {
        self.node().inner
    }

    /// Its own text, decoded; text of children not included. Empty when there is none.
    #[inline]
    pub fn text(self) -> &'a str {
        self.doc.text_of(self.node().text)
    }

    /// Its text without surrounding white space; `None` when nothing is left. The form in which codes, numbers and URIs are compared.
    #[inline]
    pub fn value(self) -> Option<&'a str> {
        let Flags { blank, padded, .. } = self.flags();
        match blank {
            true => None,
            false if padded => Some(self.text().trim_matches([' ', '\t', '\r', '\n'])),
            false => Some(self.text()),
        }
    }

    /// Whether it has text of its own, be it white space.
    #[inline]
    pub fn has_text(self) -> bool {
        self.node().text != Text::None
    }

    /// The tags of its children, as a set of [`Tag::bit`].
    #[inline]
    pub fn tags_below(self) -> u64 {
        self.node().below
    }

    /// The element around it.
    #[inline]
    pub fn parent(self) -> Option<Element<'a>> {
        self.doc.element(NodeId(self.node().parent))
    }

    /// The element behind it under the same parent.
    #[inline]
    pub fn next_sibling(self) -> Option<Element<'a>> {
        self.doc.element(NodeId(self.node().next))
    }

    /// Its child elements, in order.
    #[inline]
    pub fn children(self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        self.doc.chain(self.node().first)
    }

    /// Its first child of that name.
    #[inline]
    pub fn child(self, tag: Tag) -> Option<Element<'a>> {
        self.all(tag).next()
    }

    /// Whether it has a child of that name.
    #[inline]
    pub fn has(self, tag: Tag) -> bool {
        let may = self.node().below & tag.bit() != 0;
        may && (tag.has_own_bit() || self.child(tag).is_some())
    }

    /// All its children of that name.
    #[inline]
    pub fn all(self, tag: Tag) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let first = if self.node().below & tag.bit() == 0 { NONE } else { self.node().first };
        self.doc.chain(first).filter(move |child| child.tag() == tag)
    }

    /// The value of its first child of that name; `None` when the child has no end tag, so that its value may be cut.
    #[inline]
    pub fn child_value(self, tag: Tag) -> Option<&'a str> {
        self.child(tag).filter(|child| !child.flags().unclosed)?.value()
    }

    /// Its `Data` as a code of three or four digits, for a command, Status or Results.
    #[inline]
    pub(crate) fn code(self) -> Option<u16> {
        self.node().code
    }

    /// Its text as a code of three or four digits, where its end tag is there.
    fn as_code(self) -> Option<u16> {
        let text = self.value().filter(|text| (3..=4).contains(&text.len()) && !self.flags().unclosed)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    }

    /// All elements below it, in document order.
    pub fn descendants(self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let doc = self.doc;
        let until = self.subtree_end();
        (self.id.0 + 1..until).map(move |id| Element { doc, id: NodeId(id) })
    }

    fn subtree_end(self) -> u32 {
        let mut node = self.node();
        loop {
            if node.next != NONE {
                return node.next;
            }
            match self.doc.nodes.get(node.parent as usize) {
                Some(parent) => node = parent,
                None => return self.doc.nodes.len() as u32,
            }
        }
    }

    /// Its attributes as written, `xmlns` included: name with prefix, decoded value.
    pub fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let doc = self.doc;
        let (from, to) = self.node().attributes;
        doc.attributes
            .get(from as usize..to as usize)
            .unwrap_or_default()
            .iter()
            .map(move |attribute| (doc.text_of(attribute.name), doc.text_of(attribute.value)))
    }

    /// Whether it has attributes.
    #[inline]
    pub fn has_attributes(self) -> bool {
        let (from, to) = self.node().attributes;
        from != to
    }

    /// Where the value of an attribute stands in the document's bytes, by its place among them; `None` when it had to be
    /// decoded.
    pub fn attribute_span(self, at: usize) -> Option<Span> {
        let (from, to) = self.node().attributes;
        match self.doc.attributes.get(from as usize..to as usize)?.get(at)?.value {
            Text::Bytes(span) => Some(span),
            Text::None | Text::Pool(_) => None,
        }
    }

    /// The value of an attribute by its local name.
    pub fn attribute(self, local: &str) -> Option<&'a str> {
        self.attributes().find(|(name, _)| name.rsplit(':').next() == Some(local)).map(|(_, value)| value)
    }

    /// Its place in the tree: `/SyncML/SyncBody/Status[2]/Data`. Numbered where it has a sister of the same name.
    pub fn path(self) -> String {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(element) = at {
            steps.push(element.step());
            at = element.parent();
        }
        steps.iter().rev().flat_map(|step| ["/", step]).collect()
    }

    fn step(self) -> String {
        let name = self.name();
        let Some(parent) = self.parent() else { return name.to_owned() };
        let same = |sister: &Element<'a>| sister.name() == name;
        match parent.children().filter(same).take(2).count() {
            2 => {
                let before = parent.children().take_while(|sister| *sister != self).filter(same).count();
                format!("{name}[{}]", before + 1)
            }
            _ => name.to_owned(),
        }
    }
}

fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether text begins or ends with white space.
fn is_padded(text: &[u8]) -> bool {
    text.first().is_some_and(is_space) || text.last().is_some_and(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `<SyncML><SyncBody><Status><Data>200</Data></Status><Status/></SyncBody></SyncML>` by hand.
    fn sample() -> Doc {
        let xml = "<SyncML><SyncBody><Status><Data>200</Data></Status><Status/></SyncBody></SyncML>";
        let mut builder = Builder::new(Form::Xml, xml.as_bytes().into(), true);
        builder.open(Tag::SyncML, Span::new(1, 7), 0);
        builder.open(Tag::SyncBody, Span::new(9, 17), 8);
        builder.open(Tag::Status, Span::new(19, 25), 18);
        let data = builder.open(Tag::Data, Span::new(27, 31), 26);
        builder.content_from(data, 32);
        builder.add_text(data, Text::Bytes(Span::new(32, 35)));
        builder.close(35, 42);
        builder.close(42, 51);
        builder.open(Tag::Status, Span::new(52, 58), 51);
        builder.close(51, 60);
        builder.close(60, 71);
        builder.close(71, 80);
        builder.finish()
    }

    #[test]
    fn paths_number_sisters_of_one_name() {
        let doc = sample();
        let paths: Vec<String> = doc.elements().map(Element::path).collect();
        assert_eq!(paths[3], "/SyncML/SyncBody/Status[1]/Data");
        assert_eq!(paths[4], "/SyncML/SyncBody/Status[2]");
        assert_eq!(doc.elements().nth(3).unwrap().value(), Some("200"));
        assert_eq!(doc.element_at(33).unwrap().tag(), Tag::Data);
    }

    #[test]
    fn descendants_end_with_the_subtree() {
        let doc = sample();
        let first = doc.root().unwrap().child(Tag::SyncBody).unwrap().child(Tag::Status).unwrap();
        assert_eq!(first.descendants().count(), 1);
        assert_eq!(doc.root().unwrap().descendants().count(), 4);
    }

    #[test]
    fn pieces_of_text_are_joined() {
        let mut builder = Builder::new(Form::Xml, b"ab&amp;cd".as_slice().into(), true);
        let id = builder.open(Tag::Data, Span::new(0, 0), 0);
        builder.add_text(id, Text::Bytes(Span::new(0, 2)));
        let amp = builder.pool("&");
        builder.add_text(id, amp);
        builder.add_text(id, Text::Bytes(Span::new(7, 9)));
        assert_eq!(builder.finish().root().unwrap().text(), "ab&cd");
    }
}

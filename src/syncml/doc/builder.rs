//! How a [`Doc`] is made, element by element.
//!
//! In: elements, attributes and text as a parser meets them. Out: the document, each element marked with what rules want to
//! see at a glance. Never fails; limits are the parser's to keep.

use super::{
    Attribute, Doc, Element, Flags, Form, Listed, NONE, Node, NodeId, Prolog, REMARK, Text, is_padded, is_space,
};
use crate::anomaly::Anomaly;
use crate::limits;
use crate::octets::Octets;
use crate::origin::Span;
use crate::syncml::{Tag, dtd};

/// Makes a [`Doc`] from the events of a parser. Never fails; limits are the parser's to keep.
pub struct Builder {
    doc: Doc,
    open: Vec<Open>,
    last_root: u32,
    /// The `SyncBody` whose commands are listed: the root, or its first child of that name.
    body: Option<u32>,
    commands: Vec<Listed>,
    /// How many commands, statuses and results there are, wherever they stand.
    with_cmd_id: usize,
}

/// What is known of an element so far that may get more children.
struct Open {
    id: u32,
    tag: Tag,
    /// Whether what stands in it is payload.
    of_payload: bool,
    /// Whether it is a container of `SyncBody`, or stands in one.
    in_container: bool,
    twins: bool,
    hollow: bool,
    disordered: bool,
    /// Whether `code` is settled.
    has_data: bool,
    /// The highest place in the DTD's order that one of its children has (see [`dtd`]).
    highest: u8,
    /// Its last child so far.
    last: u32,
    /// The tags of its children, by [`Tag::bit`].
    below: u64,
    /// Of a command, Status or Results: the code that its first `Data` holds.
    code: Option<u16>,
}

/// An element that was counted in.
struct Linked {
    id: u32,
    /// Its tag where it stands.
    tag: Tag,
    payload: bool,
    /// Whether it is among the commands.
    is_listed: bool,
}

impl Builder {
    /// `source` is what all spans refer to; `exact` says whether that is the body as captured.
    pub fn new(form: Form, source: Octets, exact: bool) -> Builder {
        let doc = Doc {
            form,
            source,
            exact,
            pool: String::new(),
            nodes: Vec::new(),
            attributes: Vec::new(),
            namespaces: vec!["".into()],
            commands: Box::default(),
            tags: 0,
            flags: Flags::default(),
            prolog: None,
            notes: Vec::new(),
            remarks: Vec::new(),
        };
        Builder { doc, open: Vec::new(), last_root: NONE, body: None, commands: Vec::new(), with_cmd_id: 0 }
    }

    /// Makes room for that many elements.
    pub fn reserve(&mut self, elements: usize) {
        self.doc.nodes.reserve_exact(elements);
    }

    /// Opens an element: its local name's span, its tag (from the name or a token), where its tag starts.
    /// Below a `Data` the tag is set to [`Tag::Other`].
    pub fn open(&mut self, tag: Tag, name: Span, start: u32) -> NodeId {
        self.open_at(tag, name, [start; 2], 0)
    }

    /// The same of one without attributes: where its tag starts and where it ends, the number of its namespace.
    #[inline]
    pub fn open_at(&mut self, tag: Tag, name: Span, [start, inside]: [u32; 2], namespace: u16) -> NodeId {
        let spans = [Span { start, end: start }, Span { start: inside, end: inside }];
        self.open_node(tag, Text::Bytes(name), spans, namespace)
    }

    /// Opens an element whose name is known from a token, not from the document's bytes.
    pub fn open_token(&mut self, tag: Tag, name: &str, start: u32) -> NodeId {
        let payload = self.open.last().is_some_and(|above| above.of_payload);
        let name = if payload || tag == Tag::Other { self.pool(name) } else { Text::None };
        self.open_node(tag, name, [Span { start, end: start }; 2], 0)
    }

    #[inline]
    fn open_node(&mut self, tag: Tag, name: Text, spans: [Span; 2], namespace: u16) -> NodeId {
        let Linked { id, tag, payload, is_listed } = self.link(tag);
        let in_container = self.open.last().is_some_and(|above| above.in_container);
        let flags = Flags { payload, blank: true, ..Flags::default() };
        self.push(tag, flags, name, spans, Text::None, namespace);
        self.open.push(Open {
            id,
            tag,
            of_payload: payload || tag == Tag::Data,
            in_container: in_container || (is_listed && tag.is_container()),
            twins: false,
            hollow: false,
            disordered: false,
            has_data: false,
            highest: 0,
            last: NONE,
            below: 0,
            code: None,
        });
        NodeId(id)
    }

    /// Adds an element that was read whole and holds no other: its local name, its span and the one inside its tags, which is its
    /// text, the number of its namespace.
    #[inline]
    pub fn leaf(&mut self, tag: Tag, name: Span, [span, inner]: [Span; 2], namespace: u16) {
        let Linked { id, tag, payload, .. } = self.link(tag);
        let text = if inner.is_empty() { Text::None } else { Text::Bytes(inner) };
        let padded = is_padded(inner.slice(&self.doc.source));
        let blank = inner.is_empty();
        let flags = Flags { payload, blank, padded, lacking: dtd::may_lack(tag, 0), ..Flags::default() };
        self.push(tag, flags, Text::Bytes(name), [span, inner], text, namespace);
        self.doc.flags.padded |= padded;
        self.settle(id, tag, blank);
    }

    /// Counts an element in as the next child of the innermost open one.
    #[inline]
    fn link(&mut self, tag: Tag) -> Linked {
        let id = self.doc.nodes.len() as u32;
        let Some(above) = self.open.last_mut() else {
            // A second root is kept as the first one's sister, so that it is reachable; the parser notes it.
            let last = std::mem::replace(&mut self.last_root, id);
            if let Some(sister) = self.doc.nodes.get_mut(last as usize) {
                sister.next = id;
            }
            self.body = if id == 0 && tag == Tag::SyncBody { Some(id) } else { self.body };
            return Linked { id, tag, payload: false, is_listed: false };
        };
        let tag = if above.of_payload { Tag::Other } else { tag };
        if above.id == 0 && tag == Tag::SyncBody {
            self.body.get_or_insert(id);
        }
        above.twins |= above.below & tag.bit() != 0;
        above.below |= tag.bit();
        let rank = dtd::rank(above.tag, tag);
        above.disordered |= rank != 0 && rank < above.highest;
        above.highest = above.highest.max(rank);
        match std::mem::replace(&mut above.last, id) {
            NONE => self.doc.nodes[above.id as usize].first = id,
            last => self.doc.nodes[last as usize].next = id,
        }
        let nested = above.in_container && above.tag.is_container();
        let is_listed = tag.has_cmd_id() && (Some(above.id) == self.body || (nested && tag.is_command()));
        if is_listed {
            self.commands.push(Listed { node: NodeId(id), tag, nested });
        }
        Linked { id, tag, payload: above.of_payload, is_listed }
    }

    /// Adds a node below the innermost open element.
    #[inline]
    fn push(&mut self, tag: Tag, flags: Flags, name: Text, [span, inner]: [Span; 2], text: Text, namespace: u16) {
        let at = self.doc.attributes.len() as u32;
        self.doc.tags |= tag.bit();
        self.with_cmd_id += usize::from(tag.has_cmd_id());
        self.doc.nodes.push(Node {
            tag,
            flags,
            namespace,
            code: None,
            parent: self.open.last().map_or(NONE, |above| above.id),
            first: NONE,
            next: NONE,
            below: 0,
            name,
            span,
            inner,
            text,
            attributes: (at, at),
        });
    }

    /// Adds an attribute to the element just opened.
    pub fn attribute(&mut self, name: Text, value: Text) {
        self.doc.attributes.push(Attribute { name, value });
        let end = self.doc.attributes.len() as u32;
        if let Some(node) = self.doc.nodes.last_mut() {
            node.attributes.1 = end;
        }
    }

    /// The number of the namespace that an attribute value names, for [`Builder::set_namespace`]; `None` when it
    /// would be more than the `most`th.
    pub fn namespace_of(&mut self, value: Text, most: usize) -> Option<u16> {
        let uri = self.doc.text_of(value);
        let known = self.doc.namespaces.iter().position(|known| &**known == uri);
        let index = known.unwrap_or(self.doc.namespaces.len());
        if known.is_none() {
            let uri = (index < most).then(|| uri.into())?;
            self.doc.namespaces.push(uri);
        }
        u16::try_from(index).ok()
    }

    /// Sets the namespace of an element by its number.
    pub fn set_namespace(&mut self, id: NodeId, namespace: u16) {
        self.doc.nodes[id.0 as usize].namespace = namespace;
    }

    /// Sets the namespace of an element.
    pub fn namespace(&mut self, id: NodeId, uri: &str) {
        let known = self.doc.namespaces.iter().position(|known| &**known == uri);
        let index = known.unwrap_or_else(|| {
            self.doc.namespaces.push(uri.into());
            self.doc.namespaces.len() - 1
        });
        self.set_namespace(id, u16::try_from(index).unwrap_or_default());
    }

    /// Changes the flags of an element.
    pub fn flags(&mut self, id: NodeId, change: impl FnOnce(&mut Flags)) {
        change(&mut self.doc.nodes[id.0 as usize].flags);
    }

    /// Sets the text of an element.
    pub fn text(&mut self, id: NodeId, text: Text) {
        self.doc.nodes[id.0 as usize].text = text;
    }

    /// The text of an element so far.
    pub fn text_so_far(&self, id: NodeId) -> Text {
        self.doc.nodes[id.0 as usize].text
    }

    /// Puts decoded text into the pool.
    pub fn pool(&mut self, decoded: &str) -> Text {
        let start = self.doc.pool.len();
        self.doc.pool.push_str(decoded);
        Text::Pool(Span::new(start, self.doc.pool.len()))
    }

    /// Bytes of decoded text so far.
    pub fn pool_len(&self) -> usize {
        self.doc.pool.len()
    }

    /// Number of attributes so far, of all elements.
    pub fn attribute_count(&self) -> usize {
        self.doc.attributes.len()
    }

    /// Whether an element has a child element already.
    pub fn has_children(&self, id: NodeId) -> bool {
        self.doc.nodes[id.0 as usize].first != NONE
    }

    /// Adds text to what an element has: in place while it is one piece, else through the pool.
    pub fn add_text(&mut self, id: NodeId, piece: Text) {
        let joined = match (self.text_so_far(id), piece) {
            (Text::None, piece) => piece,
            (so_far, Text::None) => so_far,
            (Text::Pool(a), Text::Pool(b)) if a.end == b.start => Text::Pool(Span { start: a.start, end: b.end }),
            (so_far, piece) => {
                let start = match so_far {
                    Text::Pool(a) if a.end as usize == self.doc.pool.len() => a.start as usize,
                    _ => {
                        let start = self.doc.pool.len();
                        self.append(so_far);
                        start
                    }
                };
                self.append(piece);
                Text::Pool(Span::new(start, self.doc.pool.len()))
            }
        };
        self.text(id, joined);
    }

    /// Puts a text into the pool, behind what is there.
    fn append(&mut self, text: Text) {
        let Doc { source, pool, .. } = &mut self.doc;
        match text {
            Text::None => {}
            Text::Bytes(span) => pool.push_str(source.text_in(span)),
            Text::Pool(span) => pool.extend_from_within(span.range()),
        }
    }

    /// Says where the content of the element just opened starts.
    pub fn content_from(&mut self, id: NodeId, start: u32) {
        self.doc.nodes[id.0 as usize].inner = Span { start, end: start };
    }

    /// Closes the innermost open element: where its content ends, where its end tag ends.
    pub fn close(&mut self, content_end: u32, end: u32) {
        let Some(open) = self.open.pop() else { return };
        let text = self.doc.bytes_of(self.doc.nodes[open.id as usize].text);
        let blank = text.iter().all(is_space);
        let padded = !blank && is_padded(text);
        let node = &mut self.doc.nodes[open.id as usize];
        node.span.end = end;
        node.inner.end = content_end.max(node.inner.start);
        node.below = open.below;
        node.code = open.code;
        node.flags.padded = padded;
        node.flags.blank = blank;
        node.flags.lacking = dtd::may_lack(open.tag, open.below);
        node.flags.twins = open.twins;
        node.flags.hollow = open.hollow;
        node.flags.disordered = open.disordered;
        self.doc.flags.cdata |= node.flags.cdata;
        self.doc.flags.padded |= padded;
        self.doc.flags.disordered |= open.disordered;
        let is_hollow = node.flags.unclosed || (open.last == NONE && blank);
        self.settle(open.id, open.tag, is_hollow);
    }

    /// Tells the element around a node what is seen of it, now that it is whole.
    #[inline]
    fn settle(&mut self, id: u32, tag: Tag, is_hollow: bool) {
        let Some(above) = self.open.last_mut() else { return };
        above.hollow |= is_hollow;
        if tag == Tag::Data && above.tag.has_cmd_id() && !std::mem::replace(&mut above.has_data, true) {
            above.code = Element { doc: &self.doc, id: NodeId(id) }.as_code();
        }
    }

    /// The innermost open element.
    pub fn current(&self) -> Option<NodeId> {
        self.open.last().map(|open| NodeId(open.id))
    }

    /// Number of open elements.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Number of nodes so far.
    pub fn len(&self) -> usize {
        self.doc.nodes.len()
    }

    /// True before the first element.
    pub fn is_empty(&self) -> bool {
        self.doc.nodes.is_empty()
    }

    /// The document so far, for its names and texts.
    pub fn doc(&self) -> &Doc {
        &self.doc
    }

    /// Sets what stood before the root.
    pub fn prolog(&mut self, prolog: Prolog) {
        self.doc.prolog = Some(prolog);
    }

    /// Notes something.
    pub fn note(&mut self, note: Anomaly) {
        self.doc.notes.push(note);
    }

    /// Keeps a comment, if it is for this program.
    pub fn comment(&mut self, text: Span) {
        let is_remark = memchr::memmem::find(text.slice(self.doc.bytes()), REMARK.as_bytes()).is_some();
        if is_remark && self.doc.remarks.len() < limits::REMARKS {
            self.doc.remarks.push(text);
        }
    }

    /// Ends the document; elements still open are closed at its end and marked so.
    pub fn finish(mut self) -> Doc {
        let end = Span::new(0, self.doc.bytes().len()).end;
        while let Some(id) = self.current() {
            self.flags(id, |flags| flags.unclosed = true);
            self.close(end, end);
        }
        if self.doc.nodes.len() < self.doc.nodes.capacity() / 2 {
            self.doc.nodes.shrink_to_fit();
        }
        self.doc.flags.astray = self.with_cmd_id != self.commands.len();
        self.doc.commands = self.commands.into_boxed_slice();
        self.doc
    }
}

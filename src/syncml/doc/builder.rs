//! How a [`Doc`] is made, element by element.
//!
//! In: elements, attributes and text as a parser meets them. Out: the document, each element marked with what rules want to
//! see at a glance. Never fails; limits are the parser's to keep.

use super::{Attribute, Doc, Element, Flags, Form, NONE, Node, NodeId, Prolog, REMARK, Text, is_padded, is_space};
use crate::anomaly::Anomaly;
use crate::limits;
use crate::octets::Octets;
use crate::origin::Span;
use crate::syncml::{Tag, dtd};

/// Makes a [`Doc`] from the events of a parser. Never fails; limits are the parser's to keep.
pub struct Builder {
    doc: Doc,
    open: Vec<u32>,
    last_root: u32,
    /// How many commands, statuses and results there are, wherever they stand.
    with_cmd_id: usize,
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
        Builder { doc, open: Vec::new(), last_root: NONE, with_cmd_id: 0 }
    }

    /// Makes room for that many elements.
    pub fn reserve(&mut self, elements: usize) {
        self.doc.nodes.reserve_exact(elements);
    }

    /// Opens an element: its local name's span, its tag (from the name or a token), where its tag starts.
    /// Below a `Data` the tag is set to [`Tag::Other`].
    pub fn open(&mut self, tag: Tag, name: Span, start: u32) -> NodeId {
        self.open_named(tag, Text::Bytes(name), start)
    }

    /// Opens an element whose name is known from a token, not from the document's bytes.
    pub fn open_token(&mut self, tag: Tag, name: &str, start: u32) -> NodeId {
        let payload = self.current().is_some_and(|id| {
            let above = &self.doc.nodes[id.0 as usize];
            above.flags.payload || above.tag == Tag::Data
        });
        let name = if payload || tag == Tag::Other { self.pool(name) } else { Text::None };
        self.open_named(tag, name, start)
    }

    fn open_named(&mut self, tag: Tag, name: Text, start: u32) -> NodeId {
        let id = self.add(tag, name, Span { start, end: start });
        self.open.push(id);
        NodeId(id)
    }

    /// Adds an element that was read whole and holds no other: its local name, its span and the one inside its tags, its text, the
    /// number of its namespace.
    pub fn leaf(&mut self, tag: Tag, name: Span, [span, inner]: [Span; 2], text: Text, namespace: u16) {
        let id = self.add(tag, Text::Bytes(name), span);
        let node = &mut self.doc.nodes[id as usize];
        node.inner = inner;
        node.text = text;
        node.namespace = namespace;
        let is_padded = is_padded(self.doc.bytes_of(text));
        self.settle(id, text == Text::None, is_padded);
    }

    /// Adds a node below the innermost open element.
    fn add(&mut self, tag: Tag, name: Text, span: Span) -> u32 {
        let id = self.doc.nodes.len() as u32;
        let parent = self.open.last().copied().unwrap_or(NONE);
        let mut flags = Flags { blank: true, ..Flags::default() };
        if let Some(above) = self.doc.nodes.get_mut(parent as usize) {
            flags.payload = above.flags.payload || above.tag == Tag::Data;
            let tag = if flags.payload { Tag::Other } else { tag };
            above.flags.twins |= above.below & tag.bit() != 0;
            above.below |= tag.bit();
            let rank = dtd::rank(above.tag, tag);
            above.flags.disordered |= rank != 0 && rank < above.highest;
            above.highest = above.highest.max(rank);
            let last = std::mem::replace(&mut above.last, id);
            match self.doc.nodes.get_mut(last as usize) {
                Some(sister) => sister.next = id,
                None => self.doc.nodes[parent as usize].first = id,
            }
        } else {
            // A second root is kept as the first one's sister, so that it is reachable; the parser notes it.
            let last = std::mem::replace(&mut self.last_root, id);
            if let Some(sister) = self.doc.nodes.get_mut(last as usize) {
                sister.next = id;
            }
        }
        let at = self.doc.attributes.len() as u32;
        let tag = if flags.payload { Tag::Other } else { tag };
        self.doc.tags |= tag.bit();
        self.with_cmd_id += usize::from(tag.has_cmd_id());
        self.doc.nodes.push(Node {
            tag,
            flags,
            highest: 0,
            namespace: 0,
            code: None,
            parent,
            first: NONE,
            last: NONE,
            next: NONE,
            below: 0,
            name,
            span,
            inner: Span { start: span.start, end: span.start },
            text: Text::None,
            attributes: (at, at),
        });
        id
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
        if let Some(id) = self.open.pop() {
            let node = &mut self.doc.nodes[id as usize];
            node.span.end = end;
            node.inner.end = content_end.max(node.inner.start);
            let has_code = node.tag.has_cmd_id();
            let text = self.doc.bytes_of(self.doc.nodes[id as usize].text);
            let is_blank = text.iter().all(is_space);
            let is_padded = !is_blank && is_padded(text);
            self.settle(id, is_blank, is_padded);
            if has_code {
                self.doc.nodes[id as usize].code = Element { doc: &self.doc, id: NodeId(id) }.read_code();
            }
        }
    }

    /// Marks a node that is whole, those around it and the document with what is seen of it.
    fn settle(&mut self, id: u32, is_blank: bool, is_padded: bool) {
        let node = &mut self.doc.nodes[id as usize];
        node.flags.padded = is_padded;
        node.flags.blank = is_blank;
        node.flags.lacking = dtd::may_lack(node.tag, node.below);
        let is_hollow = node.flags.unclosed || (node.first == NONE && is_blank);
        let parent = node.parent;
        self.doc.flags.cdata |= node.flags.cdata;
        self.doc.flags.padded |= is_padded;
        self.doc.flags.disordered |= node.flags.disordered;
        if let Some(parent) = self.doc.nodes.get_mut(parent as usize).filter(|_| is_hollow) {
            parent.flags.hollow = true;
        }
    }

    /// The innermost open element.
    pub fn current(&self) -> Option<NodeId> {
        self.open.last().map(|id| NodeId(*id))
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
        self.doc.commands = crate::syncml::view::commands_of(&self.doc);
        self.doc.flags.astray = self.with_cmd_id != self.doc.commands.len();
        self.doc
    }
}

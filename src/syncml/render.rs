//! A document as a person reads it: one element a line, two spaces a level, a leaf's text beside its name.
//!
//! In: a [`Doc`] of either form. Out: XML text with a map from each node to its place in the text, and cut-outs of it
//! ([`Snippet`]) for reports. Secrets are masked and hidden characters escaped on the way, so that whatever
//! comes out here can be printed. The text is for reading: it is not the bytes that were sent.

use std::ops::Range;

use super::doc::{Doc, Element, Form, NodeId};
use super::secret::{self, Secrets};
use crate::escape;
use crate::origin::Span;

mod snippet;

pub use snippet::Snippet;

/// Deepest level that is still indented further, so that hostile nesting cannot blow up the text.
const MAX_INDENT: usize = 40;

/// A document rendered, and where each node stands in the text.
#[derive(Debug)]
pub struct Rendering<'a> {
    doc: &'a Doc,
    secrets: Secrets,
    text: String,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// From the first `<` to the last `>`.
    whole: Span,
    /// The start tag.
    tag: Span,
}

impl<'a> Rendering<'a> {
    /// Renders a document; `show_secrets` leaves nothing masked.
    pub fn new(doc: &'a Doc, show_secrets: bool) -> Rendering<'a> {
        let secrets = if show_secrets { Secrets::shown() } else { Secrets::of(doc) };
        let mut rendering = Rendering { doc, secrets, text: String::new(), places: vec![Place::default(); doc.len()] };
        // More than one root is malformed, but all that was sent is shown.
        for root in doc.elements().filter(|element| element.parent().is_none()) {
            rendering.element(root, 0);
        }
        rendering
    }

    /// The document.
    pub fn doc(&self) -> &'a Doc {
        self.doc
    }

    /// The secrets that are masked.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The text, each line ended.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the whole element stands in the text.
    pub fn range(&self, node: NodeId) -> Range<usize> {
        self.places.get(node.0 as usize).copied().unwrap_or_default().whole.range()
    }

    /// Where its start tag stands in the text.
    pub fn tag_range(&self, node: NodeId) -> Range<usize> {
        self.places.get(node.0 as usize).copied().unwrap_or_default().tag.range()
    }

    /// The innermost element at a byte of the text.
    pub fn node_at(&self, at: usize) -> Option<NodeId> {
        let found = self.places.iter().rposition(|place| place.whole.range().contains(&at))?;
        Some(NodeId(u32::try_from(found).ok()?))
    }

    fn element(&mut self, element: Element<'a>, level: usize) {
        let start = self.line(level);
        let name = qualified_name(element);
        self.start_tag(element, &name);
        let tag_end = self.text.len();
        let text = self.secrets.text(element);
        let has_children = element.children().next().is_some();
        if has_children {
            self.container(element, text.trim(), level);
        } else if text.is_empty() && element.flags().empty_tag {
            self.text.truncate(tag_end.saturating_sub(1));
            self.text.push_str("/>");
        } else {
            push_text(&mut self.text, &text, element.flags().cdata);
        }
        if element.flags().unclosed {
            self.text.push_str("<!-- not closed -->");
        } else if has_children || !(text.is_empty() && element.flags().empty_tag) {
            self.text.extend(["</", &*name, ">"]);
        }
        let tag = Span::new(start, tag_end.max(start));
        if let Some(place) = self.places.get_mut(element.id().0 as usize) {
            *place = Place { whole: Span::new(start, self.text.len()), tag };
        }
        self.text.push('\n');
    }

    fn container(&mut self, element: Element<'a>, text: &str, level: usize) {
        self.text.push('\n');
        if !text.is_empty() {
            self.line(level + 1);
            push_text(&mut self.text, text, element.flags().cdata);
            self.text.push('\n');
        }
        for child in element.children() {
            self.element(child, level + 1);
        }
        self.line(level);
    }

    /// Indents a new line; returns where its text begins.
    fn line(&mut self, level: usize) -> usize {
        self.text.extend(std::iter::repeat_n("  ", level.min(MAX_INDENT)));
        self.text.len()
    }

    fn start_tag(&mut self, element: Element<'a>, name: &str) {
        self.text.extend(["<", name]);
        for (name, value) in self.secrets.attributes(element) {
            self.text.extend([" ", &*escape::line(name), "=\""]);
            push_escaped(&mut self.text, &escape::line(value), true);
            self.text.push('"');
        }
        // WBXML tells the namespace by a code page; text XML would have to say it.
        let above = element.parent().map(Element::namespace).unwrap_or_default();
        if self.doc.form() == Form::Wbxml && element.namespace() != above {
            self.text.extend([" xmlns=\"", &*escape::line(element.namespace()), "\""]);
        }
        self.text.push('>');
    }
}

/// The name as written, with its prefix.
fn qualified_name(element: Element<'_>) -> std::borrow::Cow<'_, str> {
    let doc = element.doc();
    if doc.form() == Form::Xml && element.flags().prefixed {
        let tag = Span { start: element.span().start.saturating_add(1), end: element.span().end }.slice(doc.bytes());
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
        let name = tag.get(..tag.iter().position(ends).unwrap_or(0)).unwrap_or_default();
        if let Ok(name) = std::str::from_utf8(name)
            && name.ends_with(element.name())
        {
            return escape::line(name);
        }
    }
    escape::line(element.name())
}

fn push_text(out: &mut String, text: &str, cdata: bool) {
    if cdata && !text.contains("]]>") && text != secret::MASK {
        out.extend(["<![CDATA[", &*escape::lines(text), "]]>"]);
    } else {
        push_escaped(out, &escape::lines(text), false);
    }
}

fn push_escaped(out: &mut String, text: &str, attribute: bool) {
    for piece in text.split_inclusive(['&', '<', '>', '"']) {
        let (before, sign) = piece.split_at(piece.len() - usize::from(piece.ends_with(['&', '<', '>', '"'])));
        let entity = match sign {
            "&" => "&amp;",
            "<" => "&lt;",
            ">" => "&gt;",
            "\"" if attribute => "&quot;",
            other => other,
        };
        out.extend([before, entity]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::syncml::Tag;
    use proptest::prelude::*;

    pub(super) fn doc(xml: &str) -> Doc {
        crate::xml::parse(&xml.as_bytes().into(), &Limits::default())
    }

    fn text(xml: &str) -> String {
        Rendering::new(&doc(xml), false).text().to_owned()
    }

    #[test]
    fn one_element_a_line() {
        let xml =
            "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><MsgID>4</MsgID><Meta/></SyncHdr><SyncBody></SyncBody></SyncML>";
        let wanted = "<SyncML xmlns=\"SYNCML:SYNCML1.2\">\n  <SyncHdr>\n    <MsgID>4</MsgID>\n    <Meta/>\n  </SyncHdr>\n  <SyncBody></SyncBody>\n</SyncML>\n";
        assert_eq!(text(xml), wanted);
    }

    #[test]
    fn text_keeps_its_meaning_and_prefixes_stay() {
        assert_eq!(
            text("<s:a xmlns:s='u'>x &lt;b&gt; &amp; y</s:a>"),
            "<s:a xmlns:s=\"u\">x &lt;b&gt; &amp; y</s:a>\n"
        );
        assert_eq!(text("<a><![CDATA[<b>]]></a>"), "<a><![CDATA[<b>]]></a>\n");
        assert_eq!(text("<a>\n  mixed\n<b>c</b></a>"), "<a>\n  mixed\n  <b>c</b>\n</a>\n");
    }

    #[test]
    fn what_is_not_closed_says_so() {
        assert_eq!(text("<a><b>c"), "<a>\n  <b>c<!-- not closed -->\n<!-- not closed -->\n");
    }

    #[test]
    fn hidden_characters_are_spelled_out() {
        assert_eq!(text("<a b='&#x9b;'>\u{1b}[2J\u{202e}x</a>"), "<a b=\"\\u{9b}\">\\u{1b}[2J\\u{202e}x</a>\n");
    }

    #[test]
    fn nodes_are_found_in_the_text() {
        let doc = doc("<SyncML><SyncHdr><MsgID>4</MsgID></SyncHdr><SyncBody><Final/></SyncBody></SyncML>");
        let rendering = Rendering::new(&doc, false);
        let header = doc.header().unwrap().0;
        let msg_id = header.child(Tag::MsgID).unwrap();
        assert_eq!(&rendering.text()[rendering.range(msg_id.id())], "<MsgID>4</MsgID>");
        assert_eq!(&rendering.text()[rendering.tag_range(header.id())], "<SyncHdr>");
        assert_eq!(rendering.node_at(rendering.range(msg_id.id()).start + 3), Some(msg_id.id()));
        assert_eq!(rendering.node_at(rendering.text().len()), None);
    }

    proptest! {
        #[test]
        fn any_document_renders_to_printable_text_that_reads_back(
            xml in "(<a>|</a>|<b c='d'>|</b>|<Final/>|x|&lt;|\u{1b}|<!\\[CDATA\\[e\\]\\]>|<| ){0,30}"
        ) {
            let first = doc(&xml);
            let rendering = Rendering::new(&first, false);
            prop_assert!(!rendering.text().chars().any(|c| escape::is_hidden(c) && c != '\n' && c != '\t'));
            let again = doc(rendering.text());
            let names = |doc: &Doc| doc.elements().map(|element| element.name().to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(names(&first), names(&again));
            for element in first.elements() {
                prop_assert!(rendering.text()[rendering.range(element.id())].starts_with('<'));
                let snippet = rendering.snippet(element.id(), Some((1, 1)));
                prop_assert!(snippet.text.get(snippet.mark.0..snippet.mark.1).is_some());
                rendering.excerpt(element.id());
            }
        }
    }
}

//! The document as text: coloured, with findings underlined. One pass over the nodes says which element a line shows.

use std::ops::Range;

use ratatui::text::{Line, Span};

use super::{Look, Marks, text, underlined};
use crate::rules::Severity;
use crate::syncml::render::Rendering;
use crate::syncml::{Doc, NodeId};
use crate::tui::theme::Theme;

/// Longest part of a line that is looked at, past what is seen: a line may be many megabytes.
const AHEAD: usize = 4096;

/// See the module's head.
pub(crate) struct Xml {
    text: String,
    /// Where lines begin.
    lines: Vec<usize>,
    /// The element of each line.
    nodes: Vec<NodeId>,
    /// Byte ranges of findings, sorted.
    marks: Vec<(Range<usize>, Severity)>,
    /// The line on which each element begins.
    first: Vec<u32>,
}

impl Xml {
    pub(super) fn new(doc: &Doc, marks: &Marks, show_secrets: bool) -> Xml {
        let rendering = Rendering::new(doc, show_secrets);
        let text = rendering.text().to_owned();
        let mut lines = vec![0];
        lines.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        lines.pop_if(|last| *last >= text.len());
        let line_at = |at: usize| lines.partition_point(|start| *start <= at).saturating_sub(1);
        let mut nodes = vec![None; lines.len()];
        let mut first = Vec::with_capacity(doc.len());
        for element in doc.elements() {
            let range = rendering.range(element.id());
            let (start, end) = (line_at(range.start), line_at(range.end.saturating_sub(1)));
            first.push(u32::try_from(start).unwrap_or(u32::MAX));
            for line in [start, end] {
                // A line that begins one element and ends it belongs to it alone.
                if let Some(free) = nodes.get_mut(line).filter(|known| known.is_none() || line == start) {
                    *free = Some(element.id());
                }
            }
        }
        let mut last = NodeId(0);
        let nodes = nodes.into_iter().map(|node| {
            last = node.unwrap_or(last);
            last
        });
        let nodes = nodes.collect();
        let mut marked: Vec<(Range<usize>, Severity)> = marks
            .iter()
            .filter_map(|(span, node, severity)| {
                let node = node.or_else(|| doc.element_at(span.start).map(|element| element.id()))?;
                let whole = rendering.range(node);
                let one_line = text.get(whole.clone()).is_some_and(|element| !element.contains('\n'));
                Some((if one_line { whole } else { rendering.tag_range(node) }, *severity))
            })
            .collect();
        marked.sort_by_key(|(range, severity)| (range.start, range.end, *severity));
        Xml { text, lines, nodes, marks: marked, first }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn node(&self, line: usize) -> Option<NodeId> {
        self.nodes.get(line).copied()
    }

    pub(super) fn line_of(&self, node: NodeId) -> Option<usize> {
        self.first.get(node.0 as usize).map(|line| *line as usize)
    }

    pub(super) fn line(&self, at: usize, until: usize, look: &Look<'_>) -> Line<'static> {
        let Some(start) = self.lines.get(at).copied() else { return Line::default() };
        let end = self.lines.get(at + 1).map_or(self.text.len(), |next| next - 1);
        let mut end = end.min(start.saturating_add(until.saturating_mul(4)).saturating_add(AHEAD));
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let line = coloured(self.text.get(start..end).unwrap_or_default().trim_end_matches('\n'), look.theme);
        let first = self.marks.partition_point(|(range, _)| range.end <= start);
        let here = self.marks.get(first..).unwrap_or_default().iter().take_while(|(range, _)| range.start < end);
        here.fold(line, |line, (range, severity)| {
            let place = range.start.saturating_sub(start)..range.end.saturating_sub(start);
            text::restyled(line, &[place], |old| underlined(old.patch(look.theme.severity(*severity))))
        })
    }
}

/// The parts of a line of markup in their colours.
fn coloured(line: &str, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let mut rest = line;
    let mut push = |text: &str, style| {
        if !text.is_empty() {
            spans.push(Span::styled(text.replace('\t', "    "), style));
        }
    };
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        push(before, theme.value);
        let (close, is_tag) = match tag {
            comment if comment.starts_with("<!--") => (comment.find("-->").map(|at| at + 3), false),
            data if data.starts_with("<![CDATA[") => (Some("<![CDATA[".len()), false),
            tag => (tag.find('>').map(|at| at + 1), true),
        };
        let (tag, after) = tag.split_at(close.unwrap_or(tag.len()));
        if is_tag {
            attributes(tag, theme, &mut push)
        } else {
            push(tag, theme.dim)
        }
        rest = after;
    }
    push(rest, theme.value);
    Line::from(spans)
}

fn attributes(tag: &str, theme: &Theme, push: &mut impl FnMut(&str, ratatui::style::Style)) {
    let name = tag.find([' ', '>']).unwrap_or(tag.len());
    let (name, mut rest) = tag.split_at(name);
    push(name, theme.element);
    while let Some(equals) = rest.find("=\"") {
        let (name, value) = rest.split_at(equals);
        let end = value.get(2..).and_then(|value| value.find('"')).map_or(value.len(), |at| at + 3);
        let (value, after) = value.split_at(end);
        push(name, theme.name_style);
        push(value, theme.value);
        rest = after;
    }
    push(rest, theme.element);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn doc(xml: &str) -> Doc {
        crate::xml::parse(&xml.as_bytes().into(), &Limits::default())
    }

    fn shown(page: &Xml, line: usize) -> Line<'static> {
        page.line(line, 100, &Look { theme: &Theme::dark(), node: None, needle: None })
    }

    fn plain(line: &Line<'_>) -> String {
        line.spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn lines_know_their_element() {
        let doc = doc("<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><MsgID>4</MsgID></SyncHdr><SyncBody/></SyncML>");
        let page = Xml::new(&doc, &Vec::new(), false);
        let lines: Vec<String> = (0..page.len()).map(|line| plain(&shown(&page, line))).collect();
        assert_eq!(lines[2], "    <MsgID>4</MsgID>");
        let names: Vec<&str> =
            (0..page.len()).map(|line| doc.element(page.node(line).unwrap()).unwrap().name()).collect();
        assert_eq!(names, ["SyncML", "SyncHdr", "MsgID", "SyncHdr", "SyncBody", "SyncML"]);
        assert_eq!(page.line_of(NodeId(2)), Some(2));
    }

    #[test]
    fn a_finding_is_underlined() {
        let doc = doc("<SyncML><SyncHdr><MsgID>4</MsgID></SyncHdr></SyncML>");
        let page = Xml::new(&doc, &vec![(Span::default(), Some(NodeId(2)), Severity::Error)], false);
        let line = shown(&page, 2);
        let marked: Vec<_> = line.spans.iter().filter(|span| span.style == underlined(span.style)).collect();
        assert_eq!(marked.iter().map(|span| span.content.as_ref()).collect::<String>(), "<MsgID>4</MsgID>");
        assert_eq!(plain(&line), "    <MsgID>4</MsgID>");
    }

    use crate::origin::Span;

    #[test]
    fn colours_do_not_change_the_text() {
        for text in ["<a b=\"c\" d=\"e\">x &lt; y</a>", "<!-- <a> -->", "<![CDATA[<b>]]>", "a < b", "<a b=\"", "<", ""]
        {
            assert_eq!(plain(&coloured(text, &Theme::dark())), text);
        }
    }
}

//! Cut-outs of a document with a part to underline: what a finding shows.
//!
//! An element of a text file whose lines are short is shown as it stands there, with the file's line numbers; any
//! other element from the rendering. Markup that is no element (a syntax error) is shown from the bytes.

use std::ops::Range;

use super::Rendering;
use crate::escape;
use crate::origin::Span;
use crate::syncml::doc::{Form, NodeId};
use crate::syncml::secret::MASK;

/// Some lines of a document. Secrets are masked, hidden characters escaped, long lines cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The lines, joined by `\n`.
    pub text: String,
    /// Number of the first line in the file; `None` when the lines are those of a rendering.
    pub first_line: Option<u32>,
    /// What to underline: byte range in `text`, within one line.
    pub mark: (usize, usize),
}

/// Lines shown before the marked one, and behind it.
const CONTEXT: (usize, usize) = (2, 1);
/// Longest line that is shown whole, in bytes.
const MAX_LINE: usize = 160;
/// Longest excerpt, in characters.
const MAX_EXCERPT: usize = 200;

impl Rendering<'_> {
    /// The lines around an element. `position` is that of the document's first byte in its file, for text inputs.
    pub fn snippet(&self, node: NodeId, position: Option<(u32, u32)>) -> Snippet {
        let source = position.filter(|_| self.doc.is_exact() && self.doc.form() == Form::Xml);
        if let (Some(position), Some(element)) = (source, self.doc.element(node)) {
            let line = line_around(self.doc.bytes(), element.span().start as usize);
            if line.len() <= MAX_LINE {
                let end = element.span().end.min(Span::new(0, line.end).end);
                return self.source_snippet(Span { start: element.span().start, end }, Some(position));
            }
        }
        self.rendered_snippet(node)
    }

    /// The element on one line, for lists and machine-readable reports.
    pub fn excerpt(&self, node: NodeId) -> String {
        let text = self.text.get(self.range(node)).unwrap_or_default();
        let joined: String = text.lines().map(str::trim_start).take(MAX_EXCERPT).collect();
        escape::shorten(&joined, MAX_EXCERPT).into_owned()
    }

    /// The bytes of a span on one line, for places that are no element.
    pub fn source_excerpt(&self, span: Span) -> String {
        let end = span.end.min(span.start.saturating_add(MAX_EXCERPT as u32 * 4));
        let text = self.masked(span.range().start..end as usize, &self.secrets.spans(self.doc));
        escape::shorten(&text, MAX_EXCERPT).into_owned()
    }

    fn rendered_snippet(&self, node: NodeId) -> Snippet {
        let range = self.range(node);
        let lines = lines_around(self.text.as_bytes(), range.start);
        let window = self.text.get(lines.clone()).unwrap_or_default().trim_end_matches('\n');
        let dedent = window.lines().map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0);
        let mut snippet = Snippet::default();
        let mut at = lines.start;
        for line in window.split('\n') {
            let shown = shorten_line(line.get(dedent..).unwrap_or_default());
            if (at..at + line.len()).contains(&range.start) {
                let start = snippet.text.len() + (range.start - at).saturating_sub(dedent);
                let len = range.end.min(at + line.len()) - range.start;
                snippet.mark = (start, (start + len).min(snippet.text.len() + shown.len()));
            }
            snippet.text.extend([&*shown, "\n"]);
            at += line.len() + 1;
        }
        snippet.text.pop();
        snippet
    }

    /// The bytes around a span, as they were sent, with line numbers where the document's position is known.
    pub fn source_snippet(&self, span: Span, position: Option<(u32, u32)>) -> Snippet {
        let bytes = self.doc.bytes();
        let start = (span.start as usize).min(bytes.len());
        let line = line_around(bytes, start);
        let long = line.len() > MAX_LINE;
        let lines = if long { cut_around(bytes, line, start) } else { lines_around(bytes, start) };
        let line_end = lines.start
            + memchr::memchr(b'\n', bytes.get(start..lines.end).unwrap_or_default())
                .map_or(lines.end - lines.start, |at| start + at - lines.start);
        let end = (span.end as usize).clamp(start, line_end);
        let secrets = self.secrets.spans(self.doc);
        // A mask is marked whole, so that it stands there once.
        let touched = secrets.iter().filter(|secret| secret.overlaps(Span::new(start, end)));
        let (start, end) = touched.fold((start, end), |(start, end), secret| {
            (start.min(secret.range().start.max(lines.start)), end.max(secret.range().end.min(line_end)))
        });
        let before = self.masked(lines.start..start, &secrets);
        let marked = self.masked(start..end, &secrets);
        let after = self.masked(end..lines.end, &secrets);
        let mark = (before.len(), before.len() + marked.len());
        let text = [before, marked, after].concat().trim_end_matches('\n').to_owned();
        let above = memchr::memchr_iter(b'\n', bytes.get(..lines.start).unwrap_or_default()).count();
        let first_line = position.filter(|_| !long).map(|(line, _)| line.saturating_add(Span::new(0, above).end));
        Snippet { mark: (mark.0.min(text.len()), mark.1.min(text.len())), text, first_line }
    }

    /// Bytes of the document as text, its secrets masked.
    fn masked(&self, range: Range<usize>, secrets: &[Span]) -> String {
        let bytes = self.doc.bytes();
        let mut out = String::new();
        let mut at = range.start;
        let show = |out: &mut String, range: Range<usize>| {
            let text = String::from_utf8_lossy(bytes.get(range).unwrap_or_default());
            out.push_str(&escape::lines(text.strip_suffix('\r').unwrap_or(&text)));
        };
        for secret in secrets.iter().map(|span| span.range()) {
            if secret.end <= at || secret.start >= range.end {
                continue;
            }
            show(&mut out, at..secret.start.max(at));
            out.push_str(MASK);
            at = secret.end.min(range.end);
        }
        show(&mut out, at..range.end);
        out.replace("\\r\n", "\n")
    }
}

/// The line that holds byte `at`, its line feed not included.
fn line_around(text: &[u8], at: usize) -> Range<usize> {
    let at = at.min(text.len());
    let start = memchr::memrchr(b'\n', text.get(..at).unwrap_or_default()).map_or(0, |found| found + 1);
    let end = memchr::memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |found| at + found);
    start..end
}

/// That line and those around it that are short.
fn lines_around(text: &[u8], at: usize) -> Range<usize> {
    let mut lines = line_around(text, at);
    for _ in 0..CONTEXT.0 {
        let above = line_around(text, lines.start.saturating_sub(1));
        if lines.start == 0 || above.len() > MAX_LINE {
            break;
        }
        lines.start = above.start;
    }
    for _ in 0..CONTEXT.1 {
        let below = line_around(text, lines.end + 1);
        if lines.end + 1 >= text.len() || below.len() > MAX_LINE {
            break;
        }
        lines.end = below.end;
    }
    lines
}

/// A part of a long line: a little before byte `at`, more behind it, whole characters.
fn cut_around(text: &[u8], line: Range<usize>, at: usize) -> Range<usize> {
    let inside = |byte: &u8| byte & 0xC0 == 0x80;
    let mut start = at.saturating_sub(MAX_LINE / 4).max(line.start);
    while start > line.start && text.get(start).is_some_and(inside) {
        start -= 1;
    }
    let mut end = (start + MAX_LINE * 3 / 4).clamp(at.min(line.end), line.end);
    while end < line.end && text.get(end).is_some_and(inside) {
        end += 1;
    }
    start..end
}

fn shorten_line(line: &str) -> std::borrow::Cow<'_, str> {
    if line.len() <= MAX_LINE { line.into() } else { escape::shorten(line, MAX_LINE * 3 / 4) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::doc;
    use super::*;
    use crate::syncml::Tag;

    const ONE_LINE: &str =
        "<SyncML><SyncHdr><VerDTD>1.2</VerDTD><MsgID>4</MsgID></SyncHdr><SyncBody><Final/></SyncBody></SyncML>";

    fn marked(snippet: &Snippet) -> &str {
        &snippet.text[snippet.mark.0..snippet.mark.1]
    }

    #[test]
    fn an_element_of_a_capture_is_shown_as_rendered() {
        let doc = doc(ONE_LINE);
        let msg_id = doc.header().unwrap().0.child(Tag::MsgID).unwrap();
        let snippet = Rendering::new(&doc, false).snippet(msg_id.id(), None);
        assert_eq!(snippet.text, "<SyncHdr>\n  <VerDTD>1.2</VerDTD>\n  <MsgID>4</MsgID>\n</SyncHdr>");
        assert_eq!((marked(&snippet), snippet.first_line), ("<MsgID>4</MsgID>", None));
    }

    #[test]
    fn an_element_of_a_file_with_short_lines_is_shown_with_the_numbers_of_the_file() {
        let doc = doc("<SyncML>\r\n  <SyncHdr>\r\n    <MsgID>\r\n4</MsgID>\r\n  </SyncHdr>\r\n</SyncML>\r\n");
        let rendering = Rendering::new(&doc, false);
        let msg_id = doc.header().unwrap().0.child(Tag::MsgID).unwrap();
        let snippet = rendering.snippet(msg_id.id(), Some((10, 1)));
        assert_eq!(snippet.text, "<SyncML>\n  <SyncHdr>\n    <MsgID>\n4</MsgID>");
        assert_eq!((marked(&snippet), snippet.first_line), ("<MsgID>", Some(10)));
        assert_eq!(rendering.excerpt(msg_id.id()), "<MsgID>4</MsgID>");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let xml = format!("<a>{}<b>ä</c>{}</a>", "ö".repeat(500), "ü".repeat(500));
        let at = xml.find("</c>").unwrap();
        let snippet = Rendering::new(&doc(&xml), false).source_snippet(Span::new(at, at + 4), Some((1, 1)));
        assert_eq!((marked(&snippet), snippet.first_line), ("</c>", None));
        assert!(snippet.text.len() < 200 && snippet.text.starts_with('ö') && snippet.text.ends_with('ü'));
    }

    #[test]
    fn secrets_are_masked_in_every_view() {
        let doc = doc("<Cred>\n<Meta><Type>syncml:auth-basic</Type></Meta>\n<Data>QWxhZGRpbg==</Data>\n</Cred>");
        let rendering = Rendering::new(&doc, false);
        let data = doc.elements().find(|element| element.tag() == Tag::Data).unwrap();
        for position in [None, Some((1, 1))] {
            let snippet = rendering.snippet(data.id(), position);
            assert_eq!(marked(&snippet), "<Data>********</Data>");
        }
        assert_eq!(rendering.excerpt(data.id()), "<Data>********</Data>");
        assert_eq!(rendering.source_excerpt(data.span()), "<Data>********</Data>");
        let inside = Span { start: data.inner().start + 2, end: data.inner().start + 4 };
        let snippet = rendering.source_snippet(inside, None);
        assert_eq!((marked(&snippet), snippet.text.matches('*').count()), ("********", 8));
        assert!(Rendering::new(&doc, true).text().contains("QWxhZGRpbg=="));
    }
}

//! Finds SyncML, SOAP and provisioning documents in any text.
//!
//! In: a text in an ASCII superset. Out: each document's place, in order, and how it ended. One pass: every byte is
//! looked at a bounded number of times, whatever the text holds. Nothing is kept but where the open documents start.
//!
//! A document ends where its root's end tag stands, counting roots nested in it: Microsoft's own samples hold whole
//! messages in `Data` without escaping them. A root that begins elsewhere than in `Data` is a new document, and
//! the one before it was cut.

use memchr::memmem;

use super::scan::{self, Next, Root};

/// Roots nested deeper than this are taken as new documents.
const MAX_NESTED: usize = 32;

/// The comment that SyncML Viewer puts where it closes a message that event tracing cut at 64 KiB.
const CUT_MARK: &[u8] = b"<!-- ignore this line, closing SyncML tag added";

/// How the end of a document was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By its end tag.
    Closed,
    /// Another document or the end of the text came first.
    Missing,
    /// The recording tool says that it cut it here.
    CutByTool,
}

/// A document in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Offset of its `<`, or of the XML declaration that belongs to it.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// How it ended.
    pub ending: Ending,
    /// Whether quotes in it stand behind backslashes, as in a JSON or Go string.
    pub escaped: bool,
}

/// Calls `out` for each document of `text`, in order.
pub fn carve(text: &[u8], out: &mut dyn FnMut(Found)) {
    let mut carver = Carver {
        text,
        open: Vec::new(),
        document: None,
        prolog: None,
        data: None,
        comment_end: Next::new(b"-->"),
        cdata_end: Next::new(b"]]>"),
        cut_mark: Next::new(CUT_MARK),
        out,
    };
    carver.run();
}

/// A document whose end was not met yet.
#[derive(Clone, Copy)]
struct Open {
    start: usize,
    /// Where its root's start tag ends.
    content: usize,
    escaped: bool,
}

struct Carver<'a, 'o> {
    text: &'a [u8],
    /// The roots open now; the first is the document's.
    open: Vec<Root>,
    document: Option<Open>,
    /// An XML declaration or DOCTYPE that may belong to a root: its start, and where what was read of it ends.
    prolog: Option<(usize, usize)>,
    /// Where the start tag of a `Data` ended, if nothing but blanks and comments came since.
    data: Option<usize>,
    comment_end: Next,
    cdata_end: Next,
    cut_mark: Next,
    out: &'o mut dyn FnMut(Found),
}

impl Carver<'_, '_> {
    fn run(&mut self) {
        let mut at = 0;
        while let Some(found) = self.text.get(at..).and_then(|rest| memchr::memchr(b'<', rest)) {
            at = self.markup(at + found);
        }
        self.cut(self.text.len());
    }

    /// Reads the markup at `at` and says where to go on.
    fn markup(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        match rest {
            [b'<', b'!', b'-', b'-', ..] => self.comment(at),
            [b'<', b'!', b'[', ..] if rest.starts_with(b"<![CDATA[") => self.cdata(at),
            [b'<', b'!', ..] => self.declaration(at, scan::doctype_end(self.text, at)),
            [b'<', b'?', ..] => self.declaration(at, scan::instruction_end(self.text, at)),
            [b'<', b'/', ..] => self.end_tag(at, at + 2),
            [b'<', b'\\', b'/', ..] => self.end_tag(at, at + 3),
            _ => self.start_tag(at),
        }
    }

    fn comment(&mut self, at: usize) -> usize {
        if self.text.get(at..).is_some_and(|rest| rest.starts_with(CUT_MARK)) {
            self.emit(at, Ending::CutByTool);
        }
        if self.document.is_none() && self.prolog.is_none() {
            return at + 1;
        }
        self.skip(at, |carver| &mut carver.comment_end)
    }

    fn cdata(&mut self, at: usize) -> usize {
        if self.document.is_none() {
            return at + 1;
        }
        self.skip(at, |carver| &mut carver.cdata_end)
    }

    /// Goes behind the end of a comment or CDATA section; only past its first byte when it has no end.
    fn skip(&mut self, at: usize, which: impl Fn(&mut Self) -> &mut Next) -> usize {
        let text = self.text;
        let cut = self.cut_mark.from(text, at + 1);
        let end = which(self).from(text, at + 4).filter(|end| cut.is_none_or(|cut| *end < cut));
        let Some(end) = end else { return cut.unwrap_or(at + 1) };
        let end = end + 3;
        self.prolog = self.prolog.filter(|(_, to)| self.blank(*to, at)).map(|(from, _)| (from, end));
        self.data = self.data.filter(|from| self.blank(*from, at)).map(|_| end);
        end
    }

    /// An XML declaration, another processing instruction or a DOCTYPE.
    fn declaration(&mut self, at: usize, end: Option<usize>) -> usize {
        let Some(end) = end else { return at + 1 };
        let before = self.prolog.filter(|(_, to)| self.blank(*to, at));
        self.prolog = Some((before.map_or(at, |(from, _)| from), end));
        self.data = self.data.filter(|from| self.blank(*from, at)).map(|_| end);
        end
    }

    fn start_tag(&mut self, at: usize) -> usize {
        let Some(tag) = scan::start_tag(self.text, at) else { return at + 1 };
        let in_data = self.data.take().is_some_and(|from| self.blank(from, at));
        let prolog = self.prolog.take();
        let Some(root) = tag.root else {
            self.data = (scan::local(tag.name) == b"Data" && !tag.empty).then_some(tag.end);
            return tag.end;
        };
        if !self.open.is_empty() && in_data && self.open.len() < MAX_NESTED {
            if !tag.empty {
                self.open.push(root);
            }
            return tag.end;
        }
        let start = prolog.filter(|(_, to)| self.blank(*to, at)).map_or(at, |(from, _)| from);
        self.cut(start);
        self.document = Some(Open { start, content: tag.end, escaped: tag.escaped });
        self.open.push(root);
        if tag.empty {
            self.emit(tag.end, Ending::Closed);
        }
        tag.end
    }

    fn end_tag(&mut self, at: usize, name_at: usize) -> usize {
        self.data = None;
        self.prolog = None;
        let Some((name, end)) = scan::end_tag(self.text, name_at) else { return at + 1 };
        let Some(root) = Root::of(name) else { return end };
        if let Some(depth) = self.open.iter().rposition(|open| *open == root) {
            self.open.truncate(depth);
            if depth == 0 {
                self.emit(end, Ending::Closed);
            }
        }
        end
    }

    /// Ends the open document, if there is one, before `next`, where another begins or the text ends.
    fn cut(&mut self, next: usize) {
        let Some(open) = self.document else { return };
        let content = self.text.get(open.content..next).unwrap_or_default();
        let is_document = matches!(content.trim_ascii_start(), [b'<', b'A'..=b'Z' | b'a'..=b'z' | b'!', ..]);
        let line = if next < self.text.len() { memchr::memrchr(b'\n', content) } else { None };
        let end = line.map_or(next, |line| open.content + line);
        if is_document {
            self.emit(end, Ending::Missing);
        }
        self.document = None;
        self.open.clear();
    }

    fn emit(&mut self, end: usize, ending: Ending) {
        self.open.clear();
        let Some(Open { start, escaped, .. }) = self.document.take() else { return };
        let trimmed = self.text.get(start..end).unwrap_or_default().trim_ascii_end().len();
        (self.out)(Found { start, end: start + trimmed, ending, escaped });
    }

    fn blank(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).is_some_and(|between| between.trim_ascii().is_empty())
    }
}

/// Whether a document begins somewhere in `text`.
pub fn holds_document(text: &[u8]) -> bool {
    let roots: [&[u8]; 4] = [b"yncML", b"YNCML", b"Envelope", b"wap-provisioningdoc"];
    let starts = |name: &[u8]| {
        memmem::find_iter(text, name).any(|at| {
            let before = text.get(at.saturating_sub(24)..at).unwrap_or_default();
            let tag = memchr::memrchr(b'<', before).map(|back| at - (before.len() - back));
            tag.and_then(|tag| scan::start_tag(text, tag)).is_some_and(|tag| tag.root.is_some())
        })
    };
    roots.into_iter().any(starts)
}

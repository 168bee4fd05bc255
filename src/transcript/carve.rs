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
        let line = if next < self.text.len() { memchr::memrchr(b'\n', content) } else { None };
        self.emit(line.map_or(next, |line| open.content + line), Ending::Missing);
    }

    fn emit(&mut self, end: usize, ending: Ending) {
        self.open.clear();
        let Some(Open { start, content, escaped }) = self.document.take() else { return };
        // Prose names elements as documents do; but what follows a document's root is markup.
        let content = self.text.get(content..end).unwrap_or_default().trim_ascii_start();
        let is_document = match content {
            [b'<', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'!' | b'?', ..] => true,
            [] | [b'<', ..] => ending == Ending::Closed,
            // A line feed in a quoted string.
            [b'\\', ..] => escaped,
            _ => false,
        };
        if !is_document {
            return;
        }
        let trimmed = self.text.get(start..end).unwrap_or_default().trim_ascii_end().len();
        (self.out)(Found { start, end: start + trimmed, ending, escaped });
    }

    fn blank(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).is_some_and(|between| between.trim_ascii().is_empty())
    }
}

/// Whether a document begins somewhere in `text`, also in a string where `<` is written `\u003c`.
pub fn holds_document(text: &[u8]) -> bool {
    const PREFIX: usize = 24;
    let roots: [&[u8]; 4] = [b"yncML", b"YNCML", b"Envelope", b"wap-provisioningdoc"];
    let starts = |at: usize| {
        let before = text.get(at.saturating_sub(PREFIX)..at).unwrap_or_default();
        match memchr::memrchr(b'<', before) {
            Some(back) => scan::start_tag(text, at - (before.len() - back)).is_some_and(|tag| tag.root.is_some()),
            None => memmem::rfind(before, b"\\u003")
                .is_some_and(|back| !before.iter().skip(back).any(u8::is_ascii_whitespace)),
        }
    };
    roots.into_iter().any(|name| memmem::find_iter(text, name).any(starts))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents of a text, those without their end marked with `~`, those that a tool cut with `!`.
    fn all(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        carve(text.as_bytes(), &mut |document| {
            let mark = match document.ending {
                Ending::Closed => "",
                Ending::Missing => "~",
                Ending::CutByTool => "!",
            };
            found.push(format!("{mark}{}", &text[document.start..document.end]));
        });
        found
    }

    #[test]
    fn documents_are_found_anywhere_in_a_line() {
        let text = "a > b <SyncML><SyncHdr/></SyncML> x <d:syncml a='>'><b/></d:syncml><wap-provisioningdoc/>\n\
            - <?xml version=\"1.0\"?>\n<!DOCTYPE SyncML>\n <SyncML >\n</SyncML >, <s:Envelope></s:Envelope>";
        assert_eq!(
            all(text),
            [
                "<SyncML><SyncHdr/></SyncML>",
                "<d:syncml a='>'><b/></d:syncml>",
                "<wap-provisioningdoc/>",
                "<?xml version=\"1.0\"?>\n<!DOCTYPE SyncML>\n <SyncML >\n</SyncML >",
                "<s:Envelope></s:Envelope>"
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_document_is_left_alone() {
        for text in [
            "&lt;SyncML&gt;&lt;/SyncML&gt;",
            "the <SyncML> element and </SyncML> again",
            "the <SyncML> element, the <SyncML> element",
            "<?xml version='1.0'?> and then <a/> </SyncML>",
            "<SyncMLX></SyncMLX> <Envelope><b/></Envelope>",
            "<SyncML",
        ] {
            assert!(all(text).is_empty(), "{text}: {:?}", all(text));
        }
    }

    #[test]
    fn end_tags_in_comments_cdata_and_payload_do_not_count() {
        for inner in [
            "<!-- </SyncML> -->",
            "<Data><![CDATA[</SyncML><SyncML>]]></Data>",
            "<Data>\n <SyncML><SyncBody/></SyncML></Data>",
            "<Data><?xml version='1.0'?><!-- a --><SyncML><b><Data><SyncML></SyncML></Data></b></SyncML></Data>",
            "<m:Data><wap-provisioningdoc></wap-provisioningdoc></m:Data>",
        ] {
            let text = format!("<SyncML><a>{inner}</a></SyncML>");
            assert_eq!(all(&format!("x {text} y")), [text]);
        }
    }

    #[test]
    fn a_document_without_its_end_stops_where_the_next_begins() {
        let text = "1: <SyncML><SyncHdr><MsgID>1</Ms\n2: <SyncML><SyncHdr/></SyncML>\n3: <SyncML><SyncBody>\n";
        assert_eq!(all(text), ["~<SyncML><SyncHdr><MsgID>1</Ms", "<SyncML><SyncHdr/></SyncML>", "~<SyncML><SyncBody>"]);
        assert_eq!(
            all("<SyncML><a><![CDATA[ <SyncML><b/></SyncML>"),
            ["~<SyncML><a><![CDATA[", "<SyncML><b/></SyncML>"]
        );
    }

    #[test]
    fn a_tools_cut_ends_the_document_before_its_mark() {
        let mark = format!("\n{CUT_MARK}, to be read -->", CUT_MARK = std::str::from_utf8(CUT_MARK).unwrap());
        for (inner, kept) in
            [("<Data>ab", "<Data>ab"), ("<Format xmlns=\"syn", "<Format xmlns=\"syn"), ("<![CDATA[a", "<![CDATA[a")]
        {
            let text = format!("<SyncML><a>{inner}{mark}</SyncML>\n<SyncML><b>]]></b></SyncML>");
            assert_eq!(all(&text), [format!("!<SyncML><a>{kept}"), "<SyncML><b>]]></b></SyncML>".to_owned()]);
        }
    }

    #[test]
    fn escaped_quotes_are_told() {
        let mut escaped = Vec::new();
        carve(br#"{"msg":"<SyncML xmlns=\"a>\"><b/><\/SyncML>"} <SyncML a="b"/>"#, &mut |found| {
            escaped.push(found.escaped)
        });
        assert_eq!(escaped, [true, false]);
    }

    #[test]
    fn hostile_text_takes_one_pass() {
        let pieces = ["<SyncML><a", "<SyncML a=\"", "<!--", "<SyncML><![CDATA[", "<?xml ", "<!DOCTYPE a [", "yncML"];
        let start = std::time::Instant::now();
        for piece in pieces {
            let text = piece.repeat(200_000 / piece.len());
            carve(text.as_bytes(), &mut |_| {});
            holds_document(text.as_bytes());
        }
        assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    }
}

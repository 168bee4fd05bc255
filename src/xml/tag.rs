//! The inside of a start tag: its name, and its attributes one after the other.
//!
//! In: bytes between `<` and `>`. Out: spans. What is no XML is a [`Fault`], after which the scan goes on as well
//! as it can, so that one missing quote does not lose the element.

use crate::origin::Span;

/// One attribute as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: Span,
    pub(super) value: Span,
}

/// What the scan meets next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An attribute.
    Attribute(Attribute),
    /// Something that is not XML: where, and what. The scan goes on.
    Fault(Span, String),
    /// A `<` where none can be: another tag begins here, this one was never closed.
    Cut(usize),
}

/// Walks over the attributes of a tag.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    pending: Option<Attribute>,
}

/// Classes of bytes: bit 0 begins a name, bit 1 goes on in one, bit 2 is white space. Beyond ASCII all is taken for a
/// name: the few code points that XML forbids there do no harm.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80.. => 3,
            b'0'..=b'9' | b'-' | b'.' => 2,
            b' ' | b'\t' | b'\r' | b'\n' => 4,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

/// Whether a byte can begin a name.
pub(super) fn starts_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & 1 != 0
}

/// Whether a byte goes on in a name.
pub(super) fn in_name(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & 2 != 0
}

/// Whether a byte is white space.
pub(super) fn is_space(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & 4 != 0
}

/// End of the name that begins at `at`; `at` itself when none does.
pub(super) fn name_end(bytes: &[u8], at: usize, end: usize) -> usize {
    let rest = bytes.get(at..end).unwrap_or_default();
    match rest.first() {
        Some(first) if starts_name(*first) => at + rest.iter().position(|byte| !in_name(*byte)).unwrap_or(rest.len()),
        _ => at,
    }
}

/// Where a start tag ends, behind its `>`, from the end of its name on; `None` where nothing closes it.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    if bytes.get(at) == Some(&b'>') {
        return Some(at + 1);
    }
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', bytes.get(at..)?)?;
        match bytes.get(found)? {
            b'>' => return Some(found + 1),
            quote => at = found + 2 + memchr::memchr(*quote, bytes.get(found + 1..)?)?,
        }
    }
}

impl<'a> Scan<'a> {
    /// Over `bytes[at..end]`, from behind the element's name.
    pub(super) fn new(bytes: &'a [u8], at: usize, end: usize) -> Scan<'a> {
        Scan { bytes, at, end, pending: None }
    }

    fn peek(&self) -> Option<u8> {
        if self.at < self.end { self.bytes.get(self.at).copied() } else { None }
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> Span {
        let from = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        Span::new(from, self.at)
    }

    fn text(&self, span: Span) -> String {
        String::from_utf8_lossy(span.slice(self.bytes)).chars().take(40).collect()
    }

    fn attribute(&mut self, name: Span) -> Step {
        self.skip(is_space);
        if self.peek() != Some(b'=') {
            self.at = name.end as usize;
            return Step::Fault(name, format!("attribute {} has no value", self.text(name)));
        }
        self.at += 1;
        self.skip(is_space);
        let Some(quote @ (b'"' | b'\'')) = self.peek() else {
            let value = self.skip(|byte| !is_space(byte) && byte != b'<');
            self.pending = Some(Attribute { name, value });
            let span = Span { start: name.start, end: value.end };
            return Step::Fault(span, format!("the value of attribute {} is not in quotes", self.text(name)));
        };
        self.quoted(name, quote)
    }

    fn quoted(&mut self, name: Span, quote: u8) -> Step {
        let from = self.at + 1;
        let rest = self.bytes.get(from..self.end).unwrap_or_default();
        let less = memchr::memchr(b'<', rest);
        let closed = memchr::memchr(quote, rest);
        // A quote that closes a value stands before white space or the end: else it opens the next one, and this one's is missing.
        let sound = closed.is_some_and(|len| rest.get(len + 1).is_none_or(|byte| is_space(*byte) || *byte == b'?'));
        match (closed, less) {
            (Some(len), Some(less)) if less < len && sound => {
                self.at = from + len + 1;
                self.pending = Some(Attribute { name, value: Span::new(from, from + len) });
                let detail = format!("`<` in the value of attribute {}", self.text(name));
                Step::Fault(Span::new(from + less, from + less + 1), detail)
            }
            (Some(len), None) => self.value(name, from, len),
            (Some(len), Some(less)) if len < less => self.value(name, from, len),
            (_, Some(less)) => {
                self.at = self.end;
                Step::Cut(from + less)
            }
            (None, None) => {
                self.at = self.end;
                self.pending = Some(Attribute { name, value: Span::new(from, self.end) });
                Step::Fault(name, format!("the value of attribute {} has no closing quote", self.text(name)))
            }
        }
    }

    fn value(&mut self, name: Span, from: usize, len: usize) -> Step {
        self.at = from + len + 1;
        Step::Attribute(Attribute { name, value: Span::new(from, from + len) })
    }
}

impl Iterator for Scan<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if let Some(attribute) = self.pending.take() {
            return Some(Step::Attribute(attribute));
        }
        let spaced = !self.skip(is_space).is_empty();
        let first = self.peek()?;
        if first == b'<' {
            let at = self.at;
            self.at = self.end;
            return Some(Step::Cut(at));
        }
        if starts_name(first) && spaced {
            let name = Span::new(self.at, name_end(self.bytes, self.at, self.end));
            self.at = name.end as usize;
            return Some(self.attribute(name));
        }
        if starts_name(first) {
            let before = self.at;
            let name = Span::new(self.at, name_end(self.bytes, self.at, self.end));
            self.at = name.end as usize;
            match self.attribute(name) {
                Step::Attribute(attribute) => self.pending = Some(attribute),
                other => return Some(other),
            }
            return Some(Step::Fault(
                Span::new(before, before + 1),
                "white space is missing before an attribute".into(),
            ));
        }
        let junk = self.skip(|byte| !is_space(byte) && !starts_name(byte) && byte != b'<');
        Some(Step::Fault(junk, format!("{:?} in a tag", self.text(junk))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(tag: &str) -> Vec<String> {
        let scan = Scan::new(tag.as_bytes(), name_end(tag.as_bytes(), 0, tag.len()), tag.len());
        let text = |span: Span| std::str::from_utf8(span.slice(tag.as_bytes())).unwrap();
        let show = |step| match step {
            Step::Attribute(attribute) => format!("{}={}", text(attribute.name), text(attribute.value)),
            Step::Fault(span, detail) => format!("{}: {detail}", span.start),
            Step::Cut(at) => format!("cut {at}"),
        };
        scan.map(show).collect()
    }

    #[test]
    fn a_tag_ends_outside_of_quotes() {
        assert_eq!((end(b"<a>b>", 2), end(b"<a b='>' c=\">\"/>", 2)), (Some(3), Some(16)));
        assert_eq!((end(b"<a b='>", 2), end(b"<a", 2), end(b"<a b=''", 2)), (None, None, None));
    }

    #[test]
    fn attributes_come_in_order() {
        assert_eq!(steps("a"), [""; 0]);
        assert_eq!(steps("a b='1'\tc = \"2 '3'\" "), ["b=1", "c=2 '3'"]);
    }

    #[test]
    fn faults_do_not_end_the_scan() {
        assert_eq!(steps("a b=1 c='2'"), ["2: the value of attribute b is not in quotes", "b=1", "c=2"]);
        assert_eq!(steps("a b c='2'"), ["2: attribute b has no value", "c=2"]);
        assert_eq!(steps("a b='1'c='2'"), ["b=1", "7: white space is missing before an attribute", "c=2"]);
        assert_eq!(steps("a ; c='2'"), ["2: \";\" in a tag", "c=2"]);
        assert_eq!(steps("a b='1<2' c='3'"), ["6: `<` in the value of attribute b", "b=1<2", "c=3"]);
    }

    #[test]
    fn a_new_tag_cuts_the_old_one() {
        assert_eq!(steps("a <b"), ["cut 2"]);
        assert_eq!(steps("a b='1 <c d='2'"), ["cut 7"]);
    }
}

//! The name of a tag: where it stands, its prefix, and whether it is a known one.
//!
//! In: bytes at a name. Out: a [`Name`]. Known names are read and compared sixteen bytes at a time, all others byte by byte.

use super::tag;
use crate::origin::Span;
use crate::syncml::Tag;

/// A name as written.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) tag: Tag,
    /// All of it; empty where no name stands.
    pub(super) span: Span,
    /// Where its local part starts: behind the colon, if there is one.
    local: u32,
}

impl Name {
    /// The name that begins at byte `at`.
    #[inline]
    pub(super) fn at(bytes: &[u8], at: usize) -> Name {
        if let Some(word) = word(bytes, at) {
            let (tag, len) = Tag::starting(word);
            let goes_on = bytes.get(at + len).is_some_and(|byte| tag::in_name(*byte));
            if tag != Tag::Other && !goes_on {
                let span = Span::new(at, at + len);
                return Name { tag, span, local: span.start };
            }
        }
        Name::split(bytes, Span::new(at, tag::name_end(bytes, at, bytes.len())))
    }

    /// A name of that span.
    fn split(bytes: &[u8], span: Span) -> Name {
        let colon = span.slice(bytes).iter().position(|byte| *byte == b':');
        let local = Span::new(span.start as usize + colon.map_or(0, |colon| colon + 1), span.end as usize);
        Name { tag: Tag::of(local.slice(bytes)), span, local: local.start }
    }

    /// What stands before the colon; empty without one.
    pub(super) fn prefix(&self) -> Span {
        Span { start: self.span.start, end: self.local.saturating_sub(1).max(self.span.start) }
    }

    /// What stands behind the colon; all of it without one.
    #[inline]
    pub(super) fn local(&self) -> Span {
        Span { start: self.local, end: self.span.end }
    }

    /// Whether it has a colon.
    #[inline]
    pub(super) fn is_prefixed(&self) -> bool {
        self.local != self.span.start
    }

    /// Whether it stands once more at byte `at`, with `>` behind it.
    #[inline]
    pub(super) fn is_closed(&self, bytes: &[u8], at: usize) -> bool {
        let end = at + self.span.len();
        if bytes.get(end) != Some(&b'>') {
            return false;
        }
        match word(bytes, at) {
            Some(word) if self.tag != Tag::Other && !self.is_prefixed() => self.tag.starts(word, self.span.len()),
            _ => bytes.get(at..end) == Some(self.span.slice(bytes)),
        }
    }
}

/// The sixteen bytes from `at` on, the first one lowest.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u128> {
    bytes.get(at..)?.first_chunk().map(|word| u128::from_le_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that stands at the front, in a text long enough to be read by words, and in one that is not.
    fn name(text: &str) -> [(Tag, Span, Span, Span); 2] {
        [text.to_owned() + &" ".repeat(16), text.to_owned()].map(|text| {
            let name = Name::at(text.as_bytes(), 0);
            (name.tag, name.span, name.prefix(), name.local())
        })
    }

    #[test]
    fn a_known_name_is_no_part_of_a_longer_one() {
        let none = Span::default();
        let of = |tag, end| [(tag, Span::new(0, end), none, Span::new(0, end)); 2];
        assert_eq!(
            (name("Data>"), name("Data x"), name("Data/>")),
            (of(Tag::Data, 4), of(Tag::Data, 4), of(Tag::Data, 4))
        );
        assert_eq!(
            (name("Data1>"), name("Dat>"), name("Data-x>")),
            (of(Tag::Other, 5), of(Tag::Other, 3), of(Tag::Other, 6))
        );
        assert_eq!(
            (name("NumberOfChanges>"), name("FilterType>")),
            (of(Tag::NumberOfChanges, 15), of(Tag::FilterType, 10))
        );
        assert_eq!((name("1Data>"), name(">"), name("")), (of(Tag::Other, 0), of(Tag::Other, 0), of(Tag::Other, 0)));
    }

    #[test]
    fn a_prefix_is_split_off() {
        let wanted = (Tag::Data, Span::new(0, 6), Span::new(0, 1), Span::new(2, 6));
        assert_eq!(name("D:Data>"), [wanted; 2]);
        let wanted = (Tag::Other, Span::new(0, 5), Span::new(0, 4), Span::new(5, 5));
        assert_eq!(name("Data:>"), [wanted; 2]);
    }

    #[test]
    fn an_end_tag_repeats_the_name_and_nothing_else() {
        for padding in ["", "                "] {
            let closed = |start: &str, end: &str| {
                let text = format!("{start}>{end}{padding}");
                Name::at(text.as_bytes(), 0).is_closed(text.as_bytes(), start.len() + 1)
            };
            assert!(closed("Data", "Data>") && closed("D:Data", "D:Data>") && closed("own", "own>"));
            assert!(!closed("Data", "Date>") && !closed("D:Data", "Data>") && !closed("D:Data", "E:Data>"));
            assert!(!closed("Data", "Data >") && !closed("Data", "Data") && !closed("own", "owl>"));
        }
    }
}

//! Bytes that several hold at once, and that are known to be a text where they are one.
//!
//! Whether they are UTF-8 is checked when they are made, all together; pieces of a text are texts without being checked again.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use crate::origin::Span;

/// The bytes of a body, none by default. Read as a slice; as a text by [`Octets::text`] and [`Octets::text_in`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Octets(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Text(Arc<str>),
    /// Not UTF-8 as a whole; pieces may be.
    Bytes(Arc<[u8]>),
}

impl Octets {
    /// All of them, if they are UTF-8.
    pub fn text(&self) -> Option<&str> {
        match &self.0 {
            Kind::Text(text) => Some(text),
            Kind::Bytes(_) => None,
        }
    }

    /// The text in a span of them; empty where that is none.
    #[inline]
    pub fn text_in(&self, span: Span) -> &str {
        match &self.0 {
            Kind::Text(text) => text.get(span.range()).unwrap_or_default(),
            Kind::Bytes(bytes) => std::str::from_utf8(span.slice(bytes)).unwrap_or_default(),
        }
    }
}

impl Deref for Octets {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kind::Text(text) => text.as_bytes(),
            Kind::Bytes(bytes) => bytes,
        }
    }
}

impl Default for Octets {
    fn default() -> Octets {
        "".into()
    }
}

impl AsRef<[u8]> for Octets {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Octets {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => Octets(Kind::Bytes(bytes.into())),
        }
    }
}

impl From<&str> for Octets {
    fn from(text: &str) -> Octets {
        Octets(Kind::Text(text.into()))
    }
}

impl From<String> for Octets {
    fn from(text: String) -> Octets {
        Octets(Kind::Text(text.into()))
    }
}

impl From<Vec<u8>> for Octets {
    fn from(bytes: Vec<u8>) -> Octets {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Octets {
    fn from(bytes: &[u8; N]) -> Octets {
        bytes.as_slice().into()
    }
}

impl From<Cow<'_, [u8]>> for Octets {
    fn from(bytes: Cow<'_, [u8]>) -> Octets {
        bytes.as_ref().into()
    }
}

/// Lets what equals the last one be the same piece of memory: what comes again with each session is kept once.
pub fn share<T: Clone + PartialEq>(last: &mut T, next: &mut T) {
    if last == next {
        next.clone_from(last);
    } else {
        last.clone_from(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_text_are_texts_and_half_characters_are_none() {
        let octets = Octets::from("aé".as_bytes());
        assert_eq!((octets.text(), octets.text_in(Span::new(1, 3))), (Some("aé"), "é"));
        assert_eq!((octets.text_in(Span::new(1, 2)), octets.text_in(Span::new(2, 9))), ("", ""));
    }

    #[test]
    fn bytes_that_are_no_text_may_hold_some() {
        let octets = Octets::from(b"\xFFab");
        assert_eq!((octets.text(), octets.text_in(Span::new(1, 3)), octets.text_in(Span::new(0, 2))), (None, "ab", ""));
        assert_eq!((&*octets, octets.clone().len()), (&b"\xFFab"[..], 3));
    }

    #[test]
    fn what_comes_again_is_kept_once() {
        let mut last: Arc<str> = Arc::default();
        let [mut first, mut again, mut other]: [Arc<str>; 3] = ["said", "said", "else"].map(Into::into);
        [&mut first, &mut again, &mut other].into_iter().for_each(|text| share(&mut last, text));
        assert!(Arc::ptr_eq(&first, &again) && Arc::ptr_eq(&other, &last) && &*other == "else");
    }
}

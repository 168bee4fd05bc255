//! Shared bytes that are known to be UTF-8, so that a text of a document is a slice and not a check.
#![allow(unsafe_code)]

use std::sync::Arc;

/// Bytes that hold UTF-8.
#[derive(Clone, Debug)]
pub struct Utf8(Arc<[u8]>);

impl Utf8 {
    /// Takes bytes as they are.
    ///
    /// # Errors
    /// Where they stop to be UTF-8.
    pub fn new(bytes: Arc<[u8]>) -> Result<Utf8, std::str::Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Utf8(bytes))
    }

    /// Takes a text.
    pub fn of(text: String) -> Utf8 {
        Utf8(text.into_bytes().into())
    }

    /// The text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // SAFETY: the field is private to this file, and both ways to set it take UTF-8 alone. Nothing writes to it
        // later: it is never lent out as anything but shared, and `u8` has no interior mutability.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf8_is_taken() {
        assert_eq!(Utf8::new("ä".as_bytes().into()).unwrap().as_str(), "ä");
        assert_eq!(Utf8::new(b"ab\xFF".as_slice().into()).unwrap_err().valid_up_to(), 2);
        assert_eq!(Utf8::of("ö".into()).as_str(), "ö");
    }
}

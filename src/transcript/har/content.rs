//! The bytes of a body from the text that a HAR has of it.
//!
//! A HAR stores Unicode text, or base64. The bytes that were sent are those whose number is the size that the HAR gives
//! too: as UTF-8, or as Latin-1 or UTF-16 where the producer decoded it so.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::format::Content;
use crate::http::Captured;

/// What could be had of a body.
pub(super) struct Bytes {
    pub(super) bytes: Vec<u8>,
    pub(super) captured: Captured,
}

impl Bytes {
    fn whole(bytes: Vec<u8>) -> Bytes {
        Bytes { bytes, captured: Captured::Whole }
    }

    fn partly(bytes: Vec<u8>, why: impl Into<String>) -> Bytes {
        Bytes { bytes, captured: Captured::Partly(why.into()) }
    }
}

/// Some producers wrap lines or leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The body that `content` has; `size` is its size without content codings, where the HAR gives it.
pub(super) fn bytes(content: &Content<'_>, media_type: &str, size: Option<u64>) -> Bytes {
    let Some(text) = content.text.as_text() else { return absent(content, size) };
    if content.encoding.text().trim().eq_ignore_ascii_case("base64") {
        return base64(text, size);
    }
    if text.is_empty() && size.is_none_or(|size| size > 0) && content.params.as_ref().is_some_and(|all| !all.is_empty())
    {
        return Bytes::partly(Vec::new(), "the HAR has the form fields, not the body");
    }
    reencode(text, media_type, size)
}

fn absent(content: &Content<'_>, size: Option<u64>) -> Bytes {
    let fields = content.params.as_ref().is_some_and(|params| !params.is_empty());
    let comment = content.comment.text();
    match size {
        Some(0) => Bytes::whole(Vec::new()),
        None if !fields && comment.is_empty() => Bytes::whole(Vec::new()),
        _ if fields => Bytes::partly(Vec::new(), "the HAR has the form fields, not the body"),
        _ => Bytes::partly(Vec::new(), "the HAR does not have the body"),
    }
}

fn base64(text: &str, size: Option<u64>) -> Bytes {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match BASE64.decode(&digits) {
        Ok(bytes) => complete(bytes, size),
        Err(_) => {
            let good =
                digits.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count();
            let bytes = BASE64.decode(digits.get(..good / 4 * 4).unwrap_or_default()).unwrap_or_default();
            Bytes::partly(bytes, "its base64 is damaged")
        }
    }
}

fn complete(bytes: Vec<u8>, size: Option<u64>) -> Bytes {
    match size {
        Some(size) if size > bytes.len() as u64 => {
            let why = format!("the HAR has {} of its {size} bytes", bytes.len());
            Bytes::partly(bytes, why)
        }
        _ => Bytes::whole(bytes),
    }
}

fn reencode(text: &str, media_type: &str, size: Option<u64>) -> Bytes {
    let size = size.filter(|size| *size > 0);
    let is_size = |len: usize| size == Some(len as u64);
    if is_size(text.len()) {
        return Bytes::whole(text.as_bytes().to_vec());
    }
    let latin1 = || text.chars().map(|each| u8::try_from(u32::from(each)).ok()).collect::<Option<Vec<u8>>>();
    if size.is_none() || is_size(text.chars().count()) {
        // Without a size, WBXML is told by its type: mitmproxy reads it as Latin-1 where it is not UTF-8.
        let binary = media_type.ends_with("wbxml") || size.is_some();
        if let Some(bytes) = latin1().filter(|_| binary) {
            return Bytes::whole(bytes);
        }
    }
    let units = text.encode_utf16().count() * 2;
    if (is_size(units) || is_size(units + 2)) && declares_utf16(text) {
        let mark: &[u16] = if is_size(units) { &[] } else { &[0xFEFF] };
        let units = mark.iter().copied().chain(text.encode_utf16());
        return Bytes::whole(units.flat_map(u16::to_le_bytes).collect());
    }
    // A byte order mark that the producer took off.
    if is_size(text.len() + 3) {
        return Bytes::whole(["\u{FEFF}", text].concat().into_bytes());
    }
    match latin1().filter(|_| media_type.ends_with("wbxml")) {
        Some(bytes) => complete(bytes, size),
        None => complete(text.as_bytes().to_vec(), size),
    }
}

fn declares_utf16(text: &str) -> bool {
    text.as_bytes().get(..128).unwrap_or(text.as_bytes()).to_ascii_lowercase().windows(6).any(|six| six == b"utf-16")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::format::Scalar;
    use super::*;

    fn of(text: &'static str, encoding: &'static str, media_type: &str, size: Option<u64>) -> Bytes {
        let scalar = |text| Scalar::Text(Cow::Borrowed(text));
        let content = Content { text: scalar(text), encoding: scalar(encoding), ..Content::default() };
        bytes(&content, media_type, size)
    }

    #[test]
    fn text_becomes_the_bytes_that_have_its_size() {
        assert_eq!(of("é", "", "text/xml", Some(2)).bytes, "é".as_bytes());
        assert_eq!(of("é", "", "text/xml", Some(1)).bytes, b"\xE9");
        assert_eq!(of("é", "", "text/xml", None).bytes, "é".as_bytes());
        assert_eq!(of("é", "", "text/xml", Some(5)).bytes, b"\xEF\xBB\xBF\xC3\xA9");
        let utf16 = of("<?xml encoding='UTF-16'?>", "", "text/xml", Some(52));
        assert_eq!((utf16.bytes.len(), &utf16.bytes[..4]), (52, &b"\xFF\xFE<\0"[..]));
    }

    #[test]
    fn wbxml_saved_as_text_is_made_bytes_again() {
        let text = "\u{2}\u{a4}\u{1}j\0";
        for size in [None, Some(5)] {
            assert_eq!(of(text, "", "application/vnd.syncml.dm+wbxml", size).bytes, b"\x02\xA4\x01j\0");
        }
    }

    #[test]
    fn less_than_the_size_is_a_part() {
        for (text, encoding) in [("abcd", ""), ("YWJjZA", "base64"), ("YWJj\nZA==", "Base64")] {
            let cut = of(text, encoding, "text/xml", Some(8));
            assert_eq!(
                (&*cut.bytes, cut.captured),
                (&b"abcd"[..], Captured::Partly("the HAR has 4 of its 8 bytes".into()))
            );
            assert_eq!(of(text, encoding, "text/xml", Some(4)).captured, Captured::Whole);
        }
        assert_eq!(of("YWJj*", "base64", "", None).bytes, b"abc");
    }

    #[test]
    fn a_body_that_is_not_there_is_not_empty() {
        let content = Content::default();
        assert_eq!(bytes(&content, "", Some(0)).captured, Captured::Whole);
        assert!(matches!(bytes(&content, "", Some(9)).captured, Captured::Partly(_)));
        let noted = Content { comment: Scalar::Text("not included".into()), ..Content::default() };
        assert!(matches!(bytes(&noted, "", None).captured, Captured::Partly(_)));
    }
}

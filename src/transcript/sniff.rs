//! Tells by content what kind of recording a file is.
//!
//! In: the first few KiB of a file. Out: the kind, or nothing. Names and extensions do not count.

use memchr::memmem;

use super::Kind;
use super::carve::holds_document;
use super::scan::{self, Root};
use super::text::{Text, utf16};
use super::unpack;
use crate::push::{Framing, hex};
use crate::syncml::Tag;

/// Longest file that is taken for a push, in bytes: they travel in a few short messages. In hexadecimal they are longer.
const LONGEST_PUSH: usize = 8 * 1024;

/// The kind of a file that begins with `head`.
pub fn sniff(head: &[u8]) -> Option<Kind> {
    if let Some(content) = unpack::peek(head, 16 * 1024) {
        return sniff_plain(&content);
    }
    sniff_plain(head)
}

fn sniff_plain(head: &[u8]) -> Option<Kind> {
    sniff_known(head).or_else(|| is_push(head).then_some(Kind::Push))
}

/// A push has no mark of its own: whatever else it may be, it is.
fn is_push(head: &[u8]) -> bool {
    let written = || hex::octets(head).and_then(|octets| Framing::sniff(&octets));
    head.len() <= LONGEST_PUSH && Framing::sniff(head).or_else(written).is_some()
}

fn sniff_known(head: &[u8]) -> Option<Kind> {
    match head {
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => Some(Kind::Evtx),
        [b'P', b'K', 3, 4, ..] => is_saz(head).then_some(Kind::Saz),
        [0..=3, ..] if utf16(head).is_none() => is_wbxml(head).then_some(Kind::Wbxml),
        _ if is_flow_file(head) => Some(Kind::Mitm),
        _ => sniff_text(head),
    }
}

/// Whether the bytes can be read as text: no control characters, in UTF-8, UTF-16 or a code page.
pub fn is_text(head: &[u8]) -> bool {
    let text = Text::of(head);
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127);
    !text.bytes.is_empty() && !text.bytes.iter().any(is_control)
}

fn sniff_text(head: &[u8]) -> Option<Kind> {
    if !is_text(head) {
        return None;
    }
    let text = Text::of(head);
    let bytes = text.bytes.trim_ascii_start();
    match bytes.first()? {
        b'{' if is_har(bytes) => Some(Kind::Har),
        b'{' if memmem::find(bytes, b"\"dmscope/message/").is_some() => Some(Kind::Messages),
        b'<' => sniff_xml(bytes).or_else(|| holds_document(bytes).then_some(Kind::Log)),
        _ if has_viewer_mark(bytes) => Some(Kind::SyncmlViewer),
        _ => holds_document(bytes).then_some(Kind::Log),
    }
}

/// A HAR's only key is `log`. Entries may come late, behind long page lists, so any of its keys will do.
fn is_har(json: &[u8]) -> bool {
    let inner = json.get(1..).unwrap_or_default().trim_ascii_start();
    let log = inner.strip_prefix(b"\"log\"").map(<[u8]>::trim_ascii_start);
    let value = log.and_then(|rest| rest.strip_prefix(b":")).map(<[u8]>::trim_ascii_start);
    value.is_some_and(|value| value.first() == Some(&b'{'))
}

fn has_viewer_mark(text: &[u8]) -> bool {
    [&b"<!-- OmaDmSession"[..], b"OmaDmClientExeStart"].iter().any(|mark| memmem::find(text, mark).is_some())
}

fn sniff_xml(text: &[u8]) -> Option<Kind> {
    let mut at = 0;
    let mut dated = false;
    loop {
        let rest = text.get(at..)?;
        at += rest.len() - rest.trim_ascii_start().len();
        let rest = text.get(at..)?;
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            let end = memmem::find(comment, b"-->");
            let inner = comment.get(..end.unwrap_or(comment.len())).unwrap_or_default();
            if inner.trim_ascii().starts_with(b"OmaDm") {
                return Some(Kind::SyncmlViewer);
            }
            dated |= is_date(inner);
            at += end? + 7;
        } else if rest.starts_with(b"<?") {
            at = scan::instruction_end(text, at)?;
        } else if rest.starts_with(b"<!") {
            at = scan::doctype_end(text, at)?;
        } else {
            return sniff_root(text, at, dated);
        }
    }
}

fn sniff_root(text: &[u8], at: usize, dated: bool) -> Option<Kind> {
    let tag = scan::start_tag(text, at)?;
    let name = std::str::from_utf8(scan::local(tag.name)).ok()?;
    match tag.root {
        Some(Root::SyncMl) if dated || has_viewer_mark(text) => Some(Kind::SyncmlViewer),
        Some(_) => Some(Kind::Xml),
        None if name == "items" && memmem::find(text, b"burpVersion").is_some() => Some(Kind::Burp),
        None => is_piece(name).then_some(Kind::Xml),
    }
}

/// Documents that stand for a part of a message, or inside one.
fn is_piece(name: &str) -> bool {
    let tag = Tag::of(name.as_bytes());
    tag.has_cmd_id() || matches!(tag, Tag::SyncHdr | Tag::SyncBody) || matches!(name, "DevInf" | "MgmtTree")
}

/// What .NET writes for a moment in any culture: digits parted by `/`, `.`, `-` or `:`, perhaps AM or PM.
fn is_date(comment: &[u8]) -> bool {
    let comment = comment.trim_ascii();
    let digits = comment.iter().filter(|byte| byte.is_ascii_digit()).count();
    let colons = comment.iter().filter(|byte| **byte == b':').count();
    digits >= 8 && colons >= 1 && comment.len() <= 40 && comment.first().is_some_and(u8::is_ascii_digit)
}

/// Fiddler keeps its sessions in `raw/`; any other zip file is none of ours.
fn is_saz(head: &[u8]) -> bool {
    memmem::find_iter(head, b"PK\x03\x04").any(|at| {
        let name = head.get(at + 30..).unwrap_or_default();
        name.starts_with(b"raw/") || name.starts_with(b"_index.htm")
    })
}

/// A tnetstring dictionary whose first key is a string: `123:4:type;…`.
fn is_flow_file(head: &[u8]) -> bool {
    fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
        let len = bytes.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
        let value = std::str::from_utf8(bytes.get(..len)?).ok()?.parse().ok()?;
        Some((value, bytes.get(len..)?.strip_prefix(b":")?))
    }
    let key = || {
        let (_, inner) = number(head)?;
        let (len, rest) = number(inner)?;
        let (key, rest) = rest.split_at_checked(len)?;
        let is_key = !key.is_empty() && key.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
        Some(is_key && matches!(rest.first(), Some(b',' | b';')))
    };
    key() == Some(true)
}

/// Version 1.0 to 1.3, a public identifier, a character set: the start of WAP Binary XML (WBXML 5.1). Any document
/// type in UTF-8 will do; in other character sets, those of SyncML.
fn is_wbxml(head: &[u8]) -> bool {
    const SYNCML: std::ops::RangeInclusive<u32> = 0xFD1..=0x1205;
    const UTF_8: u32 = 106;
    let known_charset = |charset: u32| matches!(charset, 3..=15 | 1000 | 1013..=1015);
    let read = || {
        let (version, rest) = head.split_first()?;
        let (public, rest) = multi_byte(rest)?;
        let (_, rest) = if public == 0 { multi_byte(rest)? } else { (0, rest) };
        if *version == 0 {
            return Some(SYNCML.contains(&public));
        }
        let (charset, _) = multi_byte(rest)?;
        Some(charset == UTF_8 || SYNCML.contains(&public) && (charset == 0 || known_charset(charset)))
    };
    read() == Some(true)
}

/// An integer of seven bits a byte, the last one without its high bit (WBXML 5.1).
fn multi_byte(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let len = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at_checked(len)?;
    let value = digits.iter().fold(0u32, |value, byte| value << 7 | u32::from(byte & 0x7F));
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_behind_blanks_marks_and_comments() {
        for text in [
            "\u{FEFF}\n <SyncML>",
            "<?xml version='1.0'?><!-- a < b --><!DOCTYPE SyncML [<!ENTITY a 'b'>]>\n<d:syncml/>",
            "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'>",
            "<wap-provisioningdoc>",
            "<SyncBody>",
            "<Status>",
        ] {
            assert_eq!(sniff(text.as_bytes()), Some(Kind::Xml), "{text}");
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(sniff(&utf16), Some(Kind::Xml), "{text}");
        }
    }

    #[test]
    fn a_viewer_stream_has_its_comments_or_dates() {
        for text in [
            "<!-- OmaDmSessionStart -->\n",
            "<!-- 2/1/2024 8:36:04 AM -->\n<SyncML>",
            "<!-- 01.02.2024 08:36:04 -->\n<SyncML>",
            "OmaDmClientExeStart \n<!-- OmaDmSessionStart -->",
            "<SyncML></SyncML>\n<!-- OmaDmSessionComplete -->",
        ] {
            assert_eq!(sniff(text.as_bytes()), Some(Kind::SyncmlViewer), "{text}");
        }
    }

    #[test]
    fn text_is_a_log_when_a_document_is_in_it() {
        assert_eq!(sniff(b"12:00 DEBUG sent <SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr>"), Some(Kind::Log));
        assert_eq!(sniff(br#"{"msg":"\u003cs:Envelope\u003e"}"#), Some(Kind::Log));
        assert_eq!(sniff(b"<html><pre>x</pre> <SyncML/></html>"), Some(Kind::Log));
        assert_eq!(sniff(b"SyncML is a format, <b>syncml:metinf</b> too"), None);
        assert_eq!(sniff(b"<project><Envelope/></project>"), None);
    }

    #[test]
    fn other_kinds_are_told_by_their_first_bytes() {
        assert_eq!(sniff(b"\xEF\xBB\xBF{ \"log\" : {\"version\""), Some(Kind::Har));
        assert_eq!(sniff(b"{\"logs\": {}}"), None);
        assert_eq!(sniff(b"61:4:type;4:http;}"), Some(Kind::Mitm));
        assert_eq!(sniff(b"12:30:00 nothing"), None);
        assert_eq!(sniff(b"ElfFile\0\0"), Some(Kind::Evtx));
        assert_eq!(sniff(b"\x02\xA4\x01\x6A\0"), Some(Kind::Wbxml));
        assert_eq!(sniff(b"\0\0\x01\0\x01\0"), None);
        assert_eq!(sniff(b"\x89PNG\r\n\x1A\n\0"), None);
        assert_eq!(sniff(b""), None);
        assert_eq!(sniff(b"<?xml version='1.0'?><items burpVersion='2'>"), Some(Kind::Burp));
    }
}

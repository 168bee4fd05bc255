//! What the beginning of a body tells of all of it.

/// How far into a body `<SyncML` is looked for, when something else stands first: a log may have lines before its document.
pub(crate) const PREAMBLE: usize = 1024;

/// The first bytes that are no white space, byte order mark or zero (as in UTF-16).
pub(crate) fn front(bytes: &[u8]) -> &[u8] {
    let skipped = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF);
    bytes.get(bytes.iter().take_while(|byte| skipped(byte)).count()..).unwrap_or_default()
}

/// Whether a body may be XML; its first [`PREAMBLE`] bytes decide.
pub(crate) fn may_be_xml(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(PREAMBLE)).unwrap_or_default();
    front(bytes).first() == Some(&b'<') || memchr::memmem::find(head, b"<SyncML").is_some()
}

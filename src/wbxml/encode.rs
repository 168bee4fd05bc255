//! A document as WBXML 1.2 with SyncML 1.2's code pages: inline strings, opaque for what no string can hold.

use super::tables::{self, PAGE_SYNCML, global};
use crate::syncml::{Doc, Element, Tag};

/// The public identifier of SyncML 1.2, UTF-8, an empty string table.
const PROLOG: [u8; 5] = [0x02, 0xA4, 0x01, 0x6A, 0x00];

/// Encodes a document of known elements. Unknown ones cannot be written without a string table: they are left out,
/// and named in the answer, so that nothing is lost silently. Elements below `Data` are written as their text.
pub fn encode(doc: &Doc) -> (Vec<u8>, Vec<String>) {
    let mut writer = Writer { out: PROLOG.to_vec(), page: PAGE_SYNCML, left_out: Vec::new() };
    if let Some(root) = doc.root() {
        writer.element(root);
    }
    (writer.out, writer.left_out)
}

struct Writer {
    out: Vec<u8>,
    page: u8,
    left_out: Vec<String>,
}

impl Writer {
    fn element(&mut self, element: Element<'_>) {
        let Some((page, token)) = tables::token(element.tag()) else {
            self.left_out.push(element.path());
            return;
        };
        if page != self.page {
            self.out.extend([global::SWITCH_PAGE, page]);
            self.page = page;
        }
        let payload = element.tag() == Tag::Data && element.children().next().is_some();
        let content = payload || element.children().next().is_some() || !element.text().is_empty();
        self.out.push(if content { token | global::CONTENT } else { token });
        if !content {
            return;
        }
        if payload {
            self.opaque(element.inner().slice(element.doc().bytes()));
        } else {
            self.text(element.text());
            element.children().for_each(|child| self.element(child));
        }
        self.out.push(global::END);
    }

    fn text(&mut self, text: &str) {
        if text.contains('\0') {
            self.opaque(text.as_bytes());
        } else if !text.is_empty() {
            self.out.push(global::STR_I);
            self.out.extend(text.as_bytes());
            self.out.push(0);
        }
    }

    fn opaque(&mut self, bytes: &[u8]) {
        self.out.push(global::OPAQUE);
        self.number(bytes.len() as u64);
        self.out.extend(bytes);
    }

    /// An `mb_u_int32`.
    fn number(&mut self, value: u64) {
        let groups = (0..5).rev().map(|group| (value >> (7 * group) & 0x7F) as u8);
        let used: Vec<u8> = groups.skip_while(|group| *group == 0).collect();
        let used = if used.is_empty() { vec![0] } else { used };
        for (index, group) in used.iter().enumerate() {
            let more = if index + 1 < used.len() { 0x80 } else { 0 };
            self.out.push(group | more);
        }
    }
}

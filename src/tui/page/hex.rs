//! The body's bytes, those of the element that is looked at lit, those of findings underlined.

use ratatui::text::{Line, Span as Text};

use super::{Look, Marks, Page, underlined};
use crate::origin::Span;
use crate::report::show::Dump;
use crate::syncml::secret::Secrets;
use crate::syncml::{Message, NodeId};

/// Columns of a row of sixteen bytes.
const WIDE: usize = 77;

/// See the module's head.
pub(crate) struct Hex {
    /// Bytes of a row: [`Dump::ROW`], or half of it where there is no room.
    row: usize,
    dump: Dump,
    marks: Marks,
    /// The bytes of each element, where the document's bytes are the body's.
    spans: Vec<Span>,
}

/// The page of a message.
pub(super) fn page(message: &Message, marks: Marks, show_secrets: bool, width: usize) -> Page {
    let secrets = if show_secrets { Secrets::shown() } else { Secrets::of(&message.doc) };
    if message.body.bytes.is_empty() {
        return Page::said("(no body)");
    }
    let exact = message.doc.is_exact();
    match Dump::of(message, Some(&secrets), show_secrets) {
        Some(dump) => {
            let spans = message.doc.elements().filter(|_| exact).map(|element| element.span()).collect();
            let row = if width < WIDE { Dump::ROW / 2 } else { Dump::ROW };
            Page::Hex(Hex { row, dump, marks: if exact { marks } else { Vec::new() }, spans })
        }
        None => Page::said("(the secrets in this encoding cannot be masked here; p shows them)"),
    }
}

impl Hex {
    pub(super) fn len(&self) -> usize {
        let rows = self.dump.rows();
        if self.row == Dump::ROW {
            return rows;
        }
        let half = rows.checked_sub(1).is_some_and(|last| self.dump.row(last).1.chars().count() <= self.row);
        rows * 2 - usize::from(half)
    }

    pub(super) fn line_of(&self, node: NodeId) -> Option<usize> {
        self.spans.get(node.0 as usize).map(|span| span.start as usize / self.row)
    }

    pub(super) fn line(&self, row: usize, look: &Look<'_>) -> Line<'static> {
        let start = row.saturating_mul(self.row);
        let first = start % Dump::ROW;
        let (hex, ascii) = self.dump.row(start / Dump::ROW);
        let digits: Vec<&str> = hex.split_whitespace().skip(first).take(self.row).collect();
        let lit = look.node.and_then(|node| self.spans.get(node.0 as usize)).copied().unwrap_or_default();
        let style = |at: usize| {
            let byte = Span::new(start + at, start + at + 1);
            let found =
                self.marks.iter().filter(|(span, ..)| span.overlaps(byte)).map(|(.., severity)| *severity).max();
            let style = if lit.overlaps(byte) { look.theme.hit } else { look.theme.value };
            found.map_or(style, |_| underlined(style))
        };
        let mut spans = vec![Text::styled(format!("{start:08x} "), look.theme.dim)];
        let mut column = 0;
        for (at, digits) in digits.into_iter().enumerate() {
            // Two digits after one space, in the middle two.
            let gap = if at == Dump::ROW / 2 { 2 } else { 1 };
            let joined = at > 0 && style(at) == style(at - 1);
            spans.push(Text::styled(" ".repeat(gap), if joined { style(at) } else { look.theme.value }));
            spans.push(Text::styled(digits.to_owned(), style(at)));
            column += gap + 2;
        }
        spans.push(Text::raw(" ".repeat((self.row * 3 + 3).saturating_sub(column))));
        for (at, letter) in ascii.chars().skip(first).take(self.row).enumerate() {
            spans.push(Text::styled(letter.to_string(), style(at)));
        }
        Line::from(spans)
    }
}

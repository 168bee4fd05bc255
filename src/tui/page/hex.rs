//! The body's bytes, those of the element that is looked at lit, those of findings underlined.

use ratatui::text::{Line, Span as Text};

use super::{Look, Marks, Page, underlined};
use crate::origin::Span;
use crate::report::show::Dump;
use crate::syncml::secret::Secrets;
use crate::syncml::{Message, NodeId};

/// See the module's head.
pub(crate) struct Hex {
    dump: Dump,
    marks: Marks,
    /// The bytes of each element, where the document's bytes are the body's.
    spans: Vec<Span>,
}

/// The page of a message.
pub(super) fn page(message: &Message, marks: Marks, show_secrets: bool) -> Page {
    let secrets = if show_secrets { Secrets::shown() } else { Secrets::of(&message.doc) };
    if message.body.bytes.is_empty() {
        return Page::said("(no body)");
    }
    let exact = message.doc.is_exact();
    match Dump::of(message, Some(&secrets), show_secrets) {
        Some(dump) => {
            let spans = message.doc.elements().filter(|_| exact).map(|element| element.span()).collect();
            Page::Hex(Hex { dump, marks: if exact { marks } else { Vec::new() }, spans })
        }
        None => Page::said("(the secrets in this encoding cannot be masked here; p shows them)"),
    }
}

impl Hex {
    pub(super) fn len(&self) -> usize {
        self.dump.rows()
    }

    pub(super) fn line_of(&self, node: NodeId) -> Option<usize> {
        self.spans.get(node.0 as usize).map(|span| span.start as usize / Dump::ROW)
    }

    pub(super) fn line(&self, row: usize, look: &Look<'_>) -> Line<'static> {
        let (hex, ascii) = self.dump.row(row);
        let start = row.saturating_mul(Dump::ROW);
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
        for at in 0..ascii.len() {
            // Two digits after one space, in the middle two.
            let gap = if at == Dump::ROW / 2 { 2 } else { 1 };
            let joined = at > 0 && style(at) == style(at - 1);
            spans.push(Text::styled(" ".repeat(gap), if joined { style(at) } else { look.theme.value }));
            let digits = hex.get(column + gap..column + gap + 2).unwrap_or_default();
            spans.push(Text::styled(digits.to_owned(), style(at)));
            column += gap + 2;
        }
        spans.push(Text::raw(" ".repeat((Dump::ROW * 3 + 3).saturating_sub(column))));
        for (at, letter) in ascii.chars().enumerate() {
            spans.push(Text::styled(letter.to_string(), style(at)));
        }
        Line::from(spans)
    }
}

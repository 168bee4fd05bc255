//! A body as bytes: offset, hexadecimal, ASCII. Secrets stand as `**`; that shows how long they are, which a dump of
//! bytes cannot hide.

use std::io::{self, Write};

use crate::octets::Octets;
use crate::origin::Span;
use crate::push;
use crate::syncml::secret::{self, Secrets};
use crate::syncml::{Kind, Message};

const ROW: usize = 16;

/// A body's bytes, row by row.
#[derive(Clone, Debug)]
pub struct Dump {
    bytes: Octets,
    hidden: Vec<Span>,
}

impl Dump {
    /// Bytes of a row.
    pub const ROW: usize = ROW;

    /// The body of a message; `None` when it holds secrets that cannot be found in its bytes.
    pub fn of(message: &Message, secrets: Option<&Secrets>, shown: bool) -> Option<Dump> {
        let bytes = message.body.bytes.clone();
        let hidden = match secrets {
            _ if shown => Vec::new(),
            _ if message.kind == Kind::Push => of_push(message),
            Some(secrets) if !message.doc.is_exact() && !secrets.is_empty() => return None,
            Some(secrets) => secret::merge([secrets.spans(&message.doc), secret::in_bytes(&bytes)].concat()),
            None => secret::in_bytes(&bytes),
        };
        Some(Dump { bytes, hidden })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.bytes.len().div_ceil(ROW)
    }

    /// A row's bytes in hexadecimal, two digits after one or (in the middle) two spaces each, and as ASCII.
    pub fn row(&self, row: usize) -> (String, String) {
        let start = row.saturating_mul(ROW);
        let end = start.saturating_add(ROW).min(self.bytes.len());
        let (mut hex, mut ascii) = (String::new(), String::new());
        for (at, byte) in self.bytes.get(start..end).unwrap_or_default().iter().enumerate() {
            let is_hidden = hides(&self.hidden, start + at);
            hex.push_str(if at == ROW / 2 { "  " } else { " " });
            match is_hidden {
                true => hex.push_str("**"),
                false => hex.push_str(&format!("{byte:02x}")),
            }
            ascii.push(match byte {
                _ if is_hidden => '*',
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            });
        }
        (hex, ascii)
    }
}

pub(super) fn write(message: &Message, secrets: Option<&Secrets>, shown: bool, out: &mut dyn Write) -> io::Result<()> {
    let Some(dump) = Dump::of(message, secrets, shown) else {
        return writeln!(out, "(the secrets in this encoding cannot be masked; --show-secrets shows all bytes)");
    };
    for row in 0..dump.rows() {
        let (hex, ascii) = dump.row(row);
        writeln!(out, "{:08x} {hex:<49}  |{ascii}|", row * ROW)?;
    }
    Ok(())
}

/// The secrets of a push.
fn of_push(message: &Message) -> Vec<Span> {
    let spans = message.push().map(|push| push::secret::spans(&push)).unwrap_or_default();
    spans.into_iter().map(|span| Span::new(span.start, span.end)).collect()
}

/// Whether a byte is in one of the spans, which are sorted and apart from each other.
fn hides(spans: &[Span], at: usize) -> bool {
    let at = Span::new(at, at + 1);
    spans.get(spans.partition_point(|span| span.end <= at.start)).is_some_and(|span| span.overlaps(at))
}

//! A body as bytes: offset, hexadecimal, ASCII. Secrets stand as `**`; that shows how long they are, which a dump of
//! bytes cannot hide.

use std::io::{self, Write};

use crate::origin::Span;
use crate::syncml::Message;
use crate::syncml::secret::{self, Secrets};

const ROW: usize = 16;

pub(super) fn write(message: &Message, secrets: Option<&Secrets>, shown: bool, out: &mut dyn Write) -> io::Result<()> {
    let body = &message.body.bytes;
    let hidden = match secrets {
        _ if shown => Vec::new(),
        Some(secrets) if !message.doc.is_exact() && !secrets.is_empty() => {
            return writeln!(out, "(the secrets in this encoding cannot be masked; --show-secrets shows all bytes)");
        }
        Some(secrets) => secret::merge([secrets.spans(&message.doc), secret::in_bytes(body)].concat()),
        None => secret::in_bytes(body),
    };
    for (row, bytes) in body.chunks(ROW).enumerate() {
        let start = row * ROW;
        let is_hidden = |at: usize| hides(&hidden, start + at);
        let mut hex = String::new();
        let mut ascii = String::new();
        for (at, byte) in bytes.iter().enumerate() {
            hex.push_str(if at == ROW / 2 { "  " } else { " " });
            match is_hidden(at) {
                true => hex.push_str("**"),
                false => hex.push_str(&format!("{byte:02x}")),
            }
            ascii.push(match byte {
                _ if is_hidden(at) => '*',
                b' '..=b'~' => char::from(*byte),
                _ => '.',
            });
        }
        writeln!(out, "{start:08x} {hex:<49}  |{ascii}|")?;
    }
    Ok(())
}

/// Whether a byte is in one of the spans, which are sorted and apart from each other.
fn hides(spans: &[Span], at: usize) -> bool {
    let at = Span::new(at, at + 1);
    spans.get(spans.partition_point(|span| span.end <= at.start)).is_some_and(|span| span.overlaps(at))
}

//! Whether Data is what its Format says.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{ElementCx, MessageCx, Severity, Sink, command_of, quoted};
use crate::session::Edge;
use crate::syncml::secret::is_secret;
use crate::syncml::{Element, Item, Tag};

/// Data that contradicts the Format in force.
pub(in crate::rules) fn data_does_not_match_format(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let item = Item(cx.element);
    let command = command_of(item);
    let carries = matches!(command, Tag::Add | Tag::Replace | Tag::Results | Tag::Exec | Tag::Alert);
    let Some(data) = item.data().filter(|data| carries && data.children().next().is_none()) else { return };
    let written = matches!(command, Tag::Add | Tag::Replace);
    let format = item.format();
    let Some(fault) = fault(format, data.value().unwrap_or_default(), written) else { return };
    if is_property(item) || is_encoded(format, data) || may_be_chunk(cx, format, item) {
        return;
    }
    let text = format!("Data is {}, but the Format is {}; expected {}", shown(format, data), quoted(format), fault.expected);
    let draft = out.at(cx.message.index, data, text);
    if fault.mild {
        draft.at_most(Severity::Warning);
    }
    if let Some(format) = item.effective_element(Tag::Format) {
        draft.related(cx.message.at(format), "the Format in force");
    }
}

/// What a format expects that a value is not.
#[derive(Debug, PartialEq)]
struct Fault {
    expected: &'static str,
    mild: bool,
}

/// `written`: the value is sent to be stored. Others may be empty, and the value of an interior node is its children.
fn fault(format: &str, value: &str, written: bool) -> Option<Fault> {
    let (fits, expected) = match format {
        "int" => (is_int(value), "a decimal number"),
        "bool" => (matches!(value, "true" | "false"), "`true` or `false`"),
        "float" => (is_float(value), "a number"),
        "b64" => (is_base64(value), "base64"),
        "date" => (value.is_empty() || is_iso(value), "a date of ISO 8601"),
        "time" => (value.is_empty() || is_iso(value), "a time of ISO 8601"),
        "null" | "node" if written => (value.is_empty(), "no Data"),
        _ => return None,
    };
    let mild = format == "bool" && ["0", "1", "true", "false"].iter().any(|known| known.eq_ignore_ascii_case(value));
    (!fits && (written || !value.is_empty())).then_some(Fault { expected, mild })
}

fn is_int(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_float(value: &str) -> bool {
    let plain = |char: char| char.is_ascii_digit() || matches!(char, '+' | '-' | '.' | 'e' | 'E');
    value.chars().all(plain) && value.parse::<f64>().is_ok()
}

/// Base64 with its padding, lines broken anywhere.
fn is_base64(value: &str) -> bool {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true);
    let plain: String = value.split_ascii_whitespace().collect();
    GeneralPurpose::new(&STANDARD, config).decode(plain).is_ok()
}

/// A date, a time or both, basic or extended: loose, since all kinds of programs write them.
fn is_iso(value: &str) -> bool {
    let plain = |char: char| char.is_ascii_digit() || matches!(char, '-' | '+' | ':' | '.' | ',' | 'T' | 'W' | 'Z');
    value.chars().all(plain) && value.chars().filter(char::is_ascii_digit).count() >= 4
}

/// The value as it may be told.
fn shown(format: &str, data: Element<'_>) -> String {
    match data.value() {
        None => "empty".into(),
        Some(value) if format == "b64" => base64_fault(value),
        Some(_) if is_secret(data) => "another value".into(),
        Some(value) => quoted(value),
    }
}

/// What is wrong with base64, without the value.
fn base64_fault(value: &str) -> String {
    let is_alien = |char: &char| !(char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '=') || char.is_whitespace());
    match value.chars().find(is_alien) {
        Some(alien) => format!("text with the character {}", quoted(&alien.to_string())),
        None => format!("{} characters of broken base64", value.split_ascii_whitespace().map(str::len).sum::<usize>()),
    }
}

/// A property or a listing of the node, whose format is not the node's.
fn is_property(item: Item<'_>) -> bool {
    [item.target(), item.source()].into_iter().flatten().any(|uri| uri.contains('?'))
}

/// Bytes of WBXML in the place of base64.
fn is_encoded(format: &str, data: Element<'_>) -> bool {
    data.flags().opaque && matches!(format, "b64" | "bin")
}

/// Whether it is a chunk of a large object, or may be the last one of an object whose start was not captured.
fn may_be_chunk(cx: &ElementCx<'_>, format: &str, item: Item<'_>) -> bool {
    let at = cx.message.at(item.0);
    item.more_data()
        || cx.session().objects.iter().any(|object| object.chunks.contains(&at))
        || (format == "b64" && follows_a_hole(cx.message))
}

/// Whether the message of its sender before it was not captured.
fn follows_a_hole(cx: MessageCx<'_>) -> bool {
    match cx.session.previous_of_side(cx.index) {
        Some((_, before)) => !before.is_readable(),
        None => cx.session.start != Edge::Seen && cx.message.header().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_format() {
        let good: [(&str, &[&str]); 8] = [
            ("int", &["0", "-1", "+5", "4294967295"]),
            ("bool", &["true", "false"]),
            ("float", &["1.5", "-2", "1e5"]),
            ("b64", &["", "AQ==", "AQID\r\n BAUG", "AQI="]),
            ("date", &["20260102", "2026-01-02", ""]),
            ("time", &["2026-01-02T03:04:05Z", "030405", "03:04:05.5+01:00"]),
            ("node", &[""]),
            ("chr", &["anything"]),
        ];
        for (format, values) in good {
            assert!(values.iter().all(|value| fault(format, value, true).is_none()), "{format}");
        }
        let bad: [(&str, &[&str]); 7] = [
            ("int", &["", "yes", "1.0", "0x1", "-"]),
            ("bool", &["", "yes", "2"]),
            ("float", &["1,5", "inf", ""]),
            ("b64", &["AQ", "A_==", "hello!"]),
            ("date", &["10/5/2018", "today"]),
            ("null", &["1"]),
            ("node", &["a/b"]),
        ];
        for (format, values) in bad {
            assert!(values.iter().all(|value| fault(format, value, true).is_some_and(|fault| !fault.mild)), "{format}");
        }
        assert!(["0", "1", "True"].iter().all(|value| fault("bool", value, true).is_some_and(|fault| fault.mild)));
    }

    #[test]
    fn what_is_read_may_be_empty_or_a_list() {
        assert_eq!((fault("int", "", false), fault("node", "a/b", false), fault("null", "1", false)), (None, None, None));
        assert!(fault("int", "x", false).is_some());
    }
}

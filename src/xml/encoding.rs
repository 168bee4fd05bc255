//! The body of an XML document as UTF-8, whatever it was sent in.
//!
//! In: the bytes of a body. Out: bytes that are valid UTF-8, the body's own wherever that is possible. A byte order
//! mark is believed first, then the bytes, then the declaration; where they contradict each other that is noted.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::anomaly::{Anomaly, Kind};
use crate::octets::Octets;
use crate::origin::Span;

/// The text of a document, for the parser.
pub(super) struct Decoded {
    /// The text.
    pub(super) text: Octets,
    /// Whether these are the bytes of the body.
    pub(super) exact: bool,
    /// Where the document starts: behind a byte order mark.
    pub(super) start: usize,
    /// What was wrong.
    pub(super) notes: Vec<Anomaly>,
}

/// How far into a body its XML declaration may reach.
const DECLARATION: usize = 256;

/// The body as UTF-8.
pub(super) fn decode(body: &Octets) -> Decoded {
    if body.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return marked(utf8(body, 3), UTF_8);
    }
    match body.get(..4) {
        Some([0xFF, 0xFE, ..]) => return marked(transcode(body, UTF_16LE, Vec::new()), UTF_16LE),
        Some([0xFE, 0xFF, ..]) => return marked(transcode(body, UTF_16BE, Vec::new()), UTF_16BE),
        Some([b'<', 0, more, 0]) if *more != 0 => return without_mark(body, UTF_16LE),
        Some([0, b'<', 0, more]) if *more != 0 => return without_mark(body, UTF_16BE),
        _ => {}
    }
    match declared(body) {
        Some((span, label)) => by_label(body, span, label),
        None => utf8(body, 0),
    }
}

/// Notes a declaration that names another encoding than the byte order mark.
fn marked(mut decoded: Decoded, encoding: &'static Encoding) -> Decoded {
    let class = |encoding| if encoding == UTF_16BE { UTF_16LE } else { encoding };
    let note = declared(decoded.text.get(decoded.start..).unwrap_or_default()).and_then(|(span, label)| {
        let named = Encoding::for_label_no_replacement(label.as_bytes())?;
        let detail = format!("the declaration says {label}, but the byte order mark says {}", encoding.name());
        let span = Span::new(decoded.start + span.start as usize, decoded.start + span.end as usize);
        (class(named) != class(encoding)).then(|| Anomaly::new(Kind::XmlEncoding, span, detail))
    });
    decoded.notes.extend(note);
    decoded
}

fn without_mark(body: &Octets, encoding: &'static Encoding) -> Decoded {
    let detail = format!("{} without a byte order mark", encoding.name());
    transcode(body, encoding, vec![Anomaly::new(Kind::XmlEncoding, Span::default(), detail)])
}

fn by_label(body: &Octets, span: Span, label: &str) -> Decoded {
    let contradiction = |detail: String| {
        let mut decoded = utf8(body, 0);
        decoded.notes.insert(0, Anomaly::new(Kind::XmlEncoding, span, detail));
        decoded
    };
    match Encoding::for_label_no_replacement(label.as_bytes()) {
        None => contradiction(format!("the declared encoding {label:?} is not known; read as UTF-8")),
        Some(encoding) if encoding == UTF_8 => utf8(body, 0),
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            contradiction(format!("the declaration says {label}, but the bytes are not; read as UTF-8"))
        }
        Some(encoding) if encoding.is_ascii_compatible() && body.is_ascii() => utf8(body, 0),
        Some(encoding) => {
            let beyond = ["us-ascii", "ascii"].iter().any(|ascii| label.eq_ignore_ascii_case(ascii));
            let at = body.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
            let note = || Anomaly::new(Kind::XmlEncoding, Span::new(at, at + 1), format!("not {label}, as declared"));
            transcode(body, encoding, beyond.then(note).into_iter().collect())
        }
    }
}

/// The body as it stands, or with `U+FFFD` for what is no UTF-8.
fn utf8(body: &Octets, start: usize) -> Decoded {
    let Err(error) = body.text().map_or_else(|| std::str::from_utf8(body), Ok) else {
        return Decoded { text: body.clone(), exact: true, start, notes: Vec::new() };
    };
    let at = error.valid_up_to();
    let end = at + error.error_len().unwrap_or(body.len() - at);
    let bytes = body.get(at..end).unwrap_or_default();
    let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let note = Anomaly::new(Kind::XmlBytes, Span::new(at, end), format!("bytes {} are not UTF-8", hex.join(" ")));
    let text = String::from_utf8_lossy(body).into_owned().into();
    Decoded { text, exact: false, start, notes: vec![note] }
}

fn transcode(body: &Octets, encoding: &'static Encoding, mut notes: Vec<Anomaly>) -> Decoded {
    let (text, malformed) = encoding.decode_with_bom_removal(body);
    if malformed {
        let at = text.find('\u{FFFD}').unwrap_or_default();
        let detail = format!("bytes that are not {}", encoding.name());
        notes.push(Anomaly::new(Kind::XmlBytes, Span::new(at, at + '\u{FFFD}'.len_utf8()), detail));
    }
    Decoded { text: text.into_owned().into(), exact: false, start: 0, notes }
}

/// The encoding that the XML declaration names, and where.
pub(super) fn declared(body: &[u8]) -> Option<(Span, &str)> {
    let skipped = body.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let head = body.get(skipped..body.len().min(skipped + DECLARATION))?;
    let head = head.starts_with(b"<?xml").then_some(head)?;
    let head = head.get(..memchr::memchr(b'>', head)?)?;
    let name = memchr::memmem::find(head, b"encoding")? + b"encoding".len();
    let rest = head.get(name..)?;
    let open = rest.iter().position(|byte| matches!(byte, b'"' | b'\''))?;
    let value = rest.get(open + 1..)?;
    let len = memchr::memchr(*rest.get(open)?, value)?;
    let at = skipped + name + open + 1;
    Some((Span::new(at, at + len), std::str::from_utf8(value.get(..len)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &[u8]) -> (String, bool, usize, Vec<String>) {
        let decoded = decode(&body.into());
        let text = String::from_utf8(decoded.text.to_vec()).unwrap();
        (text, decoded.exact, decoded.start, decoded.notes.into_iter().map(|note| note.detail).collect())
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn plain_and_marked_utf8_stay_where_they_are() {
        assert_eq!(decoded("<ä/>".as_bytes()), ("<ä/>".into(), true, 0, vec![]));
        assert_eq!(decoded("\u{feff}<a/>".as_bytes()), ("\u{feff}<a/>".into(), true, 3, vec![]));
    }

    #[test]
    fn utf16_is_transcoded_with_and_without_a_mark() {
        for big in [false, true] {
            assert_eq!(decoded(&utf16("\u{feff}<ä/>", big)), ("<ä/>".into(), false, 0, vec![]));
            let (text, exact, _, notes) = decoded(&utf16("<ä/>", big));
            assert_eq!((text.as_str(), exact, notes.len()), ("<ä/>", false, 1));
        }
    }

    #[test]
    fn declarations_are_followed_unless_the_bytes_say_otherwise() {
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE4</a>";
        assert_eq!(decoded(latin).0, "<?xml version='1.0' encoding='ISO-8859-1'?><a>ä</a>");
        let (text, exact, _, notes) = decoded("<?xml version='1.0' encoding='utf-16'?><a>ä</a>".as_bytes());
        assert!(text.ends_with("<a>ä</a>") && exact);
        assert_eq!(notes, ["the declaration says utf-16, but the bytes are not; read as UTF-8"]);
        let (_, exact, _, notes) = decoded(b"<?xml version='1.0' encoding='klingon'?><a/>");
        assert!(exact && notes.len() == 1);
        assert!(decoded(b"<?xml version='1.0' encoding='windows-1252'?><a/>").1);
    }

    #[test]
    fn a_mark_that_contradicts_the_declaration_is_noted() {
        let notes = |label: &str, mark: &str| {
            let text = format!("\u{feff}<?xml version='1.0' encoding='{label}'?><a/>");
            match mark {
                "8" => decoded(text.as_bytes()).3,
                mark => decoded(&utf16(&text, mark == "16BE")).3,
            }
        };
        assert_eq!(notes("utf-16", "8"), ["the declaration says utf-16, but the byte order mark says UTF-8"]);
        assert_eq!(notes("UTF-8", "16LE"), ["the declaration says UTF-8, but the byte order mark says UTF-16LE"]);
        assert!(
            notes("utf-8", "8").is_empty()
                && notes("utf-16", "16BE").is_empty()
                && notes("UTF-16LE", "16LE").is_empty()
        );
    }

    #[test]
    fn invalid_utf8_is_noted_at_its_place() {
        let decoded = decode(&b"<a>\xE4\xF6</a>".as_slice().into());
        assert!(!decoded.exact);
        assert_eq!(decoded.notes[0].span, Span::new(3, 4));
        assert_eq!(decoded.notes[0].detail, "bytes E4 are not UTF-8");
        assert_eq!(&*decoded.text, "<a>\u{fffd}\u{fffd}</a>".as_bytes());
    }
}

//! What stands before a document in its line, or at the start of the line above it: when it was logged, and who sent it.
//!
//! Only what is beyond doubt is taken: a time with date and zone, a last word `request:` or `response:`.

use crate::syncml::Side;
use crate::time::Time;

/// What a line says of the document after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) at: Option<Time>,
    pub(super) side: Option<Side>,
}

/// A prefix longer than this is not looked at.
const MAX: usize = 512;

/// Looks at what stands before byte `start`.
pub(super) fn before(text: &[u8], start: usize) -> Before {
    let from = start.saturating_sub(MAX);
    let window = text.get(from..start).unwrap_or_default();
    let line_start = memchr::memrchr(b'\n', window).map_or(0, |end| end + 1);
    let line = window.get(line_start..).unwrap_or_default();
    if line.trim_ascii().is_empty() {
        let above = window.get(..line_start).unwrap_or_default().trim_ascii_end();
        let whole = memchr::memrchr(b'\n', above).map_or(from == 0, |_| true);
        return said(above.rsplit(|byte| *byte == b'\n').next().unwrap_or_default(), whole);
    }
    said(line, line_start > 0 || from == 0)
}

/// What a line says. What stands behind markup in it does not tell when, nor what stands before markup who: both
/// would be words of another document.
fn said(line: &[u8], whole: bool) -> Before {
    let markup = memchr::memchr(b'<', line).is_some();
    let tail = line.rsplit(|byte| *byte == b'>').next().unwrap_or_default();
    let at = if whole && !markup { time(line) } else { None };
    Before { at, side: side(tail) }
}

fn side(said: &[u8]) -> Option<Side> {
    let said = said.trim_ascii_end().strip_suffix(b":")?.to_ascii_lowercase();
    match () {
        () if said.ends_with(b"request") => Some(Side::Client),
        () if said.ends_with(b"response") => Some(Side::Server),
        () => None,
    }
}

/// The first time with date and zone in a line: `2026-01-02T03:04:05.678Z`, also with a blank for the `T`, a comma
/// before the fraction, a blank before the zone, and a zone without its colon.
fn time(said: &[u8]) -> Option<Time> {
    let mut digit_before = false;
    said.iter().enumerate().find_map(|(at, byte)| {
        let begins = byte.is_ascii_digit() && !std::mem::replace(&mut digit_before, byte.is_ascii_digit());
        if begins { stamp(said.get(at..)?) } else { None }
    })
}

fn stamp(text: &[u8]) -> Option<Time> {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    let fits = |(shape, byte): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        shape => shape == byte,
    };
    let (moment, rest) = text.split_at_checked(SHAPE.len())?;
    if !SHAPE.iter().zip(moment).all(fits) {
        return None;
    }
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = match rest {
        [b'.' | b',', after @ ..] => after.split_at(digits(after).min(9)),
        rest => (&[][..], rest),
    };
    let zone = match rest.strip_prefix(b" ").unwrap_or(rest) {
        [b'Z' | b'z', ..] => "Z".to_owned(),
        [sign @ (b'+' | b'-'), a, b, b':', c, d, ..] | [sign @ (b'+' | b'-'), a, b, c, d, ..]
            if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()) =>
        {
            format!("{}{}{}:{}{}", *sign as char, *a as char, *b as char, *c as char, *d as char)
        }
        _ => return None,
    };
    let (date, clock) = std::str::from_utf8(moment).ok()?.split_at(10);
    let fraction = std::str::from_utf8(fraction).ok()?;
    let dot = if fraction.is_empty() { "" } else { "." };
    Time::parse(&format!("{date}T{}{dot}{fraction}{zone}", clock.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        before(text.as_bytes(), text.len()).at.map(|time| time.to_string())
    }

    #[test]
    fn times_with_a_zone_are_read() {
        let noon = Some("2026-03-01T12:00:00.250000Z".to_owned());
        assert_eq!(at("2026-03-01T12:00:00.250Z INFO body="), noon);
        assert_eq!(at("[2026-03-01 14:00:00,250 +0200] "), noon);
        assert_eq!(at("level=debug time=\"2026-03-01T11:00:00.25-01:00\" msg=\""), noon);
        assert_eq!(at("2026-03-01T12:00:00.250Z got response\n"), noon);
    }

    #[test]
    fn times_without_date_or_zone_are_not_guessed() {
        for line in ["2026-03-01 12:00:00 ", "12:00:00Z ", "06:03:11 GMT +10:00 [DEBUG] - ", "2026-13-01T12:00:00Z "] {
            assert_eq!(at(line), None, "{line}");
        }
    }

    #[test]
    fn the_last_word_says_who_sent_it() {
        let side = |text: &str| before(text.as_bytes(), text.len()).side;
        assert_eq!(side("21:09:54 [DEBUG] - mapping-request: "), Some(Side::Client));
        assert_eq!(side("21:09:54 [DEBUG] - mapping-response:\n"), Some(Side::Server));
        assert_eq!(side("response to request 7 "), None);
        assert_eq!(side("response:\n<a/>\n"), None);
    }
}

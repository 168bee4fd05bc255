//! Records: the five bytes before each of them, and where the next one begins after bytes were lost.

use super::version::Version;

/// Bytes of a header.
pub(super) const HEADER: usize = 5;
/// The most that a record may hold: 2^14 bytes, and 2048 of what a cipher adds (RFC 5246 §6.2.3).
const MAX_CONTENT: usize = 16 * 1024 + 2048;

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    Data = 23,
    Heartbeat = 24,
}

impl Kind {
    pub(super) fn of(number: u8) -> Option<Kind> {
        Some(match number {
            20 => Kind::ChangeCipherSpec,
            21 => Kind::Alert,
            22 => Kind::Handshake,
            23 => Kind::Data,
            24 => Kind::Heartbeat,
            _ => return None,
        })
    }
}

/// A record's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) version: Version,
    pub(super) len: usize,
}

impl Header {
    /// The header at the beginning of `bytes`; `None` when there is none that can be right.
    pub(super) fn of(bytes: &[u8]) -> Option<Header> {
        let [kind, major @ 3, minor @ 0..=4, high, low, ..] = *bytes else { return None };
        let header = Header {
            kind: Kind::of(kind)?,
            version: Version(u16::from_be_bytes([major, minor])),
            len: usize::from(u16::from_be_bytes([high, low])),
        };
        (header.len <= MAX_CONTENT).then_some(header)
    }

    pub(super) fn bytes(self) -> [u8; HEADER] {
        let [major, minor] = self.version.0.to_be_bytes();
        let [high, low] = u16::try_from(self.len).unwrap_or(u16::MAX).to_be_bytes();
        [self.kind as u8, major, minor, high, low]
    }
}

/// The first offset at which a record can begin, in bytes of which the beginning was lost: its header can be right, and so
/// can those of the records after it, as far as the bytes go. A record that does not end within the bytes counts only when
/// `last` or it stands at the beginning of them.
pub(super) fn find(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| chain(bytes.get(*at..).unwrap_or_default()))
}

/// Whether records follow each other from the first byte on.
fn chain(mut bytes: &[u8]) -> bool {
    for _ in 0..3 {
        let Some(header) = Header::of(bytes).filter(|header| header.len > 0) else { return false };
        match bytes.get(HEADER + header.len..) {
            Some([]) => return true,
            // A header that is cut by the end.
            Some(rest) if rest.len() < HEADER => return matches!(rest, [20..=24] | [20..=24, 3, ..]),
            Some(rest) => bytes = rest,
            None => return true,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cannot_be_right_is_none() {
        assert_eq!(Header::of(&[23, 3, 3, 0, 9]).unwrap().len, 9);
        assert_eq!(Header::of(&[23, 3, 3, 0x48, 0x00]).unwrap().len, MAX_CONTENT);
        assert!(Header::of(&[23, 3, 3, 0x48, 0x01]).is_none());
        assert!(Header::of(&[19, 3, 3, 0, 9]).is_none());
        assert!(Header::of(&[23, 3, 3, 0]).is_none());
    }

    #[test]
    fn the_next_record_is_found_by_those_that_follow() {
        let record = [&[23, 3, 3, 0, 4][..], b"abcd"].concat();
        let bytes = [&[9, 23, 3, 3, 0, 2, 7][..], &record, &record, &record].concat();
        assert_eq!(find(&bytes), Some(7));
        assert_eq!(find(&[1, 2, 3]), None);
    }
}

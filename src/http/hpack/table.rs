//! The tables that HPACK's indexes point into (RFC 7541 section 2.3): the static one, and what one direction of a
//! connection has taught so far.
//!
//! A capture may begin late, or miss packets: then the newest entries are known and older ones are not. Eviction goes
//! from the oldest, so what is known stays right; an index beyond it is [`Entry`]`::Unknown` and never guessed. Bound:
//! `limits.http2_table`.

use std::collections::VecDeque;
use std::sync::Arc;

/// What an index means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// A field; its name is not known where it was itself taken from an unknown entry.
    Known(Option<&'a str>, &'a str),
    /// It was taught before the capture began, or in a packet that was not captured.
    Unknown,
    /// No entry can have this index.
    Absent,
}

#[derive(Debug)]
struct Row {
    name: Option<Arc<str>>,
    value: Arc<str>,
    size: usize,
}

/// The table of one direction.
#[derive(Debug)]
pub(super) struct Table {
    /// Newest first.
    rows: VecDeque<Row>,
    size: usize,
    /// What the encoder keeps at most, as far as it is known.
    allowed: usize,
    /// What we keep at most.
    bound: usize,
    /// Whether all entries that the encoder may refer to are here.
    complete: bool,
}

/// What the encoder may keep before it says otherwise.
const DEFAULT: usize = 4096;
/// What a field costs besides its octets.
const OVERHEAD: usize = 32;

impl Table {
    /// The table at a connection's start, or of one whose start is not known.
    pub(super) fn new(from_start: bool, bound: usize) -> Table {
        let allowed = if from_start { DEFAULT.min(bound) } else { bound };
        Table { rows: VecDeque::new(), size: 0, allowed, bound, complete: from_start && DEFAULT <= bound }
    }

    /// Forgets all: entries may have been added that were not seen.
    pub(super) fn lose(&mut self) {
        self.rows.clear();
        self.size = 0;
        self.allowed = self.bound;
        self.complete = false;
    }

    /// The entry at `index`, from 1.
    pub(super) fn get(&self, index: u64) -> Entry<'_> {
        let Some(at) = index.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else { return Entry::Absent };
        if let Some((name, value)) = STATIC.get(at) {
            return Entry::Known(Some(name), value);
        }
        match self.rows.get(at - STATIC.len()) {
            Some(row) => Entry::Known(row.name.as_deref(), &row.value),
            None if self.complete => Entry::Absent,
            None => Entry::Unknown,
        }
    }

    /// Adds a field whose name and value had so many octets together.
    pub(super) fn insert(&mut self, name: Option<&str>, value: &str, octets: usize) {
        let size = octets.saturating_add(OVERHEAD);
        self.evict(self.allowed.saturating_sub(size));
        if size <= self.allowed {
            self.size += size;
            self.rows.push_front(Row { name: name.map(Arc::from), value: Arc::from(value), size });
        }
    }

    /// The encoder says how much it keeps from now on.
    pub(super) fn resize(&mut self, size: u64) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > self.bound {
            self.complete = false;
        }
        self.allowed = size.min(self.bound);
        self.evict(self.allowed);
        // Nothing that the encoder had before can have outlived a table of no size.
        self.complete |= size == 0;
    }

    fn evict(&mut self, until: usize) {
        while self.size > until {
            let Some(row) = self.rows.pop_back() else { break };
            self.size -= row.size;
        }
    }
}

/// RFC 7541 appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_static_table_comes_first() {
        let table = Table::new(true, 65_536);
        assert_eq!(table.get(0), Entry::Absent);
        assert_eq!(table.get(2), Entry::Known(Some(":method"), "GET"));
        assert_eq!(table.get(61), Entry::Known(Some("www-authenticate"), ""));
        assert_eq!(table.get(62), Entry::Absent);
        assert_eq!(table.get(u64::MAX), Entry::Absent);
    }

    #[test]
    fn old_entries_leave_when_there_is_no_room() {
        let mut table = Table::new(true, 65_536);
        table.resize(100);
        table.insert(Some("a"), "1", 2);
        table.insert(Some("b"), "2", 2);
        assert_eq!(table.get(63), Entry::Known(Some("a"), "1"));
        table.insert(Some("c"), "3", 2);
        assert_eq!((table.get(63), table.get(64)), (Entry::Known(Some("b"), "2"), Entry::Absent));
        table.insert(Some("too-large"), "", 69);
        assert_eq!(table.get(62), Entry::Absent, "a field larger than the table empties it");
    }

    #[test]
    fn what_was_not_seen_is_unknown_until_the_table_is_emptied() {
        let mut table = Table::new(false, 65_536);
        table.insert(None, "value", 5);
        assert_eq!((table.get(62), table.get(63)), (Entry::Known(None, "value"), Entry::Unknown));
        table.lose();
        assert_eq!(table.get(62), Entry::Unknown);
        table.resize(0);
        table.resize(4096);
        assert_eq!(table.get(62), Entry::Absent);
    }

    #[test]
    fn a_table_larger_than_ours_is_known_in_part() {
        let mut table = Table::new(true, 100);
        table.resize(1 << 20);
        (0..9).for_each(|_| table.insert(Some("a"), "1", 2));
        assert_eq!((table.get(63), table.get(64)), (Entry::Known(Some("a"), "1"), Entry::Unknown));
    }
}

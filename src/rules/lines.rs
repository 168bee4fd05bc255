//! Lines and columns of a text, told for many places of it without counting from the start each time.
//!
//! In: the bytes of a document. Out: line and column (in characters, both from 1) of a byte. Takes 4 bytes for each line
//! and each KiB of the text.

/// Characters are counted up to each of these.
const BLOCK: usize = 1024;

/// See the module's head.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    /// Where each line but the first begins.
    starts: Vec<u32>,
    /// Characters before each block.
    before: Vec<u32>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Lines<'a> {
        let starts = memchr::memchr_iter(b'\n', bytes).map(|at| clamp(at + 1)).collect();
        let mut count = 0;
        let before = bytes.chunks(BLOCK).map(|block| {
            let before = clamp(count);
            count += characters(block);
            before
        });
        Lines { bytes, before: before.collect(), starts }
    }

    /// Line and column of a byte, where the first byte of the text stands at `from`.
    pub(super) fn position(&self, at: u32, from: (u32, u32)) -> (u32, u32) {
        let at = at.min(clamp(self.bytes.len()));
        let line = self.starts.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied();
        let column = self.characters_before(at).saturating_sub(self.characters_before(start.unwrap_or(0)));
        let first = if start.is_none() { from.1 } else { 1 };
        (from.0.saturating_add(clamp(line)), first.saturating_add(column))
    }

    fn characters_before(&self, at: u32) -> u32 {
        let at = at as usize;
        let block = (at / BLOCK).min(self.before.len().saturating_sub(1));
        let rest = self.bytes.get(block * BLOCK..at).unwrap_or_default();
        self.before.get(block).copied().unwrap_or(0).saturating_add(clamp(characters(rest)))
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| *byte & 0xC0 != 0x80).count()
}

fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_are_those_that_counting_gives(text in "([aé\n]|[a-z]{300}){0,30}", at in 0u32..9000, from in (1u32..9, 1u32..9)) {
            let at = at.min(text.len() as u32);
            let before = &text.as_bytes()[..at as usize];
            let line = before.split(|byte| *byte == b'\n').next_back().unwrap();
            let lines = before.iter().filter(|byte| **byte == b'\n').count() as u32;
            let column = characters(line) as u32 + if lines == 0 { from.1 } else { 1 };
            prop_assert_eq!(Lines::of(text.as_bytes()).position(at, from), (from.0 + lines, column));
        }
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        assert_eq!(Lines::of(b"").position(7, (1, 1)), (1, 1));
        assert_eq!(Lines::of(b"a\nb").position(70, (1, 1)), (2, 2));
    }
}

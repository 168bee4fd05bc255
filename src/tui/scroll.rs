//! A cursor in a list and the part of the list that is seen. In: moves and sizes. Out: always a cursor inside the list.

use std::ops::Range;

/// See the module's head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scroll {
    /// The line the cursor is on.
    pub(crate) cursor: usize,
    /// The first line that is seen.
    pub(crate) top: usize,
    /// Lines in the list.
    len: usize,
    /// Lines that are seen.
    height: usize,
}

impl Scroll {
    /// Takes note of how long the list is and how much of it is seen.
    pub(crate) fn fit(&mut self, len: usize, height: usize) {
        (self.len, self.height) = (len, height);
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.top = self.top.min(len.saturating_sub(height));
        if self.cursor < self.top {
            self.top = self.cursor;
        } else if height > 0 && self.cursor >= self.top + height {
            self.top = self.cursor + 1 - height;
        }
    }

    /// The lines that are seen.
    pub(crate) fn seen(&self) -> Range<usize> {
        self.top..self.len.min(self.top.saturating_add(self.height))
    }

    /// Lines in the list.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Lines that are seen.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Puts the cursor on a line.
    pub(crate) fn to(&mut self, line: usize) {
        self.cursor = line.min(self.len.saturating_sub(1));
        self.fit(self.len, self.height);
    }

    /// Puts the cursor on a line and that line into the upper third of what is seen.
    pub(crate) fn show(&mut self, line: usize) {
        let seen = self.seen();
        self.cursor = line;
        if !seen.contains(&line) {
            self.top = if line < self.height { 0 } else { line.saturating_sub(self.height / 3) };
        }
    }

    /// Moves the cursor down, or up when negative.
    pub(crate) fn by(&mut self, lines: isize) {
        self.to(self.cursor.saturating_add_signed(lines));
    }

    /// Moves what is seen, the cursor with it where it would leave: the mouse wheel.
    pub(crate) fn wheel(&mut self, lines: isize) {
        if self.height == 0 || self.len == 0 {
            return;
        }
        let last = self.len.saturating_sub(self.height);
        self.top = self.top.saturating_add_signed(lines).min(last);
        let seen = self.seen();
        self.cursor = self.cursor.clamp(seen.start, seen.end.saturating_sub(1).max(seen.start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_cursor_stays_inside_and_is_seen(moves in prop::collection::vec((0usize..5, -30isize..30, 0usize..40), 0..60)) {
            let mut scroll = Scroll::default();
            for (kind, by, size) in moves {
                match kind {
                    0 => scroll.fit(size, size / 3),
                    1 => scroll.by(by),
                    2 => scroll.wheel(by),
                    3 => { scroll.show(size); scroll.fit(scroll.len, scroll.height); }
                    _ => scroll.to(size),
                }
                prop_assert!(scroll.cursor < scroll.len.max(1));
                prop_assert!(scroll.height == 0 || scroll.len == 0 || scroll.seen().contains(&scroll.cursor), "{scroll:?}");
            }
        }
    }
}

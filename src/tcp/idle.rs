//! Which slot has been idle for longest: a list through an array, every step in constant time.

const NONE: usize = usize::MAX;

#[derive(Clone, Copy)]
struct Link {
    before: usize,
    after: usize,
    listed: bool,
}

/// Slots in the order they were last touched.
pub(super) struct Idle {
    links: Vec<Link>,
    oldest: usize,
    newest: usize,
}

impl Default for Idle {
    fn default() -> Idle {
        Idle { links: Vec::new(), oldest: NONE, newest: NONE }
    }
}

impl Idle {
    /// Makes `slot` the newest.
    pub(super) fn touch(&mut self, slot: usize) {
        if self.newest == slot {
            return;
        }
        self.remove(slot);
        if self.links.len() <= slot {
            self.links.resize(slot + 1, Link { before: NONE, after: NONE, listed: false });
        }
        self.set_after(self.newest, slot);
        if let Some(link) = self.links.get_mut(slot) {
            *link = Link { before: self.newest, after: NONE, listed: true };
        }
        self.newest = slot;
    }

    /// Takes `slot` out, if it is in.
    pub(super) fn remove(&mut self, slot: usize) {
        let Some(link) = self.links.get_mut(slot).filter(|link| link.listed) else { return };
        link.listed = false;
        let Link { before, after, .. } = *link;
        self.set_after(before, after);
        match self.links.get_mut(after) {
            Some(link) => link.before = before,
            None => self.newest = before,
        }
    }

    /// The slot not touched for longest.
    pub(super) fn oldest(&self) -> Option<usize> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    fn set_after(&mut self, slot: usize, after: usize) {
        match self.links.get_mut(slot) {
            Some(link) => link.after = after,
            None => self.oldest = after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_slots_in_the_order_of_their_last_touch() {
        let mut idle = Idle::default();
        for slot in [0, 1, 2, 3, 1, 0, 0] {
            idle.touch(slot);
        }
        idle.remove(3);
        idle.remove(3);
        let mut order = Vec::new();
        while let Some(slot) = idle.oldest() {
            order.push(slot);
            idle.remove(slot);
        }
        assert_eq!(order, [2, 1, 0]);
        idle.touch(2);
        assert_eq!(idle.oldest(), Some(2));
    }
}

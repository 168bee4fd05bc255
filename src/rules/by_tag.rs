//! The rules on elements by the tags that they look at, and those of them that an element opens.
//!
//! In: the elements of a session one after the other. Out: for each the rules whose gates let it through, in the order of
//! the rules. Most elements of a tag show the same, so what that opens is remembered: an element costs a look at what it
//! shows, not a look at each gate. What is remembered of a tag is bounded by [`MOST`].

use super::ElementCx;
use super::gate::{Gated, Shown};
use crate::syncml::Tag;

/// Ways to show itself that are remembered for a tag. Where elements differ more than that, they are looked at anew.
const MOST: usize = 8;

/// See the module's head. `C` is what is called.
pub(super) struct ByTag<C>(Vec<OfTag<C>>);

/// The rules on elements of one tag.
struct OfTag<C> {
    rules: Vec<Gated<C>>,
    /// What one of them at least asks for.
    asked: Shown,
}

impl<C: Copy> ByTag<C> {
    /// Without rules.
    pub(super) fn new() -> ByTag<C> {
        ByTag(
            Tag::ALL
                .iter()
                .chain([&Tag::Other])
                .map(|_| OfTag { rules: Vec::new(), asked: Shown::default() })
                .collect(),
        )
    }

    /// Adds a rule on elements with these tags.
    pub(super) fn add(&mut self, tags: &[Tag], gated: Gated<C>) {
        for tag in tags {
            let of_tag = &mut self.0[*tag as usize];
            of_tag.rules.push(gated);
            of_tag.asked = of_tag.asked.or(gated.1.asks());
        }
    }

    /// Lets all rules look at all elements of their tags.
    pub(super) fn open(&mut self) {
        self.0.iter_mut().flat_map(|of_tag| &mut of_tag.rules).for_each(Gated::open);
    }
}

/// What the elements of a session opened so far.
pub(super) struct Opened<'r, C> {
    by_tag: &'r ByTag<C>,
    /// For each tag.
    known: Vec<Vec<Known<C>>>,
}

/// What elements showed, and the rules that this opens.
struct Known<C> {
    shown: Shown,
    open: Vec<(usize, C)>,
}

impl<'r, C: Copy> Opened<'r, C> {
    /// Nothing yet.
    pub(super) fn new(by_tag: &'r ByTag<C>) -> Opened<'r, C> {
        Opened { by_tag, known: by_tag.0.iter().map(|_| Vec::new()).collect() }
    }

    /// The rules that are called for an element; none for what stands below a `Data`.
    #[inline]
    pub(super) fn by(&mut self, cx: &ElementCx<'_>) -> &[(usize, C)] {
        let element = cx.element;
        let tag = element.tag() as usize;
        let OfTag { rules, asked } = &self.by_tag.0[tag];
        if rules.is_empty() || element.flags().payload {
            return &[];
        }
        let shown = Shown::of_element(cx, *asked);
        let known = &mut self.known[tag];
        let at = known.iter().position(|known| known.shown == shown).unwrap_or_else(|| remember(known, rules, shown));
        &known[at].open
    }
}

/// Finds what is opened by what was not shown before.
#[cold]
fn remember<C: Copy>(known: &mut Vec<Known<C>>, rules: &[Gated<C>], shown: Shown) -> usize {
    if known.len() == MOST {
        known.clear();
    }
    let open = rules.iter().filter(|Gated(_, gate, _)| gate.lets(shown)).map(|Gated(number, _, call)| (*number, *call));
    known.push(Known { shown, open: open.collect() });
    known.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::gate::{Gate, any_of};

    #[test]
    fn few_ways_are_remembered_and_each_opens_what_its_gates_let_through() {
        let of = |tag: Tag| Gate { has: any_of(&[tag]), ..Gate::OPEN };
        let rules = [Gated(3, of(Tag::Chal), ()), Gated(5, Gate::OPEN, ()), Gated(7, of(Tag::Item), ())];
        let mut known = Vec::new();
        for tag in [Tag::Chal, Tag::Item, Tag::Meta].into_iter().cycle().take(3 * MOST) {
            let at = remember(&mut known, &rules, of(tag).asks());
            let numbers: Vec<usize> = known[at].open.iter().map(|(number, ())| *number).collect();
            let expected: &[usize] = match tag {
                Tag::Chal => &[3, 5],
                Tag::Item => &[5, 7],
                _ => &[5],
            };
            assert_eq!(numbers, expected);
            assert!(known.len() <= MOST);
        }
    }
}

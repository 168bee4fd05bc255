//! Which session of one capture is compared with which of the other.
//!
//! Sessions of a device go together where both captures have that device; else the order decides.

use std::collections::HashSet;

use super::{Outline, align};

/// Places in the two lists.
pub type Pair = (Option<usize>, Option<usize>);

/// Pairs the sessions of two captures.
pub fn pair(a: &[Outline], b: &[Outline]) -> Vec<Pair> {
    if let ([_], [_]) = (a, b) {
        return vec![(Some(0), Some(0))];
    }
    let devices = |all: &[Outline]| all.iter().filter_map(|outline| outline.device.clone()).collect::<HashSet<_>>();
    let (of_a, of_b) = (devices(a), devices(b));
    let key =
        |outline: &Outline| outline.device.clone().filter(|device| of_a.contains(device) && of_b.contains(device));
    align(&a.iter().map(key).collect::<Vec<_>>(), &b.iter().map(key).collect::<Vec<_>>())
}

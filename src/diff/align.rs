//! Two lists laid side by side: the longest common subsequence.
//!
//! In: two lists of keys. Out: rows, each with a place in the first, in the second, or in both. Bound: [`CELLS`]; longer
//! lists are aligned greedily, each key with its next like within [`AHEAD`].

use std::hash::Hash;

/// Cells of the table of the longest common subsequence: 16 MiB. Two sessions of 2000 commands have 4 million.
const CELLS: usize = 4 << 20;
/// How far the greedy way looks ahead.
const AHEAD: usize = 256;

/// A row: where it is in the first list, and in the second.
type Row = (Option<usize>, Option<usize>);

/// Lays two lists side by side.
pub fn align<K: Eq + Hash>(a: &[K], b: &[K]) -> Vec<Row> {
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (middle_a, middle_b) = (&rest_a[..rest_a.len() - end], &rest_b[..rest_b.len() - end]);
    let middle = match (middle_a.len() + 1).saturating_mul(middle_b.len() + 1) {
        cells if cells <= CELLS => exact(middle_a, middle_b),
        _ => greedy(middle_a, middle_b),
    };
    let both = |at: usize, bt: usize| (Some(at), Some(bt));
    let mut rows: Vec<Row> = (0..start).map(|at| both(at, at)).collect();
    rows.extend(middle.into_iter().map(|(at, bt)| (at.map(|at| at + start), bt.map(|bt| bt + start))));
    rows.extend((0..end).rev().map(|from_end| both(a.len() - from_end - 1, b.len() - from_end - 1)));
    rows
}

/// The longest common subsequence; where there are several, what is of the first list alone stands first.
fn exact<K: Eq>(a: &[K], b: &[K]) -> Vec<Row> {
    let width = b.len() + 1;
    let mut lengths = vec![0u32; (a.len() + 1) * width];
    for at in (0..a.len()).rev() {
        for bt in (0..b.len()).rev() {
            lengths[at * width + bt] = match a[at] == b[bt] {
                true => lengths[(at + 1) * width + bt + 1] + 1,
                false => lengths[(at + 1) * width + bt].max(lengths[at * width + bt + 1]),
            };
        }
    }
    let mut rows = Vec::with_capacity(a.len().max(b.len()));
    let (mut at, mut bt) = (0, 0);
    while at < a.len() || bt < b.len() {
        let here = |at: usize, bt: usize| lengths[at * width + bt];
        if at < a.len() && bt < b.len() && a[at] == b[bt] {
            rows.push((Some(at), Some(bt)));
            (at, bt) = (at + 1, bt + 1);
        } else if bt == b.len() || (at < a.len() && here(at + 1, bt) >= here(at, bt + 1)) {
            rows.push((Some(at), None));
            at += 1;
        } else {
            rows.push((None, Some(bt)));
            bt += 1;
        }
    }
    rows
}

fn greedy<K: Eq>(a: &[K], b: &[K]) -> Vec<Row> {
    let mut rows = Vec::with_capacity(a.len().max(b.len()));
    let mut next = 0;
    for (at, key) in a.iter().enumerate() {
        let found = b.iter().skip(next).take(AHEAD).position(|other| other == key);
        match found {
            Some(step) => {
                rows.extend((next..next + step).map(|bt| (None, Some(bt))));
                rows.push((Some(at), Some(next + step)));
                next += step + 1;
            }
            None => rows.push((Some(at), None)),
        }
    }
    rows.extend((next..b.len()).map(|bt| (None, Some(bt))));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(a: &str, b: &str) -> String {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        let row = |(at, bt): Row| match (at, bt) {
            (Some(at), Some(_)) => a[at].to_string(),
            (Some(at), None) => format!("-{}", a[at]),
            (None, Some(bt)) => format!("+{}", b[bt]),
            (None, None) => unreachable!(),
        };
        align(&a, &b).into_iter().map(row).collect()
    }

    #[test]
    fn what_both_have_is_found() {
        assert_eq!(told("abcde", "abde"), "ab-cde");
        assert_eq!(told("abc", "xabyc"), "+xab+yc");
        assert_eq!(told("ab", "cd"), "-a-b+c+d");
        assert_eq!(told("", "a"), "+a");
        assert_eq!(told("aab", "ab"), "a-ab");
    }

    proptest! {
        #[test]
        fn each_place_stands_once_and_in_order(a in "[a-d]{0,40}", b in "[a-d]{0,40}") {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            for rows in [align(&a, &b), greedy(&a, &b)] {
                let of_a: Vec<usize> = rows.iter().filter_map(|row| row.0).collect();
                let of_b: Vec<usize> = rows.iter().filter_map(|row| row.1).collect();
                prop_assert_eq!(of_a, (0..a.len()).collect::<Vec<_>>());
                prop_assert_eq!(of_b, (0..b.len()).collect::<Vec<_>>());
                prop_assert!(rows.iter().all(|row| row.0.zip(row.1).is_none_or(|(at, bt)| a[at] == b[bt])));
            }
            prop_assert!(align(&a, &a).iter().all(|row| row.0 == row.1));
        }
    }
}

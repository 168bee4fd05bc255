//! Which known name is meant by one that is not known: for "did you mean".

/// The nearest of some names, if it is near enough to be meant.
pub fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.map(|name| (distance(name, given), name)).min();
    near.filter(|(changes, _)| *changes <= 1 + given.len() / 4).map(|(_, name)| name)
}

/// How many letters must be changed, added or removed (Levenshtein).
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changes() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn only_a_near_name_is_meant() {
        let names = || ["user", "secret", "nonce"].into_iter();
        assert_eq!(nearest("sercet", names()), Some("secret"));
        assert_eq!(nearest("secrets", names()), Some("secret"));
        assert_eq!(nearest("password", names()), None);
    }
}

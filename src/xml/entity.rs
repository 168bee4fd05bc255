//! References in text: `&amp;`, `&#65;`, `&#x41;`. Entities that a DTD may declare are never looked up.

/// The character of a reference, by what stands between `&` and `;`; `None` when it is none that XML itself knows.
pub(super) fn resolve(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => character(name.strip_prefix('#')?),
    }
}

fn character(number: &str) -> Option<char> {
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    if !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, radix).ok()?).filter(|found| is_char(*found))
}

/// The `Char` production of XML 1.0.
pub(super) fn is_char(char: char) -> bool {
    match char {
        '\t' | '\n' | '\r' => true,
        '\u{FFFE}' | '\u{FFFF}' => false,
        _ => char >= ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_references_resolve_and_no_others() {
        let found: Vec<Option<char>> = ["amp", "#65", "#x1F600", "#0", "#xD800", "#+65", "#", "AMP", "nbsp", ""]
            .iter()
            .map(|name| resolve(name))
            .collect();
        let none = [None; 7];
        assert_eq!(found[..3], [Some('&'), Some('A'), Some('😀')]);
        assert_eq!(found[3..], none);
    }
}

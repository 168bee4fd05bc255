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

/// Whether a reference is well-formed, but its number is that of no character that XML allows.
pub(super) fn is_forbidden(name: &str) -> bool {
    name.strip_prefix('#').and_then(number).is_some() && resolve(name).is_none()
}

fn character(digits: &str) -> Option<char> {
    char::from_u32(number(digits)?).filter(|found| is_char(*found))
}

fn number(text: &str) -> Option<u32> {
    let (digits, radix) = text.strip_prefix('x').map_or((text, 10), |hex| (hex, 16));
    let plain = digits.bytes().all(|byte| char::from(byte).is_digit(radix));
    if plain { u32::from_str_radix(digits, radix).ok() } else { None }
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
        assert!(
            is_forbidden("#1")
                && is_forbidden("#xFFFE")
                && !is_forbidden("#65")
                && !is_forbidden("#zz")
                && !is_forbidden("nbsp")
        );
    }
}

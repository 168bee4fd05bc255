//! Octets written in hexadecimal, as logs and specifications have them.

/// The octets of a text that holds nothing but pairs of hexadecimal digits, each perhaps behind `0x`, with blanks, commas or
/// colons between them.
pub fn octets(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len() / 2);
    let mut rest = text;
    loop {
        rest = match rest {
            [] => break,
            [b' ' | b'\t' | b'\r' | b'\n' | b',' | b':', behind @ ..] => behind,
            [b'0', b'x' | b'X', behind @ ..] => behind,
            [high, low, behind @ ..] => {
                let (high, low) = (digit(*high)?, digit(*low)?);
                octets.push(high << 4 | low);
                behind
            }
            [_] => return None,
        };
    }
    Some(octets).filter(|octets| !octets.is_empty())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Octets as lower-case digits, without blanks.
pub fn text(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_digits_are_read_however_they_are_parted() {
        for text in ["02c0 FF", "02:C0:ff\n", "0x02, 0xc0,0xFF", "02C0FF"] {
            assert_eq!(octets(text.as_bytes()), Some(vec![2, 0xc0, 0xff]), "{text}");
        }
        for text in ["", " ", "0", "0x", "02 c", "zz", "02-c0"] {
            assert_eq!(octets(text.as_bytes()), None, "{text}");
        }
        assert_eq!(text(&[2, 0xc0]), "02c0");
    }
}

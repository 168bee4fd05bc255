//! The Huffman code of HPACK (RFC 7541 appendix B).
//!
//! The code is canonical: among codes of one length, and from one length to the next, codes count up in the order of
//! their symbols. So the lengths alone give it. Bound: a symbol has 5 bits at least, so the output is at most 8/5 of the
//! input.

/// Length in bits of each symbol's code; the last is the end of string.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];
const LONGEST: usize = 30;
const END: u16 = 256;

/// For each length: one past its last code, the first code, and where its symbols stand in [`SYMBOLS`].
const RANGES: [Range; LONGEST + 1] = ranges();
/// All symbols, by length and value.
const SYMBOLS: [u16; 257] = symbols();

#[derive(Clone, Copy)]
struct Range {
    first: u32,
    end: u32,
    symbols: usize,
}

const fn ranges() -> [Range; LONGEST + 1] {
    let mut ranges = [Range { first: 0, end: 0, symbols: 0 }; LONGEST + 1];
    let (mut code, mut placed, mut length) = (0u32, 0, 1);
    while length <= LONGEST {
        code <<= 1;
        let first = code;
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                code += 1;
            }
            symbol += 1;
        }
        ranges[length] = Range { first, end: code, symbols: placed };
        placed += (code - first) as usize;
        length += 1;
    }
    ranges
}

const fn symbols() -> [u16; 257] {
    let mut symbols = [0; 257];
    let (mut placed, mut length) = (0, 1);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                symbols[placed] = symbol as u16;
                placed += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    symbols
}

/// The octets that `coded` stands for. `None` when it holds the end of string, or ends in anything but the ones that
/// fill the last octet.
pub(super) fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(coded.len() + coded.len() / 2);
    let (mut code, mut length) = (0u32, 0usize);
    for byte in coded {
        for bit in (0..8).rev() {
            code = code << 1 | u32::from(byte >> bit & 1);
            length += 1;
            let range = RANGES.get(length)?;
            if code >= range.first && code < range.end {
                let at = range.symbols + (code - range.first) as usize;
                let symbol = *SYMBOLS.get(at)?;
                out.push(u8::try_from(symbol).ok().filter(|_| symbol != END)?);
                (code, length) = (0, 0);
            }
        }
    }
    let is_padding = length < 8 && code == (1 << length) - 1;
    is_padding.then_some(out)
}

/// The code of `plain`, for tests and for what is recorded of peers that we play.
#[cfg(test)]
pub(super) fn encode(plain: &[u8]) -> Vec<u8> {
    let code_of = |symbol: u8| {
        let length = usize::from(LENGTHS[usize::from(symbol)]);
        let range = RANGES[length];
        let at = SYMBOLS[range.symbols..].iter().position(|known| *known == u16::from(symbol)).unwrap();
        (range.first + at as u32, length)
    };
    let mut bits: Vec<u8> = Vec::new();
    for (code, length) in plain.iter().map(|byte| code_of(*byte)) {
        bits.extend((0..length).rev().map(|bit| (code >> bit & 1) as u8));
    }
    bits.resize(bits.len().next_multiple_of(8), 1);
    bits.chunks(8).map(|octet| octet.iter().fold(0, |all, bit| all << 1 | bit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_appendix() {
        // Symbol, code and length of some rows of the appendix, the ends of its lengths among them.
        for (symbol, code, length) in [
            (b'0', 0x0, 5),
            (b't', 0x9, 5),
            (b' ', 0x14, 6),
            (b'u', 0x2d, 6),
            (b':', 0x5c, 7),
            (b'&', 0xf8, 8),
            (b'!', 0x3f8, 10),
            (b'|', 0x7fc, 11),
            (b'\\', 0x7fff0, 19),
            (1, 0x7f_ffd8, 23),
            (b'\n', 0x3fff_fffc, 30),
        ] {
            let mut bits = encode(&[symbol]);
            let filled = bits.len() * 8;
            bits.resize(4, 0xff);
            let word = u32::from_be_bytes(bits.try_into().unwrap());
            assert_eq!((word >> (32 - length), filled), (code, (length as usize).next_multiple_of(8)), "{symbol}");
        }
    }

    #[test]
    fn every_octet_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
        assert_eq!(decode(&[]), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        assert_eq!(decode(&[0xff; 4]), None, "the end of string");
        assert_eq!(decode(&[0xff]), None, "a whole octet of padding");
        assert_eq!(decode(&[0x00, 0x00]), None, "padding of zeros");
    }
}

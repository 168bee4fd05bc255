//! HPACK (RFC 7541): the header blocks of one direction of an HTTP/2 connection in, fields out.
//!
//! The tables have a memory, and a capture may lack their beginning: a field that cannot be known is handed on as
//! unknown. Bounds: the caller's on a block, `limits.http2_table` on the memory; strings grow by 8/5 at most.

mod huffman;
mod table;

use table::{Entry, Table};

/// Why a block could not be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends within a field.
    Cut,
    /// A number with more bits than any length or index needs.
    Number,
    /// A string that is not in the Huffman code that it claims.
    Huffman,
    /// An index that no table has.
    Index,
}

impl Fault {
    /// A sentence's end for a message.
    pub fn what(self) -> &'static str {
        match self {
            Fault::Cut => "it ends within a field",
            Fault::Number => "a number in it is too large",
            Fault::Huffman => "a string in it is not in the Huffman code",
            Fault::Index => "it refers to a field that was never sent",
        }
    }
}

/// A field of a block; `None` where it was sent before the capture began or in packets that were not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Its value; octets that are no UTF-8 are replaced.
    pub value: Option<&'a str>,
}

/// Reader of the blocks of one direction, in order.
#[derive(Debug)]
pub struct Decoder {
    table: Table,
}

impl Decoder {
    /// A reader that begins with the connection, or somewhere in it; its table holds at most `bound` octets.
    pub fn new(from_start: bool, bound: usize) -> Decoder {
        Decoder { table: Table::new(from_start, bound) }
    }

    /// Blocks may have passed that were not seen.
    pub fn lose(&mut self) {
        self.table.lose();
    }

    /// Reads one whole block and hands each field to `each`.
    ///
    /// # Errors
    /// The block is damaged; what was handed on stands, but nothing more is known of the table.
    pub fn decode(&mut self, block: &[u8], each: &mut dyn FnMut(Field<'_>)) -> Result<(), Fault> {
        let done = self.fields(block, each);
        if done.is_err() {
            self.table.lose();
        }
        done
    }

    fn fields(&mut self, block: &[u8], each: &mut dyn FnMut(Field<'_>)) -> Result<(), Fault> {
        let mut block = Block { rest: block };
        while let Some(first) = block.rest.first().copied() {
            match first {
                0x80.. => match self.table.get(block.number(7)?) {
                    Entry::Known(name, value) => each(Field { name, value: Some(value) }),
                    Entry::Unknown => each(Field { name: None, value: None }),
                    Entry::Absent => return Err(Fault::Index),
                },
                0x40.. => self.literal(&mut block, 6, true, each)?,
                0x20.. => self.table.resize(block.number(5)?),
                _ => self.literal(&mut block, 4, false, each)?,
            }
        }
        Ok(())
    }

    fn literal(
        &mut self,
        block: &mut Block<'_>,
        bits: u32,
        keep: bool,
        each: &mut dyn FnMut(Field<'_>),
    ) -> Result<(), Fault> {
        let index = block.number(bits)?;
        let (name, name_octets) = match index {
            0 => block.string().map(|(name, octets)| (Some(name), octets))?,
            index => match self.table.get(index) {
                Entry::Known(name, _) => (name.map(str::to_owned), name.map_or(0, str::len)),
                Entry::Unknown => (None, 0),
                Entry::Absent => return Err(Fault::Index),
            },
        };
        let (value, value_octets) = block.string()?;
        each(Field { name: name.as_deref(), value: Some(&value) });
        if keep {
            self.table.insert(name.as_deref(), &value, name_octets.saturating_add(value_octets));
        }
        Ok(())
    }
}

struct Block<'a> {
    rest: &'a [u8],
}

impl Block<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let (first, rest) = self.rest.split_first().ok_or(Fault::Cut)?;
        self.rest = rest;
        Ok(*first)
    }

    /// A number that begins in the low `bits` of the next octet (section 5.1).
    fn number(&mut self, bits: u32) -> Result<u64, Fault> {
        const MOST: u32 = 28;
        let mask = (1u64 << bits) - 1;
        let mut number = u64::from(self.byte()?) & mask;
        if number < mask {
            return Ok(number);
        }
        for shift in (0..=MOST).step_by(7) {
            let byte = self.byte()?;
            number += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Fault::Number)
    }

    /// A string and how many octets it has (section 5.2).
    fn string(&mut self) -> Result<(String, usize), Fault> {
        let coded = self.rest.first().is_some_and(|first| first & 0x80 != 0);
        let length = usize::try_from(self.number(7)?).map_err(|_| Fault::Number)?;
        let (octets, rest) = self.rest.split_at_checked(length).ok_or(Fault::Cut)?;
        self.rest = rest;
        let octets = if coded { huffman::decode(octets).ok_or(Fault::Huffman)? } else { octets.to_vec() };
        let count = octets.len();
        let text = String::from_utf8(octets).unwrap_or_else(|wrong| String::from_utf8_lossy(wrong.as_bytes()).into());
        Ok((text, count))
    }
}

#[cfg(test)]
mod tests;

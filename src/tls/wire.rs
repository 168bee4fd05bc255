//! A cursor over the fields of a TLS structure: numbers, and blocks behind their length.
//!
//! A read past the end gives `None` and moves nothing; a block that runs past the end can be asked for as far as it goes.

/// See the module's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Wire<'a> {
        Wire { rest: bytes }
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// A number of three bytes.
    pub(super) fn u24(&mut self) -> Option<usize> {
        self.array().map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]) as usize)
    }

    /// A block behind its length in one byte.
    pub(super) fn block8(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u8()?;
        let block = ahead.take(usize::from(len))?;
        *self = ahead;
        Some(block)
    }

    /// A block behind its length in two bytes.
    pub(super) fn block16(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u16()?;
        let block = ahead.take(usize::from(len))?;
        *self = ahead;
        Some(block)
    }

    /// A block behind its length in three bytes.
    pub(super) fn block24(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let len = ahead.u24()?;
        let block = ahead.take(len)?;
        *self = ahead;
        Some(block)
    }

    /// A block behind its length in two bytes, cut where the bytes end.
    pub(super) fn block16_cut(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.u16()?);
        self.take(len.min(self.rest.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_past_the_end_is_none_and_moves_nothing() {
        let mut wire = Wire::new(&[0, 5, 1, 2]);
        assert_eq!(wire.block16(), None);
        assert_eq!(wire.rest.len(), 4);
        assert_eq!(wire.block16_cut(), Some(&[1, 2][..]));
        assert!(wire.rest.is_empty());
    }
}

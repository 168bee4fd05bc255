//! The element names that the program knows by heart: SyncML 1.2 (RP 7) and MetInf (MI).

macro_rules! tags {
    ($($name:ident),+ $(,)?) => {
        /// A known element name, without its namespace.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Tag {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)+
            /// Any other name, and whatever stands below a `Data`.
            Other,
        }

        impl Tag {
            /// Number of tags, [`Tag::Other`] included.
            pub const COUNT: usize = Tag::Other as usize + 1;

            /// All known tags.
            pub const ALL: &'static [Tag] = &[$(Tag::$name),+];

            /// The element name; empty for [`Tag::Other`].
            pub const fn name(self) -> &'static str {
                match self { $(Tag::$name => stringify!($name),)+ Tag::Other => "" }
            }
        }
    };
}

mod list {
    tags! {
        // SyncML
        SyncML, SyncHdr, SyncBody,
        Add, Alert, Atomic, Copy, Delete, Exec, Get, Map, Move, Put, Replace, Results, Search, Sequence, Status, Sync,
        Archive, Chal, Cmd, CmdID, CmdRef, Correlator, Cred, Data, Field, Filter, FilterType, Final, Item, Lang,
        LocName, LocURI, MapItem, Meta, MoreData, MsgID, MsgRef, NoResp, NoResults, NumberOfChanges, Record, RespURI,
        SessionID, SftDel, Source, SourceParent, SourceRef, Target, TargetParent, TargetRef, VerDTD, VerProto,
        // MetInf
        Anchor, EMI, FieldLevel, Format, FreeID, FreeMem, Last, Mark, MaxMsgSize, MaxObjSize, Mem, MetInf, Next,
        NextNonce, SharedMem, Size, Type, Version,
    }
}
pub use list::Tag;

/// Bytes of a name that are compared at once; no known name has as many.
const WIDTH: usize = 16;

/// The names as numbers: the first byte lowest, zeros behind the last.
static WORDS: [u128; Tag::COUNT] = {
    let mut words = [0; Tag::COUNT];
    let mut index = 0;
    while index < Tag::ALL.len() {
        let name = Tag::ALL[index].name().as_bytes();
        assert!(name.len() < WIDTH);
        let mut at = 0;
        while at < name.len() {
            words[index] |= (name[at] as u128) << (at * 8);
            at += 1;
        }
        index += 1;
    }
    words
};

/// What is left of so many bytes of a word.
static MASKS: [u128; WIDTH] = {
    let mut masks = [0; WIDTH];
    let mut len = 1;
    while len < WIDTH {
        masks[len] = masks[len - 1] << 8 | 0xFF;
        len += 1;
    }
    masks
};

/// Tags by the hash of their names; a taken slot sends on to the next. A chain of comparisons with all names would
/// cost more than all else that is done for an element.
static BY_HASH: [Tag; SLOTS] = {
    let mut table = [Tag::Other; SLOTS];
    let mut index = 0;
    while index < Tag::ALL.len() {
        let mut slot = hash(WORDS[index]);
        while !matches!(table[slot], Tag::Other) {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = Tag::ALL[index];
        index += 1;
    }
    table
};

const SLOTS: usize = 256;

/// Of the first eight letters of a name, in which no two known names of one length agree.
const fn hash(name: u128) -> usize {
    ((name as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOTS.ilog2())) as usize
}

impl Tag {
    /// The tag of a local name; names are case-sensitive (RP 5.4).
    pub fn of(name: &[u8]) -> Tag {
        let mut word = [0; WIDTH];
        match word.get_mut(..name.len()) {
            Some(bytes) => bytes.copy_from_slice(name),
            None => return Tag::Other,
        }
        Tag::of_word(u128::from_le_bytes(word))
    }

    /// The tag whose name stands at the front of sixteen bytes, the first one lowest, with its length. What follows it is no letter,
    /// but may belong to the name all the same.
    #[inline]
    pub fn starting(word: u128) -> (Tag, usize) {
        // Letters have this bit, and what ends a name has not.
        const LETTER: u128 = u128::from_le_bytes([0x40; WIDTH]);
        let len = ((!word & LETTER).trailing_zeros() / 8) as usize;
        match MASKS.get(len) {
            Some(mask) => (Tag::of_word(word & mask), len),
            None => (Tag::Other, len),
        }
    }

    /// Whether the first `len` of sixteen bytes, the first one lowest, are its name.
    #[inline]
    pub fn starts(self, word: u128, len: usize) -> bool {
        MASKS.get(len).is_some_and(|mask| word & mask == WORDS[self as usize])
    }

    #[inline]
    fn of_word(name: u128) -> Tag {
        let mut slot = hash(name);
        loop {
            match BY_HASH[slot] {
                Tag::Other => return Tag::Other,
                tag if WORDS[tag as usize] == name => return tag,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }

    /// A bit for each tag, for sets of them. A few share one, so a set bit says that a tag may be there, a clear one that
    /// it is not.
    #[inline]
    pub const fn bit(self) -> u64 {
        1 << (self as u32 % u64::BITS)
    }

    /// Whether no other tag shares its bit.
    pub const fn has_own_bit(self) -> bool {
        let shared = Tag::COUNT - u64::BITS as usize;
        self as usize >= shared && (self as usize) < u64::BITS as usize
    }

    /// A protocol command element, `Status` and `Results` not counted.
    #[inline]
    pub const fn is_command(self) -> bool {
        use Tag::*;
        matches!(
            self,
            Add | Alert | Atomic | Copy | Delete | Exec | Get | Map | Move | Put | Replace | Search | Sequence | Sync
        )
    }

    /// An element that has a `CmdID`: a command, a `Status`, a `Results`.
    #[inline]
    pub const fn has_cmd_id(self) -> bool {
        self.is_command() || matches!(self, Tag::Status | Tag::Results)
    }

    /// A command that holds commands.
    pub fn is_container(self) -> bool {
        matches!(self, Tag::Atomic | Tag::Sequence | Tag::Sync)
    }

    /// An element that belongs to the namespace `syncml:metinf`.
    pub fn is_metinf(self) -> bool {
        self >= Tag::Anchor && self != Tag::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for tag in Tag::ALL {
            assert_eq!(Tag::of(tag.name().as_bytes()), *tag);
        }
        assert_eq!((Tag::of(b"syncml"), Tag::of(b""), Tag::of(&[b'a'; 17])), (Tag::Other, Tag::Other, Tag::Other));
        let word = |text: &[u8; WIDTH]| u128::from_le_bytes(*text);
        assert_eq!(Tag::starting(word(b"Cmd>Replace</Cmd")), (Tag::Cmd, 3));
        assert_eq!((Tag::starting(word(b"Data1>..........")).1, Tag::starting(word(&[b'a'; WIDTH])).1), (4, WIDTH));
        assert!(Tag::Cmd.starts(word(b"Cmd>Replace</Cmd"), 3) && !Tag::Cmd.starts(word(b"CmdID>1</CmdID><"), 5));
        assert!(Tag::NextNonce.is_metinf() && !Tag::VerProto.is_metinf() && !Tag::Other.is_metinf());
    }
}

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

/// Tags by the hash of their names; a taken slot sends on to the next. A chain of comparisons with all names would
/// cost more than all else that is done for an element.
static BY_HASH: [Tag; SLOTS] = {
    let mut table = [Tag::Other; SLOTS];
    let mut index = 0;
    while index < Tag::ALL.len() {
        let tag = Tag::ALL[index];
        let mut slot = hash(tag.name().as_bytes());
        while !matches!(table[slot], Tag::Other) {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = tag;
        index += 1;
    }
    table
};

const SLOTS: usize = 256;

/// Of a name's length, first, middle and last letter.
const fn hash(name: &[u8]) -> usize {
    let len = name.len();
    if len == 0 {
        return 0;
    }
    (len * 32 + (name[0] as usize + name[len / 2] as usize + name[len - 1] as usize) * 3) % SLOTS
}

impl Tag {
    /// The tag of a local name; names are case-sensitive (RP 5.4).
    pub fn of(name: &[u8]) -> Tag {
        let mut slot = hash(name);
        loop {
            match BY_HASH[slot] {
                Tag::Other => return Tag::Other,
                tag if tag.name().as_bytes() == name => return tag,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
    }

    /// A bit for each tag, for sets of them. A few share one, so a set bit says that a tag may be there, a clear one that
    /// it is not.
    pub const fn bit(self) -> u64 {
        1 << (self as u32 % u64::BITS)
    }

    /// Whether no other tag shares its bit.
    pub const fn has_own_bit(self) -> bool {
        let shared = Tag::COUNT - u64::BITS as usize;
        self as usize >= shared && (self as usize) < u64::BITS as usize
    }

    /// A protocol command element, `Status` and `Results` not counted.
    pub const fn is_command(self) -> bool {
        use Tag::*;
        matches!(
            self,
            Add | Alert | Atomic | Copy | Delete | Exec | Get | Map | Move | Put | Replace | Search | Sequence | Sync
        )
    }

    /// An element that has a `CmdID`: a command, a `Status`, a `Results`.
    pub fn has_cmd_id(self) -> bool {
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
        assert_eq!(Tag::of(b"syncml"), Tag::Other);
        assert!(Tag::NextNonce.is_metinf() && !Tag::VerProto.is_metinf() && !Tag::Other.is_metinf());
    }
}

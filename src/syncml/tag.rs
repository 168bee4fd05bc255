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

            /// The tag of a local name; names are case-sensitive (RP 5.4).
            pub fn of(name: &[u8]) -> Tag {
                $(const $name: &[u8] = stringify!($name).as_bytes();)+
                match name {
                    $($name => Tag::$name,)+
                    _ => Tag::Other,
                }
            }

            /// The element name; empty for [`Tag::Other`].
            pub fn name(self) -> &'static str {
                match self { $(Tag::$name => stringify!($name),)+ Tag::Other => "" }
            }
        }
    };
}

#[allow(non_upper_case_globals, reason = "the byte constants are named after the elements they spell")]
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

impl Tag {
    /// A protocol command element, `Status` and `Results` not counted.
    pub fn is_command(self) -> bool {
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

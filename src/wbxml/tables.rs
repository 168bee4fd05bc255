//! Token tables: SyncML 1.0 to 1.2, MetInf and DM DDF code pages, public identifiers (RP 8, protocol of WAP-192).

use crate::syncml::Tag;

/// Tokens that mean the same on every page.
pub mod global {
    /// The next byte is a code page.
    pub const SWITCH_PAGE: u8 = 0x00;
    /// End of an element's content, or of its attributes.
    pub const END: u8 = 0x01;
    /// A character as a number.
    pub const ENTITY: u8 = 0x02;
    /// A string that stands here and ends with NUL.
    pub const STR_I: u8 = 0x03;
    /// A tag whose name stands in the string table; bits 6 and 7 as for tags.
    pub const LITERAL: u8 = 0x04;
    /// An extension with a string.
    pub const EXT_I: std::ops::RangeInclusive<u8> = 0x40..=0x42;
    /// A processing instruction.
    pub const PI: u8 = 0x43;
    /// An extension with a number.
    pub const EXT_T: std::ops::RangeInclusive<u8> = 0x80..=0x82;
    /// A string of the string table.
    pub const STR_T: u8 = 0x83;
    /// An extension on its own.
    pub const EXT: std::ops::RangeInclusive<u8> = 0xC0..=0xC2;
    /// Bytes with their length.
    pub const OPAQUE: u8 = 0xC3;
    /// Bit of a tag: attributes follow.
    pub const ATTRIBUTES: u8 = 0x80;
    /// Bit of a tag: content follows.
    pub const CONTENT: u8 = 0x40;
}

/// The first token of each page's table.
const FIRST: u8 = 0x05;

/// Code page 0: SyncML, from token 05.
const SYNCML: [Option<Tag>; 56] = {
    use Tag::*;
    [
        Some(Add),
        Some(Alert),
        Some(Archive),
        Some(Atomic),
        Some(Chal),
        Some(Cmd),
        Some(CmdID),
        Some(CmdRef),
        Some(Copy),
        Some(Cred),
        Some(Data),
        Some(Delete),
        Some(Exec),
        Some(Final),
        Some(Get),
        Some(Item),
        Some(Lang),
        Some(LocName),
        Some(LocURI),
        Some(Map),
        Some(MapItem),
        Some(Meta),
        Some(MsgID),
        Some(MsgRef),
        Some(NoResp),
        Some(NoResults),
        Some(Put),
        Some(Replace),
        Some(RespURI),
        Some(Results),
        Some(Search),
        Some(Sequence),
        Some(SessionID),
        Some(SftDel),
        Some(Source),
        Some(SourceRef),
        Some(Status),
        Some(Sync),
        Some(SyncBody),
        Some(SyncHdr),
        Some(SyncML),
        Some(Target),
        Some(TargetRef),
        None, // 30 is reserved
        Some(VerDTD),
        Some(VerProto),
        Some(NumberOfChanges),
        Some(MoreData),
        Some(Field),
        Some(Filter),
        Some(Record),
        Some(FilterType),
        Some(SourceParent),
        Some(TargetParent),
        Some(Move),
        Some(Correlator),
    ]
};

/// Code page 1: MetInf, from token 05.
const METINF: [Tag; 18] = {
    use Tag::*;
    [
        Anchor, EMI, Format, FreeID, FreeMem, Last, Mark, MaxMsgSize, Mem, MetInf, Next, NextNonce, SharedMem, Size,
        Type, Version, MaxObjSize, FieldLevel,
    ]
};

/// Code page 2: DM DDF and TNDS, from token 05.
const DDF: [&str; 56] = [
    "AccessType",
    "ACL",
    "Add",
    "b64",
    "bin",
    "bool",
    "chr",
    "CaseSense",
    "CIS",
    "Copy",
    "CS",
    "date",
    "DDFName",
    "DefaultValue",
    "Delete",
    "Description",
    "DFFormat",
    "DFProperties",
    "DFTitle",
    "DFType",
    "Dynamic",
    "Exec",
    "float",
    "Format",
    "Get",
    "int",
    "Man",
    "MgmtTree",
    "MIME",
    "Mod",
    "Name",
    "Node",
    "node",
    "NodeName",
    "null",
    "Occurrence",
    "One",
    "OneOrMore",
    "OneOrN",
    "Path",
    "Permanent",
    "Replace",
    "RTProperties",
    "Scope",
    "Size",
    "time",
    "Title",
    "TStamp",
    "Type",
    "Value",
    "VerDTD",
    "VerNo",
    "xml",
    "ZeroOrMore",
    "ZeroOrN",
    "ZeroOrOne",
];

/// Code page 0 of DevInf documents, from token 05; 2F is not used.
const DEVINF: [&str; 48] = [
    "CTCap",
    "CTType",
    "DataStore",
    "DataType",
    "DevID",
    "DevInf",
    "DevTyp",
    "DisplayName",
    "DSMem",
    "Ext",
    "FwV",
    "HwV",
    "Man",
    "MaxGUIDSize",
    "MaxID",
    "MaxMem",
    "Mod",
    "OEM",
    "ParamName",
    "PropName",
    "Rx",
    "Rx-Pref",
    "SharedMem",
    "Size",
    "SourceRef",
    "SwV",
    "SyncCap",
    "SyncType",
    "Tx",
    "Tx-Pref",
    "ValEnum",
    "VerCT",
    "VerDTD",
    "XNam",
    "XVal",
    "UTC",
    "SupportNumberOfChanges",
    "SupportLargeObjs",
    "Property",
    "PropParam",
    "MaxOccur",
    "NoTruncate",
    "",
    "Filter-Rx",
    "FilterCap",
    "FilterKeyword",
    "FieldLevel",
    "SupportHierarchicalSync",
];

/// The page of SyncML's own elements.
pub const PAGE_SYNCML: u8 = 0;
/// The page of the children of `Meta`.
pub const PAGE_METINF: u8 = 1;
/// The page of device descriptions, inside TNDS data.
pub const PAGE_DDF: u8 = 2;

/// Not a number on the wire: page 0 of a document whose type is DevInf.
pub const PAGE_DEVINF: u8 = 0xFF;

/// The tag and name of a token (low 6 bits) on a page; `None` when the page has no such token or does not exist.
pub fn element(page: u8, token: u8) -> Option<(Tag, &'static str)> {
    let index = usize::from(token.checked_sub(FIRST)?);
    match page {
        PAGE_SYNCML => SYNCML.get(index).copied().flatten().map(|tag| (tag, tag.name())),
        PAGE_METINF => METINF.get(index).map(|tag| (*tag, tag.name())),
        PAGE_DDF => DDF.get(index).map(|name| (Tag::Other, *name)),
        PAGE_DEVINF => DEVINF.get(index).filter(|name| !name.is_empty()).map(|name| (Tag::Other, *name)),
        _ => None,
    }
}

/// The page and token of an element of SyncML or MetInf.
pub fn token(tag: Tag) -> Option<(u8, u8)> {
    let at = |index: usize| u8::try_from(index).ok().map(|index| index + FIRST);
    let syncml = SYNCML.iter().position(|known| *known == Some(tag));
    let metinf = || METINF.iter().position(|known| *known == tag);
    match syncml {
        Some(index) => at(index).map(|token| (PAGE_SYNCML, token)),
        None => metinf().and_then(at).map(|token| (PAGE_METINF, token)),
    }
}

/// The token of a name on a page other than SyncML's own.
pub fn named(page: u8, name: &str) -> Option<u8> {
    (FIRST..0x40).find(|token| element(page, *token).is_some_and(|(_, known)| known == name))
}

/// A document type that a public identifier names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocType {
    /// SyncML of this version, `1.2`.
    SyncMl(&'static str),
    /// MetInf on its own: never a message.
    MetInf,
    /// DevInf.
    DevInf,
    /// DM device description.
    Ddf,
    /// Provisioning document.
    Provisioning,
}

/// Public identifiers: number, formal name, what they name.
pub const PUBLIC: [(u32, &str, DocType); 9] = [
    (0x0FD1, "-//SYNCML//DTD SyncML 1.0//EN", DocType::SyncMl("1.0")),
    (0x0FD3, "-//SYNCML//DTD SyncML 1.1//EN", DocType::SyncMl("1.1")),
    (0x1201, "-//SYNCML//DTD SyncML 1.2//EN", DocType::SyncMl("1.2")),
    (0x0FD2, "-//SYNCML//DTD DevInf 1.0//EN", DocType::DevInf),
    (0x0FD4, "-//SYNCML//DTD DevInf 1.1//EN", DocType::DevInf),
    (0x1203, "-//SYNCML//DTD DevInf 1.2//EN", DocType::DevInf),
    (0x1202, "-//SYNCML//DTD MetInf 1.2//EN", DocType::MetInf),
    (0, "-//OMA//DTD-DM-DDF 1.2//EN", DocType::Ddf),
    (0x0B, "-//WAPFORUM//DTD PROV 1.0//EN", DocType::Provisioning),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_specification() {
        for (page, number, tag) in [
            (0, 0x2D, Tag::SyncML),
            (0, 0x3C, Tag::Correlator),
            (0, 0x20, Tag::Replace),
            (0, 0x31, Tag::VerDTD),
            (1, 0x0F, Tag::Next),
            (1, 0x13, Tag::Type),
            (1, 0x16, Tag::FieldLevel),
        ] {
            assert_eq!(element(page, number), Some((tag, tag.name())));
            assert_eq!(token(tag), Some((page, number)));
        }
        assert_eq!(element(0, 0x30), None);
        assert_eq!(element(2, 0x37), Some((Tag::Other, "VerDTD")));
        assert_eq!(element(2, 0x3C), Some((Tag::Other, "ZeroOrOne")));
        assert_eq!(element(PAGE_DEVINF, 0x34), Some((Tag::Other, "SupportHierarchicalSync")));
        assert_eq!(element(PAGE_DEVINF, 0x2F), None);
        assert_eq!(element(72, 0x05), None);
    }

    #[test]
    fn every_known_tag_has_a_token() {
        assert!(Tag::ALL.iter().all(|tag| token(*tag).is_some()));
    }
}

//! What the DTD says of the children of an element (RP 7).

use super::Tag;

/// The children of an element in the order of the DTD; empty where the order is free. `Add` stands for any command.
/// `MoreData` is left out: the text puts it before `Data`, the DTD behind.
pub const fn order(parent: Tag) -> &'static [Tag] {
    use Tag::*;
    match parent {
        SyncML => &[SyncHdr, SyncBody],
        SyncHdr => &[VerDTD, VerProto, SessionID, MsgID, Target, Source, RespURI, NoResp, Cred, Meta],
        Status => &[CmdID, MsgRef, CmdRef, Cmd, TargetRef, SourceRef, Cred, Chal, Data, Item],
        Results => &[CmdID, MsgRef, CmdRef, Meta, TargetRef, SourceRef, Item],
        Add | Replace | Copy => &[CmdID, NoResp, Cred, Meta, Item],
        Delete => &[CmdID, NoResp, Archive, SftDel, Cred, Meta, Item],
        Get => &[CmdID, NoResp, Lang, Cred, Meta, Item],
        Exec => &[CmdID, NoResp, Cred, Meta, Correlator, Item],
        Alert => &[CmdID, NoResp, Cred, Data, Correlator, Item],
        Atomic | Sequence => &[CmdID, NoResp, Meta, Add],
        Item => &[Target, Source, SourceParent, TargetParent, Meta, Data],
        Target => &[LocURI, LocName, Filter],
        Source => &[LocURI, LocName],
        Cred => &[Meta, Data],
        _ => &[],
    }
}

/// The children that an element cannot do without. A command needs an `Item`; what stands in a `Target` or `Source` may also be plain
/// text, and `SyncHdr` has its own way with them: who judges that looks closer.
pub const fn required(parent: Tag) -> &'static [Tag] {
    use Tag::*;
    match parent {
        SyncML => &[SyncHdr, SyncBody],
        Status => &[Cmd],
        Target | Source => &[LocURI],
        Cred => &[Data],
        Chal => &[Meta],
        Add | Replace | Delete | Copy | Get | Exec | Results => &[Item],
        _ => &[],
    }
}

/// Whether an element that has these children (a set of [`Tag::bit`]) may lack one that it needs.
#[inline]
pub fn may_lack(parent: Tag, children: u64) -> bool {
    REQUIRED[parent as usize] & !children != 0
}

/// What [`required`] says, as sets. A child that shares its bit cannot be told to be there: its parent has a set that is never full.
static REQUIRED: [u64; Tag::COUNT] = {
    let mut sets = [0; Tag::COUNT];
    let mut parent = 0;
    while parent < Tag::ALL.len() {
        let required = required(Tag::ALL[parent]);
        let mut at = 0;
        while at < required.len() {
            sets[parent] |= if required[at].has_own_bit() { required[at].bit() } else { !0 };
            at += 1;
        }
        parent += 1;
    }
    sets
};

/// The place of a child among the children of its parent, from 1; 0 where it has none.
#[inline]
pub fn rank(parent: Tag, child: Tag) -> u8 {
    RANKS[parent as usize][child as usize]
}

static RANKS: [[u8; Tag::COUNT]; Tag::COUNT] = {
    let mut ranks = [[0; Tag::COUNT]; Tag::COUNT];
    let mut parent = 0;
    while parent < Tag::ALL.len() {
        let order = order(Tag::ALL[parent]);
        let mut child = 0;
        while child < Tag::ALL.len() {
            ranks[parent][child] = place(order, Tag::ALL[child]);
            child += 1;
        }
        parent += 1;
    }
    ranks
};

/// The place of a child in an order, from 1; 0 where it has none.
const fn place(order: &[Tag], child: Tag) -> u8 {
    let child = if child.is_command() { Tag::Add } else { child };
    let mut at = 0;
    while at < order.len() {
        if order[at] as u8 == child as u8 {
            return at as u8 + 1;
        }
        at += 1;
    }
    0
}

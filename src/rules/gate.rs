//! What must be there before a rule is called: one comparison for each rule in place of a call, since most rules have
//! nothing to say of most elements, messages and sessions.
//!
//! In: what the page of a rule asks for (`has`, `lacks`, `signs`), and what is shown. Out: whether the rule is called. A gate
//! may let through what its rule then passes over, never the other way round.

use super::{ElementCx, MessageCx, SessionCx, regular, uri};
use crate::syncml::doc::Form;
use crate::syncml::{Command, Doc, Element, Tag};

/// What a rule asks for; of several conditions all must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// One of these elements is there (a set of `Tag::bit`): a child, or anywhere in the message or session.
    pub has: u64,
    /// One of these children is not, or holds nothing.
    pub lacks: u64,
    /// One of these signs is shown.
    pub signs: u32,
}

impl Gate {
    /// For rules that are always called.
    pub const OPEN: Gate = Gate { has: 0, lacks: 0, signs: 0 };

    /// Whether the rule is called where that is shown.
    #[inline]
    pub(super) fn lets(self, Shown { tags, signs }: Shown) -> bool {
        (self.has == 0 || self.has & tags != 0)
            && (self.lacks == 0 || self.lacks & !tags != 0 || signs & sign::hollow != 0)
            && (self.signs == 0 || self.signs & signs != 0)
    }

    /// What it looks at.
    pub(super) fn asks(self) -> Shown {
        Shown { tags: self.has | self.lacks, signs: self.signs | set(self.lacks != 0, sign::hollow) }
    }
}

/// A rule by its number, what must be there for it, and what is called.
#[derive(Clone, Copy)]
pub(super) struct Gated<C>(pub(super) usize, pub(super) Gate, pub(super) C);

impl<C> Gated<C> {
    /// Lets the rule be called everywhere.
    pub(super) fn open(&mut self) {
        self.1 = Gate::OPEN;
    }
}

/// A set of elements of which one is enough.
pub(super) const fn any_of(tags: &[Tag]) -> u64 {
    let (mut set, mut at) = (0, 0);
    while at < tags.len() {
        set |= tags[at].bit();
        at += 1;
    }
    set
}

/// A set of children of which one must not be there; each is told apart from all other names.
pub(super) const fn any_but(tags: &[Tag]) -> u64 {
    let mut at = 0;
    while at < tags.len() {
        assert!(tags[at].has_own_bit(), "that a child of this name is missing cannot be told at a glance");
        at += 1;
    }
    any_of(tags)
}

macro_rules! signs {
    ($($(#[doc = $about:literal])+ $name:ident = $bit:literal;)+) => {
        /// What can be seen at a glance of an element, or of one in a message or session.
        #[allow(non_upper_case_globals, reason = "they are the words that pages use")]
        pub(super) mod sign {
            $($(#[doc = $about])+ pub(in crate::rules) const $name: u32 = 1 << $bit;)+
            /// Of an address that leads to no CSP of the device: rules look closer themselves.
            pub(in crate::rules) const any_csp: u32 = dm_client | certificates | drastic;
        }
    };
}

signs! {
    /// Its code is not 200: of a Status, that it is no plain success.
    no_success = 0;
    /// Two of its children have one name.
    twins = 1;
    /// It has text of its own.
    text = 2;
    /// One of its children has neither text nor children, or no end tag.
    hollow = 3;
    /// White space stands around its text.
    padded = 4;
    /// Its text holds a CDATA section.
    cdata = 5;
    /// The CmdIDs of its message are not numbers that count up from 1.
    loose_ids = 6;
    /// Of its message, one Status or Results is no plain answer to the message before, or the first Status is not for the header.
    loose_refs = 7;
    /// An address of the server has a `?`, as all that follow.
    query = 8;
    /// A `%`.
    percent = 9;
    /// A `*`.
    asterisk = 10;
    /// A name that begins with a dot, the first one not counted unless two dots begin it.
    dots = 11;
    /// Two slashes in a row.
    slashes = 12;
    /// Something that must be escaped.
    bare = 13;
    /// It does not begin with `./`.
    unrooted = 14;
    /// It ends with a slash.
    ends_open = 15;
    /// It leads neither to `./Vendor` nor to `./Device/Vendor` nor to `./User`.
    apart = 16;
    /// It does not lead to `./Device/Vendor` nor to `./User`.
    unscoped = 17;
    /// Its last name is `Unenroll`.
    unenroll = 18;
    /// Its last name begins with `PFX`.
    pfx = 19;
    /// It leads to Windows' DMClient, or to no CSP of the device.
    dm_client = 20;
    /// It leads to a CSP of Windows that keeps certificates, or to no CSP of the device.
    certificates = 21;
    /// It leads to a CSP by which Windows is locked, restarted or reset, or to no CSP of the device.
    drastic = 22;
    /// Children of one of its elements stand in another order than the DTD has them in.
    disordered = 23;
    /// A command of the session has no Status.
    unanswered = 24;
    /// It may lack a child that it needs.
    lacking = 25;
    /// It has attributes.
    attributes = 26;
    /// It stands in a WBXML document.
    wbxml = 27;
    /// A Format in its message is not `chr`.
    other_format = 28;
}

/// Those that are read from addresses.
const OF_ADDRESSES: u32 = (sign::disordered - 1) & !(sign::query - 1);
/// Those that an element has from its message.
const OF_MESSAGES: u32 = sign::loose_ids | sign::loose_refs | sign::other_format;

/// Whether an element is a Format, and not `chr`.
fn has_other_format(doc: &Doc) -> bool {
    let is_other = |element: Element<'_>| element.tag() == Tag::Format && element.value() != Some("chr");
    doc.tags() & Tag::Format.bit() != 0 && doc.elements().any(is_other)
}

/// What an element shows, or a message or a session in all its elements.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shown {
    tags: u64,
    signs: u32,
}

/// A sign, if it is one.
#[inline]
pub(super) fn set(is: bool, sign: u32) -> u32 {
    if is { sign } else { 0 }
}

impl Shown {
    /// What an element shows of what is asked for: by its children, what stands in it, its addresses and its message.
    #[inline]
    pub(super) fn of_element(cx: &ElementCx<'_>, asked: Shown) -> Shown {
        let ElementCx { message, element } = *cx;
        let flags = element.flags();
        let own = set(element.code() != Some(200), sign::no_success)
            | set(flags.twins, sign::twins)
            | set(element.has_text(), sign::text)
            | set(flags.hollow, sign::hollow)
            | set(flags.lacking, sign::lacking)
            | set(element.has_attributes(), sign::attributes)
            | set(element.doc().form() == Form::Wbxml, sign::wbxml);
        let of_addresses = if asked.signs & OF_ADDRESSES == 0 { 0 } else { uri::signs_of(message, Command(element)) };
        let of_message =
            if asked.signs & OF_MESSAGES == 0 { 0 } else { Shown::of_message(message).signs & OF_MESSAGES };
        let signs = own | of_addresses | of_message;
        Shown { tags: element.tags_below() & asked.tags, signs: signs & asked.signs }
    }

    /// What one of the two has.
    pub(super) fn or(self, other: Shown) -> Shown {
        Shown { tags: self.tags | other.tags, signs: self.signs | other.signs }
    }

    /// By all elements of a message.
    pub(super) fn of_message(cx: MessageCx<'_>) -> Shown {
        let all = || cx.in_session().messages().map(Shown::read).collect();
        cx.facts.shown.get_or_init(all).get(cx.index).copied().unwrap_or_default()
    }

    fn read(cx: MessageCx<'_>) -> Shown {
        let doc = &cx.message.doc;
        let failed = doc.statuses().any(|status| status.code() != Some(200));
        let signs = set(failed, sign::no_success)
            | set(doc.flags().padded, sign::padded)
            | set(doc.flags().cdata, sign::cdata)
            | set(doc.flags().disordered, sign::disordered)
            | set(has_other_format(doc), sign::other_format);
        Shown { tags: doc.tags(), signs: signs | regular::signs(cx) | uri::signs_of_message(cx) }
    }

    /// By all messages of a session that rules on sessions look at.
    pub(super) fn of_session(cx: SessionCx<'_>) -> Shown {
        let unanswered = cx.session.exchanges.iter().any(|exchange| exchange.statuses.is_empty());
        let own = Shown { tags: 0, signs: set(unanswered, sign::unanswered) };
        cx.readable().map(Shown::of_message).fold(own, Shown::or)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_conditions_hold_or_the_rule_is_not_called() {
        let shown = |tags: &[Tag], signs| Shown { tags: any_of(tags), signs };
        let gate = Gate { has: any_of(&[Tag::Chal, Tag::Cred]), lacks: any_but(&[Tag::CmdID]), signs: sign::text };
        assert!(gate.lets(shown(&[Tag::Chal], sign::text)) && Gate::OPEN.lets(Shown::default()));
        assert!(gate.lets(shown(&[Tag::Cred, Tag::CmdID], sign::text | sign::hollow)));
        assert!(!gate.lets(shown(&[Tag::Chal, Tag::CmdID], sign::text)));
        assert!(!gate.lets(shown(&[Tag::Chal], sign::query)) && !gate.lets(shown(&[Tag::Item], sign::text)));
    }
}

//! Typed, borrowed views of a SyncML document. Every accessor is optional: documents are as they are.

use super::doc::{Doc, Element};
use super::tag::Tag;

/// `SyncHdr` (RP 6.2.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header<'a>(pub Element<'a>);

impl<'a> Header<'a> {
    /// `VerDTD`.
    pub fn ver_dtd(self) -> Option<&'a str> {
        self.0.child_value(Tag::VerDTD)
    }
    /// `VerProto`.
    pub fn ver_proto(self) -> Option<&'a str> {
        self.0.child_value(Tag::VerProto)
    }
    /// `SessionID`, an opaque string: 0, hexadecimal and leading zeros are all legal.
    pub fn session_id(self) -> Option<&'a str> {
        self.0.child_value(Tag::SessionID)
    }
    /// `MsgID`.
    pub fn msg_id(self) -> Option<&'a str> {
        self.0.child_value(Tag::MsgID)
    }
    /// `Target/LocURI`.
    pub fn target(self) -> Option<&'a str> {
        loc_uri(self.0, Tag::Target)
    }
    /// `Source/LocURI`.
    pub fn source(self) -> Option<&'a str> {
        loc_uri(self.0, Tag::Source)
    }
    /// `Source/LocName`: the user name of MD5 credentials.
    pub fn source_name(self) -> Option<&'a str> {
        self.0.child(Tag::Source)?.child_value(Tag::LocName)
    }
    /// `RespURI`.
    pub fn resp_uri(self) -> Option<&'a str> {
        self.0.child_value(Tag::RespURI)
    }
    /// `Cred`.
    pub fn cred(self) -> Option<Element<'a>> {
        self.0.child(Tag::Cred)
    }
    /// `Meta`.
    pub fn meta(self) -> Option<Meta<'a>> {
        self.0.child(Tag::Meta).map(Meta)
    }
}

/// A child of `SyncBody`, `Atomic` or `Sequence` that has a `CmdID`: a command, `Status` or `Results`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command<'a>(pub Element<'a>);

impl<'a> Command<'a> {
    /// Which command.
    #[inline]
    pub fn tag(self) -> Tag {
        self.0.tag()
    }
    /// `CmdID`.
    #[inline]
    pub fn cmd_id(self) -> Option<&'a str> {
        self.0.child_value(Tag::CmdID)
    }
    /// `MsgRef` of a `Status` or `Results`.
    pub fn msg_ref(self) -> Option<&'a str> {
        self.0.child_value(Tag::MsgRef)
    }
    /// `CmdRef` of a `Status` or `Results`.
    pub fn cmd_ref(self) -> Option<&'a str> {
        self.0.child_value(Tag::CmdRef)
    }
    /// `Cmd` of a `Status` or `Results`.
    pub fn cmd(self) -> Option<&'a str> {
        self.0.child_value(Tag::Cmd)
    }
    /// The values of children of these names together: asked for one by one, each takes a look at the children.
    #[inline]
    pub fn values<const N: usize>(self, tags: [Tag; N]) -> [Option<&'a str>; N] {
        let mut values = [None; N];
        for child in self.0.children() {
            if let Some(slot) = tags.iter().position(|tag| *tag == child.tag())
                && values[slot].is_none()
            {
                values[slot] = child.value().filter(|_| !child.flags().unclosed);
            }
        }
        values
    }
    /// `Data` of the element itself: the status code, the alert code.
    pub fn data(self) -> Option<&'a str> {
        self.0.child_value(Tag::Data)
    }
    /// `Data` as a code of three or four digits.
    #[inline]
    pub fn code(self) -> Option<u16> {
        self.0.code()
    }
    /// Whether this `Status` answers the message header: `CmdRef` 0, or `Cmd` SyncHdr where `CmdRef` is left out
    /// (RP 6.1.5 allows that).
    pub fn is_for_header(self) -> bool {
        match self.cmd_ref() {
            Some(cmd_ref) => cmd_ref == "0",
            None => self.cmd() == Some(Tag::SyncHdr.name()),
        }
    }
    /// Whether this `Status` asks for credentials. Beside 200 and 212 a `Chal` brings the nonce for the next time.
    pub fn challenges(self) -> bool {
        self.0.child(Tag::Chal).is_some() && !matches!(self.code(), Some(200 | 212))
    }
    /// Whether it is the Exec by which a server ends the enrollment of a Windows device (DMClient CSP, `Unenroll`).
    pub fn unenrolls(self) -> bool {
        let is_node = |uri: &str| {
            let path = super::uri::path(uri).to_ascii_lowercase();
            path.contains("/dmclient/")
                && !path.contains("/linkedenrollment/")
                && path.trim_end_matches('/').ends_with("/unenroll")
        };
        self.tag() == Tag::Exec && self.items().filter_map(Item::target).any(is_node)
    }
    /// Its items.
    #[inline]
    pub fn items(self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        self.0.all(Tag::Item).map(Item)
    }
    /// `Meta` of the element itself.
    pub fn meta(self) -> Option<Meta<'a>> {
        self.0.child(Tag::Meta).map(Meta)
    }
    /// Values of `TargetRef`; also where a peer put a `LocURI` element inside.
    pub fn target_refs(self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.all(Tag::TargetRef).filter_map(reference)
    }
    /// Values of `SourceRef`; also where a peer put a `LocURI` element inside.
    pub fn source_refs(self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.0.all(Tag::SourceRef).filter_map(reference)
    }
    /// `Correlator`.
    pub fn correlator(self) -> Option<&'a str> {
        self.0.child_value(Tag::Correlator)
    }
    /// The commands in a container, in order; `Status` and `Results` never stand there.
    pub fn nested(self) -> impl Iterator<Item = Command<'a>> + use<'a> {
        let container = self.tag().is_container();
        self.0.children().filter(move |child| container && child.tag().is_command()).map(Command)
    }
    /// Itself and all commands inside it, at any depth, in document order.
    pub fn with_nested(self) -> impl Iterator<Item = Command<'a>> + use<'a> {
        let container = Some(self.0).filter(|element| element.tag().is_container());
        let inside = container.into_iter().flat_map(Element::descendants).filter(|element| {
            element.tag().is_command() && element.parent().is_some_and(|parent| parent.tag().is_container())
        });
        std::iter::once(self).chain(inside.map(Command))
    }
    /// The container around it, if it stands in one.
    pub fn container(self) -> Option<Command<'a>> {
        self.0.parent().filter(|parent| parent.tag().is_container()).map(Command)
    }
}

/// `Item` (RP 6.3.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item<'a>(pub Element<'a>);

impl<'a> Item<'a> {
    /// `Target/LocURI`.
    #[inline]
    pub fn target(self) -> Option<&'a str> {
        loc_uri(self.0, Tag::Target)
    }
    /// `Source/LocURI`.
    pub fn source(self) -> Option<&'a str> {
        loc_uri(self.0, Tag::Source)
    }
    /// `Data`, the element.
    #[inline]
    pub fn data(self) -> Option<Element<'a>> {
        self.0.child(Tag::Data)
    }
    /// `Meta`.
    pub fn meta(self) -> Option<Meta<'a>> {
        self.0.child(Tag::Meta).map(Meta)
    }
    /// Whether `MoreData` stands in it: a chunk of a large object that is not the last.
    #[inline]
    pub fn more_data(self) -> bool {
        self.0.child(Tag::MoreData).is_some()
    }
    /// The format in force: the item's own, else its command's, else `chr` (RP 6.3.3, MI).
    pub fn format(self) -> &'a str {
        self.effective(Tag::Format).unwrap_or("chr")
    }
    /// The type in force: the item's own, else its command's, else `text/plain`.
    pub fn media_type(self) -> &'a str {
        self.effective(Tag::Type).unwrap_or("text/plain")
    }
    /// A Meta child in force for the item: its own `Meta`, then its command's, then the containers' outward.
    pub fn effective(self, tag: Tag) -> Option<&'a str> {
        self.effective_element(tag)?.value()
    }
    /// The same, the element; never an empty one.
    pub fn effective_element(self, tag: Tag) -> Option<Element<'a>> {
        let mut at = Some(self.0).filter(|item| item.doc().tags() & tag.bit() != 0);
        while let Some(element) = at {
            let own = element.child(Tag::Meta).and_then(|meta| meta.child(tag));
            if let Some(own) = own.filter(|own| own.value().is_some()) {
                return Some(own);
            }
            at = element.parent().filter(|parent| parent.tag().has_cmd_id());
        }
        None
    }
}

/// `Meta` (MI): a free container.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meta<'a>(pub Element<'a>);

impl<'a> Meta<'a> {
    /// The value of a child.
    pub fn get(self, tag: Tag) -> Option<&'a str> {
        self.0.child_value(tag)
    }
    /// `Format`.
    pub fn format(self) -> Option<&'a str> {
        self.get(Tag::Format)
    }
    /// `Type`.
    pub fn media_type(self) -> Option<&'a str> {
        self.get(Tag::Type)
    }
}

impl Doc {
    /// The `SyncHdr`, of a whole document or when it is the root of a fragment.
    pub fn header(&self) -> Option<Header<'_>> {
        let root = self.root()?;
        if root.tag() == Tag::SyncHdr { Some(Header(root)) } else { root.child(Tag::SyncHdr).map(Header) }
    }

    /// The `SyncBody`, of a whole document or when it is the root of a fragment.
    pub fn sync_body(&self) -> Option<Element<'_>> {
        let root = self.root()?;
        if root.tag() == Tag::SyncBody { Some(root) } else { root.child(Tag::SyncBody) }
    }

    /// The children of `SyncBody` that have a `CmdID`, in order.
    pub fn commands(&self) -> impl Iterator<Item = Command<'_>> {
        self.listed(!0, |listed| !listed.nested).map(Command)
    }

    /// The same with the commands inside containers, in document order.
    pub fn all_commands(&self) -> impl Iterator<Item = Command<'_>> {
        self.listed(!0, |_| true).map(Command)
    }

    /// The `Status` elements.
    pub fn statuses(&self) -> impl Iterator<Item = Command<'_>> {
        self.of_tag(Tag::Status)
    }

    /// Top-level alerts with that code.
    pub fn alerts(&self, code: u16) -> impl Iterator<Item = Command<'_>> {
        self.of_tag(Tag::Alert).filter(move |alert| alert.code() == Some(code))
    }

    /// The commands, statuses or results of that name, those inside containers left out.
    pub fn of_tag(&self, tag: Tag) -> impl Iterator<Item = Command<'_>> {
        self.listed(tag.bit(), move |listed| listed.tag == tag && !listed.nested).map(Command)
    }

    /// Whether `SyncBody` has a `Final`.
    pub fn has_final(&self) -> bool {
        self.sync_body().is_some_and(|body| body.has(Tag::Final))
    }

    /// The `Final` of `SyncBody`.
    pub fn final_mark(&self) -> Option<Element<'_>> {
        self.sync_body()?.child(Tag::Final)
    }
}

fn loc_uri(element: Element<'_>, tag: Tag) -> Option<&str> {
    element.child(tag)?.child_value(Tag::LocURI)
}

fn reference(element: Element<'_>) -> Option<&str> {
    element.value().or_else(|| element.child_value(Tag::LocURI))
}

//! What both sides of a session say about who they are: credentials, verdicts on them, challenges.
//!
//! In: a session. Out: one small record for each readable message, and what follows on what. Where a message between
//! was not captured, nothing follows.

use super::hmac;
use crate::credentials::octets;
use crate::rules::finding::Place;
use crate::rules::{MessageCx, SessionCx};
use crate::session::At;
use crate::syncml::{Command, Element, Kind, Meta, Side, Tag};

/// An authentication scheme (RP 5.3.1, DMS 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme<'a> {
    /// `syncml:auth-basic`, also where no type is given.
    Basic,
    /// `syncml:auth-md5`.
    Md5,
    /// `syncml:auth-MAC`, in an HTTP header.
    Mac,
    /// Another one.
    Other(&'a str),
}

impl<'a> Scheme<'a> {
    /// The scheme that a `Cred` or `Chal` names. Letters in the wrong case have a rule of their own.
    pub(super) fn of(element: Element<'a>) -> Scheme<'a> {
        let name = element.child(Tag::Meta).and_then(|meta| Meta(meta).media_type());
        match name {
            None => Scheme::Basic,
            Some(name) if name.eq_ignore_ascii_case("syncml:auth-basic") => Scheme::Basic,
            Some(name) if name.eq_ignore_ascii_case("syncml:auth-md5") => Scheme::Md5,
            Some(name) if name.eq_ignore_ascii_case("syncml:auth-mac") => Scheme::Mac,
            Some(name) => Scheme::Other(name),
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'a str {
        match self {
            Scheme::Basic => "syncml:auth-basic",
            Scheme::Md5 => "syncml:auth-md5",
            Scheme::Mac => "syncml:auth-MAC",
            Scheme::Other(name) => name,
        }
    }
}

/// A `Cred` of a message's header.
#[derive(Clone, Copy)]
pub(super) struct Cred<'a>(pub(super) Element<'a>);

impl<'a> Cred<'a> {
    /// Its scheme.
    pub(super) fn scheme(self) -> Scheme<'a> {
        Scheme::of(self.0)
    }

    /// Its `Data`.
    pub(super) fn data(self) -> Option<Element<'a>> {
        self.0.child(Tag::Data)
    }

    /// The text of its `Data`.
    pub(super) fn text(self) -> Option<&'a str> {
        self.data()?.value()
    }

    /// The user of basic credentials, and the password.
    pub(super) fn basic(self) -> Option<(String, String)> {
        let plain = String::from_utf8(octets(self.text().filter(|_| self.scheme() == Scheme::Basic)?)?).ok()?;
        plain.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
    }

    /// The digest of md5 credentials.
    pub(super) fn digest(self) -> Option<super::digest::Hash> {
        octets(self.text().filter(|_| self.scheme() == Scheme::Md5)?)?.try_into().ok()
    }
}

/// A `Chal`.
#[derive(Clone, Copy)]
pub(super) struct Chal<'a>(pub(super) Element<'a>);

impl<'a> Chal<'a> {
    /// The scheme it asks for.
    pub(super) fn scheme(self) -> Scheme<'a> {
        Scheme::of(self.0)
    }

    /// Its `NextNonce`.
    pub(super) fn next_nonce(self) -> Option<Element<'a>> {
        self.0.child(Tag::Meta)?.child(Tag::NextNonce).filter(|nonce| nonce.value().is_some())
    }
}

/// Whether what a `Cred` or `Chal` holds has to be base64. WBXML can have the octets themselves.
pub(super) fn is_coded(element: Element<'_>) -> bool {
    let format = element.child(Tag::Meta).and_then(|meta| Meta(meta).format());
    !holds_octets(element) && format.is_none_or(|format| format == "b64")
}

/// Whether a `Cred` or `Chal` holds octets as they are.
pub(super) fn holds_octets(element: Element<'_>) -> bool {
    let held = match element.tag() {
        Tag::Chal => Chal(element).next_nonce(),
        _ => Cred(element).data(),
    };
    held.is_some_and(|held| held.flags().opaque)
}

/// What a message says of the other side's last one.
#[derive(Clone, Copy)]
pub(super) struct Verdict<'a> {
    /// The Status for `SyncHdr`.
    pub(super) status: Command<'a>,
    /// Its code.
    pub(super) code: u16,
    /// The challenge.
    pub(super) chal: Option<Chal<'a>>,
    /// The message it speaks of, by index, where that is known.
    pub(super) of: Option<usize>,
    /// Its code, for findings to point at.
    pub(super) at: At,
}

impl<'a> Verdict<'a> {
    /// What a message says.
    pub(super) fn in_message(cx: MessageCx<'a>) -> Option<Verdict<'a>> {
        let status = cx.statuses().find(|status| status.is_for_header())?;
        let of = match status.msg_ref() {
            Some(msg_id) => cx.session.message(cx.side()?.peer(), msg_id, cx.index).found(),
            None => cx.answers().map(|message| message.index),
        };
        let place = status.0.child(Tag::Data).unwrap_or(status.0);
        Some(Verdict { status, code: status.code()?, chal: status.0.child(Tag::Chal).map(Chal), of, at: cx.at(place) })
    }

    /// Whether it refuses for the credentials.
    pub(super) fn refuses(self) -> bool {
        matches!(self.code, 401 | 407)
    }

    /// Whether it accepts.
    pub(super) fn accepts(self) -> bool {
        matches!(self.code, 200 | 212)
    }
}

/// What one message says.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    /// The message.
    pub(super) cx: MessageCx<'a>,
    /// Who sent it.
    pub(super) side: Side,
    /// Its credentials.
    pub(super) cred: Option<Cred<'a>>,
    /// Its `x-syncml-hmac` header.
    pub(super) mac: Option<&'a str>,
    /// What it says of the other side's message.
    pub(super) verdict: Option<Verdict<'a>>,
}

impl<'a> Turn<'a> {
    /// What a message says; nothing where it has no header, or is one that was sent before.
    pub(super) fn of(cx: MessageCx<'a>) -> Option<Turn<'a>> {
        let header = cx.message.header().filter(|_| cx.message.kind == Kind::SyncMl && !cx.is_repeated())?;
        let (cred, mac) = (header.cred().map(Cred), hmac::of(cx.message));
        Some(Turn { cx, side: cx.side()?, cred, mac, verdict: Verdict::in_message(cx) })
    }

    /// Whether it has credentials of any kind.
    pub(super) fn has_credentials(&self) -> bool {
        self.cred.is_some() || self.mac.is_some()
    }

    /// The scheme of its credentials.
    pub(super) fn scheme(&self) -> Option<Scheme<'a>> {
        self.cred.map(Cred::scheme).or(self.mac.map(|_| Scheme::Mac))
    }

    /// Its index in the session.
    pub(super) fn index(&self) -> usize {
        self.cx.index
    }

    /// Its header, for findings to point at.
    pub(super) fn header(&self) -> Place {
        let header = self.cx.message.header();
        header.map_or(Place::Message(self.cx.index), |header| self.cx.at(header.0).into())
    }

    /// The place of its credentials.
    pub(super) fn place(&self) -> Place {
        self.cred.map_or(Place::Message(self.cx.index), |cred| self.cx.at(cred.0).into())
    }
}

/// A refusal with what came before and after it.
pub(super) struct Refusal<'d, 'a> {
    /// The message that refuses.
    pub(super) turn: &'d Turn<'a>,
    /// What it says.
    pub(super) verdict: Verdict<'a>,
    /// The message that was refused.
    pub(super) refused: Option<&'d Turn<'a>>,
    /// What the refused side sends next.
    pub(super) next: Option<&'d Turn<'a>>,
}

/// All that the sides of a session say.
pub(in crate::rules) struct Dialog<'a> {
    cx: SessionCx<'a>,
    turns: Vec<Turn<'a>>,
}

impl<'a> Dialog<'a> {
    /// Reads the messages of a session.
    pub(super) fn of(cx: SessionCx<'a>) -> &'a Dialog<'a> {
        cx.facts.dialog.get_or_init(|| Dialog { cx, turns: cx.readable().filter_map(Turn::of).collect() })
    }

    /// The messages.
    pub(super) fn turns(&self) -> impl Iterator<Item = &Turn<'a>> {
        self.turns.iter()
    }

    /// The messages of one side.
    pub(super) fn of_side(&self, side: Side) -> impl Iterator<Item = &Turn<'a>> {
        self.turns.iter().filter(move |turn| turn.side == side)
    }

    /// What the sender of a message sends next.
    pub(super) fn next(&self, turn: &Turn<'a>) -> Option<&Turn<'a>> {
        self.first_after(turn.side, turn.index())
    }

    /// What the other side says of a message.
    pub(super) fn verdict_on(&self, turn: &Turn<'_>) -> Option<Verdict<'a>> {
        let of = |verdict: Verdict<'a>| (verdict.of == Some(turn.index())).then_some(verdict);
        self.turns.iter().filter(|later| later.index() > turn.index()).find_map(|later| later.verdict.and_then(of))
    }

    /// The refusals for credentials.
    pub(super) fn refusals(&self) -> impl Iterator<Item = Refusal<'_, 'a>> {
        self.turns.iter().filter_map(|turn| {
            let verdict = turn.verdict.filter(|verdict| verdict.refuses())?;
            let refused = self.turns.iter().find(|before| Some(before.index()) == verdict.of);
            let next = self.first_after(turn.side.peer(), turn.index());
            Some(Refusal { turn, verdict, refused, next })
        })
    }

    /// Whether nothing that `side` sent from index `from` on and before `until` is unknown.
    pub(super) fn is_whole(&self, side: Side, from: usize, until: usize) -> bool {
        !self.cx.session.has_hole_between(side, from, until)
    }

    fn first_after(&self, side: Side, index: usize) -> Option<&Turn<'a>> {
        let next = self.turns.iter().find(|turn| turn.side == side && turn.index() > index)?;
        self.is_whole(side, index, next.index()).then_some(next)
    }
}

//! Credentials recomputed from what the user knows (DM-AUT-010, 012, 017, 019 and 028): the right digest, an earlier
//! nonce, or one of the mistakes of `digest`.
//!
//! In: a session, the sessions before it, the credentials file and those of the enrollment. Out: a verdict on each digest. Where the nonce may have
//! been given in a part that was not captured, there is none.

use super::dialog::{Chal, Dialog, Turn};
use super::digest::{self, Account, Hash, Over};
use crate::credentials::{Entry, Origin, octets};
use crate::rules::history::Earlier;
use crate::session::{At, Edge, Session};
use crate::syncml::{Header, Side, Tag};

/// The nonce of who has none yet (DMN 5.1).
const NONE_YET: [u8; 4] = [0; 4];

/// Why a digest is not judged that fits none of the nonces that are known, where none of them is certain.
pub(super) const FITS_NONE: &str =
    "it fits no nonce that is known, and one that it fits may have been given where nothing was recorded";

/// A nonce that a side was given in a session.
pub(super) struct Given {
    pub(super) at: At,
    /// Code of the Status that brought it.
    pub(super) code: u16,
    pub(super) octets: Vec<u8>,
    text: String,
}

/// A nonce that can have been used.
struct Nonce {
    octets: Vec<u8>,
    text: String,
}

impl Nonce {
    fn of(octets: &[u8]) -> Nonce {
        Nonce { octets: octets.to_vec(), text: String::new() }
    }
}

/// What a digest turned out to be.
pub(super) enum Judged {
    /// Right: made with the nonce that was to be used.
    Right,
    /// Right but for the nonce, which is an earlier one.
    Stale,
    /// Made by these mistakes.
    Mistaken(String),
    /// Made from something else.
    Strange,
}

/// The nonces that a side knew when it sent a message.
pub(super) struct Known<'a> {
    entries: Vec<&'a Entry>,
    /// Given in this session, in order.
    pub(super) given: Vec<Given>,
    /// Those of sessions before, the last one first, and those that the user knows.
    older: Vec<Nonce>,
    /// Whether the first of `older` is the last nonce that the side can have been given before this session.
    is_first: bool,
}

impl<'a> Known<'a> {
    /// What is known of the sender of a message; nothing where the user gave no secret of it, or where the nonce may
    /// have come in a message that was not captured.
    pub(super) fn of(dialog: &Dialog<'a>, turn: &Turn<'a>, earlier: Option<&Earlier>) -> Option<Known<'a>> {
        Known::or_why(dialog, turn, earlier)?.ok()
    }

    /// The same, and why nothing is known of the nonce; nothing only where the user gave no secret of the sender.
    pub(super) fn or_why(
        dialog: &Dialog<'a>,
        turn: &Turn<'a>,
        earlier: Option<&Earlier>,
    ) -> Option<Result<Known<'a>, &'static str>> {
        let entries = entries(turn)?;
        let (session, peer) = (turn.cx.session, turn.side.peer());
        let given = given(dialog, turn);
        let from = given.last().map_or(0, |given| given.at.message);
        if !dialog.is_whole(peer, from, turn.index()) {
            return Some(Err("its nonce may have been given in a message that was not captured"));
        }
        if given.is_empty() && session.start != Edge::Seen {
            return Some(Err("its nonce may have been given before the part of the session that was captured"));
        }
        let past: Vec<Nonce> = earlier.map(|earlier| remembered(earlier, session, turn.side)).unwrap_or_default();
        let is_first = past.is_empty() && earlier.is_some();
        let own = entries.iter().filter_map(|entry| entry.nonce.as_ref()).map(|nonce| Nonce::of(nonce.expose()));
        Some(Ok(Known { older: past.into_iter().chain(own).collect(), entries, given, is_first }))
    }

    /// Whether the nonce that was to be used is known: it was given in this session, or the user says which one the side
    /// held, and no earlier session brought another.
    pub(super) fn is_certain(&self) -> bool {
        !self.given.is_empty() || (self.is_first && self.entries.iter().any(|entry| entry.nonce.is_some()))
    }

    /// Where the secrets are known from.
    pub(super) fn origin(&self) -> Origin {
        origin(&self.entries)
    }

    /// The last nonce given in this session.
    pub(super) fn latest(&self) -> Option<&Given> {
        self.given.last()
    }

    /// Whether a digest is right with this nonce.
    pub(super) fn fits(&self, nonce: &[u8], over: Over<'_>, seen: &Hash) -> bool {
        self.entries.iter().any(|entry| digest::digest(account(entry, None), nonce, over) == *seen)
    }

    /// What a digest is.
    pub(super) fn judge(&self, turn: &Turn<'a>, over: Over<'_>, seen: &Hash) -> Judged {
        let older = || self.given.iter().rev().skip(1).map(|given| (&given.octets, &given.text));
        let before = || self.older.iter().map(|nonce| (&nonce.octets, &nonce.text));
        let fits = |(nonce, _): (&Vec<u8>, &String)| self.fits(nonce, over, seen);
        let zero = self.fits(&NONE_YET, over, seen);
        match self.latest() {
            Some(given) if self.fits(&given.octets, over, seen) => return Judged::Right,
            Some(_) if zero || older().chain(before()).any(fits) => return Judged::Stale,
            None if zero || before().any(fits) => return Judged::Right,
            _ => {}
        }
        let latest = self.latest().map(|given| (&given.octets, &given.text));
        // For the mistakes that leave the nonce out.
        let none = (&NONE_YET.to_vec(), &String::new());
        let mistakes = |nonce: (&Vec<u8>, &String), earlier: bool| {
            self.entries.iter().find_map(|entry| {
                let made = digest::mistakes(account(entry, Some(turn)), nonce.0, nonce.1, over, seen)?;
                Some(if earlier { format!("{made} and with an earlier nonce") } else { made })
            })
        };
        let now = latest.into_iter().chain(self.latest().is_none().then(before).into_iter().flatten());
        let found = now.chain([none]).find_map(|nonce| mistakes(nonce, false));
        let found = found.or_else(|| older().chain(before()).find_map(|nonce| mistakes(nonce, true)));
        found.map_or(Judged::Strange, Judged::Mistaken)
    }
}

/// The credentials that the sender of a message can have used. Those with the user that it names,
/// if there are some.
pub(super) fn entries<'a>(turn: &Turn<'a>) -> Option<Vec<&'a Entry>> {
    let credentials = turn.cx.credentials;
    if credentials.is_empty() {
        return None;
    }
    let header = turn.cx.message.header()?;
    let all: Vec<&Entry> = credentials.of(turn.side, header.source()?).collect();
    let named: Vec<&Entry> = all.iter().filter(|entry| header.source_name() == Some(&entry.user)).copied().collect();
    Some(if named.is_empty() { all } else { named }).filter(|entries| !entries.is_empty())
}

/// Where secrets are known from: what the user gave goes first.
pub(super) fn origin(entries: &[&Entry]) -> Origin {
    let given = entries.iter().any(|entry| entry.origin == Origin::File);
    if given { Origin::File } else { Origin::Enrollment }
}

fn account<'e>(entry: &'e Entry, turn: Option<&Turn<'e>>) -> Account<'e> {
    let header = turn.and_then(|turn| turn.cx.message.header());
    let name = ("with the LocName as the user", header.and_then(Header::source_name));
    let id = ("with the LocURI as the user", header.and_then(Header::source));
    Account { user: &entry.user, secret: entry.secret.expose(), taken_for_user: [name, id] }
}

/// The nonces that the sender of a message was given in the session before it, in order.
fn given<'a>(dialog: &Dialog<'a>, turn: &Turn<'a>) -> Vec<Given> {
    let before = dialog.of_side(turn.side.peer()).take_while(|before| before.index() < turn.index());
    let nonce = |before: &Turn<'a>| {
        let statuses = before.cx.statuses().filter_map(|status| Some((status, Chal(status.0.child(Tag::Chal)?))));
        // That for the header counts, wherever it stands.
        let (status, chal) = statuses.min_by_key(|(status, _)| !status.is_for_header())?;
        let nonce = chal.next_nonce()?;
        let text = nonce.value()?.to_owned();
        Some(Given { at: before.cx.at(nonce), code: status.code()?, octets: octets(&text)?, text })
    };
    before.filter_map(nonce).collect()
}

/// The nonces of a side from earlier sessions of the device with the server, the last one first.
fn remembered(earlier: &Earlier, session: &Session, side: Side) -> Vec<Nonce> {
    let past = earlier.since_enrollment(session).filter(|past| past.server.as_deref() == session.server.as_deref());
    let given = past.filter_map(|past| past.auth.as_ref()).flat_map(|auth| auth.given(side).rev());
    given.map(|given| Nonce::of(&given.octets)).collect()
}

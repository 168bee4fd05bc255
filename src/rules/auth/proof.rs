//! DM-AUT-012, 017, 019 and 028, and the part of 010 that needs the password: digests against what they should be.
//!
//! No finding says what a nonce, a digest or a password is.

use super::dialog::{Cred, Dialog, Turn, Verdict};
use super::digest::{Hash, Over};
use super::hmac::Parameters;
use super::verify::{FITS_NONE, Judged, Known, entries, origin};
use crate::credentials::Origin;
use crate::rules::finding::Place;
use crate::rules::{CaptureCx, Draft, ElementCx, SessionCx, Severity, Sink};
use crate::session::Edge;
use crate::syncml::{Element, Side};

const SIDES: [Side; 2] = [Side::Client, Side::Server];

/// Basic credentials against the credentials file.
pub(super) fn basic(cx: &ElementCx<'_>, cred: Cred<'_>, data: Element<'_>, out: &mut Sink<'_>) {
    let (Some(turn), Some((user, password))) = (cx.turn(), cred.basic()) else { return };
    let Some(entries) = entries(&turn) else { return };
    if entries.iter().any(|entry| entry.user == user && *entry.secret.expose() == password) {
        return;
    }
    let swapped = entries.iter().any(|entry| entry.user == password && *entry.secret.expose() == user);
    let origin = origin(&entries);
    if !swapped && may_be_outdated(origin, &turn) {
        return;
    }
    let known = origin.name();
    let what = match entries.iter().any(|entry| entry.user == user) {
        _ if swapped => "have user and password swapped".to_owned(),
        true => format!("have another password than {known}"),
        false => format!("are of another user than {known} has for this sender"),
    };
    let finding = out.report(cx.message.at(data), format!("the basic credentials {what}"));
    if !swapped {
        doubt(finding, &turn, origin);
    }
}

/// An md5 digest that is not what the credentials file and the nonce make.
pub(in crate::rules) fn md5_digest_wrong(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(cx.session);
    for side in SIDES {
        let mut told = None;
        for Digest { turn, cred, data, hash } in digests(dialog, side) {
            let text = cred.text();
            let Some(known) = Known::or_why(dialog, turn, Some(cx.earlier)).filter(|_| told != text) else { continue };
            let known = match known {
                Ok(known) => known,
                Err(why) => {
                    out.not_judged(turn.cx.at(data).into(), || format!("the md5 digest cannot be computed anew: {why}"));
                    continue;
                }
            };
            let renewed = known.latest().filter(|given| (200..300).contains(&given.code)).is_some();
            let what = match known.judge(turn, Over::Nothing, &hash) {
                Judged::Right => continue,
                // DM-AUT-017 has that; and after 212 the nonce is for the next session.
                Judged::Stale if renewed => continue,
                Judged::Strange if renewed && repeats(dialog, turn) => continue,
                Judged::Stale => "is made with an earlier nonce, not with that of the challenge".to_owned(),
                Judged::Mistaken(made) => format!("is made {made}"),
                Judged::Strange if known.is_certain() => STRANGE.to_owned(),
                Judged::Strange => {
                    out.not_judged(turn.cx.at(data).into(), || format!("the md5 digest cannot be computed anew: {FITS_NONE}"));
                    continue;
                }
            };
            told = text;
            let strange = what == STRANGE;
            if strange && may_be_outdated(known.origin(), turn) {
                continue;
            }
            let finding = out.at(turn.index(), data, format!("the md5 digest {what}"));
            if let Some(given) = known.latest() {
                finding.related(given.at, "the nonce to use");
            }
            if strange {
                doubt(finding, turn, known.origin());
            }
        }
    }
}

const STRANGE: &str = "is not made of the user, the secret and the nonce that are known, nor by a mistake that is often made";

/// Where the other side accepts what the file does not explain, the file may be what is wrong.
fn doubt(finding: &mut Draft, turn: &Turn<'_>, origin: Origin) {
    let dialog = Dialog::of(turn.cx.in_session());
    if dialog.verdict_on(turn).is_some_and(Verdict::accepts) {
        finding.at_most(Severity::Warning).help("Check the credentials file: the other side accepts these credentials.");
    } else {
        finding.help(format!("Correct the secret on the side that sends it, or in {}.", origin.name()));
    }
}

/// Whether the account may have been changed since the device enrolled: the other side is not seen to refuse what the
/// enrollment does not explain.
fn may_be_outdated(origin: Origin, turn: &Turn<'_>) -> bool {
    let verdict = Dialog::of(turn.cx.in_session()).verdict_on(turn);
    origin == Origin::Enrollment && !verdict.is_some_and(Verdict::refuses)
}

/// A message with an md5 digest.
struct Digest<'d, 'a> {
    turn: &'d Turn<'a>,
    cred: Cred<'a>,
    data: Element<'a>,
    hash: Hash,
}

fn digests<'d, 'a>(dialog: &'d Dialog<'a>, side: Side) -> impl Iterator<Item = Digest<'d, 'a>> {
    dialog.of_side(side).filter_map(|turn| {
        let cred = turn.cred?;
        Some(Digest { turn, cred, data: cred.data()?, hash: cred.digest()? })
    })
}

/// Whether a message has the same md5 credentials as the one of its side before it.
fn repeats(dialog: &Dialog<'_>, turn: &Turn<'_>) -> bool {
    let before = digests(dialog, turn.side).take_while(|before| before.turn.index() < turn.index()).last();
    before.is_some_and(|before| Some(before.hash) == turn.cred.and_then(Cred::digest))
}

/// A digest that goes on with the old nonce where a 200 brought a new one.
pub(in crate::rules) fn stale_nonce_after_200(cx: &SessionCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(*cx);
    for side in SIDES {
        let stale = digests(dialog, side).find_map(|Digest { turn, .. }| {
            let verdict = dialog.verdict_on(turn).filter(|verdict| verdict.code == 200)?;
            let (next, nonce) = (dialog.next(turn)?, verdict.chal?.next_nonce()?);
            let hash = next.cred?.digest()?;
            let is_stale = match Known::of(dialog, next, None) {
                Some(known) => match known.judge(next, Over::Nothing, &hash) {
                    Judged::Stale => true,
                    Judged::Strange => repeats(dialog, next),
                    Judged::Right | Judged::Mistaken(_) => false,
                },
                None => repeats(dialog, next) && had_another(dialog, turn, nonce),
            };
            is_stale.then_some((next, nonce))
        });
        if let Some((next, nonce)) = stale {
            let data = next.cred.and_then(Cred::data).map_or(next.place(), |data| next.cx.at(data).into());
            let text = "the digest is not renewed, though the answer to the last one brought a new nonce";
            let finding = out.report(data, text);
            if let Some(peer) = dialog.of_side(side.peer()).filter(|peer| peer.index() < next.index()).last() {
                finding.related(peer.cx.at(nonce), "the new nonce");
            }
        }
    }
}

/// Whether the nonce that a digest was made with is known to be another one: it stands in the session before it.
fn had_another(dialog: &Dialog<'_>, turn: &Turn<'_>, new: Element<'_>) -> bool {
    let before = dialog.of_side(turn.side.peer()).take_while(|peer| peer.index() < turn.index());
    let nonces = before.filter_map(|peer| peer.verdict?.chal?.next_nonce());
    nonces.last().is_some_and(|old| old.value() != new.value())
}

/// A first digest that does not use the nonce that the session before ended with.
pub(in crate::rules) fn next_session_nonce_not_used(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    if session.start != Edge::Seen {
        return;
    }
    let dialog = Dialog::of(cx.session);
    for side in SIDES {
        let Some(Digest { turn, data, hash, .. }) = digests(dialog, side).next() else { continue };
        let Some(known) = Known::of(dialog, turn, Some(cx.earlier)).filter(|known| known.given.is_empty()) else { continue };
        let mut past = cx.of_enrollment();
        let Some((number, auth)) = past.find_map(|past| Some((past.number, past.auth.as_ref()?))) else { continue };
        // What an unproven peer gave need not be stored (DMS 5.3.4).
        let mut last = auth.given(side).rev();
        let fits = |nonce: &[u8]| known.fits(nonce, Over::Nothing, &hash);
        let refused_since = last.by_ref().take_while(|given| given.refused).any(|given| fits(&given.octets));
        let accepted = auth.given(side).rev().find(|given| !given.refused);
        let Some(accepted) = accepted.filter(|_| !refused_since) else { continue };
        let stale = !fits(&accepted.octets) && !fits(&[0; 4]) && matches!(known.judge(turn, Over::Nothing, &hash), Judged::Right);
        if stale {
            let text = format!("the first digest is not made with the nonce that session s{number} gave for it, but with an earlier one");
            out.at(turn.index(), data, text);
        }
    }
}

/// A MAC that is not what the credentials file, the nonce and the body make.
pub(in crate::rules) fn hmac_wrong(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let dialog = Dialog::of(cx.session);
    for turn in dialog.turns().filter(|turn| turn.cx.message.body.codings.is_empty()) {
        let Some(hash) = turn.mac.and_then(|mac| Parameters::of(mac).digest()) else { continue };
        let place = Place::Message(turn.index());
        let known = match Known::or_why(dialog, turn, Some(cx.earlier)) {
            None => continue,
            Some(Ok(known)) => known,
            Some(Err(why)) => {
                out.not_judged(place, || format!("the MAC cannot be computed anew: {why}"));
                continue;
            }
        };
        let what = match known.judge(turn, Over::Body(&turn.cx.message.body.bytes), &hash) {
            Judged::Right => continue,
            Judged::Stale => "is made with an earlier nonce".to_owned(),
            Judged::Mistaken(made) => format!("is made {made}"),
            Judged::Strange if may_be_outdated(known.origin(), turn) => continue,
            Judged::Strange if known.is_certain() => "is not made of the user, the secret, the nonce and the body as it was sent".to_owned(),
            Judged::Strange => {
                out.not_judged(place, || format!("the MAC cannot be computed anew: {FITS_NONE}"));
                continue;
            }
        };
        let finding = out.report(place, format!("the mac of x-syncml-hmac {what}"));
        if let Some(given) = known.latest() {
            finding.related(given.at, "the nonce to use");
        }
    }
}

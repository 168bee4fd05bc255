//! DM-AUT-004 to 008: the nonces of challenges.

use std::collections::HashMap;

use super::dialog::{Chal, Scheme, is_coded};
use crate::credentials::octets;
use crate::rules::history::Past;
use crate::rules::{CaptureCx, ElementCx, MessageCx, Sink, options};
use crate::syncml::{Element, Side, Tag};
use crate::time::Time;

/// Nonces needed to tell a pattern from chance.
const SAMPLE: usize = 4;

/// A challenge that cannot be answered.
pub(in crate::rules) fn nextnonce_missing(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let status = cx.command();
    let Some(chal) = status.0.child(Tag::Chal).map(Chal).filter(|chal| chal.next_nonce().is_none()) else { return };
    let asks = (chal.scheme(), status.code());
    let needed = matches!(asks, (Scheme::Md5, Some(401 | 407)) | (Scheme::Mac, Some(401 | 407 | 200)));
    if needed {
        let text = format!("this Chal for `{}` has no NextNonce; expected the nonce to use", chal.scheme().name());
        out.report(cx.message.at(chal.0), text);
    }
}

/// A nonce that cannot be decoded.
pub(in crate::rules) fn nextnonce_not_base64(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(text) = of_challenge(cx.element).and_then(Element::value) else { return };
    if octets(text).is_none() {
        out.report(cx.at(), format!("NextNonce is not base64 ({} characters); expected its octets in base64", text.chars().count()));
    }
}

/// A nonce that is too short to be hard to guess.
pub(in crate::rules) fn weak_nonce(cx: &ElementCx<'_>, out: &mut Sink<'_>) {
    let Some(octets) = of_challenge(cx.element).and_then(Element::value).and_then(octets) else { return };
    let least = out.number(options::weak_nonce::MINIMUM_OCTETS) as usize;
    if octets.len() < least {
        out.report(cx.at(), format!("the nonce has {} octets; expected {least} or more", octets.len()));
    }
}

/// The `NextNonce` of a challenge, where it is coded.
fn of_challenge(nonce: Element<'_>) -> Option<Element<'_>> {
    let chal = nonce.parent()?.parent().filter(|chal| chal.tag() == Tag::Chal)?;
    is_coded(chal).then_some(nonce)
}

/// A nonce that was given before.
pub(in crate::rules) fn nonce_reused(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let mut seen: HashMap<Vec<u8>, (MessageCx<'_>, Element<'_>)> = HashMap::new();
    let fresh = cx.session.readable().filter(|message| !message.is_repeated() && !answers_again(*message));
    for message in fresh {
        if let Some((element, octets)) = nonce(message) {
            if let Some((before, first)) = seen.get(&octets) {
                let text = "NextNonce is the one that this session had before; expected a new one";
                out.report(message.at(element), text).related(before.at(*first), "the same nonce");
                return;
            } else if let Some(number) = cx.earlier.session_of_nonce(&octets) {
                let text = format!("NextNonce is one that session s{number} had; expected a new one");
                out.report(message.at(element), text);
                return;
            }
            seen.insert(octets, (message, element));
        }
    }
}

/// The nonce that a message gives, in the Status for the header.
fn nonce(message: MessageCx<'_>) -> Option<(Element<'_>, Vec<u8>)> {
    let status = message.statuses().find(|status| status.is_for_header())?;
    let nonce = Chal(status.0.child(Tag::Chal)?).next_nonce()?;
    Some((nonce, octets(nonce.value()?)?))
}

/// Whether a message answers one that was sent once more: it may say again what it said.
fn answers_again(message: MessageCx<'_>) -> bool {
    message.answers().is_some_and(MessageCx::is_repeated)
}

/// Nonces that can be told before they are given.
pub(in crate::rules) fn predictable_nonce(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let first = cx.session.readable().filter(|message| message.side() == Some(Side::Server));
    let first = first.into_iter().find_map(|message| Some((message, nonce(message)?)));
    let Some((message, (element, octets))) = first else { return };
    let own = (octets.into(), session.started());
    let past = cx.with_server();
    let before: Vec<(Box<[u8]>, Option<Time>)> = past.filter_map(first_nonce).take(SAMPLE).collect();
    let sample: Vec<_> = [own].iter().chain(&before).take(SAMPLE).cloned().collect();
    let told = before.len() == SAMPLE && pattern(&before).is_some();
    if let Some(pattern) = pattern(&sample).filter(|_| !told) {
        let text = format!("the nonces of this session and the {} before it {pattern}; expected random ones", SAMPLE - 1);
        out.report(message.at(element), text);
    }
}

/// What a session gave first, and when it began.
fn first_nonce(past: &Past) -> Option<(Box<[u8]>, Option<Time>)> {
    let given = past.auth.as_ref()?.given(Side::Client).next()?;
    Some((given.octets.clone(), past.started))
}

/// What some nonces have in common, the last one first. Equal ones are no pattern: they have a rule of their own.
fn pattern(nonces: &[(Box<[u8]>, Option<Time>)]) -> Option<&'static str> {
    let first = &nonces.first().filter(|_| nonces.len() >= SAMPLE)?.0;
    let texts = || nonces.iter().map(|(octets, _)| &**octets);
    if nonces.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    if READINGS.iter().any(|read| texts().map(read).collect::<Option<Vec<u128>>>().is_some_and(|all| counts(&all))) {
        return Some("differ by a constant");
    }
    if READINGS.iter().any(|read| nonces.iter().all(|(octets, at)| is_time(read(octets), *at))) {
        return Some("are the time");
    }
    let same = first.iter().enumerate().filter(|(at, octet)| texts().all(|other| other.get(*at) == Some(octet))).count();
    (texts().all(|other| other.len() == first.len()) && same * 2 > first.len()).then_some("share more than half of their octets")
}

type Reading = fn(&[u8]) -> Option<u128>;

/// The ways to read octets as a number.
const READINGS: [Reading; 4] = [
    |octets| number(octets.iter()),
    |octets| number(octets.iter().rev()),
    |octets| std::str::from_utf8(octets).ok()?.parse().ok(),
    |octets| u128::from_str_radix(std::str::from_utf8(octets).ok()?, 16).ok(),
];

fn number<'a>(octets: impl ExactSizeIterator<Item = &'a u8>) -> Option<u128> {
    (octets.len() <= size_of::<u128>()).then(|| octets.fold(0, |sum, octet| (sum << 8) | u128::from(*octet)))
}

fn counts(numbers: &[u128]) -> bool {
    let mut steps = numbers.windows(2).map(|pair| pair[0].wrapping_sub(pair[1]));
    steps.next().is_some_and(|first| first != 0 && steps.all(|step| step == first))
}

/// Whether a number is a time of that day, in seconds or parts of them.
fn is_time(number: Option<u128>, at: Option<Time>) -> bool {
    const DAY: u128 = 86_400;
    let Some((number, at)) = number.zip(at.and_then(|at| u128::try_from(at.0).ok())) else { return false };
    let seconds = at / 1_000_000_000;
    [1, 1_000, 1_000_000, 1_000_000_000, 10_000_000].iter().any(|unit| (number / unit).abs_diff(seconds) <= DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(nonces: &[&[u8]]) -> Option<&'static str> {
        let at = Some(Time(1_700_000_000_000_000_000));
        pattern(&nonces.iter().map(|octets| (Box::from(*octets), at)).collect::<Vec<_>>())
    }

    #[test]
    fn counters_and_clocks_are_patterns() {
        assert_eq!(told(&[b"00000004", b"00000003", b"00000002", b"00000001"]), Some("differ by a constant"));
        assert_eq!(told(&[&[3, 1, 0], &[2, 1, 0], &[1, 1, 0], &[0, 1, 0]]), Some("differ by a constant"));
        assert_eq!(told(&[b"1700000901", b"1700000600", b"1700000333", b"1700000007"]), Some("are the time"));
        assert_eq!(told(&[b"abcdef-x", b"abcdef-q", b"abcdef-7", b"abcdef-z"]), Some("share more than half of their octets"));
    }

    #[test]
    fn random_equal_and_few_nonces_are_none() {
        assert_eq!(told(&[b"k2Lw9fPq", b"Zb81mmQs", b"0fWcYtR5", b"uu3PqL7x"]), None);
        assert_eq!(told(&[b"same", b"same", b"same", b"same"]), None);
        assert_eq!(told(&[b"3", b"2", b"1"]), None);
    }
}

//! DM-WIN-015 and DM-WIN-018: when the device comes, and how often the server sends it away.

use crate::http::Head;
use crate::rules::finding::Place;
use crate::rules::history::Past;
use crate::rules::{CaptureCx, Sink};
use crate::session::Session;
use crate::syncml::{Message, Side};
use crate::time::Time;

/// Intervals between scheduled sessions that are looked at.
const INTERVALS: usize = 3;
/// Nanoseconds of a minute.
const MINUTE: i64 = 60_000_000_000;

/// The head of a response that says that the device comes too often.
pub(super) fn wait_of_429(message: &Message) -> Option<&Head> {
    super::super::http::status(message).filter(|(code, _)| *code == 429).map(|(_, head)| head)
}

/// A device that was sent away more than once.
pub(in crate::rules) fn throttled(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    let answer = session.of(Side::Server).find_map(|(index, message)| Some((index, wait_of_429(message)?)));
    let Some((index, head)) = answer else { return };
    let (mut all, mut sent_away) = (1, 1);
    for past in cx.earlier().filter(|past| past.server.as_deref() == session.server.as_deref()) {
        all += 1;
        sent_away += usize::from(past.known.throttled);
    }
    if sent_away > 1 {
        let wait = head.header("retry-after").map(|wait| format!(" (Retry-After {wait})")).unwrap_or_default();
        let text = format!("the server sends the device away by 429{wait}, as in {sent_away} of its last {all} sessions");
        out.report(Place::Message(index), text);
    }
}

/// A device that comes by its schedule, but more often than the schedule says.
pub(in crate::rules) fn check_in_interval(cx: &CaptureCx<'_>, out: &mut Sink<'_>) {
    let session = cx.session.session;
    if !is_scheduled(session) {
        return;
    }
    let before = || cx.earlier().filter(|past| past.server.as_deref() == session.server.as_deref());
    let past: Vec<&Past> = before().filter(|past| past.known.scheduled).take(INTERVALS + 1).collect();
    let starts = std::iter::once(session.started()).chain(past.iter().map(|past| past.started));
    let Some(starts) = starts.collect::<Option<Vec<Time>>>() else { return };
    let Some(oldest) = past.get(INTERVALS - 1) else { return };
    let minutes: Vec<i64> = starts.windows(2).map(|pair| pair[0].0.saturating_sub(pair[1].0) / MINUTE).collect();
    let shortest = (0..3).map(|slot| {
        let values = |past: &Past| past.known.intervals.get(slot).copied().flatten();
        let known_then = before().filter(|past| past.number <= oldest.number).any(|past| values(past).is_some());
        before().filter_map(values).min().filter(|_| known_then)
    });
    let Some(shortest) = shortest.collect::<Option<Vec<u32>>>().and_then(|all| all.into_iter().min()) else { return };
    let early = |minutes: &i64| minutes.saturating_mul(4) < i64::from(shortest).saturating_mul(3);
    // Told once: where the interval before fits, or is not known.
    let begins = minutes.get(INTERVALS).is_none_or(|before| !early(before));
    if minutes.iter().take(INTERVALS).all(early) && begins {
        let last = minutes.first().copied().unwrap_or_default();
        let text = format!("the device came by its schedule after {last} minutes, the third time in a row too early; expected {shortest} or more");
        out.report(Place::Session, text);
    }
}

fn is_scheduled(session: &Session) -> bool {
    session.of(Side::Client).any(|(_, message)| super::origin(message) == Some("2"))
}

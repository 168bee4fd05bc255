//! The timeline of a session: every message with its place in time, the wait before it and its size; package
//! boundaries, pauses, retries and what was not captured between them.
//!
//! In: a session. Out: rows, and a few sentences on the whole. What rests on times or sizes that the capture does not
//! show is left open.

use std::time::Duration;

use super::commands::arrow;
use super::scroll::Scroll;
use crate::escape;
use crate::http::{Captured, Half};
use crate::report::{clock, count, show};
use crate::session::{Edge, Session};
use crate::syncml::{Header, Kind, Message, Side, Tag};
use crate::time::Time;

/// Time in which nothing happens that is worth a row of its own.
const PAUSE: Duration = Duration::from_secs(5);

/// A row.
#[derive(Clone, Debug)]
pub(crate) enum Row {
    /// A package begins.
    Package(String),
    /// Nothing happened for so long.
    Pause(Duration),
    Message(Moment),
}

/// A message in time.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) message: usize,
    pub(crate) name: String,
    /// Its first and last byte, since the first byte of the session.
    pub(crate) span: Option<(Duration, Duration)>,
    /// Since the last byte before it.
    pub(crate) wait: Option<Duration>,
    /// Bytes of its body; `None` when it was not captured.
    pub(crate) size: Option<u64>,
    /// What its receiver takes, as far as that was seen.
    pub(crate) limit: Option<u64>,
    /// What is out of the ordinary, in a word or two each.
    pub(crate) notes: Vec<String>,
}

impl Moment {
    /// How much of the limit it fills, in percent.
    pub(crate) fn percent(&self) -> Option<u64> {
        let (size, limit) = (self.size?, self.limit?);
        Some(size.saturating_mul(100).div_ceil(limit.max(1)))
    }

    /// All of it in a sentence.
    pub(crate) fn told(&self) -> String {
        let size = self.size.map(|size| match (self.limit, self.percent()) {
            (Some(limit), Some(percent)) => format!("{size} of {limit} bytes (MaxMsgSize): {percent} %"),
            _ => format!("{size} bytes, MaxMsgSize not seen"),
        });
        let wait = self.wait.map(|wait| format!("after {}", lasted(wait)));
        let took = self.span.map(|(first, last)| last.saturating_sub(first)).filter(|took| !took.is_zero());
        let took = took.map(|took| format!("took {}", lasted(took)));
        let parts = [wait, took, size].into_iter().flatten().chain(self.notes.iter().cloned());
        format!("{}: {}", self.name, parts.collect::<Vec<_>>().join(" · "))
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    /// On the session as a whole.
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// From the first byte to the last; `None` when no times were recorded.
    pub(crate) total: Option<Duration>,
    pub(crate) scroll: Scroll,
    /// The session that it is of.
    pub(crate) of: Option<usize>,
}

impl Timeline {
    /// Makes the rows of a session, by its place in the store.
    pub(crate) fn rebuild(&mut self, index: usize, session: &Session) {
        let started = session.started();
        self.of = Some(index);
        self.total = started.zip(session.ended()).map(|(started, ended)| ended.since(started));
        self.rows = rows(session, started);
        self.head = head(session, &self.rows);
        let height = self.scroll.height();
        self.scroll.fit(self.rows.len(), height);
    }

    /// The message of the cursor's row; of the next one, where that is none.
    pub(crate) fn message(&self) -> Option<&Moment> {
        self.rows.get(self.scroll.cursor..)?.iter().find_map(|row| match row {
            Row::Message(moment) => Some(moment),
            _ => None,
        })
    }

    /// The row of a message.
    pub(crate) fn row_of(&self, message: usize) -> Option<usize> {
        self.rows.iter().position(|row| matches!(row, Row::Message(moment) if moment.message == message))
    }
}

fn rows(session: &Session, started: Option<Time>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(session.messages.len());
    let mut packages = Packages::new(session);
    let mut limits = Limits::default();
    let mut before: Option<Time> = None;
    for (index, message) in session.messages.iter().enumerate() {
        let wait = before.zip(message.first).map(|(before, first)| first.since(before));
        rows.extend(wait.filter(|wait| *wait >= PAUSE).map(Row::Pause));
        rows.extend(packages.next(message).map(Row::Package));
        let since = |time: Time| started.map(|started| time.since(started));
        let captured = message.kind != Kind::Missing;
        rows.push(Row::Message(Moment {
            message: index,
            name: name(message),
            span: message.first.and_then(|first| since(first).zip(since(message.last.unwrap_or(first)))),
            wait,
            size: captured.then_some(message.body.bytes.len() as u64),
            limit: message.side.and_then(|side| limits.of(side.peer())),
            notes: notes(message),
        }));
        limits.learn(message);
        // After what was not captured nothing is known of the wait.
        before = message.last.or(message.first).filter(|_| captured);
    }
    rows
}

fn name(message: &Message) -> String {
    let side = message.side.map_or("message", Side::name);
    let id = message.msg_id().map(|id| escape::shorten(&escape::line(id), 8).into_owned());
    format!("{} {side} {}", arrow(message.side), id.as_deref().unwrap_or("-"))
}

fn notes(message: &Message) -> Vec<String> {
    let mut notes = Vec::new();
    if message.kind == Kind::Missing {
        notes.push("not captured".to_owned());
    } else if let Captured::Partly(why) | Captured::Refused(why) = &message.body.captured {
        notes.push(format!("not whole: {}", escape::shorten(&escape::line(why), 100)));
    }
    if message.retransmission {
        notes.push("retry: the same bytes again".to_owned());
    }
    let captured = message.http.as_ref().filter(|_| message.kind != Kind::Missing);
    // What has no MsgID is told by its address.
    let asks = captured.filter(|http| http.half == Half::Request && message.header().is_none());
    notes.extend(asks.map(|http| escape::shorten(&show::start_line(http, false), 100).into_owned()));
    let http = captured.filter(|http| http.half == Half::Response);
    notes.extend(
        http.map(|http| http.head.status).filter(|status| *status >= 300).map(|status| format!("HTTP {status}")),
    );
    let refused = message.doc.statuses().find(|status| status.is_for_header()).and_then(|status| status.code());
    notes.extend(refused.filter(|code| matches!(code, 401 | 407)).map(|code| format!("asks for credentials ({code})")));
    notes.extend(message.doc.alerts(1222).next().map(|_| "asks for more (1222)".to_owned()));
    notes.extend(message.doc.alerts(1223).next().map(|_| "aborts (1223)".to_owned()));
    notes
}

/// What the sides said they take, the latest word of each.
#[derive(Default)]
struct Limits([Option<u64>; 2]);

impl Limits {
    fn of(&self, side: Side) -> Option<u64> {
        self.0.get(usize::from(side == Side::Server)).copied().flatten()
    }

    fn learn(&mut self, message: &Message) {
        let Some(known) = message.side.and_then(|side| self.0.get_mut(usize::from(side == Side::Server))) else {
            return;
        };
        let said = message.header().and_then(Header::meta).and_then(|meta| meta.get(Tag::MaxMsgSize));
        match said.and_then(|said| said.parse().ok()).filter(|limit| *limit > 0) {
            Some(limit) => *known = Some(limit),
            // It may have said something else in what was not captured.
            None if message.judged().is_err() => *known = None,
            None => {}
        }
    }
}

/// Where packages begin (DMP 6): the client sets up (1), the server answers and asks (2), the client answers (3), the
/// server ends or goes on (4), and so on with 3.
struct Packages {
    side: Option<Side>,
    number: Option<u8>,
    /// Whether the last message closed its package, by `Final`.
    closed: bool,
}

impl Packages {
    fn new(session: &Session) -> Packages {
        Packages { side: None, number: (session.start == Edge::Seen).then_some(0), closed: true }
    }

    fn next(&mut self, message: &Message) -> Option<String> {
        let side = message.side?;
        if message.doc.header().is_none() || message.retransmission {
            return None;
        }
        let opens = [1200, 1201].iter().any(|code| message.doc.alerts(*code).next().is_some());
        let anew = opens && side == Side::Client && self.side.is_some();
        let begins = anew || self.side.is_none() || (self.closed && self.side != Some(side));
        let closes = message.doc.has_final();
        if self.side == Some(side) || begins {
            self.closed = closes;
        }
        if !begins {
            return None;
        }
        self.side = Some(side);
        self.number = match (side, self.number) {
            (Side::Client, _) if opens => Some(1),
            (Side::Client, known) => known.map(|_| 3),
            (Side::Server, known) => known.map(|known| if known <= 1 { 2 } else { 4 }),
        };
        let what = match (side, self.number) {
            (Side::Client, Some(1)) => "the client opens the session",
            (Side::Server, Some(2)) => "the server answers and asks",
            (Side::Client, _) => "the client answers",
            (Side::Server, _) if message.doc.commands().any(|command| command.tag().is_command()) => {
                "the server goes on"
            }
            (Side::Server, _) => "the server ends",
        };
        let again = if anew { ", once more" } else { "" };
        Some(match self.number {
            Some(number) => format!("package {number}: {what}{again}"),
            None => format!("package: {what}"),
        })
    }
}

fn head(session: &Session, rows: &[Row]) -> Vec<String> {
    let moments = || {
        rows.iter().filter_map(|row| match row {
            Row::Message(moment) => Some(moment),
            _ => None,
        })
    };
    let mut first = vec![session.outcome.name().to_owned()];
    match session.started().zip(session.ended()) {
        Some((started, ended)) => {
            let lasted = lasted(ended.since(started));
            first.push(format!("{} to {} ({lasted})", clock(started), clock(ended)));
        }
        None => first.push("no times were recorded".to_owned()),
    }
    first
        .push(count(session.messages.iter().filter(|message| message.kind != Kind::Missing).count() as u64, "message"));
    for (edge, what) in [(&session.start, "start"), (&session.end, "end")] {
        if let Edge::NotCaptured(why) = edge {
            first.push(format!("{what} not seen: {}", escape::line(why)));
        }
    }
    let answers = moments().filter(|moment| moment.name.starts_with(arrow(Some(Side::Server))));
    let slowest = answers.filter(|moment| moment.wait.is_some()).max_by_key(|moment| moment.wait);
    let largest = moments().filter(|moment| moment.size.is_some()).max_by_key(|moment| (moment.percent(), moment.size));
    let mut second = Vec::new();
    second
        .extend(slowest.and_then(|moment| Some(format!("slowest answer {} ({})", lasted(moment.wait?), moment.name))));
    second.extend(largest.and_then(|moment| {
        let of = moment.limit.zip(moment.percent());
        let of = of.map(|(limit, percent)| format!(" of {limit} bytes, {percent} %"));
        Some(format!("largest {}{} ({})", moment.size?, of.unwrap_or_else(|| " bytes".to_owned()), moment.name))
    }));
    let retries = session.messages.iter().filter(|message| message.retransmission).count();
    let lost = session.messages.iter().filter(|message| message.judged().is_err()).count();
    second.extend((retries > 0).then(|| format!("{} retried", count(retries as u64, "message"))));
    second.extend((lost > 0).then(|| format!("{} not captured whole", count(lost as u64, "message"))));
    [first, second].into_iter().filter(|parts| !parts.is_empty()).map(|parts| parts.join(" · ")).collect()
}

/// A time span in the unit that suits it.
pub(crate) fn lasted(span: Duration) -> String {
    match (span.as_secs_f64(), span.as_secs()) {
        (seconds, _) if seconds < 0.01 => format!("{:.1} ms", seconds * 1e3),
        (seconds, _) if seconds < 1.0 => format!("{:.0} ms", seconds * 1e3),
        (seconds, _) if seconds < 60.0 => format!("{seconds:.1} s"),
        (_, seconds) if seconds < 3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        (_, seconds) => format!("{} h {} m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_suits_them() {
        let told = |micros| lasted(Duration::from_micros(micros));
        assert_eq!([told(0), told(1_250), told(43_000), told(1_500_000)], ["0.0 ms", "1.2 ms", "43 ms", "1.5 s"]);
        assert_eq!([told(61_000_000), told(7_260_000_000)], ["1 m 1 s", "2 h 1 m"]);
    }
}

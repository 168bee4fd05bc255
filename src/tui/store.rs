//! What was read: the index of sessions with their findings, and the sessions themselves as far as there is room.
//!
//! Of every session a row, a line for each message, its findings and its outline stay. Bounds: the contents of at most
//! [`ROOM`] bytes are kept. Those read first have it; one that is looked at later is read again, and takes the place of
//! those that were not looked at for longest. Of findings [`FINDINGS`] are kept, further ones are counted.

use std::collections::HashMap;
use std::sync::Arc;

use super::load::News;
use crate::engine::Reading;
use crate::escape;
use crate::limits::Limits;
use crate::report::sessions::Row;
use crate::report::show;
use crate::rules::location::Locator;
use crate::rules::own::Hole;
use crate::rules::{Draft, Finding, Rule, Severity};
use crate::session::outline::Outline;
use crate::session::{Flavor, Outcome, Session};
use crate::story::{Heard, Seen, Story, Teller};
use crate::suppress::{Sorted, Suppression};
use crate::syncml::{Kind, Message, Side};
use crate::time::Time;

/// Bytes of sessions kept for browsing: some ten thousand messages of the usual size.
pub(crate) const ROOM: usize = 64 << 20;
/// Findings kept; each takes some 300 bytes.
const FINDINGS: usize = 200_000;
/// Sessions of which is kept what the stories of their devices need, some kilobyte each.
const TOLD: usize = 16_384;
/// Longest MsgID that is listed, in characters, and longest start line.
const SHORT: (usize, usize) = (8, 60);

/// A message as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) kind: Kind,
    pub(crate) side: Option<Side>,
    /// Its MsgID, fit to be printed.
    pub(crate) id: Option<Box<str>>,
    pub(crate) commands: u32,
    /// What it begins with on the way, where it has no commands; secrets masked, and not.
    start: Option<Box<(Box<str>, Box<str>)>>,
    pub(crate) first: Option<Time>,
}

/// A session as it is listed.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) row: Row,
    pub(crate) messages: Box<[Listed]>,
    /// The findings, by message, place and rule.
    pub(crate) drafts: Vec<Draft>,
    /// Findings past the limit.
    pub(crate) more: usize,
    /// Findings that are known and not told, each with why.
    pub(crate) suppressed: Vec<(Draft, Suppression)>,
    /// Those of them past the limit.
    pub(crate) suppressed_more: usize,
    /// Messages that were not judged, and why.
    pub(crate) not_judged: Vec<(usize, String)>,
    /// Own rules that did not judge, and why.
    pub(crate) holes: Vec<(&'static Rule, Hole)>,
    /// The code with which the server refused its credentials last.
    pub(crate) refused: Option<u16>,
    /// Whether it may go on: what is said of it is what would be if the recording ended here.
    pub(crate) open: bool,
    /// When it came last, where sessions come again and again.
    round: u32,
    /// What it takes to read it again.
    pub(crate) outline: Arc<Outline>,
    /// What of it the story of its device needs.
    told: Option<Told>,
}

/// See [`Opened::told`].
#[derive(Debug)]
struct Told {
    heard: Heard,
    /// What rules say of an enrollment.
    findings: Vec<Finding>,
}

/// A session that is in memory.
#[derive(Debug)]
struct Held {
    session: Arc<Session>,
    size: usize,
    /// Which of all that were kept.
    number: u64,
    /// When it was looked at last, 0 for never.
    looked: u64,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) sessions: Vec<Opened>,
    /// Names of the inputs.
    pub(crate) names: Vec<String>,
    /// Bytes read so far, and of all inputs where that is known.
    pub(crate) progress: (u64, Option<u64>),
    /// How reading ended; `None` while it goes on.
    pub(crate) ended: Option<Result<Reading, String>>,
    /// Whether the user ended it.
    pub(crate) stopped: bool,
    /// Whether the end of the input is waited at for more.
    pub(crate) follows: bool,
    /// Bytes of sessions that are kept.
    pub(crate) room: usize,
    by_number: HashMap<u32, usize>,
    contents: HashMap<usize, Held>,
    held: usize,
    /// How often sessions came again.
    round: u32,
    looks: u64,
    kept: u64,
    findings: usize,
    /// Why sessions cannot be read again.
    lost: HashMap<usize, String>,
}

impl Listed {
    fn of(message: &Message) -> Listed {
        let id = message.msg_id().map(|id| escape::shorten(&escape::line(id), SHORT.0).into());
        let commands = u32::try_from(message.doc.all_commands().count()).unwrap_or(u32::MAX);
        let http = message.http.as_ref().filter(|_| commands == 0 && message.kind != Kind::Missing);
        let start = http.map(|http| {
            let [masked, plain] = [false, true].map(|shown| {
                let line = show::start_line(http, shown);
                escape::shorten(&line, SHORT.1).into()
            });
            Box::new((masked, plain))
        });
        Listed { kind: message.kind, side: message.side, id, commands, start, first: message.first }
    }

    /// Its start line, where it holds no command.
    pub(crate) fn start(&self, show_secrets: bool) -> &str {
        self.start.as_ref().map_or("", |start| if show_secrets { &start.1 } else { &start.0 })
    }
}

impl Told {
    fn of(session: &Session, sorted: &Sorted<Draft>) -> Option<Told> {
        let heard = Heard::of(session)?;
        let mut locator = Locator::new(session, false);
        // What stopped a device stopped it, whether it is known or not.
        let drafts = sorted.told.iter().chain(sorted.suppressed.iter().map(|(draft, _)| draft));
        let of_enrollment = drafts.filter(|_| session.flavor == Flavor::Enrollment);
        Some(Told { heard, findings: of_enrollment.map(|draft| locator.finding(draft.clone())).collect() })
    }
}

impl Opened {
    /// A session that was judged.
    pub(crate) fn new(session: &Session, sorted: Sorted<Draft>, not_judged: Vec<(usize, String)>) -> Opened {
        let told = Told::of(session, &sorted);
        let Sorted { told: mut drafts, more, suppressed, suppressed_more, .. } = sorted;
        drafts.shrink_to_fit();
        let worst = drafts.iter().map(|draft| draft.severity).max();
        // What is listed is masked when it is drawn.
        let row = Row::of(session, worst, true);
        let messages = session.messages.iter().map(Listed::of).collect();
        let outline = Arc::new(Outline::of(session));
        Opened {
            row,
            messages,
            drafts,
            more: more.iter().map(|(_, _, count)| count).sum(),
            suppressed,
            suppressed_more,
            not_judged,
            holes: Vec::new(),
            refused: refusal(session),
            open: false,
            round: 0,
            outline,
            told,
        }
    }

    /// Whether it is an enrollment.
    pub(crate) fn enrolls(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.heard.enrolls())
    }

    /// Whether it is not over yet, as far as can be said.
    pub(crate) fn goes_on(&self) -> bool {
        self.open && matches!(self.row.outcome, Outcome::Incomplete | Outcome::Open)
    }

    /// The worst finding at or above a severity.
    pub(crate) fn worst(&self, threshold: Severity) -> Option<Severity> {
        self.row.worst.filter(|worst| *worst >= threshold)
    }

    /// The worst finding in a message.
    pub(crate) fn worst_in(&self, message: usize, threshold: Severity) -> Option<Severity> {
        let inside = self.drafts.iter().filter(|draft| draft.place.message() == Some(message));
        inside.map(|draft| draft.severity).filter(|severity| *severity >= threshold).max()
    }

    /// How many findings at or above a severity are known and not told.
    pub(crate) fn suppressed(&self, threshold: Severity) -> usize {
        self.suppressed.iter().filter(|(draft, _)| draft.severity >= threshold).count() + self.suppressed_more
    }

    /// How many findings are kept.
    fn kept(&self) -> usize {
        self.drafts.len() + self.suppressed.len()
    }

    /// How many findings there are at or above a severity.
    pub(crate) fn count(&self, threshold: Severity) -> usize {
        self.drafts.iter().filter(|draft| draft.severity >= threshold).count()
    }
}

impl Store {
    /// Takes what the reader tells.
    pub(crate) fn take(&mut self, news: News) {
        match news {
            News::Session(opened, content) => drop(self.add(*opened, content)),
            News::Progress(done) => self.progress.0 = done,
            News::Ended(ended) => self.ended = Some(ended),
            News::Again(number, Ok(session)) => self.read_again(number, *session),
            News::Again(number, Err(why)) => {
                self.index(number).map(|index| self.lost.insert(index, why));
            }
            News::Anew => self.round += 1,
            News::Whole | News::Passing(..) | News::Passed(_) => {}
        }
    }

    /// Adds a session, or what is known now of one that is known already. Returns its place.
    pub(crate) fn add(&mut self, mut opened: Opened, content: Arc<Session>) -> usize {
        let known = self.index(opened.row.number);
        if let Some(known) = known.and_then(|index| self.sessions.get(index)) {
            self.findings -= known.kept();
        }
        if self.sessions.len() >= TOLD {
            opened.told = None;
        }
        let room = FINDINGS.saturating_sub(self.findings);
        opened.more += opened.drafts.len().saturating_sub(room);
        opened.round = self.round;
        opened.drafts.truncate(room);
        let room = room - opened.drafts.len();
        opened.suppressed_more += opened.suppressed.len().saturating_sub(room);
        opened.suppressed.truncate(room);
        self.findings += opened.kept();
        let index = known.unwrap_or(self.sessions.len());
        self.by_number.insert(opened.row.number, index);
        match self.sessions.get_mut(index) {
            Some(place) => *place = opened,
            None => self.sessions.push(opened),
        }
        self.lost.remove(&index);
        let looked = self.forget(index).map_or(0, |held| held.looked);
        let size = size(&content);
        if looked > 0 || self.held.saturating_add(size) <= self.room {
            self.keep(index, content, size, looked);
        }
        index
    }

    /// Forgets the last session, when it did not come again with the others. Returns its place.
    pub(crate) fn take_last_gone(&mut self) -> Option<usize> {
        let last = self.sessions.pop_if(|last| last.round > 0 && last.round < self.round)?;
        let index = self.sessions.len();
        self.by_number.remove(&last.row.number);
        self.findings -= last.kept();
        self.lost.remove(&index);
        self.forget(index);
        Some(index)
    }

    /// The place of a session.
    pub(crate) fn index(&self, number: u32) -> Option<usize> {
        self.by_number.get(&number).copied()
    }

    /// A session's content; `None` when it has to be read again.
    pub(crate) fn content(&self, index: usize) -> Option<&Arc<Session>> {
        self.contents.get(&index).map(|held| &held.session)
    }

    /// Which content that is: another number, another content.
    pub(crate) fn content_number(&self, index: usize) -> Option<u64> {
        self.contents.get(&index).map(|held| held.number)
    }

    /// Says that a session is looked at.
    pub(crate) fn look_at(&mut self, index: usize) {
        self.looks += 1;
        if let Some(held) = self.contents.get_mut(&index) {
            held.looked = self.looks;
        }
    }

    /// Why a session cannot be read again.
    pub(crate) fn lost(&self, index: usize) -> Option<&str> {
        self.lost.get(&index).map(String::as_str)
    }

    /// Takes a session that was read again.
    fn read_again(&mut self, number: u32, session: Session) {
        let Some(index) = self.index(number) else { return };
        // It may have grown while it was read.
        let messages = self.sessions.get(index).map(|opened| opened.messages.len());
        if self.contents.contains_key(&index) || messages != Some(session.messages.len()) {
            return;
        }
        self.looks += 1;
        let size = size(&session);
        while self.held.saturating_add(size) > self.room {
            let longest = self.contents.iter().min_by_key(|(index, held)| (held.looked, **index));
            let Some(longest) = longest.map(|(index, _)| *index) else { break };
            self.forget(longest);
        }
        self.keep(index, Arc::new(session), size, self.looks);
    }

    fn keep(&mut self, index: usize, session: Arc<Session>, size: usize, looked: u64) {
        self.held += size;
        self.kept += 1;
        self.contents.insert(index, Held { session, size, number: self.kept, looked });
    }

    fn forget(&mut self, index: usize) -> Option<Held> {
        let held = self.contents.remove(&index)?;
        self.held -= held.size;
        Some(held)
    }

    /// Whether reading goes on.
    pub(crate) fn is_loading(&self) -> bool {
        self.ended.is_none()
    }

    /// Messages of all sessions that were not judged.
    pub(crate) fn not_judged(&self) -> usize {
        self.sessions.iter().map(|opened| opened.not_judged.len()).sum()
    }

    /// The stories of the devices, as far as they were read; those of further sessions than [`TOLD`] are left out.
    pub(crate) fn stories(&self, limits: &Limits) -> Vec<Story> {
        let mut teller = Teller::new(limits);
        let told = || self.sessions.iter().filter_map(|opened| opened.told.as_ref());
        told().for_each(|told| teller.take(told.heard.clone()));
        let findings: Vec<Finding> = told().flat_map(|told| told.findings.iter().cloned()).collect();
        match &self.ended {
            Some(Ok(reading)) => teller.tell(&findings, reading.seen()),
            _ => teller.tell(&findings, Seen::default()),
        }
    }

    /// How much was read, in percent; `None` when the size is not known.
    pub(crate) fn percent(&self) -> Option<u64> {
        let (done, total) = self.progress;
        let total = total.filter(|total| *total > 0)?;
        Some((done.saturating_mul(100) / total).min(100))
    }
}

/// Memory that a session takes, about.
fn size(session: &Session) -> usize {
    let message = |message: &Message| message.body.bytes.len() + message.doc.size() + 1024;
    session.messages.iter().map(message).sum::<usize>() + session.exchanges.len() * 96
}

/// The server's last word on the header of the client's messages, when it is that credentials are missing or wrong.
fn refusal(session: &Session) -> Option<u16> {
    let mut server = session.messages.iter().rev().filter(|message| message.side == Some(Side::Server));
    let code = server.next()?.doc.statuses().find(|status| status.is_for_header())?.code()?;
    matches!(code, 401 | 407).then_some(code)
}

//! Whether what the rules say of an example is what its marks say.

use crate::limits::Limits;
use crate::rules::finding::{Draft, Place};
use crate::rules::history::History;
use crate::rules::runner::Runner;
use crate::rules::{Rule, Severity};
use crate::session::Session;
use crate::syncml::{Kind, Message};

use super::compose::{Mark, Sent, Spot};

/// A finding, told in terms of the example.
#[derive(Debug)]
pub struct Found {
    /// The finding.
    pub draft: Draft,
    /// Which of the sent messages it is in.
    pub message: Option<usize>,
    /// The bytes it points at; none for a session or message.
    pub span: Option<(u32, u32)>,
}

/// All findings in these sessions.
pub fn findings(runner: &Runner, sessions: &[Session], sent: &[Sent<'_>]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut history = History::new(&Limits::default());
    for session in sessions {
        let numbers = numbers(session, sent);
        let drafts = runner.run_after(session, &history.before(session)).drafts;
        history.add(session);
        for draft in drafts {
            let message = draft.place.message().and_then(|index| numbers.get(index).copied().flatten());
            let span = match draft.place {
                Place::Session | Place::Message(_) => None,
                place => Some(place.span(session)).map(|span| (span.start, span.end)),
            };
            found.push(Found { draft, message, span });
        }
    }
    found
}

/// Which sent message each message of a session is, by its time; missing ones are the lost ones, in order.
fn numbers(session: &Session, sent: &[Sent<'_>]) -> Vec<Option<usize>> {
    let mut lost = sent.iter().enumerate().filter(|(_, sent)| sent.lost).map(|(number, _)| number);
    let number = |message: &Message| match message.kind {
        Kind::Missing => lost.next(),
        _ => sent.iter().position(|sent| message.first.is_some_and(|time| time.0 == sent.at)),
    };
    session.messages.iter().map(number).collect()
}

/// Messages of SyncML that are in no session although they were captured.
pub fn unseen(sessions: &[Session], sent: &[Sent<'_>]) -> Vec<String> {
    let seen: Vec<usize> = sessions.iter().flat_map(|session| numbers(session, sent)).flatten().collect();
    let is_syncml = |sent: &Sent<'_>| sent.body.starts_with(b"<SyncML") && !sent.lost && sent.cut.is_none();
    let unseen = sent.iter().enumerate().filter(|(number, sent)| is_syncml(sent) && !seen.contains(number));
    unseen.map(|(_, sent)| format!("the message of line {} is in no session", sent.block.line)).collect()
}

/// What differs between the findings of an example and its marks; empty when nothing does. `is_own` says of which rules
/// all findings have to be marked; of the others only errors have.
pub fn differences(is_own: impl Fn(&Rule) -> bool, sent: &[Sent<'_>], found: &[Found]) -> Vec<String> {
    let mut open: Vec<(usize, &Mark)> =
        sent.iter().enumerate().flat_map(|(number, sent)| sent.marks.iter().map(move |mark| (number, mark))).collect();
    let mut wrong = Vec::new();
    for found in found {
        match open.iter().position(|(number, mark)| hits(found, *number, mark)) {
            Some(at) => drop(open.remove(at)),
            None if is_own(found.draft.rule) || found.draft.severity == Severity::Error => {
                wrong.push(format!("not marked: {}", told(found, sent)));
            }
            None => {}
        }
    }
    for (number, mark) in open {
        let line = sent.get(number).map_or(0, |sent| sent.block.line);
        let place = marked(mark, sent.get(number));
        wrong.push(format!("no finding {} where the block of line {line} marks {place}", mark.id));
    }
    wrong
}

/// What a mark stands at.
fn marked(mark: &Mark, sent: Option<&Sent<'_>>) -> String {
    match mark.spot {
        Spot::Session => "the session".to_owned(),
        Spot::Message => "the message".to_owned(),
        Spot::End(end) => {
            let body = sent.map(|sent| String::from_utf8_lossy(&sent.body)).unwrap_or_default();
            let before = body.get(..end as usize).unwrap_or_default();
            let tag = before.rfind('<').and_then(|at| before.get(at..));
            tag.map_or_else(|| "an element".to_owned(), |tag| format!("what ends with {tag}"))
        }
    }
}

fn hits(found: &Found, number: usize, mark: &Mark) -> bool {
    mark.id == found.draft.rule.id
        && match (mark.spot, found.draft.place) {
            (Spot::Session, Place::Session) => true,
            (Spot::Message, Place::Message(_) | Place::Bytes(..)) => found.message == Some(number),
            (Spot::End(end), Place::Element(_)) => {
                found.message == Some(number) && found.span.is_some_and(|(_, to)| to == end)
            }
            (Spot::End(end), Place::Bytes(..)) => {
                found.message == Some(number) && found.span.is_some_and(|(from, to)| (from..=to).contains(&end))
            }
            _ => false,
        }
}

/// A finding in words, with where it is in the example.
pub fn told(found: &Found, sent: &[Sent<'_>]) -> String {
    let Draft { rule, severity, message, .. } = &found.draft;
    let place = match (found.draft.place, found.message.and_then(|number| sent.get(number))) {
        (Place::Session, _) => "the session".to_owned(),
        (_, Some(sent)) => {
            let body = String::from_utf8_lossy(&sent.body);
            let (from, to) = found.span.unwrap_or_default();
            let text = body.get(from as usize..to as usize).unwrap_or_default();
            format!("the message of line {}: {text}", sent.block.line)
        }
        (_, None) => "a message that is none of the blocks".to_owned(),
    };
    format!("{} {} {} ({message}) at {place}", severity.name(), rule.id, rule.name)
}

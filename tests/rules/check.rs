//! Whether what the rules say of an example is what its marks say.

use dmscope::limits::Limits;
use dmscope::rules::finding::{Draft, Place};
use dmscope::rules::history::History;
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::rules::{Location, Rule, Severity};
use dmscope::session::Session;
use dmscope::syncml::{Element, Kind, Tag, uri};

use super::compose::{Mark, Sent, Spot};
use super::run::Read;

/// A finding, told in terms of the example.
#[derive(Debug)]
pub(crate) struct Found {
    /// The finding.
    pub(crate) draft: Draft,
    /// Which of the sent messages it is in.
    pub(crate) message: Option<usize>,
    /// The bytes it points at; none for a session or message.
    pub(crate) span: Option<(u32, u32)>,
}

/// All findings in these sessions.
pub(crate) fn findings(runner: &Runner, sessions: &[Session], sent: &[Sent<'_>]) -> Vec<Found> {
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

/// All findings on connections that could not be decrypted, as findings on the messages that opened them.
pub(crate) fn findings_on_encrypted(runner: &Runner, read: &Read, sent: &[Sent<'_>]) -> Vec<Found> {
    let servers = read.sessions.iter().filter_map(|session| session.server.as_deref());
    let hosts = servers.filter_map(uri::host).map(str::to_owned).collect();
    let found = runner.run_encrypted(&read.encrypted, &hosts).into_iter().map(|finding| {
        let opens = |sent: &Sent<'_>| finding.location.time.is_some_and(|time| time.0 == sent.at);
        Found {
            message: sent.iter().position(opens),
            span: None,
            draft: Draft {
                rule: finding.rule,
                severity: finding.severity,
                place: Place::Message(0),
                message: finding.message,
                help: None,
                related: Vec::new(),
            },
        }
    });
    found.collect()
}

/// Which sent message each message of a session is, by its time; missing ones are the lost ones, in order.
fn numbers(session: &Session, sent: &[Sent<'_>]) -> Vec<Option<usize>> {
    let mut lost = sent.iter().enumerate().filter(|(_, sent)| sent.lost).map(|(number, _)| number);
    let number = |message: &dmscope::syncml::Message| match message.kind {
        Kind::Missing => lost.next(),
        _ => sent.iter().position(|sent| message.first.is_some_and(|time| time.0 == sent.at)),
    };
    session.messages.iter().map(number).collect()
}

/// Messages of SyncML that are in no session although they were captured.
pub(crate) fn unseen(sessions: &[Session], sent: &[Sent<'_>]) -> Vec<String> {
    let seen: Vec<usize> = sessions.iter().flat_map(|session| numbers(session, sent)).flatten().collect();
    let is_syncml = |sent: &Sent<'_>| sent.body.starts_with(b"<SyncML") && !sent.lost && sent.cut.is_none();
    let unseen = sent.iter().enumerate().filter(|(number, sent)| is_syncml(sent) && !seen.contains(number));
    unseen.map(|(_, sent)| format!("the message of line {} is in no session", sent.block.line)).collect()
}

/// The digests, passwords and nonces in some sessions, as they were sent.
pub(crate) fn secrets(sessions: &[Session]) -> impl Iterator<Item = &str> {
    let elements = sessions.iter().flat_map(|session| &session.messages).flat_map(|message| message.doc.elements());
    let secret = elements.filter(|element| {
        let in_cred = element.parent().is_some_and(|parent| parent.tag() == Tag::Cred);
        let token = ["Password", "BinarySecurityToken"].contains(&element.name());
        element.tag() == Tag::NextNonce || (in_cred && element.tag() == Tag::Data) || token || secret_parm(*element)
    });
    secret.filter_map(|element| element.value().or_else(|| element.attribute("value")).filter(|value| value.len() > 3))
}

fn secret_parm(parm: Element<'_>) -> bool {
    parm.attribute("name").is_some_and(|name| ["AAUTHSECRET", "AAUTHDATA"].contains(&name))
}

/// All that a finding says in words of its own.
pub(crate) fn words(draft: &Draft) -> impl Iterator<Item = &str> {
    let related = draft.related.iter().map(|(_, text)| text.as_str());
    [draft.message.as_str()].into_iter().chain(draft.help.as_deref()).chain(related)
}

/// Findings that do not say where in the input they are; those in a message that was not captured cannot.
pub(crate) fn nowhere(runner: &Runner, sessions: &[Session], is_somewhere: impl Fn(&Location) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for session in sessions {
        let mut locator = Locator::new(session, false);
        for draft in runner.run(session).drafts {
            let message = draft.place.message().and_then(|index| session.messages.get(index));
            let finding = locator.finding(draft);
            if message.is_none_or(|message| message.kind != Kind::Missing) && !is_somewhere(&finding.location) {
                wrong.push(format!("{} is nowhere in the input: {}", finding.rule.id, finding.message));
            }
        }
    }
    wrong
}

/// What differs between the findings of an example and its marks; empty when nothing does. `is_own` says of which rules
/// all findings have to be marked; of the others only errors have.
pub(crate) fn differences(is_own: impl Fn(&Rule) -> bool, sent: &[Sent<'_>], found: &[Found]) -> Vec<String> {
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
        let line = sent[number].block.line;
        wrong.push(format!("no finding {} for the mark in the block of line {line} ({:?})", mark.id, mark.spot));
    }
    wrong
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

pub(crate) fn told(found: &Found, sent: &[Sent<'_>]) -> String {
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

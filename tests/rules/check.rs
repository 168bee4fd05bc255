//! Whether what the rules say of an example is what its marks say: what the tests ask beside that.

use dmscope::rules::Location;
use dmscope::rules::finding::{Draft, Place};
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::session::Session;
use dmscope::syncml::{Element, Kind, Tag, uri};

pub(crate) use dmscope::examples::check::*;

use super::compose::Sent;
use super::run::Read;

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
                message: finding.message.to_string(),
                help: None,
                related: Vec::new(),
            },
        }
    });
    found.collect()
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

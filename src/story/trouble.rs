//! What goes wrong in the management of a device, over all its sessions, with counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::managing::{Managed, Refusal};
use super::tell::{clock, duration};
use crate::escape;
use crate::session::Outcome;
use crate::syncml::status;
use crate::time::Time;

/// Troubles of one kind that are told.
const TOLD: usize = 6;
/// Sessions in which the same demand must have been made to be called the same again and again.
const AGAIN: usize = 3;
/// Sessions that make a pattern of their pace.
const PACE: usize = 6;
/// A median pause below which a device comes in a rush, when its schedule does not say so.
const RUSH: Duration = Duration::from_secs(120);
/// Silence behind a 202 that is worth telling.
const SILENT: Duration = Duration::from_secs(600);

/// What went wrong. `until` is the end of the capture.
pub(super) fn of(sessions: &[Managed], until: Option<Time>) -> Vec<String> {
    let mut told = refusals(sessions);
    told.extend(poison(sessions));
    told.extend(turned_away(sessions));
    told.extend(silent(sessions, until));
    told.extend(unanswered(sessions));
    told.extend(rush(sessions));
    told
}

fn times(count: usize) -> String {
    match count {
        1 => "in 1 session".into(),
        many => format!("in {many} sessions"),
    }
}

/// Commands that keep failing, by node and code.
fn refusals(sessions: &[Managed]) -> Vec<String> {
    let mut counts: BTreeMap<&Refusal, Vec<&Managed>> = BTreeMap::new();
    for session in sessions {
        for refusal in &session.refused {
            counts.entry(refusal).or_default().push(session);
        }
    }
    let mut counts: Vec<(&Refusal, Vec<&Managed>)> = counts.into_iter().collect();
    counts.sort_by_key(|(refusal, sessions)| (std::cmp::Reverse(sessions.len()), (*refusal).clone()));
    let more = counts.len().saturating_sub(TOLD);
    let mut told: Vec<String> =
        counts.iter().take(TOLD).map(|(refusal, sessions)| refused(refusal, sessions)).collect();
    if more > 0 {
        told.push(format!("{more} more nodes were refused; `dmscope lint --select DM-STA` lists them"));
    }
    told
}

fn refused(refusal: &Refusal, sessions: &[&Managed]) -> String {
    let Refusal { command, node, code } = refusal;
    let often = times(sessions.len());
    let node = escape::shorten(&escape::line(node), 120).into_owned();
    let user = node.to_ascii_lowercase().starts_with("./user");
    match code {
        405 if user && sessions.iter().any(|session| session.no_user) => {
            format!(
                "{command} {node} is refused with 405 {often}: it is for a user, and no user has signed in yet; send it once the device says that one has"
            )
        }
        405 if user => {
            format!("{command} {node} is refused with 405 {often}: it is for a user; look whether one had signed in")
        }
        418 => format!("{command} {node} is refused with 418 {often}: the node is there already; send Replace"),
        _ => format!("{command} {node} is refused with {} {often}", status::describe(&code.to_string())),
    }
}

/// The same demand, byte for byte, in one session after the other, and refused.
fn poison(sessions: &[Managed]) -> Vec<String> {
    let mut counts: BTreeMap<u64, Vec<&Managed>> = BTreeMap::new();
    for session in sessions.iter().filter(|session| !session.refused.is_empty() || session.outcome != Outcome::Complete)
    {
        let mut asked = session.asked.clone();
        asked.sort_unstable();
        asked.dedup();
        for hash in asked {
            counts.entry(hash).or_default().push(session);
        }
    }
    let mut again: Vec<Vec<&Managed>> = counts.into_values().filter(|sessions| sessions.len() >= AGAIN).collect();
    again.sort_by_key(|sessions| std::cmp::Reverse(sessions.len()));
    let most = again.first().map(|sessions| {
        let (first, last) = (sessions.first().map(|one| one.key.as_str()), sessions.last().map(|one| one.key.as_str()));
        format!(
            "the server sends the same commands again {} ({} to {}) although they fail: it does not read the answer",
            times(sessions.len()),
            first.unwrap_or_default(),
            last.unwrap_or_default()
        )
    });
    most.into_iter().collect()
}

/// Sessions that the server ended with an HTTP error.
fn turned_away(sessions: &[Managed]) -> Vec<String> {
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    sessions.iter().filter_map(|session| session.http_error).for_each(|code| *counts.entry(code).or_default() += 1);
    counts
        .iter()
        .map(|(code, count)| format!("the server answered HTTP {code} in place of a message {}", times(*count)))
        .collect()
}

/// Work that was accepted for later, with nothing said of it since.
fn silent(sessions: &[Managed], until: Option<Time>) -> Vec<String> {
    let mut told = Vec::new();
    for (at, session) in sessions.iter().enumerate().filter(|(_, session)| !session.accepted.is_empty()) {
        let later = sessions.len() - at - 1;
        let pause = session.to.zip(until).map(|(to, until)| until.since(to)).unwrap_or_default();
        let node = session
            .accepted
            .first()
            .map(|node| escape::shorten(&escape::line(node), 120).into_owned())
            .unwrap_or_default();
        let more = match session.accepted.len() {
            1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        match later {
            0 if pause >= SILENT => told.push(format!(
                "the device accepted {node}{more} for later (202, in {}) and has been silent since: {} of capture without a session",
                session.key,
                duration(pause)
            )),
            0 => told.push(format!("the device accepted {node}{more} for later (202, in {}); the capture ends soon after", session.key)),
            _ => told.push(format!(
                "the device accepted {node}{more} for later (202, in {}) and told nothing of it in {}",
                session.key,
                times(later).replace("in ", "")
            )),
        }
    }
    told.truncate(TOLD);
    told
}

/// Sessions in which the server fell silent.
fn unanswered(sessions: &[Managed]) -> Vec<String> {
    let open =
        sessions.iter().filter(|session| session.outcome == Outcome::Open && session.http_error.is_none()).count();
    let refused = sessions.iter().filter(|session| session.outcome == Outcome::AuthFailed).count();
    let mut told = Vec::new();
    if open > 0 {
        told.push(format!("the server stopped answering {}", times(open)));
    }
    if refused > 0 {
        told.push(format!("credentials were refused {}", times(refused)));
    }
    told
}

/// A device that comes faster and faster, or all the time.
fn rush(sessions: &[Managed]) -> Option<String> {
    let starts: Vec<Time> = sessions.iter().filter_map(|session| session.from).collect();
    let pauses: Vec<Duration> = starts.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    if starts.len() < PACE {
        return None;
    }
    let (before, after) = pauses.split_at(pauses.len() / 2);
    let (early, late) = (median(before), median(after));
    let whole = starts.first().zip(starts.last()).map(|(first, last)| last.since(*first)).unwrap_or_default();
    let since = starts.first().map(|first| clock(*first)).unwrap_or_default();
    let count = starts.len();
    if late < early / 2 && late < Duration::from_secs(900) {
        return Some(format!(
            "sessions come faster and faster: {count} since {since}, first every {}, then every {}",
            duration(early),
            duration(late)
        ));
    }
    (late <= RUSH)
        .then(|| format!("the device does not rest: {count} sessions in {}, every {}", duration(whole), duration(late)))
}

fn median(pauses: &[Duration]) -> Duration {
    let mut sorted = pauses.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

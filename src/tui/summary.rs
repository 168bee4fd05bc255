//! The first screen: what is in here, the worst findings, and which sessions did not go well and why, a line each.

use std::collections::BTreeMap;

use ratatui::text::{Line, Span};

use super::page::wrap;
use super::scroll::Scroll;
use super::store::{Opened, Store};
use super::story::Stories;
use super::theme::Theme;
use super::tree::Shows;
use crate::escape;
use crate::report::{self, clock, count, tls};
use crate::rules::{Rule, Severity};
use crate::session::{Edge, Outcome};
use crate::syncml::{secret, status};
use crate::time::Time;

/// Columns of sentences that are not cut: those of the smallest screen, its frame left out.
const NARROW: usize = 54;
/// Rules, and sessions, that are listed.
const MOST: usize = 100;

/// Where a line leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Session(usize),
    Finding(usize, usize),
    /// The story of a device.
    Story(usize),
}

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) lines: Vec<(Line<'static>, Option<Target>)>,
    pub(crate) scroll: Scroll,
    touched: bool,
}

/// What of the store is shown, and how.
#[derive(Clone, Copy)]
pub(crate) struct Show<'a> {
    pub(crate) kept: &'a dyn Shows,
    pub(crate) threshold: Severity,
    pub(crate) show_secrets: bool,
    pub(crate) stories: &'a Stories,
}

impl Summary {
    /// Makes the lines anew.
    pub(crate) fn rebuild(&mut self, store: &Store, show: Show<'_>, theme: &Theme) {
        self.touched |= self.scroll.cursor != self.first();
        let mut lines = contents(store, show, theme);
        lines.push((Line::default(), None));
        stopped(show, theme, &mut lines);
        rules(store, show, theme, &mut lines);
        lines.push((Line::default(), None));
        sessions(store, show, theme, &mut lines);
        encrypted(store, theme, &mut lines);
        self.lines = lines;
        let height = self.scroll.height();
        self.scroll.fit(self.lines.len(), height);
        if !self.touched {
            self.scroll.cursor = self.first();
        }
    }

    /// The first line that leads somewhere.
    fn first(&self) -> usize {
        self.lines.iter().position(|(_, target)| target.is_some()).unwrap_or(0)
    }

    /// Where the line of the cursor leads.
    pub(crate) fn target(&self) -> Option<Target> {
        self.lines.get(self.scroll.cursor)?.1
    }
}

type Lines = Vec<(Line<'static>, Option<Target>)>;

/// The sessions that are shown, with their places in the store.
fn listed<'a>(store: &'a Store, show: Show<'a>) -> impl Iterator<Item = (usize, &'a Opened)> {
    store.sessions.iter().enumerate().filter(move |(index, _)| show.kept.session(*index))
}

fn contents(store: &Store, show: Show<'_>, theme: &Theme) -> Lines {
    let mut lines: Lines = Vec::new();
    let mut say = |text: String, style| lines.push((Line::styled(text, style), None));
    let names: Vec<_> = store.names.iter().take(3).map(|name| escape::line(name)).collect();
    let more = store.names.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    say(format!("{}{more}", names.join(", ")), theme.heading);
    let sessions: Vec<&Opened> = listed(store, show).map(|(_, opened)| opened).collect();
    let devices: std::collections::HashSet<&Option<String>> =
        sessions.iter().map(|opened| &opened.row.device).collect();
    let messages: usize = sessions.iter().map(|opened| opened.row.messages).sum();
    let hidden = store.sessions.len() - sessions.len();
    let of = if hidden > 0 { format!(" of {} (filtered)", store.sessions.len()) } else { String::new() };
    let mut parts = vec![
        count(sessions.len() as u64, "session") + &of,
        count(devices.len() as u64, "device"),
        count(messages as u64, "message"),
    ];
    match &store.ended {
        Some(Ok(reading)) => {
            let packets: u64 = reading.inputs.iter().map(|input| input.packets).sum();
            if packets > 0 {
                parts.push(count(packets, "packet"));
            }
            say(parts.join(" · "), theme.text);
            if let Some(time) = time(&sessions) {
                say(time, theme.text);
            }
            for note in reading.inputs.iter().flat_map(|input| &input.notes).take(5) {
                say(format!("note: {}", escape::line(&note.detail)), theme.warning);
            }
        }
        Some(Err(error)) => {
            say(parts.join(" · "), theme.text);
            say(format!("error: {}", escape::line(error)), theme.error);
        }
        None => say(parts.join(" · "), theme.text),
    }
    if store.stopped {
        say("reading was stopped: this is not all".to_owned(), theme.warning);
    }
    let not_judged = store.not_judged();
    if not_judged > 0 {
        say(format!("{} not judged", count(not_judged as u64, "message")), theme.warning);
    }
    lines
}

/// From the first message to the last.
fn time(sessions: &[&Opened]) -> Option<String> {
    let started = sessions.iter().filter_map(|opened| opened.row.started).min()?;
    let ended = sessions.iter().filter_map(|opened| opened.row.ended).max()?;
    let day = |time: Time| time.to_string().get(..10).unwrap_or_default().to_owned();
    let second = |time: Time| clock(time).get(..8).unwrap_or_default().to_owned();
    let until = if day(started) == day(ended) { String::new() } else { format!("{} ", day(ended)) };
    Some(format!("{} {} to {until}{} UTC", day(started), second(started), second(ended)))
}

/// The devices whose story stops somewhere: which, and where.
fn stopped(show: Show<'_>, theme: &Theme, lines: &mut Lines) {
    let mut stopped = show.stories.stopped().take(MOST).peekable();
    if stopped.peek().is_none() {
        return;
    }
    lines.push((Line::styled("Where devices stopped", theme.heading), None));
    for (number, story) in stopped {
        let device = story.device.as_deref().or(story.user.as_deref()).map(|name| shown(name, show.show_secrets));
        let line = Line::from(vec![
            Span::styled("✗ ", theme.error),
            Span::raw(escape::shorten(&escape::line(&story.verdict()), 300).into_owned()),
            Span::styled(format!("  {}", device.unwrap_or_default()), theme.dim),
        ]);
        lines.push((line, Some(Target::Story(number))));
    }
    lines.push((Line::default(), None));
}

/// Each rule that found something, the worst first, with its first finding.
fn rules(store: &Store, show: Show<'_>, theme: &Theme, lines: &mut Lines) {
    let threshold = show.threshold;
    let mut found: BTreeMap<&'static str, (&'static Rule, Severity, usize, Target, String)> = BTreeMap::new();
    for (session, opened) in listed(store, show) {
        let drafts = opened.drafts.iter().enumerate().filter(|(_, draft)| draft.severity >= threshold);
        for (number, draft) in drafts.filter(|(_, draft)| show.kept.finding(session, draft)) {
            let known = found.entry(draft.rule.id).or_insert_with(|| {
                let said = format!("{}: {}", opened.row.key, draft.message);
                (draft.rule, draft.severity, 0, Target::Finding(session, number), said)
            });
            known.1 = known.1.max(draft.severity);
            known.2 += 1;
        }
    }
    let suppressed = listed(store, show).map(|(_, opened)| opened.suppressed(threshold)).sum();
    let suppressed = report::suppressed(suppressed);
    if found.is_empty() {
        let text = if store.is_loading() { "No findings so far" } else { "No findings" };
        let hidden = if threshold > Severity::Info { " at this threshold (s lowers it)" } else { "" };
        lines.push((Line::styled(format!("{text}{suppressed}{hidden}"), theme.good), None));
        return;
    }
    lines.push((Line::styled(format!("Findings{suppressed}"), theme.heading), None));
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|(rule, severity, many, ..)| (std::cmp::Reverse((*severity, *many)), rule.id));
    let digits = found.iter().map(|(_, _, many, ..)| many.to_string().len()).max().unwrap_or(1);
    for (rule, severity, many, target, message) in found.into_iter().take(MOST) {
        let (badge, style) = theme.badge(Some(severity));
        let line = Line::from(vec![
            Span::styled(format!("{badge} {}", rule.id), style),
            Span::styled(format!(" {many:>digits$}× "), theme.text),
            Span::raw(escape::shorten(&escape::line(&message), 300).into_owned()),
        ]);
        lines.push((line, Some(target)));
    }
}

/// The sessions that did not end well, then how many did.
fn sessions(store: &Store, show: Show<'_>, theme: &Theme, lines: &mut Lines) {
    let Show { threshold, show_secrets, .. } = show;
    let failed = |opened: &Opened| {
        let ended = opened.row.outcome != Outcome::Complete && !opened.goes_on();
        ended || opened.worst(threshold) == Some(Severity::Error)
    };
    let (bad, others): (Vec<(usize, &Opened)>, Vec<_>) = listed(store, show).partition(|(_, opened)| failed(opened));
    let open = others.iter().filter(|(_, opened)| opened.goes_on()).count();
    let good = others.len() - open;
    if !bad.is_empty() {
        lines.push((Line::styled("Sessions to look at", theme.heading), None));
    }
    for (index, opened) in bad.iter().take(MOST) {
        let (badge, style) = theme.badge(opened.worst(threshold));
        let device = opened.row.device.as_deref().map(|device| shown(device, show_secrets)).unwrap_or_default();
        let line = Line::from(vec![
            Span::styled(badge, style),
            Span::styled(format!(" {:<5}", opened.row.key), theme.key),
            Span::raw(format!("{:<11} ", opened.row.outcome.name())),
            Span::raw(format!("{}  ", why(opened, threshold))),
            Span::styled(device, theme.dim),
        ]);
        lines.push((line, Some(Target::Session(*index))));
    }
    if bad.len() > MOST {
        lines.push((Line::styled(format!("… and {} more", bad.len() - MOST), theme.dim), None));
    }
    if open > 0 {
        lines.push((Line::raw(format!("{} going on", count(open as u64, "session"))), None));
    }
    if good > 0 {
        let text = format!("{} without an error", count(good as u64, "complete session"));
        lines.push((Line::styled(text, theme.good), None));
    }
}

/// Why a session did not go well, in one line: its worst finding, else what its end shows.
fn why(opened: &Opened, threshold: Severity) -> String {
    let worst = opened.drafts.iter().filter(|draft| draft.severity >= threshold.max(Severity::Warning));
    let worst = worst.max_by_key(|draft| (draft.severity, std::cmp::Reverse(draft.place.message())));
    let refused = opened.refused.map(|code| {
        let name = status::lookup(code).map_or("", |known| known.name);
        format!("the server refused the credentials: {code} {name}")
    });
    let unseen = match (&opened.outline.start, &opened.outline.end) {
        (Edge::NotCaptured(why), _) | (_, Edge::NotCaptured(why)) => Some(why.clone()),
        _ => None,
    };
    let text = match (worst, refused, unseen) {
        (Some(draft), ..) => draft.message.clone(),
        (None, Some(refused), Some(unseen)) => format!("{refused}; {unseen}"),
        (None, Some(said), None) | (None, None, Some(said)) => said,
        (None, None, None) => match opened.row.outcome {
            Outcome::Aborted if opened.enrolls() => "the enrollment was refused".to_owned(),
            Outcome::Aborted => "a side gave it up (Alert 1223)".to_owned(),
            Outcome::AuthFailed => "the last answer about credentials was no".to_owned(),
            Outcome::Open => "the server stopped answering".to_owned(),
            Outcome::Complete | Outcome::Incomplete => String::new(),
        },
    };
    escape::shorten(&escape::line(&text), 200).into_owned()
}

fn encrypted(store: &Store, theme: &Theme, lines: &mut Lines) {
    let Some(Ok(reading)) = &store.ended else { return };
    if reading.encrypted.is_empty() {
        return;
    }
    lines.push((Line::default(), None));
    lines.push((Line::styled("Encrypted, not decrypted", theme.heading), None));
    for host in reading.encrypted.iter().take(MOST) {
        // What to do about it is the end of the sentence: it has to be seen on a narrow screen too.
        for (row, text) in wrap(&tls::unread(host), NARROW).into_iter().enumerate() {
            lines.push((Line::raw(format!("{}{text}", if row == 0 { "  " } else { "    " })), None));
        }
    }
}

/// A URI on one line at its whole length, tokens in it masked.
pub(crate) fn whole(uri: &str, show_secrets: bool) -> String {
    let uri = if show_secrets { uri.into() } else { secret::url(uri) };
    escape::line(&uri).into_owned()
}

/// A URI on one line, not too long, tokens in it masked.
pub(crate) fn shown(uri: &str, show_secrets: bool) -> String {
    escape::shorten(&whole(uri, show_secrets), 200).into_owned()
}

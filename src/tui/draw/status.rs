//! The two lines at the bottom: what is open, and what can be done; what was said last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;

use super::{put, row_of};
use crate::escape;
use crate::report::count;
use crate::rules::Severity;
use crate::tui::app::{App, Screen};
use crate::tui::keys::{Action, Entry, TABLE};
use crate::tui::page::cut;
use crate::tui::prompt::{Kind, Prompt};
use crate::tui::timeline::Moment;

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let top = row_of(area, 0);
    let candidates = app.prompt.as_ref().map(Prompt::candidates).unwrap_or_default();
    let error = app.prompt.as_ref().and_then(Prompt::error);
    let line = match error {
        _ if !candidates.is_empty() => Line::raw(format!(" tab: {}", candidates.join("  "))),
        Some(error) => Line::raw(format!(" ✗ {}", escape::line(&error))),
        None => status(app, width),
    };
    put(buffer, top, 0, cut(line, 0, width));
    buffer.set_style(top, app.theme.bar);
    let bottom = row_of(area, 1);
    match &app.prompt {
        Some(prompt) => typing(prompt, app, bottom, buffer),
        None => put(buffer, bottom, 0, cut(hints(app, width), 0, width)),
    }
}

/// The line that is typed, the cursor in it, and what is wrong with it.
fn typing(prompt: &Prompt, app: &App, area: Rect, buffer: &mut Buffer) {
    let (before, after) = prompt.halves();
    let (before, after) = (escape::line(&before).into_owned(), escape::line(&after).into_owned());
    let mut letters = after.chars();
    let under = letters.next().unwrap_or(' ').to_string();
    let error = prompt.error();
    let style = if error.is_some() { app.theme.error } else { app.theme.text };
    let mut spans = vec![
        Span::styled(prompt.kind.label(), app.theme.key),
        Span::styled(before, style),
        Span::styled(under, app.theme.bar),
        Span::styled(letters.collect::<String>(), style),
    ];
    match error {
        Some(_) => spans.push(Span::styled("   ✗", app.theme.error)),
        None if prompt.kind == Kind::Filter && !prompt.text().trim().is_empty() => {
            spans.push(Span::styled("   ✓", app.theme.good));
        }
        None => {}
    }
    let line = Line::from(spans);
    // The cursor is always seen.
    let typed = prompt.kind.label().width() + prompt.halves().0.width() + 1;
    let left = typed.saturating_sub(usize::from(area.width));
    put(buffer, area, 0, cut(line, left, usize::from(area.width)));
}

/// What is open; what is hidden of it; how far reading is.
fn status(app: &App, width: usize) -> Line<'static> {
    let name = match app.store.names.as_slice() {
        [one] => escape::line(one.rsplit('/').next().unwrap_or(one)).into_owned(),
        many => format!("{} inputs", many.len()),
    };
    let mut parts = vec![escape::shorten(&name, 40).into_owned(), count(app.store.sessions.len() as u64, "session")];
    match app.threshold {
        Severity::Info => {}
        severity => parts.push(format!("≥ {}", severity.name())),
    }
    if let Some(filter) = &app.kept.filter {
        parts.push(format!("filter: {}", escape::shorten(&escape::line(filter.text()), 60)));
    }
    let not_judged = app.store.not_judged();
    if not_judged > 0 {
        parts.push(format!("{not_judged} not judged"));
    }
    if app.show_secrets {
        parts.push("secrets shown".to_owned());
    }
    let left = format!(" {}", parts.join(" · "));
    let searching = app.search.as_ref().filter(|search| !search.done);
    let right = match searching {
        Some(search) => {
            let hits = count(search.hits.len() as u64, "hit");
            format!("searching {} % · {hits} · esc stops ", search.percent(&app.store))
        }
        None => reading(app),
    };
    let gap = width.saturating_sub(left.width() + right.width());
    Line::raw(format!("{left}{}{right}", " ".repeat(gap)))
}

/// How far reading is.
fn reading(app: &App) -> String {
    let store = &app.store;
    let size = |bytes: u64| format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
    let so_far = match (store.percent(), store.progress) {
        (Some(percent), (done, Some(total))) => format!("{percent} % ({} of {})", size(done), size(total)),
        (_, (done, _)) => size(done),
    };
    match (store.is_loading(), store.follows, store.stopped) {
        (true, _, true) => "stopping ".to_owned(),
        (true, true, _) => format!("following · {so_far} · esc stops "),
        (true, false, _) => format!("reading {so_far} · esc stops "),
        (false, _, true) => "stopped ".to_owned(),
        (false, ..) => match &store.ended {
            Some(Err(_)) => "reading failed ".to_owned(),
            _ => String::new(),
        },
    }
}

fn hints(app: &App, width: usize) -> Line<'static> {
    if !app.pressed.is_empty() {
        let after = app.keys.after(&app.pressed);
        let spans = after
            .into_iter()
            .flat_map(|(key, name)| [Span::styled(format!(" {key}"), app.theme.key), Span::raw(format!(" {name} "))]);
        return Line::from(spans.collect::<Vec<_>>());
    }
    if let Some(count) = app.count {
        return Line::raw(format!(" {count}"));
    }
    if app.screen == Screen::Timeline && app.said.is_none() {
        let told = app.timeline.message().map(Moment::told).unwrap_or_default();
        return Line::raw(format!(" {told}"));
    }
    let finding = app.finding.filter(|_| app.screen == Screen::Browse).and_then(|finding| {
        let opened = app.store.sessions.get(app.shown?.0)?;
        opened.drafts.get(finding)
    });
    let mut spans = Vec::new();
    if let Some(note) = app.place().filter(|_| app.said.is_none()).and_then(|place| app.notes.text(place)) {
        spans.push(Span::styled(format!(" note: {}", escape::line(note)), app.theme.mark));
    }
    if let Some(said) = &app.said {
        spans.push(Span::styled(format!(" {}", escape::line(said)), app.theme.heading));
    }
    if let Some(draft) = finding {
        let (badge, style) = app.theme.badge(Some(draft.severity));
        spans.push(Span::styled(format!(" {badge} {}", draft.rule.id), style));
        spans.push(Span::raw(format!(" {}", escape::line(&draft.message))));
    }
    if spans.is_empty() {
        spans = keys(app, width);
    }
    Line::from(spans)
}

/// As many of the most useful keys as there is room for, help always.
fn keys(app: &App, width: usize) -> Vec<Span<'static>> {
    let told = |entry: &Entry| {
        let key = app.keys.printed(entry.action).into_iter().next()?;
        let hint = Span::styled(format!(" {} ", entry.hint), app.theme.dim);
        Some([Span::styled(format!(" {key}"), app.theme.key), hint]).filter(|_| !entry.hint.is_empty())
    };
    let wide = |hint: &[Span<'_>; 2]| hint.iter().map(Span::width).sum::<usize>();
    let help = TABLE.iter().find(|entry| entry.action == Action::Help).and_then(told);
    let mut room = width.saturating_sub(help.as_ref().map_or(0, wide));
    let mut spans: Vec<Span<'static>> = Vec::new();
    for hint in TABLE.iter().filter(|entry| entry.action != Action::Help).filter_map(told) {
        let Some(left) = room.checked_sub(wide(&hint)) else { break };
        room = left;
        spans.extend(hint);
    }
    spans.extend(help.into_iter().flatten());
    spans
}

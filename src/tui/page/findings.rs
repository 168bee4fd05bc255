//! The findings of a session, and the page of a rule.

use ratatui::text::{Line, Span};

use super::{Page, wrap};
use crate::escape;
use crate::report::{self, explain as pages};
use crate::rules::Rule;
use crate::rules::location::Locator;
use crate::session::Session;
use crate::tui::ansi;
use crate::tui::store::Opened;
use crate::tui::theme::Theme;

/// The findings with these numbers, in order; each is an item.
pub(crate) fn findings(
    opened: &Opened,
    session: &Session,
    numbers: &[usize],
    paths: &[String],
    width: usize,
    theme: &Theme,
) -> Page {
    let mut locator = Locator::new(session, false);
    let (mut lines, mut items) = (Vec::new(), Vec::new());
    for draft in numbers.iter().filter_map(|number| opened.drafts.get(*number)) {
        let finding = locator.finding(draft.clone());
        items.push(lines.len());
        let (badge, style) = theme.badge(Some(finding.severity));
        let path = finding.location.input.and_then(|input| paths.get(input.0 as usize)).map_or("", String::as_str);
        let spot = report::spot(path.rsplit('/').next().unwrap_or(path), &finding.location);
        let place = format!("{} · {spot}", report::context(&finding.location));
        lines.push(Line::from(vec![
            Span::styled(format!("{badge} {}", finding.rule.id), style),
            Span::styled(format!(" {}", finding.rule.name), theme.text),
        ]));
        let indented = |text: &str| wrap(&escape::line(text), width.saturating_sub(2)).into_iter();
        lines.extend(indented(&place).map(|line| Line::styled(format!("  {line}"), theme.dim)));
        lines.extend(indented(&finding.message).map(|line| Line::raw(format!("  {line}"))));
        for (text, location) in &finding.related {
            let text = format!("{text}: {}", report::context(location));
            lines.extend(indented(&text).map(|line| Line::styled(format!("  {line}"), theme.dim)));
        }
        let help = format!("fix: {}", finding.help);
        lines.extend(indented(&help).map(|line| Line::styled(format!("  {line}"), theme.good)));
        lines.push(Line::default());
    }
    if opened.more > 0 {
        lines.push(Line::styled(format!("and {} more of rules that were named here", opened.more), theme.dim));
    }
    for (message, why) in &opened.not_judged {
        let text = format!("not judged: message {}: {}", message + 1, escape::line(why));
        lines.push(Line::styled(text, theme.warning));
    }
    for (rule, hole) in &opened.holes {
        let text = format!("not judged by {}: {}", rule.id, escape::line(&hole.why));
        lines.push(Line::styled(text, theme.warning));
    }
    if lines.is_empty() {
        lines.push(Line::styled("no findings", theme.good));
    }
    Page::Text { lines, items }
}

/// The page of a rule.
pub(crate) fn explain(rule: &Rule, width: usize, theme: &Theme) -> Page {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    drop(pages::text(rule, Some(width), &mut out));
    Page::Text { lines: ansi::lines(&String::from_utf8_lossy(&out), theme), items: Vec::new() }
}

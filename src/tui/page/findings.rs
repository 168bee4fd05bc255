//! The findings of a session, and the page of a rule.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Page, wrap};
use crate::escape;
use crate::report::{self, explain as pages};
use crate::rules::location::Locator;
use crate::rules::{Finding, Rule, Severity};
use crate::session::Session;
use crate::suppress::Suppression;
use crate::tui::ansi;
use crate::tui::store::Opened;
use crate::tui::theme::Theme;

/// The findings with these numbers, in order, then those at or above a severity that are known and not told; each is an item.
pub(crate) fn findings(
    opened: &Opened,
    session: &Session,
    (numbers, threshold): (&[usize], Severity),
    paths: &[String],
    width: usize,
    theme: &Theme,
) -> Page {
    let mut locator = Locator::new(session, false);
    let (mut lines, mut items) = (Vec::new(), Vec::new());
    for draft in numbers.iter().filter_map(|number| opened.drafts.get(*number)) {
        items.push(lines.len());
        lines.extend(entry(&locator.finding(draft.clone()), None, paths, width, theme));
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
        lines.push(Line::default());
    }
    for (draft, why) in opened.suppressed.iter().filter(|(draft, _)| draft.severity >= threshold) {
        items.push(lines.len());
        lines.extend(entry(&locator.finding(draft.clone()), Some(why), paths, width, theme));
    }
    if opened.suppressed_more > 0 {
        lines.push(Line::styled(format!("and {} more that are suppressed", opened.suppressed_more), theme.dim));
    }
    Page::Text { lines, items }
}

/// The lines of a finding; dim, with the reason in place of the help, where it is suppressed.
fn entry(
    finding: &Finding,
    suppressed: Option<&Suppression>,
    paths: &[String],
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let (badge, style) = theme.badge(Some(finding.severity));
    let (style, text) = if suppressed.is_some() { (theme.dim, theme.dim) } else { (style, theme.text) };
    let path = finding.location.input.and_then(|input| paths.get(input.0 as usize)).map_or("", String::as_str);
    let spot = report::spot(path.rsplit('/').next().unwrap_or(path), &finding.location);
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{badge} {}", finding.rule.id), style),
        Span::styled(format!(" {}", finding.rule.name), text),
    ])];
    let mut indented = |said: &str, style| {
        let wrapped = wrap(&escape::line(said), width.saturating_sub(2)).into_iter();
        lines.extend(wrapped.map(|line| Line::styled(format!("  {line}"), style)));
    };
    indented(&format!("{} · {spot}", report::context(&finding.location)), theme.dim);
    indented(&finding.message, if suppressed.is_some() { theme.dim } else { Style::default() });
    for (said, location) in &finding.related {
        indented(&format!("{said}: {}", report::context(location)), theme.dim);
    }
    match suppressed {
        Some(why) => indented(&why.told(), theme.text),
        None => indented(&format!("fix: {}", finding.help), theme.good),
    }
    lines.push(Line::default());
    lines
}

/// The page of a rule.
pub(crate) fn explain(rule: &Rule, width: usize, theme: &Theme) -> Page {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    drop(pages::text(rule, Some(width), &mut out));
    Page::Text { lines: ansi::lines(&String::from_utf8_lossy(&out), theme), items: Vec::new() }
}

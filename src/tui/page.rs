//! The tabs of the lower pane: each a page of lines made from a message, its session, or a rule.
//!
//! In: the session and the place that is looked at. Out: a page that gives its lines one by one, so that a body of many
//! megabytes costs what is seen of it. All text passed through `render`, `show` or `escape`.

use std::sync::Arc;

use ratatui::style::Style;
use ratatui::text::Line;

use super::theme::Theme;
use crate::origin::Span;
use crate::rules::Severity;
use crate::session::{At, Session};
use crate::syncml::NodeId;

mod findings;
mod frames;
mod hex;
mod outline;
mod text;
mod xml;

pub(crate) use findings::{explain, findings};
pub(crate) use text::{cut, wrap};

/// The tabs, in order.
pub(crate) const TABS: [&str; 7] = ["Tree", "XML", "Hex", "HTTP", "TLS and frames", "Findings", "Explain"];
/// The same where there is less room.
const SHORT: [&str; 7] = ["Tree", "XML", "Hex", "HTTP", "TLS", "Findings", "Explain"];

/// Their places in [`TABS`].
pub(crate) const TREE: usize = 0;
pub(crate) const XML: usize = 1;
pub(crate) const HEX: usize = 2;
pub(crate) const HTTP: usize = 3;
pub(crate) const FRAMES: usize = 4;
pub(crate) const FINDINGS: usize = 5;
pub(crate) const EXPLAIN: usize = 6;

/// The names of the tabs for a border of that width, each with a column on its sides; `None` where none fit.
pub(crate) fn names(width: usize) -> Option<&'static [&'static str; 7]> {
    let needed = |names: &[&str]| names.iter().map(|name| name.len() + 2).sum::<usize>() + 2;
    [&TABS, &SHORT].into_iter().find(|names| needed(&names[..]) <= width)
}

/// A page.
pub(crate) enum Page {
    /// The elements.
    Outline(outline::Outline),
    /// The document as text.
    Xml(xml::Xml),
    /// The body's bytes.
    Hex(hex::Hex),
    /// Ready lines; with the first lines of the items that the cursor rests on.
    Text { lines: Vec<Line<'static>>, items: Vec<usize> },
}

/// What is emphasised while a page is drawn.
pub(crate) struct Look<'a> {
    pub(crate) theme: &'a Theme,
    /// The element that is looked at.
    pub(crate) node: Option<NodeId>,
    /// Text that a search found, lower case.
    pub(crate) needle: Option<&'a str>,
}

/// Findings of a message: which bytes of the document, how severe.
pub(crate) type Marks = Vec<(Span, Option<NodeId>, Severity)>;

impl Page {
    /// The page of a message.
    pub(crate) fn of(
        tab: usize,
        session: &Arc<Session>,
        at: At,
        marks: Marks,
        show_secrets: bool,
        width: usize,
        theme: &Theme,
    ) -> Page {
        let Some(message) = session.messages.get(at.message) else { return Page::said("(no message)") };
        match tab {
            TREE if !message.doc.is_empty() => {
                Page::Outline(outline::Outline::new(Arc::clone(session), at.message, marks, show_secrets))
            }
            XML if !message.doc.is_empty() => Page::Xml(xml::Xml::new(&message.doc, &marks, show_secrets)),
            TREE | XML => text::body(message, show_secrets, theme),
            HEX => hex::page(message, marks, show_secrets, width),
            HTTP => text::http(message, show_secrets, width, theme),
            _ => frames::page(session, at, width, theme),
        }
    }

    /// A page of one sentence.
    pub(crate) fn said(text: &str) -> Page {
        Page::Text { lines: vec![Line::raw(text.to_owned())], items: Vec::new() }
    }

    /// How many lines it has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Page::Outline(page) => page.len(),
            Page::Xml(page) => page.len(),
            Page::Hex(page) => page.len(),
            Page::Text { lines, .. } => lines.len(),
        }
    }

    /// A line, from column `left` on, at most `width` columns.
    pub(crate) fn line(&self, at: usize, left: usize, width: usize, look: &Look<'_>) -> Line<'static> {
        let until = left.saturating_add(width);
        let line = match self {
            Page::Outline(page) => page.line(at, until, look),
            Page::Xml(page) => page.line(at, until, look),
            Page::Hex(page) => page.line(at, look),
            Page::Text { lines, .. } => lines.get(at).cloned().unwrap_or_default(),
        };
        let line = match look.needle {
            Some(needle) => text::lit(line, needle, look.theme.hit),
            None => line,
        };
        cut(line, left, width)
    }

    /// The element on a line.
    pub(crate) fn node(&self, line: usize) -> Option<NodeId> {
        match self {
            Page::Outline(page) => page.node(line),
            Page::Xml(page) => page.node(line),
            _ => None,
        }
    }

    /// The line of an element; of what a hex dump shows of it.
    pub(crate) fn line_of(&self, node: NodeId) -> Option<usize> {
        match self {
            Page::Outline(page) => page.line_of(node),
            Page::Xml(page) => page.line_of(node),
            Page::Hex(page) => page.line_of(node),
            Page::Text { .. } => None,
        }
    }

    /// The first line of an item.
    pub(crate) fn item_line(&self, item: usize) -> Option<usize> {
        match self {
            Page::Text { items, .. } => items.get(item).copied(),
            _ => None,
        }
    }

    /// The item of a line.
    pub(crate) fn item(&self, line: usize) -> Option<usize> {
        match self {
            Page::Text { items, .. } => items.partition_point(|first| *first <= line).checked_sub(1),
            _ => None,
        }
    }
}

/// Whether a line stands out, as how severe.
fn worst(marks: &Marks, node: NodeId) -> Option<Severity> {
    marks.iter().filter(|(_, known, _)| *known == Some(node)).map(|(_, _, severity)| *severity).max()
}

/// A style that is underlined, too.
fn underlined(style: Style) -> Style {
    style.add_modifier(ratatui::style::Modifier::UNDERLINED)
}

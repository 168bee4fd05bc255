//! The elements of a message, one a line: name, value, and how bad what was found in it is.

use std::sync::Arc;

use ratatui::text::{Line, Span};

use super::{Look, Marks, worst};
use crate::escape;
use crate::session::Session;
use crate::syncml::secret::Secrets;
use crate::syncml::{Element, Message, NodeId};

/// Deepest level that is still indented further.
const MAX_INDENT: usize = 40;

/// See the module's head.
pub(crate) struct Outline {
    session: Arc<Session>,
    message: usize,
    secrets: Secrets,
    marks: Marks,
    depths: Vec<u16>,
}

impl Outline {
    pub(super) fn new(session: Arc<Session>, message: usize, marks: Marks, show_secrets: bool) -> Outline {
        let mut depths: Vec<u16> = Vec::new();
        let mut secrets = Secrets::shown();
        if let Some(doc) = session.messages.get(message).map(|message| &message.doc) {
            for element in doc.elements() {
                let above = element.parent().and_then(|parent| depths.get(parent.id().0 as usize));
                depths.push(above.map_or(0, |depth| depth.saturating_add(1)));
            }
            if !show_secrets {
                secrets = Secrets::of(doc);
            }
        }
        Outline { session, message, secrets, marks, depths }
    }

    fn message(&self) -> Option<&Message> {
        self.session.messages.get(self.message)
    }

    fn element(&self, line: usize) -> Option<Element<'_>> {
        self.message()?.doc.element(self.node(line)?)
    }

    pub(super) fn len(&self) -> usize {
        self.depths.len()
    }

    /// Elements stand in document order, one a line.
    pub(super) fn node(&self, line: usize) -> Option<NodeId> {
        (line < self.len()).then(|| u32::try_from(line).ok().map(NodeId)).flatten()
    }

    pub(super) fn line_of(&self, node: NodeId) -> Option<usize> {
        let line = node.0 as usize;
        (line < self.len()).then_some(line)
    }

    pub(super) fn line(&self, at: usize, until: usize, look: &Look<'_>) -> Line<'static> {
        let Some(element) = self.element(at) else { return Line::default() };
        let depth = usize::from(self.depths.get(at).copied().unwrap_or_default()).min(MAX_INDENT);
        let found = worst(&self.marks, element.id());
        let (badge, style) = look.theme.badge(found);
        let mut spans = vec![Span::styled(badge, style), Span::raw(" ".repeat(1 + depth * 2))];
        let name = found.map_or(look.theme.element, |severity| super::underlined(look.theme.severity(severity)));
        spans.push(Span::styled(escape::line(element.name()).into_owned(), name));
        for (name, value) in self.secrets.attributes(element) {
            let attribute = format!(" {}={}", escape::line(name), escape::line(value));
            spans.push(Span::styled(attribute, look.theme.dim));
        }
        let text = self.secrets.text(element);
        let value = escape::shorten(text.trim(), until.saturating_add(1));
        if !value.is_empty() {
            spans.push(Span::styled(format!("  {}", escape::line(&value)), look.theme.value));
        }
        if element.flags().unclosed {
            spans.push(Span::styled("  (not closed)", look.theme.warning));
        }
        Line::from(spans)
    }
}

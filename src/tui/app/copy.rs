//! What is copied: the element, its address, the message, the finding, a report for an issue tracker. Secrets are
//! masked as they are on the screen.

use super::{App, Effect};
use crate::escape;
use crate::report::{self, context};
use crate::rules::Finding;
use crate::rules::location::Locator;
use crate::syncml::render::Rendering;
use crate::syncml::{Element, Tag};
use crate::tui::menu::Choice;

/// Bytes that every terminal takes through OSC 52: many stop at 100,000 characters of base64.
const SAFE: usize = 74_994;
/// Bytes that are sent at most; no terminal takes more.
const MOST: usize = 8 << 20;

impl App {
    /// Copies what was chosen, or asks where an export is to go.
    pub(super) fn choose(&mut self, choice: Choice) {
        let text = match choice {
            Choice::Export(format) => return self.ask_where(format),
            Choice::Element => self.element_xml(),
            Choice::Uri => self.loc_uri(),
            Choice::Message => self.message_xml(),
            Choice::Finding => self.finding_here_or_chosen().map(|finding| self.as_text(&finding)),
            Choice::Issue => self.finding_here_or_chosen().map(|finding| self.as_issue(&finding)),
        };
        match text {
            Some(text) => self.copy(text),
            None => self.said = Some("there is nothing of that kind here".to_owned()),
        }
    }

    /// Puts a text on the clipboard, as far as terminals take it.
    pub(crate) fn copy(&mut self, text: String) {
        let size = report::count(text.len() as u64, "byte");
        if text.len() > MOST {
            self.said = Some(format!("{size} are more than any terminal takes: not copied"));
            return;
        }
        let limit = format!("; many terminals take {SAFE} at most: check what you paste");
        self.said = Some(format!("copied {size}{}", if text.len() > SAFE { &limit } else { "" }));
        self.effects.push(Effect::Copy(text));
    }

    fn element(&self) -> Option<Element<'_>> {
        self.session()?.element(self.at?)
    }

    fn element_xml(&self) -> Option<String> {
        let element = self.element()?;
        let rendering = Rendering::new(element.doc(), self.show_secrets);
        let text = rendering.text();
        let range = rendering.range(element.id());
        let start = text.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
        let indent = range.start - start;
        let lines = text.get(start..range.end)?.lines();
        Some(lines.map(|line| line.get(indent..).unwrap_or(line.trim_start())).collect::<Vec<_>>().join("\n"))
    }

    /// The address that the element is, has in it, or stands beside.
    fn loc_uri(&self) -> Option<String> {
        let mut element = Some(self.element()?);
        while let Some(here) = element {
            let inside = std::iter::once(here).chain(here.descendants()).find(|found| found.tag() == Tag::LocURI);
            if let Some(uri) = inside.and_then(Element::value) {
                return Some(super::super::summary::whole(uri, self.show_secrets));
            }
            element = here.parent().filter(|_| here.tag() != Tag::Item && !here.tag().has_cmd_id());
        }
        None
    }

    fn message_xml(&self) -> Option<String> {
        let message = self.session()?.messages.get(self.at?.message)?;
        (!message.doc.is_empty()).then(|| Rendering::new(&message.doc, self.show_secrets).text().to_owned())
    }

    fn finding_here_or_chosen(&self) -> Option<Finding> {
        let number = self.finding.or_else(|| self.finding_here())?;
        let session = self.session()?;
        let draft = self.store.sessions.get(self.shown?.0)?.drafts.get(number)?;
        Some(Locator::new(session, self.show_secrets).finding(draft.clone()))
    }

    fn spot_of(&self, finding: &Finding) -> String {
        let input = finding.location.input.and_then(|input| self.store.names.get(input.0 as usize));
        let name = input.map_or("", |name| name.rsplit('/').next().unwrap_or(name));
        format!("{} · {}", report::spot(name, &finding.location), context(&finding.location))
    }

    fn as_text(&self, finding: &Finding) -> String {
        let mut lines = vec![
            format!("{}[{}]: {}", finding.severity.name(), finding.rule.id, escape::line(&finding.message)),
            format!("  at {}", self.spot_of(finding)),
        ];
        lines.extend(finding.location.path.as_ref().map(|path| format!("  path: {}", escape::line(path))));
        lines.extend(finding.location.excerpt.as_ref().map(|excerpt| format!("  {excerpt}")));
        lines.push(format!("  help: {}", escape::line(&finding.help)));
        lines.join("\n") + "\n"
    }

    fn as_issue(&self, finding: &Finding) -> String {
        let session = self.shown.and_then(|(session, _)| self.store.sessions.get(session)).map(|opened| &opened.row);
        let mut text = format!("## {}: {}\n\n", finding.rule.name, escape::line(&finding.message));
        text += &format!("- rule: {} ({}), fault of the {}\n", finding.rule.id, finding.severity.name(), finding.fault);
        text += &format!("- where: {}\n", self.spot_of(finding));
        if let Some(path) = &finding.location.path {
            text += &format!("- element: `{}`\n", escape::line(path));
        }
        if let Some(row) = session {
            text += &format!("- session: {}, {} messages, {}\n", row.key, row.messages, row.outcome.name());
        }
        for (said, location) in &finding.related {
            text += &format!("- {}: {}\n", escape::line(said), context(location));
        }
        if let Some(snippet) = &finding.location.snippet {
            text += &format!("\n```xml\n{}\n```\n", snippet.text);
        }
        text += &format!("\n**What to change:** {}\n", escape::line(&finding.help));
        if !finding.rule.spec.is_empty() {
            text += &format!("\n**Specification:** {}\n", finding.rule.spec.join("; "));
        }
        text + &format!("\nFound by dmscope {}.\n", env!("CARGO_PKG_VERSION"))
    }
}

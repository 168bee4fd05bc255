//! A document as text XML that any reader takes: what was sent, in the form of XML.
//!
//! In: a document of either form. Out: its text in UTF-8, one element a line, and how much of it XML cannot say. Nothing
//! is masked unless that is asked for: this is a conversion, not a report.

use crate::escape;
use crate::syncml::Element;
use crate::syncml::doc::{Doc, Form};
use crate::syncml::secret::Secrets;

/// Deepest level that is still indented further.
const MAX_INDENT: usize = 40;

/// A document as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The text, each line ended.
    pub text: String,
    /// Characters that no XML document may hold; U+FFFD stands for them.
    pub replaced: usize,
    /// Names that are none in XML; `_` stands for what does not fit.
    pub renamed: usize,
}

/// Writes a document.
pub fn write(doc: &Doc) -> Written {
    masked(doc, &Secrets::shown())
}

/// The same with these secrets masked.
pub fn masked(doc: &Doc, secrets: &Secrets) -> Written {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let mut writer = Writer { written: Written { text, ..Written::default() }, secrets };
    for root in doc.elements().filter(|element| element.parent().is_none()) {
        writer.element(root, 0);
    }
    writer.written
}

struct Writer<'s> {
    written: Written,
    secrets: &'s Secrets,
}

impl Writer<'_> {
    fn element(&mut self, element: Element<'_>, level: usize) {
        let name = self.name(element.name());
        self.indent(level);
        self.written.text.extend(["<", &name]);
        self.attributes(element);
        let text = &*self.secrets.text(element);
        let has_children = element.children().next().is_some();
        if !has_children && text.is_empty() {
            self.written.text.push_str("/>\n");
            return;
        }
        self.written.text.push('>');
        if has_children {
            self.written.text.push('\n');
            if !text.trim().is_empty() {
                self.indent(level + 1);
                self.escaped(text.trim());
                self.written.text.push('\n');
            }
            element.children().for_each(|child| self.element(child, level + 1));
            self.indent(level);
        } else {
            self.escaped(text);
        }
        self.written.text.extend(["</", &name, ">\n"]);
    }

    fn attributes(&mut self, element: Element<'_>) {
        let above = element.parent().map(Element::namespace).unwrap_or_default();
        // WBXML tells the namespace by a code page.
        let is_told = element.doc().form() == Form::Xml || element.namespace() == above;
        let namespace = (!is_told).then(|| ("xmlns", element.namespace()));
        for (name, value) in namespace.into_iter().chain(self.secrets.attributes(element)) {
            let name = self.name(name);
            self.written.text.extend([" ", &name, "=\""]);
            self.escaped(value);
            self.written.text.push('"');
        }
    }

    fn indent(&mut self, level: usize) {
        self.written.text.extend(std::iter::repeat_n("  ", level.min(MAX_INDENT)));
    }

    fn name(&mut self, name: &str) -> String {
        let fits = |(at, character): (usize, char)| {
            let starts = character.is_alphabetic() || matches!(character, '_' | ':');
            starts || at > 0 && (character.is_numeric() || matches!(character, '-' | '.'))
        };
        if !name.is_empty() && name.char_indices().all(fits) {
            return name.to_owned();
        }
        self.written.renamed += 1;
        let mended: String = name.char_indices().map(|at| if fits(at) { at.1 } else { '_' }).collect();
        if mended.is_empty() { "_".to_owned() } else { mended }
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.written.text.push_str("&amp;"),
                '<' => self.written.text.push_str("&lt;"),
                '>' => self.written.text.push_str("&gt;"),
                '"' => self.written.text.push_str("&quot;"),
                '\n' | '\t' => self.written.text.push(character),
                '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}' => {
                    self.written.replaced += 1;
                    self.written.text.push(char::REPLACEMENT_CHARACTER);
                }
                hidden if escape::is_hidden(hidden) => {
                    self.written.text.push_str(&format!("&#x{:X};", u32::from(hidden)))
                }
                shown => self.written.text.push(shown),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::xml;

    fn parse(text: &str) -> Doc {
        xml::parse(&text.as_bytes().into(), &Limits::default())
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let text = "<a xmlns='u'><b c='1 &lt; \"2\"'>x &amp; \u{9b}&#13;y</b><b/>&#x202e;</a>";
        let written = write(&parse(text));
        assert_eq!(
            written.text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"u\">\n  &#x202E;\n  <b c=\"1 &lt; &quot;2&quot;\">x &amp; &#x9B;&#xD;y</b>\n  <b/>\n</a>\n"
        );
        let again = write(&parse(&written.text));
        assert_eq!((&again, written.replaced, written.renamed), (&written, 0, 0));
    }
}

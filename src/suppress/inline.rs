//! Suppressions that stand in the recording: `dmscope: ignore RULE reason`.
//!
//! In: the comments of a session's packets and entries, and those of its documents. Out: directives, each for a message or
//! for one command of it; or what is wrong with one. A comment on a packet or an entry holds for each message that has bytes in it; an XML
//! comment for the command that it stands in, else for its message. Bounds: `limits::REMARKS`.

use super::rules_named;
use crate::origin::Span;
use crate::rules::Rule;
use crate::rules::finding::Place;
use crate::session::Session;
use crate::syncml::doc::REMARK;
use crate::syncml::{Element, Kind, Message};

/// A suppression in the recording.
#[derive(Clone, Debug)]
pub struct Directive {
    /// The messages.
    pub messages: Vec<usize>,
    /// The bytes of the document that it holds for; all of the messages without.
    span: Option<Span>,
    /// The rules.
    pub rules: Vec<&'static Rule>,
    /// The rules as they were named.
    pub words: String,
    /// Why.
    pub reason: String,
}

/// What a comment says.
#[derive(Debug)]
pub enum Said {
    /// What is not to be told.
    Ignore(Directive),
    /// What is wrong with it, and in which messages.
    Wrong(Vec<usize>, String),
}

impl Directive {
    /// Whether a finding at a place is one of those that are not to be told.
    pub fn covers(&self, session: &Session, rule: &Rule, place: Place) -> bool {
        let message = place.message().or_else(|| first(session));
        let within = |span: Span| {
            let own = place.span(session);
            !own.is_empty() && span.start <= own.start && own.end <= span.end
        };
        message.is_some_and(|message| self.messages.contains(&message))
            && self.rules.contains(&rule)
            && self.span.is_none_or(within)
    }
}

/// The message that a finding on the whole session is shown at.
fn first(session: &Session) -> Option<usize> {
    session.messages.iter().position(|message| message.kind != Kind::Missing)
}

/// All that the comments of a session say to this program. `known` are the rules there are.
pub fn said(session: &Session, known: &[&'static Rule]) -> Vec<Said> {
    let remarks = session.remarks.iter().map(|remark| (remark.messages.clone(), None, &*remark.text));
    let comments = session.messages.iter().enumerate().flat_map(|(index, message)| {
        message.doc.remarks.iter().map(move |span| {
            let text = std::str::from_utf8(span.slice(message.doc.bytes())).unwrap_or_default();
            (vec![index], command(message, *span), text)
        })
    });
    let lines = remarks
        .chain(comments)
        .flat_map(|(messages, span, text)| text.lines().map(move |line| (messages.clone(), span, line)));
    let said = lines.filter_map(|(messages, span, line)| {
        let words = line.trim().strip_prefix(REMARK)?;
        Some(match read(words, known) {
            Ok((rules, words, reason)) => Said::Ignore(Directive { messages, span, rules, words, reason }),
            Err(what) => Said::Wrong(messages, what),
        })
    });
    said.collect()
}

/// The command that a comment stands in.
fn command(message: &Message, comment: Span) -> Option<Span> {
    let inside = message.doc.element_at(comment.start)?;
    let around = std::iter::successors(Some(inside), |element: &Element<'_>| element.parent());
    around.take(super::DEPTH).find(|element| element.tag().has_cmd_id()).map(Element::span)
}

/// `ignore RULE[,RULE] reason`.
fn read(words: &str, known: &[&'static Rule]) -> Result<(Vec<&'static Rule>, String, String), String> {
    let form = "expected `dmscope: ignore RULE reason`";
    let mut words = words.split_whitespace();
    if words.next() != Some("ignore") {
        return Err(form.to_owned());
    }
    let Some(names) = words.next() else { return Err(form.to_owned()) };
    let mut rules = Vec::new();
    for name in names.split(',') {
        rules.extend(rules_named(name, known)?);
    }
    let reason = words.collect::<Vec<_>>().join(" ");
    if reason.is_empty() {
        return Err(format!("`ignore {names}` has no reason; {form}"));
    }
    Ok((rules, names.to_owned(), reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    fn said(words: &str) -> Result<(usize, String, String), String> {
        let known: Vec<&Rule> = rules::ALL.iter().collect();
        read(words, &known).map(|(rules, words, reason)| (rules.len(), words, reason))
    }

    #[test]
    fn a_directive_names_rules_and_a_reason() {
        assert_eq!(
            said(" ignore DM-MSG-003 the lab's server"),
            Ok((1, "DM-MSG-003".into(), "the lab's server".into()))
        );
        assert_eq!(said("ignore msgid-gap,DM-MSG-010  known").unwrap().0, 2);
        assert!(said("ignore DM-MSG x").unwrap().0 > 10);
        assert!(said("ignore DM-MSG-003").unwrap_err().contains("has no reason"));
        assert!(said("ignore DM-MSG-999 x").unwrap_err().contains("did you mean"));
        assert!(said("ignroe DM-MSG-003 x").unwrap_err().starts_with("expected `dmscope: ignore"));
        assert!(said("").is_err() && said("ignore").is_err());
    }
}

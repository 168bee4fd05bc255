//! Whether an expression holds: of a session as a whole, or of one message of it.
//!
//! A test holds when one of the values holds that the field has there: of a message, or of all messages of the session.
//! `!=` and `!~` hold when none does.

use std::cmp::Ordering;

use super::{Expression, Field, Filter, Operator};
use crate::rules::{Draft, Severity};
use crate::session::{At, Session};
use crate::syncml::{Command, Message};

/// What a filter looks at: a session, and what was found in it (nothing when the filter does not ask for that).
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its findings.
    pub findings: &'a [Draft],
}

impl Filter {
    /// Whether it holds of a session.
    pub fn session(&self, scene: Scene<'_>) -> bool {
        self.expression.holds(scene, None)
    }

    /// Which messages of the session are shown: none, where it does not hold of the session; those it holds of; all,
    /// where it holds of the session but of no message alone.
    pub fn messages(&self, scene: Scene<'_>) -> Vec<bool> {
        let all = scene.session.messages.len();
        if !self.session(scene) {
            return vec![false; all];
        }
        let held: Vec<bool> = (0..all).map(|message| self.message(scene, message)).collect();
        if held.contains(&true) { held } else { vec![true; all] }
    }

    /// Whether it holds of a message of the session.
    pub fn message(&self, scene: Scene<'_>, message: usize) -> bool {
        self.expression.holds(scene, Some(message))
    }
}

impl Expression {
    fn holds(&self, scene: Scene<'_>, message: Option<usize>) -> bool {
        match self {
            Expression::And(left, right) => left.holds(scene, message) && right.holds(scene, message),
            Expression::Or(left, right) => left.holds(scene, message) || right.holds(scene, message),
            Expression::Not(inner) => !inner.holds(scene, message),
            Expression::Test(field, operator, value) => {
                let (positive, negated) = match operator {
                    Operator::NotEqual => (Operator::Equal, true),
                    Operator::NotHolds => (Operator::Holds, true),
                    operator => (*operator, false),
                };
                scene.any(*field, message, &mut |known| matches(*field, positive, known, value)) != negated
            }
        }
    }
}

impl<'a> Scene<'a> {
    fn messages(self, only: Option<usize>) -> impl Iterator<Item = (usize, &'a Message)> {
        let all = self.session.messages.iter().enumerate();
        all.filter(move |(index, _)| only.is_none_or(|only| only == *index))
    }

    /// Whether one of the values of a field is the one that is looked for.
    fn any(self, field: Field, only: Option<usize>, wanted: &mut dyn FnMut(&str) -> bool) -> bool {
        let session = self.session;
        let mut some = |value: Option<&str>| value.is_some_and(&mut *wanted);
        match field {
            Field::Server => some(session.server.as_deref()),
            Field::Device => some(session.device.as_deref()),
            Field::Session => some(Some(&session.key())) || some(session.session_id.as_deref()),
            Field::Outcome => some(Some(session.outcome.name())),
            Field::From => self.messages(only).any(|(_, message)| some(message.side.map(|side| side.name()))),
            Field::MsgId => self.messages(only).any(|(_, message)| some(message.msg_id())),
            Field::Time => self.messages(only).any(|(_, message)| {
                let time = message.first.map(|time| time.to_string());
                some(time.as_deref())
            }),
            Field::Command => self.commands(only).any(|(_, command)| some(Some(command.tag().name()))),
            Field::Target => self.commands(only).any(|(_, command)| {
                command.items().any(|item| some(item.target()) || some(item.source()))
                    || command.target_refs().any(|uri| some(Some(uri)))
            }),
            Field::Status => self.commands(only).any(|(at, command)| self.statuses(at, command, &mut some)),
            Field::Severity => self.findings(only).any(|draft| some(Some(draft.severity.name()))),
            Field::Rule => self.findings(only).any(|draft| some(Some(draft.rule.id)) || some(Some(draft.rule.name))),
        }
    }

    fn commands(self, only: Option<usize>) -> impl Iterator<Item = (At, Command<'a>)> {
        self.messages(only).flat_map(|(index, message)| {
            let at = move |command: Command<'_>| At { message: index, node: command.0.id() };
            message.doc.all_commands().map(move |command| (at(command), command))
        })
    }

    /// The code of a Status; those that a command was answered with.
    fn statuses(self, at: At, command: Command<'_>, some: &mut dyn FnMut(Option<&str>) -> bool) -> bool {
        if command.tag() == crate::syncml::Tag::Status {
            return some(command.data());
        }
        let answers = self.session.exchange(at).map(|exchange| exchange.statuses.as_slice()).unwrap_or_default();
        answers.iter().any(|at| some(self.session.command_at(*at).and_then(Command::data)))
    }

    fn findings(self, only: Option<usize>) -> impl Iterator<Item = &'a Draft> {
        self.findings.iter().filter(move |draft| only.is_none_or(|only| draft.place.message() == Some(only)))
    }
}

/// Whether a value compares so. Letter case does not matter; `*` in a value stands for any text.
fn matches(field: Field, operator: Operator, known: &str, value: &str) -> bool {
    if operator == Operator::Holds {
        return holds(known, value);
    }
    let order = match field {
        Field::Status if value.ends_with("xx") => return known.len() == 3 && known.get(..1) == value.get(..1),
        Field::Status | Field::MsgId => match (known.parse::<u64>(), value.parse::<u64>()) {
            (Ok(known), Ok(value)) => Some(known.cmp(&value)),
            _ if operator == Operator::Equal => return known.eq_ignore_ascii_case(value),
            _ => None,
        },
        Field::Severity => rank(known).zip(rank(value)).map(|(known, value)| known.cmp(&value)),
        Field::Time => time(known, value),
        _ => return wild(known, value),
    };
    order.is_some_and(|order| match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterOrEqual => order != Ordering::Less,
        _ => order == Ordering::Equal,
    })
}

fn rank(word: &str) -> Option<Severity> {
    [Severity::Info, Severity::Warning, Severity::Error].into_iter().find(|severity| severity.name() == word)
}

/// Compares as exactly as the value is written: `10:02` is the whole minute.
fn time(known: &str, value: &str) -> Option<Ordering> {
    let value = value.trim_end_matches('Z').replace(' ', "T");
    let known = if value.get(2..3) == Some(":") { known.get(11..)? } else { known };
    let known = known.trim_end_matches('Z');
    Some(known.get(..value.len()).unwrap_or(known).cmp(&value))
}

fn holds(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// Whether the whole text is the value, in which `*` stands for any text.
fn wild(text: &str, value: &str) -> bool {
    let mut pieces = value.split('*');
    let first = pieces.next().unwrap_or_default();
    let same = |at: Option<&str>, piece: &str| at.is_some_and(|text| text.eq_ignore_ascii_case(piece));
    if !value.contains('*') {
        return text.eq_ignore_ascii_case(value);
    }
    if !same(text.get(..first.len()), first) {
        return false;
    }
    let mut rest = text.get(first.len()..).unwrap_or_default();
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else { return true };
    for piece in between {
        let at = rest.char_indices().map(|(at, _)| at).find(|at| same(rest.get(*at..at + piece.len()), piece));
        let Some(at) = at.or(piece.is_empty().then_some(0)) else { return false };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.len().checked_sub(last.len()).is_some_and(|from| same(rest.get(from..), last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_as_their_field_does() {
        let yes = |field, operator, known, value| assert!(matches(field, operator, known, value), "{known} {value}");
        let no = |field, operator, known, value| assert!(!matches(field, operator, known, value), "{known} {value}");
        yes(Field::Status, Operator::Equal, "404", "4xx");
        no(Field::Status, Operator::Equal, "200", "4xx");
        yes(Field::Status, Operator::GreaterOrEqual, "500", "400");
        no(Field::Status, Operator::GreaterOrEqual, "x", "400");
        yes(Field::Severity, Operator::GreaterOrEqual, "error", "warning");
        yes(Field::MsgId, Operator::Less, "9", "10");
        yes(Field::MsgId, Operator::Equal, "A1", "a1");
        yes(Field::Time, Operator::Equal, "2026-01-02T10:02:11.500000Z", "10:02");
        yes(Field::Time, Operator::Less, "2026-01-02T10:02:11.500000Z", "2026-01-02 10:03");
        no(Field::Time, Operator::Greater, "2026-01-02T10:02:11.500000Z", "10:02");
        yes(Field::Target, Operator::Holds, "./Vendor/MSFT/Policy", "msft");
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (text, value) in
            [("abc", "a*c"), ("abc", "*"), ("abc", "*bc"), ("ABC", "ab*"), ("aXbXc", "a*b*c"), ("ab", "a**b")]
        {
            assert!(wild(text, value), "{text} {value}");
        }
        for (text, value) in [("abc", "a*d"), ("abc", "b*"), ("ab", "ab*b"), ("äb", "a*")] {
            assert!(!wild(text, value), "{text} {value}");
        }
    }
}

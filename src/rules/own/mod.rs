//! A team's own rules: pages like those of the built-in rules, with an expression in CEL in place of a function.
//!
//! In: pages of directories. Out: rules that run beside the built-in ones, or all that is wrong with the pages, each with
//! file, line and column. An expression is read (`lex`, `parse`), checked against the fields and functions that there are
//! (`lower`), and run over the session as it stands (`eval`): values are borrowed, and no text is copied to be compared.
//! Bounds: `limits.rule_steps` and `limits.rule_steps_per_session` of work, and the constants `RULE_*` of `limits`.

mod call;
mod eval;
mod fields;
mod functions;
mod lex;
mod load;
mod lower;
mod new;
mod parse;
mod read;
mod reference;
mod template;
#[cfg(test)]
mod tests;
mod trial;
mod types;
mod value;
mod views;

pub use load::{Wrong as Error, load};
pub use new::new_page;
pub use reference::{Table, reference};
pub use trial::try_page;

use eval::{Machine, Stop};
use lower::Expr;
use template::Piece;
use types::Kind;
use value::{Object, Value};

use super::context::{ElementCx, MessageCx, SessionCx};
use super::finding::{Place, Sink};
use crate::limits::Limits;
use crate::session::At;
use crate::syncml::Tag;

/// What is wrong with an expression, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
}

impl Wrong {
    fn new(at: usize, message: impl Into<String>) -> Wrong {
        Wrong { at, message: message.into() }
    }
}

/// What an own rule looks at, and when it says what.
#[derive(Debug)]
pub struct Own {
    /// What it looks at.
    kind: Kind,
    /// For a rule on elements: which; on commands: which; on items: of which commands. All where there is none.
    on: Vec<Tag>,
    /// Of scope session: whether it judges sessions of which a part was not captured.
    partial: bool,
    /// The condition as it is written.
    text: String,
    when: Expr,
    message: Vec<Piece>,
    at: Option<Expr>,
}

/// Steps that the own rules may take in one session.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// For one place.
    once: u64,
    /// That are left for the rule in the session.
    left: u64,
}

impl Budget {
    pub(super) fn of(limits: &Limits) -> Budget {
        Budget { once: limits.rule_steps, left: limits.rule_steps_per_session }
    }
}

/// Why a rule did not judge a place.
#[derive(Clone, Debug)]
pub struct Hole {
    /// The first such place in the session.
    pub place: Place,
    /// Why.
    pub why: String,
    /// How many there are.
    pub count: usize,
}

/// What an own rule has used of its budget; and where a rule did not judge.
#[derive(Debug)]
pub(super) struct Spent {
    pub(super) budget: Budget,
    pub(super) hole: Option<Hole>,
}

impl Spent {
    pub(super) fn give_up(&mut self, place: Place, why: impl FnOnce() -> String) {
        match &mut self.hole {
            Some(hole) => hole.count += 1,
            None => self.hole = Some(Hole { place, why: why(), count: 1 }),
        }
    }
}

impl Own {
    /// The condition as it is written.
    pub fn when(&self) -> &str {
        &self.text
    }

    /// The elements that it is called for; `None` for a rule on whole messages or sessions.
    pub(super) fn tags(&self) -> Option<Vec<Tag>> {
        match self.kind {
            Kind::Status => Some(vec![Tag::Status]),
            Kind::Alert => Some(vec![Tag::Alert]),
            Kind::Item => Some(vec![Tag::Item]),
            Kind::Command if self.on.is_empty() => {
                Some(Tag::ALL.iter().copied().filter(|tag| tag.is_command()).collect())
            }
            Kind::Command | Kind::Element => Some(self.on.clone()),
            _ => None,
        }
    }

    /// Whether it looks at whole sessions.
    pub(super) fn is_on_sessions(&self) -> bool {
        self.kind == Kind::Session
    }

    /// Judges an element.
    pub(super) fn element<'a>(&'a self, cx: &ElementCx<'a>, out: &mut Sink<'_>) {
        let of_other = |parent: crate::syncml::Element<'_>| !self.on.contains(&parent.tag());
        if self.kind == Kind::Item && !self.on.is_empty() && cx.element.parent().is_none_or(of_other) {
            return;
        }
        self.judge(cx.message.in_session(), cx.at(), out);
    }

    /// Judges a message.
    pub(super) fn message<'a>(&'a self, cx: &MessageCx<'a>, out: &mut Sink<'_>) {
        self.judge(cx.in_session(), views::of_message(cx.index), out);
    }

    /// Judges a session.
    pub(super) fn session<'a>(&'a self, cx: &SessionCx<'a>, out: &mut Sink<'_>) {
        if !self.partial && !views::is_whole(*cx) {
            out.share.spent.give_up(Place::Session, || "a part of the session was not captured".to_owned());
            return;
        }
        self.judge(*cx, views::of_message(0), out);
    }

    fn judge<'a>(&'a self, cx: SessionCx<'a>, at: At, out: &mut Sink<'_>) {
        let place = place_of(Object { kind: self.kind, at });
        let budget = &mut out.share.spent.budget;
        let most = if self.kind == Kind::Session { budget.left } else { budget.left.min(budget.once) };
        let mut machine = Machine::new(cx, at, most);
        let held = machine.holds(&self.when);
        budget.left = budget.left.saturating_sub(most - machine.left);
        match held {
            Ok(false) | Err(Stop::Absent | Stop::Unknown) => {}
            Ok(true) => {
                let place = self.place(cx, at, place, most);
                let text = template::fill(&self.message, Machine::new(cx, at, most).guarding());
                out.report(place, text);
            }
            Err(Stop::Broken(what)) => out.share.spent.give_up(place, || format!("`when` has no result: {what}")),
            Err(Stop::Budget) => out.share.spent.give_up(place, || format!("its budget of {most} steps is used up")),
        }
    }

    /// Where a finding points.
    fn place<'a>(&'a self, cx: SessionCx<'a>, at: At, usual: Place, steps: u64) -> Place {
        let found = self.at.as_ref().map(|expr| Machine::new(cx, at, steps).run(expr));
        match found {
            Some(Ok(Value::Object(object))) => place_of(object),
            _ => usual,
        }
    }
}

fn place_of(Object { kind, at }: Object) -> Place {
    match kind {
        Kind::Session => Place::Session,
        Kind::Message | Kind::Http => Place::Message(at.message),
        _ => Place::Element(at),
    }
}

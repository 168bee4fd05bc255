//! Runs an expression over a session.
//!
//! `&&`, `||`, `all` and `exists` stop where the result is known, and a part that has no result is passed over where
//! another decides, as in CEL. An element of a list for which a value is missing is one for which a condition does not hold:
//! what CEL calls an error there would silence most rules. Bound: a [`Budget`]; each part of an expression takes one step of it each time it runs,
//! and what looks through a text takes more the longer that is. Strings are made only where a function makes them, and
//! take steps as they grow.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::fields::{Field, Read};
use super::lower::{Expr, Loop, Macro};
use super::parse::Operator;
use super::types::Kind;
use super::value::{List, Value};
use super::views;
use crate::limits;
use crate::rules::context::SessionCx;
use crate::session::At;
use crate::syncml::Element;
use crate::syncml::secret;

/// Why an expression has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A value that it needs is missing: a condition does not hold.
    Absent,
    /// What it asks for is not there to be asked, or was not captured: nothing can be said.
    Unknown,
    /// It cannot be worked out: what is wrong.
    Broken(&'static str),
    /// The budget is used up.
    Budget,
}

/// Bytes of text that are looked at in one step.
pub(super) const BYTES: usize = 16;
/// The same of a pattern, which takes longer.
const BYTES_OF_PATTERN: usize = 4;

type Slots<'a> = [Value<'a>; limits::RULE_VARIABLES];

/// What an expression runs on.
pub(super) struct Machine<'a> {
    pub(super) cx: SessionCx<'a>,
    at: At,
    slots: Slots<'a>,
    /// Steps that are left.
    pub(super) left: u64,
    /// Whether a text that it read is a secret.
    pub(super) told_secret: bool,
    /// Whether it looks for secrets: where what it gives will be printed.
    pub(super) guards: bool,
}

pub(super) type Result<'a> = std::result::Result<Value<'a>, Stop>;

impl<'a> Machine<'a> {
    /// At a place, with so many steps.
    pub(super) fn new(cx: SessionCx<'a>, at: At, steps: u64) -> Machine<'a> {
        let slots = [const { Value::Null }; limits::RULE_VARIABLES];
        Machine { cx, at, slots, left: steps, told_secret: false, guards: false }
    }

    /// Notes from here on whether a secret is read.
    pub(super) fn guarding(mut self) -> Machine<'a> {
        self.guards = true;
        self
    }

    pub(super) fn spend(&mut self, steps: usize) -> std::result::Result<(), Stop> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Stop::Budget)
            }
        }
    }

    /// Whether a condition holds.
    pub(super) fn holds(&mut self, condition: &'a Expr) -> std::result::Result<bool, Stop> {
        match self.run(condition)? {
            Value::Bool(value) => Ok(value),
            other => Err(unfit(&other)),
        }
    }

    /// What an expression gives.
    pub(super) fn run(&mut self, expr: &'a Expr) -> Result<'a> {
        self.spend(1)?;
        match expr {
            Expr::Null => Ok(Value::Null),
            Expr::Bool(value) => Ok(Value::Bool(*value)),
            Expr::Int(value) => Ok(Value::Int(*value)),
            Expr::Double(value) => Ok(Value::Double(*value)),
            Expr::Text(text) => Ok(Value::from(&**text)),
            Expr::Root(kind) => self.root(*kind),
            Expr::Slot(slot) => Ok(self.slots.get(*slot).cloned().unwrap_or(Value::Null)),
            Expr::Field(on, field) => {
                let on = self.run(on)?;
                self.field(&on, field)
            }
            Expr::Key(on, key) => match self.run(on)? {
                Value::Map(entries) => self.entry(&entries, &Value::from(&**key))?.ok_or(Stop::Unknown),
                other => Err(unfit(&other)),
            },
            Expr::Has(inner) => match self.run(inner) {
                Ok(Value::Null) | Err(Stop::Absent | Stop::Unknown) => Ok(Value::Bool(false)),
                Ok(_) => Ok(Value::Bool(true)),
                Err(stop) => Err(stop),
            },
            Expr::Index(two) => self.index(two),
            Expr::Not(inner) => Ok(Value::Bool(!self.holds(inner)?)),
            Expr::Negative(inner) => match self.run(inner)? {
                Value::Int(value) => value.checked_neg().map(Value::Int).ok_or(TOO_LARGE),
                Value::Double(value) => Ok(Value::Double(-value)),
                other => Err(unfit(&other)),
            },
            Expr::All(parts) => self.joined(parts, false),
            Expr::Any(parts) => self.joined(parts, true),
            Expr::If(three) => {
                let [condition, yes, no] = &**three;
                if self.holds(condition)? { self.run(yes) } else { self.run(no) }
            }
            Expr::Binary(operator, two) => {
                let [left, right] = &**two;
                let (left, right) = (self.run(left)?, self.run(right)?);
                self.binary(*operator, left, right)
            }
            Expr::List(parts) => {
                let values: std::result::Result<Rc<[_]>, Stop> = parts.iter().map(|part| self.run(part)).collect();
                Ok(Value::List(List::Made(values?)))
            }
            Expr::Map(entries) => self.map(entries),
            Expr::Call(call, parts) => self.call(*call, parts),
            Expr::Matches(on, pattern) => {
                let on = self.run(on)?;
                let text = text(&on)?;
                self.spend(text.len() / BYTES_OF_PATTERN)?;
                Ok(Value::Bool(pattern.is_match(text)))
            }
            Expr::Macro(of) => self.each(of),
        }
    }

    /// What the rule looks at, or what is around it.
    fn root(&self, kind: Kind) -> Result<'a> {
        match kind {
            Kind::Header => Ok(views::header_of(self.cx, self.at).unwrap_or(Value::Null)),
            Kind::Http => views::http_of(self.cx, self.at).ok_or(Stop::Unknown),
            Kind::Command => Ok(views::around(self.cx, self.at).unwrap_or(Value::Null)),
            kind => Ok(views::thing(kind, self.at)),
        }
    }

    /// A field of a thing; a field of nothing is nothing.
    fn field(&mut self, on: &Value<'a>, field: &'static Field) -> Result<'a> {
        let Value::Object(object) = on else { return Ok(Value::Null) };
        let value = match &field.read {
            Read::Text(path) => {
                let found = views::element(self.cx, object.at).and_then(|element| views::below(element, path));
                self.guard_element(found);
                found.and_then(Element::value).map_or(Value::Null, Value::from)
            }
            Read::Value(read) => read(self.cx, object.at).unwrap_or(Value::Null),
            Read::Shown(read) => read(self.cx, object.at).ok_or(Stop::Unknown)?,
            Read::Each(each) => Value::List(List::Of(*object, *each)),
        };
        self.guard(&value);
        Ok(value)
    }

    fn guard_element(&mut self, element: Option<Element<'_>>) {
        if self.guards && element.is_some_and(secret::is_secret) {
            self.told_secret = true;
        }
    }

    /// A text that holds a secret parameter.
    fn guard(&mut self, value: &Value<'_>) {
        if let (true, Value::Text(text)) = (self.guards, value)
            && matches!(secret::url(text.as_str()), std::borrow::Cow::Owned(_))
        {
            self.told_secret = true;
        }
    }

    fn index(&mut self, [on, index]: &'a [Expr; 2]) -> Result<'a> {
        let (on, index) = (self.run(on)?, self.run(index)?);
        match (&on, &index) {
            (Value::List(list), Value::Int(index)) => {
                let Ok(index) = usize::try_from(*index) else { return Err(Stop::Unknown) };
                if let List::Made(values) = list {
                    return values.get(index).cloned().ok_or(Stop::Unknown);
                }
                let mut before = 0;
                let mut found = None;
                self.walk(list, &mut |_, value| {
                    if before == index {
                        found = Some(value);
                        return Ok(ControlFlow::Break(()));
                    }
                    before += 1;
                    Ok(ControlFlow::Continue(()))
                })?;
                found.ok_or(Stop::Unknown)
            }
            (Value::Map(entries), key) => self.entry(entries, key)?.ok_or(Stop::Unknown),
            (Value::List(_), other) | (other, _) => Err(unfit(other)),
        }
    }

    fn entry(
        &mut self,
        entries: &[(Value<'a>, Value<'a>)],
        wanted: &Value<'a>,
    ) -> std::result::Result<Option<Value<'a>>, Stop> {
        for (key, value) in entries {
            if self.equal(key, wanted)? {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }

    fn map(&mut self, entries: &'a [(Expr, Expr)]) -> Result<'a> {
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.run(key)?;
            if !matches!(key, Value::Text(_) | Value::Int(_) | Value::Bool(_)) {
                return Err(unfit(&key));
            }
            if self.entry(&made, &key)?.is_some() {
                return Err(Stop::Broken("a map with the same key twice"));
            }
            made.push((key, self.run(value)?));
        }
        Ok(Value::Map(made.into()))
    }

    /// `&&` and `||`: the value that decides is looked for, also behind parts that have no result.
    fn joined(&mut self, parts: &'a [Expr], decides: bool) -> Result<'a> {
        let mut without = None;
        for part in parts {
            match self.holds(part) {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(Stop::Budget) => return Err(Stop::Budget),
                Err(stop) => without = without.or(Some(stop)),
            }
        }
        without.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn binary(&mut self, operator: Operator, left: Value<'a>, right: Value<'a>) -> Result<'a> {
        let order = |fits: fn(Ordering) -> bool| match left.order(&right) {
            Some(order) => Ok(Value::Bool(fits(order))),
            // Not a number has no order.
            None if matches!((&left, &right), (Value::Double(_) | Value::Int(_), Value::Double(_) | Value::Int(_))) => {
                Ok(Value::Bool(false))
            }
            None => Err(if matches!(left, Value::Null) { Stop::Absent } else { unfit(&right) }),
        };
        match operator {
            Operator::Equal => Ok(Value::Bool(self.equal(&left, &right)?)),
            Operator::NotEqual => Ok(Value::Bool(!self.equal(&left, &right)?)),
            Operator::Less => order(Ordering::is_lt),
            Operator::LessOrEqual => order(Ordering::is_le),
            Operator::Greater => order(Ordering::is_gt),
            Operator::GreaterOrEqual => order(Ordering::is_ge),
            Operator::In => self.is_in(&left, &right),
            _ => self.compute(operator, &left, &right),
        }
    }

    fn compute(&mut self, operator: Operator, left: &Value<'a>, right: &Value<'a>) -> Result<'a> {
        match (left, right) {
            (Value::Int(a), Value::Int(b)) => {
                let result = match operator {
                    Operator::Add => a.checked_add(*b),
                    Operator::Subtract => a.checked_sub(*b),
                    Operator::Multiply => a.checked_mul(*b),
                    Operator::Divide if *b == 0 => return Err(Stop::Broken("a division by zero")),
                    Operator::Remainder if *b == 0 => return Err(Stop::Broken("a division by zero")),
                    Operator::Divide => a.checked_div(*b),
                    _ => a.checked_rem(*b),
                };
                result.map(Value::Int).ok_or(TOO_LARGE)
            }
            (Value::Double(a), Value::Double(b)) => Ok(Value::Double(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                _ => return Err(Stop::Broken("a remainder of doubles")),
            })),
            (Value::Text(a), Value::Text(b)) if operator == Operator::Add => {
                self.spend((a.as_str().len() + b.as_str().len()) / BYTES)?;
                Ok(Value::from([a.as_str(), b.as_str()].concat()))
            }
            (Value::List(a), Value::List(b)) if operator == Operator::Add => {
                let mut all = Vec::new();
                for list in [a, b] {
                    self.walk(list, &mut |_, value| {
                        all.push(value);
                        Ok(ControlFlow::Continue(()))
                    })?;
                }
                Ok(Value::List(List::Made(all.into())))
            }
            (Value::Null, _) => Err(Stop::Absent),
            (_, other) => Err(unfit(other)),
        }
    }

    fn equal(&mut self, left: &Value<'a>, right: &Value<'a>) -> std::result::Result<bool, Stop> {
        self.spend(1)?;
        match (left, right) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Text(a), Value::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                self.spend(if a.len() == b.len() { a.len() / BYTES } else { 0 })?;
                Ok(a == b)
            }
            (Value::Object(a), Value::Object(b)) => Ok(a == b),
            (Value::List(a), Value::List(b)) => {
                let (a, b) = (self.made(a)?, self.made(b)?);
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !self.equal(a, b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(a), Value::Map(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, value) in a.iter() {
                    let Some(other) = self.entry(b, key)? else { return Ok(false) };
                    if !self.equal(value, &other)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (a, b) => Ok(a.order(b) == Some(Ordering::Equal)),
        }
    }

    fn is_in(&mut self, wanted: &Value<'a>, within: &Value<'a>) -> Result<'a> {
        match within {
            Value::Map(entries) => Ok(Value::Bool(self.entry(entries, wanted)?.is_some())),
            Value::List(list) => {
                let mut found = false;
                self.walk(list, &mut |machine, value| {
                    found = machine.equal(&value, wanted)?;
                    Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })?;
                Ok(Value::Bool(found))
            }
            other => Err(unfit(other)),
        }
    }

    /// The elements of a list in memory.
    fn made(&mut self, list: &List<'a>) -> std::result::Result<Rc<[Value<'a>]>, Stop> {
        if let List::Made(values) = list {
            return Ok(values.clone());
        }
        let mut all = Vec::new();
        self.walk(list, &mut |_, value| {
            all.push(value);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(all.into())
    }

    /// Tells each element of a list until one is enough; each takes a step.
    pub(super) fn walk(&mut self, list: &List<'a>, visit: &mut OnElement<'_, 'a>) -> std::result::Result<(), Stop> {
        let mut stop = Ok(());
        let mut one = |machine: &mut Machine<'a>, value: Value<'a>| {
            let next = machine.spend(1).and_then(|()| {
                machine.guard(&value);
                visit(machine, value)
            });
            next.unwrap_or_else(|why| {
                stop = Err(why);
                ControlFlow::Break(())
            })
        };
        match list {
            List::Made(values) => {
                for value in values.iter() {
                    if one(self, value.clone()).is_break() {
                        break;
                    }
                }
            }
            List::Of(object, each) => each(self.cx, object.at, &mut |value| one(self, value)),
        }
        stop
    }

    fn each(&mut self, of: &'a Macro) -> Result<'a> {
        let list = match self.run(&of.list)? {
            Value::List(list) => list,
            Value::Map(entries) => List::Made(entries.iter().map(|(key, _)| key.clone()).collect()),
            other => return Err(unfit(&other)),
        };
        let mut made = Vec::new();
        let mut holding = 0_usize;
        let mut without = None;
        let decides = of.kind == Loop::Exists;
        let mut decided = false;
        let outer = self.slots.get(of.slot).cloned();
        let walked = self.walk(&list, &mut |machine, value| {
            if let Some(slot) = machine.slots.get_mut(of.slot) {
                *slot = value.clone();
            }
            if of.kind == Loop::Map {
                let wanted = of.only.as_ref().map_or(Ok(true), |only| machine.holds(only))?;
                if wanted {
                    made.push(machine.run(&of.body)?);
                }
                return Ok(ControlFlow::Continue(()));
            }
            let holds = match (machine.holds(&of.body), of.kind) {
                (Err(Stop::Absent), _) => false,
                // Another element may decide.
                (Err(stop @ (Stop::Unknown | Stop::Broken(_))), Loop::All | Loop::Exists) => {
                    without = without.or(Some(stop));
                    return Ok(ControlFlow::Continue(()));
                }
                (holds, _) => holds?,
            };
            holding += usize::from(holds);
            match of.kind {
                Loop::All | Loop::Exists if holds == decides => {
                    decided = true;
                    return Ok(ControlFlow::Break(()));
                }
                Loop::Filter if holds => made.push(value),
                _ => {}
            }
            Ok(ControlFlow::Continue(()))
        });
        if let (Some(slot), Some(outer)) = (self.slots.get_mut(of.slot), outer) {
            *slot = outer;
        }
        walked?;
        match of.kind {
            Loop::Map | Loop::Filter => Ok(Value::List(List::Made(made.into()))),
            Loop::ExistsOne => Ok(Value::Bool(holding == 1)),
            Loop::All | Loop::Exists if decided => Ok(Value::Bool(decides)),
            Loop::All | Loop::Exists => without.map_or(Ok(Value::Bool(!decides)), Err),
        }
    }
}

/// What is told each element of a list.
pub(super) type OnElement<'v, 'a> =
    dyn FnMut(&mut Machine<'a>, Value<'a>) -> std::result::Result<ControlFlow<()>, Stop> + 'v;

pub(super) const TOO_LARGE: Stop = Stop::Broken("a number over 64 bits");

/// Why a value does not fit where it stands.
pub(super) fn unfit(value: &Value<'_>) -> Stop {
    match value {
        Value::Null => Stop::Absent,
        _ => Stop::Broken("a value of another type than is needed there"),
    }
}

pub(super) fn text<'v>(value: &'v Value<'_>) -> std::result::Result<&'v str, Stop> {
    match value {
        Value::Text(text) => Ok(text.as_str()),
        other => Err(unfit(other)),
    }
}

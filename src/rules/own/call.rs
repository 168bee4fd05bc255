//! The functions of expressions at work.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::eval::{BYTES, Machine, Result, Stop, TOO_LARGE, text, unfit};
use super::functions::Call;
use super::lower::Expr;
use super::types::Kind;
use super::value::{List, Object, Text, Value};
use super::views;
use crate::syncml::Element;
use crate::syncml::secret::{self, MASK, Secrets};

impl<'a> Machine<'a> {
    /// Calls a function; what it is called on is the first of the parts.
    pub(super) fn call(&mut self, call: Call, parts: &'a [Expr]) -> Result<'a> {
        let mut values = [const { Value::Null }; 3];
        for (value, part) in values.iter_mut().zip(parts) {
            *value = self.run(part)?;
        }
        let [on, first, second] = &values;
        match call {
            Call::Size => self.size(on),
            Call::StartsWith => Ok(Value::Bool(text(on)?.starts_with(text(first)?))),
            Call::EndsWith => Ok(Value::Bool(text(on)?.ends_with(text(first)?))),
            Call::Contains => Ok(Value::Bool(self.find(on, first)?.is_some())),
            Call::IndexOf => {
                let at = self.find(on, first)?;
                let before = at.and_then(|at| text(on).ok()?.get(..at)).map(|before| before.chars().count());
                Ok(Value::Int(before.and_then(|count| i64::try_from(count).ok()).unwrap_or(-1)))
            }
            Call::LowerAscii => self.letters(on, u8::is_ascii_uppercase, str::to_ascii_lowercase),
            Call::UpperAscii => self.letters(on, u8::is_ascii_lowercase, str::to_ascii_uppercase),
            Call::Trim => self.part(on, |text| Some(text.trim())),
            Call::Substring => {
                let to = if parts.len() > 2 { Some(second) } else { None };
                self.substring(on, first, to)
            }
            Call::Split => self.split(on, first),
            Call::Join => self.join(on, first),
            Call::Int => int(on),
            Call::Double => double(on),
            Call::Text => match on {
                Value::Null => Err(Stop::Absent),
                Value::Text(_) => Ok(on.clone()),
                value => value.told().map(Value::from).ok_or_else(|| unfit(value)),
            },
            Call::HttpHeader => self.header(on, first),
            Call::Attribute => self.attribute(on, first),
            Call::Child => self.child(on, first),
            // Lowered to an expression of its own.
            Call::Matches => Err(Stop::Broken("a pattern that was not compiled")),
        }
    }

    fn size(&mut self, of: &Value<'a>) -> Result<'a> {
        let size = match of {
            Value::Text(text) => {
                self.spend(text.as_str().len() / BYTES)?;
                text.as_str().chars().count()
            }
            Value::Map(entries) => entries.len(),
            Value::List(List::Made(values)) => values.len(),
            Value::List(list) => {
                let mut count = 0;
                self.walk(list, &mut |_, _| {
                    count += 1;
                    Ok(ControlFlow::Continue(()))
                })?;
                count
            }
            other => return Err(unfit(other)),
        };
        Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
    }

    fn find(&mut self, on: &Value<'a>, part: &Value<'a>) -> std::result::Result<Option<usize>, Stop> {
        let (on, part) = (text(on)?, text(part)?);
        self.spend(on.len() / BYTES)?;
        Ok(memchr::memmem::find(on.as_bytes(), part.as_bytes()))
    }

    /// The text with some letters changed; itself where it has none of them.
    fn letters(&mut self, on: &Value<'a>, changes: fn(&u8) -> bool, change: fn(&str) -> String) -> Result<'a> {
        let found = text(on)?;
        self.spend(found.len() / BYTES)?;
        Ok(if found.bytes().any(|byte| changes(&byte)) { Value::from(change(found)) } else { on.clone() })
    }

    /// A part of a text: borrowed where the text is.
    fn part(&mut self, on: &Value<'a>, part: impl for<'t> Fn(&'t str) -> Option<&'t str>) -> Result<'a> {
        let Value::Text(found) = on else { return Err(unfit(on)) };
        self.spend(found.as_str().len() / BYTES)?;
        match found {
            Text::Borrowed(text) => part(text).map(Value::from).ok_or(Stop::Unknown),
            Text::Made(text) => part(text).map(|part| Value::from(part.to_owned())).ok_or(Stop::Unknown),
        }
    }

    fn substring(&mut self, on: &Value<'a>, from: &Value<'a>, to: Option<&Value<'a>>) -> Result<'a> {
        let number = |value: &Value<'_>| match value {
            Value::Int(number) => usize::try_from(*number).map_err(|_| Stop::Unknown),
            other => Err(unfit(other)),
        };
        let (from, to) = (number(from)?, to.map(number).transpose()?);
        self.part(on, |text| {
            let byte = |character: usize| {
                let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                ends.into_iter().nth(character)
            };
            text.get(byte(from)?..to.map_or(Some(text.len()), byte)?)
        })
    }

    fn split(&mut self, on: &Value<'a>, by: &Value<'a>) -> Result<'a> {
        let (Value::Text(found), by) = (on, text(by)?) else { return Err(unfit(on)) };
        self.spend(found.as_str().len() / BYTES)?;
        // Between characters, where nothing stands between the pieces.
        let pieces = |text: &'a str| -> Vec<Value<'a>> {
            match by {
                "" => {
                    text.char_indices().filter_map(|(at, c)| text.get(at..at + c.len_utf8())).map(Value::from).collect()
                }
                by => text.split(by).map(Value::from).collect(),
            }
        };
        let all = match found {
            Text::Borrowed(text) => {
                self.spend(if by.is_empty() { text.len() } else { text.matches(by).count() })?;
                pieces(text)
            }
            Text::Made(text) => {
                self.spend(text.len())?;
                match by {
                    "" => text.chars().map(|c| Value::from(c.to_string())).collect(),
                    by => text.split(by).map(|piece| Value::from(piece.to_owned())).collect(),
                }
            }
        };
        Ok(Value::List(List::Made(all.into())))
    }

    fn join(&mut self, on: &Value<'a>, between: &Value<'a>) -> Result<'a> {
        let Value::List(list) = on else { return Err(unfit(on)) };
        let between = text(between)?;
        let mut out = String::new();
        let mut first = true;
        self.walk(list, &mut |machine, value| {
            let piece = text(&value)?;
            machine.spend((piece.len() + between.len()) / BYTES)?;
            if !std::mem::take(&mut first) {
                out.push_str(between);
            }
            out.push_str(piece);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Value::from(out))
    }

    fn header(&mut self, on: &Value<'a>, name: &Value<'a>) -> Result<'a> {
        let Value::Object(http) = on else { return Err(unfit(on)) };
        let name = text(name)?;
        let Some(head) = views::head(self.cx, http.at) else { return Ok(Value::Null) };
        match head.header(name) {
            Some(value) => {
                let masks = matches!(secret::header(name, value), Cow::Owned(_)) || secret::header(name, value) == MASK;
                self.told_secret |= self.guards && masks;
                Ok(Value::from(value))
            }
            // It may have been sent: what HTTP/2 refers to was not captured.
            None if head.unknown > 0 => Err(Stop::Unknown),
            None => Ok(Value::Null),
        }
    }

    fn attribute(&mut self, on: &Value<'a>, name: &Value<'a>) -> Result<'a> {
        let Some(element) = self.element(on)? else { return Ok(Value::Null) };
        let name = text(name)?;
        let is_it = |known: &str| known.rsplit(':').next() == Some(name);
        if self.guards {
            let masked = |(known, value): (&str, &str)| is_it(known) && value == MASK;
            self.told_secret |= Secrets::of(element.doc()).attributes(element).any(masked);
        }
        Ok(element.attribute(name).map_or(Value::Null, Value::from))
    }

    fn child(&mut self, on: &Value<'a>, name: &Value<'a>) -> Result<'a> {
        let Value::Object(object) = on else { return Err(unfit(on)) };
        let Some(element) = self.element(on)? else { return Ok(Value::Null) };
        let name = text(name)?;
        let mut searched = 0;
        let found = element.children().inspect(|_| searched += 1).find(|child| child.name() == name);
        self.spend(searched)?;
        Ok(found.map_or(Value::Null, |child| views::node(object.at, Kind::Element, child)))
    }

    fn element(&self, on: &Value<'a>) -> std::result::Result<Option<Element<'a>>, Stop> {
        match on {
            Value::Object(Object { at, .. }) => Ok(views::element(self.cx, *at)),
            other => Err(unfit(other)),
        }
    }
}

fn int<'a>(of: &Value<'a>) -> Result<'a> {
    match of {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Text(text) => {
            text.as_str().parse().map(Value::Int).map_err(|_| Stop::Broken("int() of a string that is no number"))
        }
        // From -2^63 up to, but not, 2^63.
        Value::Double(value) if (i64::MIN as f64..-(i64::MIN as f64)).contains(value) => Ok(Value::Int(*value as i64)),
        Value::Double(_) => Err(TOO_LARGE),
        other => Err(unfit(other)),
    }
}

fn double<'a>(of: &Value<'a>) -> Result<'a> {
    match of {
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Text(text) => {
            text.as_str().parse().map(Value::Double).map_err(|_| Stop::Broken("double() of a string that is no number"))
        }
        other => Err(unfit(other)),
    }
}

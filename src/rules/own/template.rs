//! What a finding of an own rule says: text with expressions in braces.
//!
//! Secrets are masked, whatever is made of them. Bounds: [`SHOWN`] characters of a value, [`LISTED`] elements of a list.

use std::ops::ControlFlow;

use super::Wrong;
use super::eval::{Machine, Stop};
use super::lower::{Expr, Lowering};
use super::parse;
use super::types::Base;
use super::value::Value;
use crate::escape;
use crate::syncml::secret::MASK;

/// Characters of one value.
const SHOWN: usize = 120;
/// Elements of a list.
const LISTED: usize = 20;

/// A part of a text.
#[derive(Debug)]
pub(super) enum Piece {
    Text(String),
    Value(Expr),
}

/// The parts of a template. `{{` and `}}` are braces that mean themselves.
pub(super) fn read(text: &str, lowering: &mut Lowering) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let brace = rest.find(['{', '}']).unwrap_or(rest.len());
        plain.push_str(rest.get(..brace).unwrap_or_default());
        at += brace;
        let rest = rest.get(brace..).unwrap_or_default();
        if let Some(double) = ["{{", "}}"].iter().find(|double| rest.starts_with(**double)) {
            plain.push_str(double.get(1..).unwrap_or_default());
            at += 2;
        } else if rest.starts_with('{') {
            pieces.extend(Some(std::mem::take(&mut plain)).filter(|plain| !plain.is_empty()).map(Piece::Text));
            match parse::in_braces(text, at + 1) {
                Ok((node, end)) => {
                    let (expr, found) = lowering.lower(&node);
                    if let Base::Object(_) | Base::Map = found.of {
                        let message = format!("{found} is no text: name a field of it");
                        lowering.wrong.push(Wrong { at: node.span.0, message });
                    }
                    pieces.push(Piece::Value(expr));
                    at = end;
                }
                Err(wrong) => {
                    lowering.wrong.push(wrong);
                    return pieces;
                }
            }
        } else if !rest.is_empty() {
            lowering.wrong.push(Wrong::new(at, "this brace closes none; `}}` stands for the sign itself"));
            return pieces;
        }
    }
    pieces.extend(Some(plain).filter(|plain| !plain.is_empty()).map(Piece::Text));
    pieces
}

/// The text at the place of the machine.
pub(super) fn fill<'a>(pieces: &'a [Piece], mut machine: Machine<'a>) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Value(expr) => {
                machine.told_secret = false;
                let value = machine.run(expr).and_then(|value| told(&mut machine, value));
                let text = match value {
                    _ if machine.told_secret => MASK.to_owned(),
                    Ok(text) => text,
                    Err(Stop::Absent) => MISSING.to_owned(),
                    Err(Stop::Unknown) => NOT_KNOWN.to_owned(),
                    Err(Stop::Broken(_) | Stop::Budget) => UNKNOWN.to_owned(),
                };
                out.push_str(&text);
            }
        }
    }
    out
}

/// What stands for a value that is missing.
const MISSING: &str = "(none)";
/// What stands for one that the capture does not show.
const NOT_KNOWN: &str = "(not known)";
/// What stands for one that could not be worked out.
const UNKNOWN: &str = "(?)";

fn told<'a>(machine: &mut Machine<'a>, value: Value<'a>) -> Result<String, Stop> {
    match value {
        Value::Null => Ok(MISSING.to_owned()),
        Value::List(list) => {
            let mut parts: Vec<String> = Vec::new();
            machine.walk(&list, &mut |_, value| {
                if parts.len() >= LISTED {
                    parts.push("…".to_owned());
                    return Ok(ControlFlow::Break(()));
                }
                parts.push(value.told().map_or(UNKNOWN.to_owned(), |text| on_a_line(&text)));
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(if parts.is_empty() { MISSING.to_owned() } else { parts.join(", ") })
        }
        value => Ok(value.told().map_or(UNKNOWN.to_owned(), |text| on_a_line(&text))),
    }
}

fn on_a_line(text: &str) -> String {
    let shown = escape::shorten(text, SHOWN);
    if shown.contains(['\n', '\r', '\t']) {
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        shown.into_owned()
    }
}

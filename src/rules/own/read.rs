//! One page to one own rule: its front matter, checked, and its expressions, lowered.

use toml::Spanned;

use super::lower::{Expr, Lowering};
use super::parse;
use super::template;
use super::types::{Base, Kind};
use super::{Own, Wrong};
use crate::near;
use crate::rules::page::{self, Front};
use crate::rules::select::is_named;
use crate::rules::{ALL, Fault, Scope, Severity};
use crate::syncml::Tag;

/// A page that is a rule.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) summary: String,
    pub(super) fix: String,
    pub(super) since: String,
    pub(super) spec: Vec<String>,
    pub(super) windows: Option<Severity>,
    pub(super) oma: Option<Severity>,
    pub(super) fault: Fault,
    pub(super) scope: Scope,
    pub(super) secrets: bool,
    pub(super) own: Own,
}

/// What was read of a page.
pub(super) struct Read {
    /// Its id and name, and where they stand, as far as there is a front matter.
    pub(super) names: Option<[(String, usize); 2]>,
    /// The rule, where nothing is wrong.
    pub(super) page: Option<Page>,
    /// All that is wrong, in order.
    pub(super) wrong: Vec<Wrong>,
}

/// Reads a page. `stem` is the name of its file without `.md`, where it has one.
pub(super) fn page(text: &str, stem: Option<&str>) -> Read {
    let front = match page::front(text) {
        Ok(front) => front,
        Err((at, message)) => {
            let wrong = vec![Wrong { at, message: unknown_field(message) }];
            return Read { names: None, page: None, wrong };
        }
    };
    let names = [&front.id, &front.name].map(|field| (field.get_ref().clone(), page::place(text, field, 0)));
    let mut reader = Reader { text, wrong: Vec::new() };
    let page = reader.read(front, stem);
    let mut wrong = reader.wrong;
    wrong.sort_by_key(|wrong| wrong.at);
    Read { names: Some(names), page: page.filter(|_| wrong.is_empty()), wrong }
}

/// The fields of an own rule's page.
const FIELDS: [&str; 15] = [
    "id", "name", "summary", "fix", "severity", "fault", "scope", "since", "spec", "on", "secrets", "when", "message",
    "at", "partial",
];

/// What is said of a field that there is not, with the one that may have been meant.
fn unknown_field(message: String) -> String {
    let Some((field, _)) = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')) else {
        return message;
    };
    match near::nearest(field, FIELDS.into_iter()) {
        Some(near) => format!("there is no field `{field}`; did you mean `{near}`?"),
        None => format!("there is no field `{field}`; there are {}", FIELDS.join(", ")),
    }
}

struct Reader<'t> {
    text: &'t str,
    wrong: Vec<Wrong>,
}

/// The scopes, with what a rule of each knows by name.
const SCOPES: [(Scope, Kind, &[Kind]); 7] = [
    (Scope::Message, Kind::Message, &[Kind::Message, Kind::Header, Kind::Http, Kind::Session]),
    (Scope::Command, Kind::Command, &[Kind::Command, Kind::Message, Kind::Header, Kind::Http, Kind::Session]),
    (Scope::Status, Kind::Status, &[Kind::Status, Kind::Message, Kind::Header, Kind::Http, Kind::Session]),
    (Scope::Alert, Kind::Alert, &[Kind::Alert, Kind::Message, Kind::Header, Kind::Http, Kind::Session]),
    (Scope::Item, Kind::Item, &[Kind::Item, Kind::Command, Kind::Message, Kind::Header, Kind::Http, Kind::Session]),
    (
        Scope::Element,
        Kind::Element,
        &[Kind::Element, Kind::Command, Kind::Message, Kind::Header, Kind::Http, Kind::Session],
    ),
    (Scope::Session, Kind::Session, &[Kind::Session]),
];

/// What a rule of each scope knows by name: that first.
pub(super) fn scopes() -> impl Iterator<Item = (Scope, &'static [Kind])> {
    SCOPES.into_iter().map(|(scope, _, roots)| (scope, roots))
}

const FAULTS: [Fault; 5] = [Fault::Sender, Fault::Client, Fault::Server, Fault::Network, Fault::Both];

impl Reader<'_> {
    fn fail(&mut self, field: &Spanned<String>, message: impl Into<String>) {
        let at = page::place(self.text, field, 0);
        self.wrong.push(Wrong::new(at, message));
    }

    /// What is wrong inside of a field.
    fn inside(&mut self, field: &Spanned<String>, wrong: impl IntoIterator<Item = Wrong>) {
        let text = self.text;
        let placed = wrong.into_iter().map(|Wrong { at, message }| Wrong { at: page::place(text, field, at), message });
        self.wrong.extend(placed);
    }

    fn read(&mut self, front: Front, stem: Option<&str>) -> Option<Page> {
        self.names(&front, stem);
        self.only_of_built_in(&front);
        let windows = self.severity(&front.severity.windows);
        let oma = self.severity(&front.severity.oma);
        let fault = self.fault(front.fault.as_ref());
        let scope = self.scope(&front.scope);
        let (Some(when), Some(message)) = (&front.when, &front.message) else {
            let missing = if front.when.is_none() { "when" } else { "message" };
            self.fail(&front.id, format!("the field `{missing}` is missing"));
            return None;
        };
        let (scope, kind, roots) = scope?;
        let on = self.on(&front, kind);
        let text = when.get_ref().trim().to_owned();
        let when = self.condition(when, roots);
        let pieces = self.template(message, roots);
        let at = front.at.as_ref().map(|field| self.place(field, roots));
        if front.partial && kind != Kind::Session {
            self.fail(&front.scope, "`partial` is of rules of scope session: others judge what was captured whole");
        }
        let own = Own { kind, on, partial: front.partial, text, when: when?, message: pieces, at: at.flatten() };
        Some(Page {
            id: front.id.into_inner(),
            name: front.name.into_inner(),
            summary: front.summary,
            fix: front.fix,
            since: front.since,
            spec: front.spec,
            windows,
            oma,
            fault,
            scope,
            secrets: front.secrets,
            own,
        })
    }

    fn names(&mut self, front: &Front, stem: Option<&str>) {
        let (id, name) = (front.id.get_ref().as_str(), front.name.get_ref().as_str());
        if let Err(why) = id_is_free(id) {
            self.fail(&front.id, why);
        }
        if !is_name(name) {
            self.fail(&front.name, format!("{name:?} is no name: expected small letters with hyphens between words"));
        } else if let Some(rule) = ALL.iter().find(|rule| is_named(rule, name)) {
            self.fail(&front.name, format!("{} has this name: take another one", rule.id));
        }
        let expected = format!("{id}-{name}");
        if stem.is_some_and(|stem| stem != expected) && self.wrong.is_empty() {
            self.fail(&front.id, format!("the file of this rule is named {expected}.md"));
        }
    }

    fn only_of_built_in(&mut self, front: &Front) {
        let silences = &front.silences;
        let silent = [&silences.session, &silences.message, &silences.element].iter().all(|rules| rules.is_empty());
        let fields = [
            ("anomaly", !front.anomaly.is_empty()),
            ("has", !front.has.is_empty()),
            ("lacks", !front.lacks.is_empty()),
            ("signs", !front.signs.is_empty()),
            ("encrypted", front.encrypted),
            ("subject", front.subject.is_some()),
            ("any_message", front.any_message),
            ("silences", !silent),
            ("options", !front.options.is_empty()),
            ("catalog-differs", front.catalog_differs.is_some()),
        ];
        for (field, _) in fields.iter().filter(|(_, there)| *there) {
            self.fail(&front.id, format!("the field `{field}` is of built-in rules alone"));
        }
        let worded = [("summary", &front.summary), ("fix", &front.fix)];
        for (field, _) in worded.iter().filter(|(_, text)| text.trim().is_empty() || text.contains('\n')) {
            self.fail(&front.id, format!("`{field}` is one line of text"));
        }
    }

    fn severity(&mut self, field: &Spanned<String>) -> Option<Severity> {
        match field.get_ref().as_str() {
            "error" => Some(Severity::Error),
            "warning" | "warn" => Some(Severity::Warning),
            "info" => Some(Severity::Info),
            "off" => None,
            other => {
                self.fail(field, format!("{other:?} is no severity: expected error, warning, info or off"));
                None
            }
        }
    }

    fn fault(&mut self, field: Option<&Spanned<String>>) -> Fault {
        let Some(field) = field else { return Fault::Sender };
        let known = FAULTS.into_iter().find(|fault| fault.name() == field.get_ref());
        known.unwrap_or_else(|| {
            let names = FAULTS.map(Fault::name).join(", ");
            self.fail(field, format!("{:?} is nobody to blame: expected one of {names}", field.get_ref()));
            Fault::Sender
        })
    }

    fn scope(&mut self, field: &Spanned<String>) -> Option<(Scope, Kind, &'static [Kind])> {
        let known = SCOPES.into_iter().find(|(scope, ..)| scope.name() == field.get_ref());
        if known.is_none() {
            let names = SCOPES.map(|(scope, ..)| scope.name()).join(", ");
            self.fail(field, format!("{:?} is no scope: expected one of {names}", field.get_ref()));
        }
        known
    }

    fn on(&mut self, front: &Front, kind: Kind) -> Vec<Tag> {
        let takes = |tag: &Tag| match kind {
            Kind::Command | Kind::Item => tag.has_cmd_id(),
            Kind::Element => true,
            _ => false,
        };
        if kind == Kind::Element && front.on.is_empty() {
            self.fail(&front.scope, "a rule on elements says which: on = [\"LocURI\"]");
        }
        let mut tags = Vec::new();
        for field in &front.on {
            let name = field.get_ref().as_str();
            let tag = Tag::ALL.iter().copied().find(|tag| tag.name() == name);
            match tag.filter(takes) {
                Some(tag) => tags.push(tag),
                None if !takes(&Tag::Get) => {
                    self.fail(field, format!("a rule of scope {} has no `on`", kind.name()));
                    break;
                }
                None => {
                    let names = Tag::ALL.iter().filter(|tag| takes(tag)).map(|tag| tag.name());
                    let near = near::nearest(name, names).map(|near| format!("; did you mean {near:?}?"));
                    let what = if kind == Kind::Element { "element" } else { "command" };
                    self.fail(field, format!("there is no {what} {name:?}{}", near.unwrap_or_default()));
                }
            }
        }
        tags
    }

    fn condition(&mut self, field: &Spanned<String>, roots: &'static [Kind]) -> Option<Expr> {
        match parse::expression(field.get_ref()) {
            Ok(node) => {
                let mut lowering = Lowering::new(roots);
                let expr = lowering.condition(&node);
                self.inside(field, lowering.wrong);
                Some(expr)
            }
            Err(wrong) => {
                self.inside(field, [wrong]);
                None
            }
        }
    }

    fn template(&mut self, field: &Spanned<String>, roots: &'static [Kind]) -> Vec<template::Piece> {
        let mut lowering = Lowering::new(roots);
        let pieces = template::read(field.get_ref(), &mut lowering);
        if field.get_ref().trim().is_empty() {
            self.fail(field, "`message` says what is wrong");
        }
        self.inside(field, lowering.wrong);
        pieces
    }

    fn place(&mut self, field: &Spanned<String>, roots: &'static [Kind]) -> Option<Expr> {
        match parse::expression(field.get_ref()) {
            Ok(node) => {
                let mut lowering = Lowering::new(roots);
                let (expr, found) = lowering.lower(&node);
                if !(found.lists == 0 && matches!(found.of, Base::Object(_) | Base::Any)) {
                    let message = format!("`at` names a thing to point at, such as item.command, and this is {found}");
                    lowering.wrong.push(Wrong::new(node.span.0, message));
                }
                self.inside(field, lowering.wrong);
                Some(expr)
            }
            Err(wrong) => {
                self.inside(field, [wrong]);
                None
            }
        }
    }
}

/// `ACME` of `ACME-001`.
pub(super) fn family(id: &str) -> &str {
    id.rsplit_once('-').map_or(id, |(family, _)| family)
}

/// Whether a word can be the name of a rule.
pub(super) fn is_name(name: &str) -> bool {
    let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.bytes().all(kebab)
}

/// Whether a word can be the id of an own rule; else why not.
pub(super) fn id_is_free(id: &str) -> Result<(), String> {
    let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_capital);
    let well_formed = id.rsplit_once('-').is_some_and(|(family, number)| {
        family.split('-').all(is_part)
            && family.starts_with(|first: char| first.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if !well_formed {
        return Err(format!("{id:?} is no id: expected capital letters and a number, such as ACME-001"));
    }
    if id.starts_with("DM-") {
        let hint = "take a prefix of your own, such as ACME-001";
        return Err(format!("ids that begin with DM- are the built-in rules': {hint}"));
    }
    match ALL.iter().find(|rule| is_named(rule, id) || is_named(rule, family(id))) {
        Some(rule) => Err(format!("{id} would be taken for rules of {}: take another prefix", rule.family)),
        None => Ok(()),
    }
}

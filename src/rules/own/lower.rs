//! From the tree of an expression to the one that runs: names become fields, functions and places, and types are checked.
//!
//! Out: an [`Expr`] and its type, and all that is wrong with it, each with its place and what may have been meant.
//! Bounds: [`limits::RULE_VARIABLES`] variables in each other, and those of patterns.

use regex::{Regex, RegexBuilder};

use super::Wrong;
use super::fields::Field;
use super::functions::{Call, FUNCTIONS, Function, MACROS};
use super::parse::{Name, Node, Operator, What};
use super::types::{Base, Kind, Type};
use crate::{limits, near};

/// An expression that can run.
#[derive(Debug)]
pub(super) enum Expr {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    /// What the rule looks at, or what is around that.
    Root(Kind),
    /// The variable of a macro, by its depth.
    Slot(usize),
    Field(Box<Expr>, &'static Field),
    /// The value of a map's key.
    Key(Box<Expr>, Box<str>),
    /// Whether a field or key is there.
    Has(Box<Expr>),
    Index(Box<[Expr; 2]>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    All(Box<[Expr]>),
    Any(Box<[Expr]>),
    If(Box<[Expr; 3]>),
    Binary(Operator, Box<[Expr; 2]>),
    List(Box<[Expr]>),
    Map(Box<[(Expr, Expr)]>),
    /// What a function is called on comes first.
    Call(Call, Box<[Expr]>),
    Matches(Box<Expr>, Regex),
    Macro(Box<Macro>),
}

/// A macro that looks at each element of a list.
#[derive(Debug)]
pub(super) struct Macro {
    pub(super) kind: Loop,
    pub(super) list: Expr,
    /// Where the element stands while the body runs.
    pub(super) slot: usize,
    /// For `map`: for which elements.
    pub(super) only: Option<Expr>,
    pub(super) body: Expr,
}

/// What a macro makes of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Checks and lowers expressions of one rule.
pub(super) struct Lowering {
    /// The things that the rule knows by name.
    roots: &'static [Kind],
    variables: Vec<(String, Type)>,
    pub(super) wrong: Vec<Wrong>,
}

type Lowered = (Expr, Type);

/// Stands for what is wrong, so that the rest is checked all the same.
const POISON: Lowered = (Expr::Null, Type::ANY);

impl Lowering {
    pub(super) fn new(roots: &'static [Kind]) -> Lowering {
        Lowering { roots, variables: Vec::new(), wrong: Vec::new() }
    }

    /// A condition: an expression that gives a bool.
    pub(super) fn condition(&mut self, node: &Node<'_>) -> Expr {
        let (expr, found) = self.lower(node);
        self.must_be(node, found, Type::BOOL, "a condition gives");
        expr
    }

    pub(super) fn lower(&mut self, node: &Node<'_>) -> Lowered {
        match &node.what {
            What::Null => (Expr::Null, Type::NULL),
            What::Bool(value) => (Expr::Bool(*value), Type::BOOL),
            What::Int(value) => (Expr::Int(*value), Type::INT),
            What::Double(value) => (Expr::Double(*value), Type::DOUBLE),
            What::Text(text) => (Expr::Text(text.as_str().into()), Type::TEXT),
            What::Name(name) => self.name(name, node.span.0),
            What::Field(on, name) => self.field(on, *name),
            What::Index(two) => self.index(two),
            What::Call(on, name, arguments) => self.call(on.as_deref(), *name, arguments),
            What::List(parts) => self.list(parts),
            What::Map(entries) => self.map(entries),
            What::Not(inner) => (Expr::Not(Box::new(self.condition(inner))), Type::BOOL),
            What::Negative(inner) => self.negative(inner),
            What::All(parts) => (Expr::All(parts.iter().map(|part| self.condition(part)).collect()), Type::BOOL),
            What::Any(parts) => (Expr::Any(parts.iter().map(|part| self.condition(part)).collect()), Type::BOOL),
            What::If(three) => self.choice(three),
            What::Binary(operator, two) => self.binary(*operator, two),
        }
    }

    fn fail(&mut self, at: usize, message: impl Into<String>) -> Lowered {
        self.wrong.push(Wrong::new(at, message));
        POISON
    }

    fn must_be(&mut self, node: &Node<'_>, found: Type, wanted: Type, what: &str) {
        if !found.may_be(wanted) {
            self.wrong.push(Wrong::new(node.span.0, format!("{what} {wanted}, and this is {found}")));
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Lowered {
        if let Some(slot) = self.variables.iter().rposition(|(known, _)| known == name) {
            return (Expr::Slot(slot), self.variables[slot].1);
        }
        if let Some(kind) = self.roots.iter().find(|kind| kind.name() == name) {
            return (Expr::Root(*kind), Base::Object(*kind).one());
        }
        let roots = self.roots.iter().map(|kind| kind.name());
        let known = || roots.clone().chain(self.variables.iter().map(|(name, _)| name.as_str()));
        let field = self.roots.iter().find(|kind| kind.field(name).is_some());
        let hint = match (field, near::nearest(name, known())) {
            (Some(kind), _) => format!("; did you mean `{}.{name}`?", kind.name()),
            (None, Some(near)) => format!("; did you mean `{near}`?"),
            (None, None) => format!("; there are {}", known().collect::<Vec<_>>().join(", ")),
        };
        self.fail(at, format!("there is no `{name}` here{hint}"))
    }

    fn field(&mut self, on: &Node<'_>, name: Name<'_>) -> Lowered {
        let (inner, found) = self.lower(on);
        let Name { text, at } = name;
        match (found.lists, found.of) {
            (0, Base::Object(kind)) => match kind.field(text) {
                Some(field) => (Expr::Field(Box::new(inner), field), field.gives),
                None => self.fail(at, format!("{} `{text}`{}", has_no(kind, "field"), meant(kind, text))),
            },
            (0, Base::Map | Base::Any) => (Expr::Key(Box::new(inner), text.into()), Type::ANY),
            (0, _) => self.fail(at, format!("{found} has no fields")),
            _ => self
                .fail(at, format!("{found} has no fields; look at its elements by exists(), all(), filter() or [0]")),
        }
    }

    fn index(&mut self, [list, index]: &[Node<'_>; 2]) -> Lowered {
        let ((list_expr, found), (index_expr, by)) = (self.lower(list), self.lower(index));
        if found.lists > 0 {
            self.must_be(index, by, Type::INT, "the index of a list is");
        } else if !found.may_be(Type::MAP) {
            return self.fail(list.span.0, format!("{found} has no elements"));
        }
        let gives = if found.lists > 0 { found.element().unwrap_or(Type::ANY) } else { Type::ANY };
        (Expr::Index(Box::new([list_expr, index_expr])), gives)
    }

    fn list(&mut self, parts: &[Node<'_>]) -> Lowered {
        let lowered: Vec<Lowered> = parts.iter().map(|part| self.lower(part)).collect();
        let of = lowered.iter().map(|(_, found)| *found).reduce(Type::or).unwrap_or(Type::ANY);
        (Expr::List(lowered.into_iter().map(|(expr, _)| expr).collect()), of.listed())
    }

    fn map(&mut self, entries: &[(Node<'_>, Node<'_>)]) -> Lowered {
        let lower = |(key, value): &(Node<'_>, Node<'_>)| {
            let (key_expr, found) = self.lower(key);
            if ![Type::TEXT, Type::INT, Type::BOOL].iter().any(|wanted| found.may_be(*wanted)) {
                self.wrong.push(Wrong::new(key.span.0, format!("{found} cannot be the key of a map")));
            }
            (key_expr, self.lower(value).0)
        };
        (Expr::Map(entries.iter().map(lower).collect()), Type::MAP)
    }

    fn negative(&mut self, inner: &Node<'_>) -> Lowered {
        let (expr, found) = self.lower(inner);
        if !found.is_number() {
            return self.fail(inner.span.0, format!("`-` takes a number, and this is {found}"));
        }
        (Expr::Negative(Box::new(expr)), found)
    }

    fn choice(&mut self, [condition, yes, no]: &[Node<'_>; 3]) -> Lowered {
        let condition = self.condition(condition);
        let ((yes, if_yes), (no, if_no)) = (self.lower(yes), self.lower(no));
        (Expr::If(Box::new([condition, yes, no])), if_yes.or(if_no))
    }

    fn binary(&mut self, operator: Operator, two: &[Node<'_>; 2]) -> Lowered {
        let [left, right] = two;
        let ((a, of_a), (b, of_b)) = (self.lower(left), self.lower(right));
        let sign = operator.sign();
        let both = |wanted: Type| of_a.may_be(wanted) && of_b.may_be(wanted);
        let known = if of_a == Type::ANY || of_a == Type::NULL { of_b } else { of_a };
        let of_things = |found: Type| found.lists == 0 && matches!(found.of, Base::Object(_));
        let (gives, why) = match operator {
            Operator::Equal | Operator::NotEqual => {
                let null = of_a == Type::NULL || of_b == Type::NULL;
                let things = of_things(of_a) && of_things(of_b) && !null;
                let hint = if things { "compare a field of both" } else { "they are never equal" };
                (Type::BOOL, (things || !of_a.compares_with(of_b)).then_some(hint))
            }
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                let fine = both(Type::TEXT) || both(Type::BOOL) || (of_a.is_number() && of_b.is_number());
                (
                    Type::BOOL,
                    (!fine).then_some("two numbers have an order, or two strings; int() makes a number of a string"),
                )
            }
            Operator::In => {
                let held = of_b.element();
                let fine = held.is_some_and(|held| of_a.compares_with(held) && !of_things(of_a));
                (Type::BOOL, (!fine).then_some("a list of such values, or a map, stands behind `in`"))
            }
            Operator::Add => {
                let lists = of_a.lists > 0 && of_b.lists > 0;
                let fine = lists || [Type::INT, Type::DOUBLE, Type::TEXT].into_iter().any(both);
                let gives = if lists { of_a.or(of_b) } else { known };
                (
                    gives,
                    (!fine).then_some(
                        "both have to be ints, doubles, strings or lists; string() makes a string of a number",
                    ),
                )
            }
            Operator::Remainder => (Type::INT, (!both(Type::INT)).then_some("both have to be ints")),
            Operator::Subtract | Operator::Multiply | Operator::Divide => {
                let fine = both(Type::INT) || both(Type::DOUBLE);
                (known, (!fine).then_some("both have to be ints, or doubles; double() makes a double of an int"))
            }
        };
        if let Some(why) = why {
            return self.fail(left.span.0, format!("`{sign}` cannot stand between {of_a} and {of_b}: {why}"));
        }
        (Expr::Binary(operator, Box::new([a, b])), gives)
    }

    fn call(&mut self, on: Option<&Node<'_>>, name: Name<'_>, arguments: &[Node<'_>]) -> Lowered {
        match (on, name.text) {
            (None, "has") => self.has(name, arguments),
            (Some(list), "all") => self.each(Loop::All, list, name, arguments),
            (Some(list), "exists") => self.each(Loop::Exists, list, name, arguments),
            (Some(list), "exists_one" | "existsOne") => self.each(Loop::ExistsOne, list, name, arguments),
            (Some(list), "filter") => self.each(Loop::Filter, list, name, arguments),
            (Some(list), "map") => self.each(Loop::Map, list, name, arguments),
            _ => self.function(on, name, arguments),
        }
    }

    fn has(&mut self, name: Name<'_>, arguments: &[Node<'_>]) -> Lowered {
        match arguments {
            [Node { what: What::Field(on, field), .. }] => {
                let (expr, _) = self.field(on, *field);
                (Expr::Has(Box::new(expr)), Type::BOOL)
            }
            _ => self.fail(name.at, "has() asks for one field: has(item.target)"),
        }
    }

    fn each(&mut self, kind: Loop, list: &Node<'_>, name: Name<'_>, arguments: &[Node<'_>]) -> Lowered {
        let (list_expr, found) = self.lower(list);
        let macro_name = name.text;
        let (variable, only, body) = match arguments {
            [variable, body] => (variable, None, body),
            [variable, only, body] if kind == Loop::Map => (variable, Some(only), body),
            _ => {
                return self
                    .fail(name.at, format!("{macro_name}() takes a name and an expression: {macro_name}(x, …)"));
            }
        };
        let What::Name(variable_name) = variable.what else {
            return self.fail(variable.span.0, format!("a name for each element stands here: {macro_name}(x, …)"));
        };
        let Some(of) = found.element() else {
            return self.fail(list.span.0, format!("{macro_name}() looks at a list or map, and this is {found}"));
        };
        if self.variables.len() >= limits::RULE_VARIABLES {
            let most = limits::RULE_VARIABLES;
            return self.fail(
                name.at,
                format!("there can be {most} of all(), exists(), filter(), map() in each other at most"),
            );
        }
        let slot = self.variables.len();
        self.variables.push((variable_name.to_owned(), of));
        let only = only.map(|only| self.condition(only));
        let (body, gives) = match kind {
            Loop::Map => self.lower(body),
            _ => (self.condition(body), Type::BOOL),
        };
        self.variables.pop();
        let gives = match kind {
            Loop::All | Loop::Exists | Loop::ExistsOne => Type::BOOL,
            Loop::Filter => of.listed(),
            Loop::Map => gives.listed(),
        };
        (Expr::Macro(Box::new(Macro { kind, list: list_expr, slot, only, body })), gives)
    }

    fn function(&mut self, on: Option<&Node<'_>>, name: Name<'_>, arguments: &[Node<'_>]) -> Lowered {
        let Name { text, at } = name;
        let given = on.map(|on| (on, self.lower(on)));
        let of_name =
            || FUNCTIONS.iter().filter(|function| function.name == text && function.on.is_some() == on.is_some());
        if of_name().next().is_none() {
            let hint = unknown_function(text, given.as_ref().map(|(_, (_, found))| *found));
            return self.fail(at, format!("there is no function {text}(){hint}"));
        }
        let Some(function) = of_name().find(|function| function.takes.len() == arguments.len()) else {
            let counts: Vec<String> = of_name().map(|function| function.takes.len().to_string()).collect();
            let found = arguments.len();
            return self.fail(at, format!("{text}() takes {} arguments, not {found}", counts.join(" or ")));
        };
        let mut parts = Vec::new();
        if let Some((on, (expr, found))) = given {
            let wanted = function.on.unwrap_or(Type::ANY);
            self.fits(on, found, wanted, function, "is called on");
            parts.push(expr);
        }
        for (number, (argument, wanted)) in arguments.iter().zip(function.takes).enumerate() {
            if function.call == Call::Matches && number + 1 == arguments.len() {
                let Some(pattern) = self.pattern(argument) else { return POISON };
                let Some(subject) = parts.pop() else { return POISON };
                return (Expr::Matches(Box::new(subject), pattern), Type::BOOL);
            }
            let (expr, found) = self.lower(argument);
            self.fits(argument, found, *wanted, function, "takes");
            parts.push(expr);
        }
        (Expr::Call(function.call, parts.into()), function.gives)
    }

    /// Whether a value can be given to a function.
    fn fits(&mut self, node: &Node<'_>, found: Type, wanted: Type, function: &Function, how: &str) {
        let any_of: &[Type] = match function.call {
            Call::Size => &[Type::TEXT, Type::MAP],
            Call::Int | Call::Double => &[Type::TEXT, Type::INT, Type::DOUBLE],
            Call::Text => &[Type::TEXT, Type::INT, Type::DOUBLE, Type::BOOL],
            _ => &[],
        };
        let fine = match function.call {
            Call::Size if found.lists > 0 => true,
            _ if any_of.is_empty() => found.may_be(wanted),
            _ => any_of.iter().any(|wanted| found.may_be(*wanted)),
        };
        if !fine {
            let wanted = match function.call {
                Call::Size => "string, list or map".to_owned(),
                _ if any_of.is_empty() => wanted.to_string(),
                _ => any_of.iter().map(Type::to_string).collect::<Vec<_>>().join(" or "),
            };
            let message = format!("{}() {how} {wanted}, and this is {found}", function.name);
            self.wrong.push(Wrong::new(node.span.0, message));
        }
    }

    /// The pattern of `matches`, compiled: what it costs to run it is then known.
    fn pattern(&mut self, node: &Node<'_>) -> Option<Regex> {
        let at = node.span.0;
        let message = match &node.what {
            What::Text(text) if text.len() > limits::RULE_PATTERN => {
                format!("this pattern has {} bytes; there can be {} at most", text.len(), limits::RULE_PATTERN)
            }
            What::Text(text) => {
                let size = limits::RULE_PATTERN_MEMORY;
                match RegexBuilder::new(text).size_limit(size).dfa_size_limit(size).build() {
                    Ok(pattern) => return Some(pattern),
                    Err(regex::Error::CompiledTooBig(_)) => {
                        "this pattern takes too much memory: repeat less in it".to_owned()
                    }
                    Err(error) => {
                        let told = error.to_string();
                        let why = told.lines().next_back().unwrap_or_default().trim().trim_start_matches("error: ");
                        format!("this is no regular expression: {why}")
                    }
                }
            }
            _ => "the pattern of matches() stands in the rule as a string: r\"^[0-9]+$\"".to_owned(),
        };
        self.wrong.push(Wrong::new(at, message));
        None
    }
}

fn has_no(kind: Kind, what: &str) -> String {
    let article = if matches!(kind, Kind::Alert | Kind::Item | Kind::Element) { "an" } else { "a" };
    format!("{article} {} has no {what}", kind.name())
}

/// Which field may have been meant.
fn meant(kind: Kind, text: &str) -> String {
    let names = || kind.fields().iter().map(|field| field.name);
    if FUNCTIONS.iter().any(|function| function.name == text && function.on.is_some()) {
        return format!("; {text}() is a function");
    }
    let without_case = names().find(|name| name.eq_ignore_ascii_case(text));
    match without_case.or_else(|| near::nearest(text, names())) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => format!("; there are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn unknown_function(text: &str, on: Option<Type>) -> String {
    if let Some(Type { of: Base::Object(kind), lists: 0 }) = on
        && kind.field(text).is_some()
    {
        return format!("; `{text}` is a field: leave the parentheses away");
    }
    let functions = FUNCTIONS.iter().filter(|function| function.on.is_some() == on.is_some()).map(|known| known.name);
    let macros = MACROS.iter().map(|(name, _)| *name).filter(|_| on.is_some());
    let has = ["has"].into_iter().filter(|_| on.is_none());
    let names = functions.chain(macros).chain(has);
    let other = FUNCTIONS.iter().find(|function| function.name == text);
    match (other, near::nearest(text, names)) {
        (Some(_), _) if on.is_some() => format!("that is called on a value: {text}(…)"),
        (Some(_), _) => format!("; it is called on a value: x.{text}(…)"),
        (None, _) if on.is_none() && MACROS.iter().any(|(name, _)| *name == text) => {
            format!("; it is called on a list: x.{text}(…)")
        }
        (None, Some(near)) => format!("; did you mean {near}()?"),
        (None, None) => String::new(),
    }
}

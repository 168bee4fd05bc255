//! Tokens to a tree: the grammar of CEL, its precedences included.
//!
//! Bounds: [`limits::RULE_EXPRESSION`] bytes, [`limits::RULE_DEPTH`] levels of the tree. `&&` and `||` take any number
//! of conditions on one level.

use super::Wrong;
use super::lex::{Lexer, Token};
use crate::limits;

/// A part of an expression, and where it stands in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node<'s> {
    pub(super) what: What<'s>,
    /// First byte, and that behind the last.
    pub(super) span: (usize, usize),
    depth: usize,
}

/// A name with its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Name<'s> {
    pub(super) text: &'s str,
    pub(super) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What<'s> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Name(&'s str),
    Field(Box<Node<'s>>, Name<'s>),
    Index(Box<[Node<'s>; 2]>),
    /// A function, on something or on its own.
    Call(Option<Box<Node<'s>>>, Name<'s>, Vec<Node<'s>>),
    List(Vec<Node<'s>>),
    Map(Vec<(Node<'s>, Node<'s>)>),
    Not(Box<Node<'s>>),
    Negative(Box<Node<'s>>),
    /// `&&`
    All(Vec<Node<'s>>),
    /// `||`
    Any(Vec<Node<'s>>),
    If(Box<[Node<'s>; 3]>),
    Binary(Operator, Box<[Node<'s>; 2]>),
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    const ALL: [(&'static str, Operator, u8); 12] = [
        ("==", Operator::Equal, 1),
        ("!=", Operator::NotEqual, 1),
        ("<", Operator::Less, 1),
        ("<=", Operator::LessOrEqual, 1),
        (">", Operator::Greater, 1),
        (">=", Operator::GreaterOrEqual, 1),
        ("in", Operator::In, 1),
        ("+", Operator::Add, 2),
        ("-", Operator::Subtract, 2),
        ("*", Operator::Multiply, 3),
        ("/", Operator::Divide, 3),
        ("%", Operator::Remainder, 3),
    ];

    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        Operator::ALL.iter().find(|(_, operator, _)| *operator == self).map_or("", |(sign, ..)| sign)
    }
}

/// Words that CEL keeps for itself.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// The whole text as one expression.
pub(super) fn expression(text: &str) -> Result<Node<'_>, Wrong> {
    let (node, token, at) = begin(text, 0)?;
    match token {
        Token::End => Ok(node),
        token => Err(unexpected(&token, at, "an operator")),
    }
}

/// An expression that begins at a byte of the text and is closed by `}`; also the byte behind that.
pub(super) fn in_braces(text: &str, at: usize) -> Result<(Node<'_>, usize), Wrong> {
    match begin(text, at)? {
        (node, Token::Sign("}"), at) => Ok((node, at + 1)),
        (_, token, at) => Err(unexpected(&token, at, "`}`")),
    }
}

/// An expression, the token behind it, and where that begins.
fn begin(text: &str, at: usize) -> Result<(Node<'_>, Token<'_>, usize), Wrong> {
    if text.len() > limits::RULE_EXPRESSION {
        let most = limits::RULE_EXPRESSION;
        return Err(Wrong::new(0, format!("this has {} bytes; there can be {most} at most", text.len())));
    }
    let mut lexer = Lexer::new(text, at);
    let (token, span) = lexer.next()?;
    let mut parser = Parser { lexer, token, span, before: at, depth: 0 };
    let node = parser.choice()?;
    Ok((node, parser.token, parser.span.0))
}

fn unexpected(token: &Token<'_>, at: usize, expected: &str) -> Wrong {
    let found = match token {
        Token::Name("and") => "`and`; conditions are joined by `&&`".to_owned(),
        Token::Name("or") => "`or`; conditions are joined by `||`".to_owned(),
        Token::Name("not") => "`not`; the opposite of a condition is `!`".to_owned(),
        Token::Name(name) => format!("`{name}`"),
        Token::Text(_) => "a string".to_owned(),
        Token::Int(_) | Token::Double(_) => "a number".to_owned(),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end".to_owned(),
    };
    Wrong::new(at, format!("{expected} is expected here, not {found}"))
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    /// The token that comes next.
    token: Token<'s>,
    span: (usize, usize),
    /// Where the token before it ends.
    before: usize,
    depth: usize,
}

type Parsed<'s> = Result<Node<'s>, Wrong>;

impl<'s> Parser<'s> {
    fn advance(&mut self) -> Result<Token<'s>, Wrong> {
        let (token, span) = self.lexer.next()?;
        self.before = std::mem::replace(&mut self.span, span).1;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(known) if known == sign)
    }

    fn take(&mut self, sign: &str) -> Result<bool, Wrong> {
        let there = self.is(sign);
        if there {
            self.advance()?;
        }
        Ok(there)
    }

    fn expect(&mut self, sign: &str) -> Result<(), Wrong> {
        match self.take(sign)? {
            true => Ok(()),
            false => Err(unexpected(&self.token, self.span.0, &format!("`{sign}`"))),
        }
    }

    fn node(&self, from: usize, what: What<'s>) -> Parsed<'s> {
        let deepest = |nodes: &mut dyn Iterator<Item = &Node<'s>>| nodes.map(|node| node.depth).max().unwrap_or(0);
        let below = match &what {
            What::Field(on, _) | What::Not(on) | What::Negative(on) => on.depth,
            What::Index(two) | What::Binary(_, two) => deepest(&mut two.iter()),
            What::Call(on, _, arguments) => deepest(&mut on.as_deref().into_iter().chain(arguments)),
            What::List(nodes) | What::All(nodes) | What::Any(nodes) => deepest(&mut nodes.iter()),
            What::Map(entries) => deepest(&mut entries.iter().flat_map(|(key, value)| [key, value])),
            What::If(three) => deepest(&mut three.iter()),
            _ => 0,
        };
        if below >= limits::RULE_DEPTH {
            return Err(too_deep(from));
        }
        Ok(Node { what, span: (from, self.before), depth: below + 1 })
    }

    /// `a ? b : c`, and all below.
    fn choice(&mut self) -> Parsed<'s> {
        let from = self.span.0;
        // Parts that stand in each other are read by calling ourselves: too many must not use up the stack.
        self.depth += 1;
        if self.depth > limits::RULE_DEPTH {
            return Err(too_deep(from));
        }
        let condition =
            self.joined("||", What::Any, |parser| parser.joined("&&", What::All, |parser| parser.operators(1)))?;
        let node = match self.take("?")? {
            false => condition,
            true => {
                let yes = self
                    .joined("||", What::Any, |parser| parser.joined("&&", What::All, |parser| parser.operators(1)))?;
                self.expect(":")?;
                let no = self.choice()?;
                self.node(from, What::If(Box::new([condition, yes, no])))?
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn joined(
        &mut self,
        sign: &str,
        make: fn(Vec<Node<'s>>) -> What<'s>,
        part: impl Fn(&mut Parser<'s>) -> Parsed<'s>,
    ) -> Parsed<'s> {
        let from = self.span.0;
        let first = part(self)?;
        if !self.is(sign) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take(sign)? {
            parts.push(part(self)?);
        }
        self.node(from, make(parts))
    }

    fn operator(&self, least: u8) -> Option<(Operator, u8)> {
        let sign = match self.token {
            Token::Sign(sign) => sign,
            Token::Name("in") => "in",
            _ => return None,
        };
        let known = Operator::ALL.iter().find(|(known, ..)| *known == sign)?;
        Some((known.1, known.2)).filter(|(_, strength)| *strength >= least)
    }

    /// Operators that bind at least so strongly, from left to right.
    fn operators(&mut self, least: u8) -> Parsed<'s> {
        let from = self.span.0;
        let mut left = self.unary()?;
        while let Some((operator, strength)) = self.operator(least) {
            self.advance()?;
            let right = self.operators(strength + 1)?;
            left = self.node(from, What::Binary(operator, Box::new([left, right])))?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<'s> {
        let from = self.span.0;
        let mut signs = 0;
        let sign = if self.is("!") { "!" } else { "-" };
        while self.take(sign)? {
            signs += 1;
        }
        let negative = sign == "-" && signs > 0 && matches!(self.token, Token::Int(_) | Token::Double(_));
        if negative {
            signs -= 1;
        }
        let mut node = self.member(negative)?;
        for _ in 0..signs {
            let inner = Box::new(node);
            node = self.node(from, if sign == "!" { What::Not(inner) } else { What::Negative(inner) })?;
        }
        Ok(node)
    }

    /// A value, and the fields, indices and functions behind it.
    fn member(&mut self, negative: bool) -> Parsed<'s> {
        let from = self.span.0;
        let mut node = self.primary(negative)?;
        loop {
            if self.take(".")? {
                let name = self.name()?;
                let what = match self.is("(") {
                    true => What::Call(Some(Box::new(node)), name, self.arguments()?),
                    false => What::Field(Box::new(node), name),
                };
                node = self.node(from, what)?;
            } else if self.take("[")? {
                let index = self.choice()?;
                self.expect("]")?;
                node = self.node(from, What::Index(Box::new([node, index])))?;
            } else if self.is("{") && matches!(node.what, What::Name(_) | What::Field(..)) {
                return Err(Wrong::new(self.span.0, "messages of protocol buffers are not supported"));
            } else {
                return Ok(node);
            }
        }
    }

    fn name(&mut self) -> Result<Name<'s>, Wrong> {
        let at = self.span.0;
        match self.token {
            Token::Name(text) => {
                self.advance()?;
                Ok(Name { text, at })
            }
            Token::Sign("?") => {
                Err(Wrong::new(at, "optional fields are not supported: a field that is missing is null"))
            }
            _ => Err(unexpected(&self.token, at, "the name of a field or function")),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Node<'s>>, Wrong> {
        self.expect("(")?;
        self.list_until(")", false, Parser::choice)
    }

    /// Parts with commas between them, up to the sign that ends them.
    fn list_until<T>(
        &mut self,
        end: &str,
        trailing: bool,
        part: impl Fn(&mut Parser<'s>) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let mut parts = Vec::new();
        while !self.is(end) || (!trailing && !parts.is_empty()) {
            parts.push(part(self)?);
            if !self.take(",")? {
                break;
            }
        }
        self.expect(end)?;
        Ok(parts)
    }

    fn primary(&mut self, negative: bool) -> Parsed<'s> {
        let from = self.span.0;
        match self.token.clone() {
            Token::Sign("(") => {
                self.advance()?;
                let node = self.choice()?;
                self.expect(")")?;
                return Ok(Node { span: (from, self.before), ..node });
            }
            Token::Sign("[") => {
                self.advance()?;
                let parts = self.list_until("]", true, Parser::choice)?;
                return self.node(from, What::List(parts));
            }
            Token::Sign("{") => {
                self.advance()?;
                let entries = self.list_until("}", true, |parser| {
                    let key = parser.choice()?;
                    parser.expect(":")?;
                    Ok((key, parser.choice()?))
                })?;
                return self.node(from, What::Map(entries));
            }
            _ => {}
        }
        let what = match self.token.clone() {
            Token::Name("null") => What::Null,
            Token::Name("true") => What::Bool(true),
            Token::Name("false") => What::Bool(false),
            Token::Name(word) if word == "in" || RESERVED.contains(&word) => {
                return Err(Wrong::new(from, format!("`{word}` is a word of CEL and cannot be a name")));
            }
            Token::Name("not") => return Err(unexpected(&self.token, from, "a value")),
            Token::Name(text) => {
                self.advance()?;
                let what = match self.is("(") {
                    true => What::Call(None, Name { text, at: from }, self.arguments()?),
                    false => What::Name(text),
                };
                return self.node(from, what);
            }
            Token::Text(text) => What::Text(text),
            Token::Int(value) => What::Int(int(value, negative, from)?),
            Token::Double(value) => What::Double(if negative { -value } else { value }),
            token => return Err(unexpected(&token, from, "a value")),
        };
        self.advance()?;
        self.node(from, what)
    }
}

fn int(value: u64, negative: bool, at: usize) -> Result<i64, Wrong> {
    let signed = i128::from(value) * if negative { -1 } else { 1 };
    i64::try_from(signed).map_err(|_| Wrong::new(at, format!("{value} is too large a number")))
}

fn too_deep(at: usize) -> Wrong {
    Wrong::new(at, format!("this is nested deeper than {} levels", limits::RULE_DEPTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree with all its parentheses.
    fn told(node: &Node<'_>) -> String {
        let list = |nodes: &[Node<'_>], between: &str| nodes.iter().map(told).collect::<Vec<_>>().join(between);
        match &node.what {
            What::Null => "null".into(),
            What::Bool(value) => value.to_string(),
            What::Int(value) => value.to_string(),
            What::Double(value) => format!("{value:?}"),
            What::Text(text) => format!("{text:?}"),
            What::Name(name) => (*name).to_owned(),
            What::Field(on, name) => format!("{}.{}", told(on), name.text),
            What::Index(two) => format!("{}[{}]", told(&two[0]), told(&two[1])),
            What::Call(Some(on), name, arguments) => format!("{}.{}({})", told(on), name.text, list(arguments, ", ")),
            What::Call(None, name, arguments) => format!("{}({})", name.text, list(arguments, ", ")),
            What::List(parts) => format!("[{}]", list(parts, ", ")),
            What::Map(entries) => {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{}: {}", told(key), told(value))).collect();
                format!("{{{}}}", entries.join(", "))
            }
            What::Not(inner) => format!("!{}", told(inner)),
            What::Negative(inner) => format!("-{}", told(inner)),
            What::All(parts) => format!("({})", list(parts, " && ")),
            What::Any(parts) => format!("({})", list(parts, " || ")),
            What::If(three) => format!("({} ? {} : {})", told(&three[0]), told(&three[1]), told(&three[2])),
            What::Binary(operator, two) => format!("({} {} {})", told(&two[0]), operator.sign(), told(&two[1])),
        }
    }

    fn parsed(text: &str) -> String {
        expression(text).map_or_else(|wrong| format!("{}: {}", wrong.at, wrong.message), |node| told(&node))
    }

    #[test]
    fn operators_bind_as_in_cel() {
        let same = |text: &str, tree: &str| assert_eq!(parsed(text), tree);
        same("1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)");
        same("a || b && c || d", "(a || (b && c) || d)");
        same("a == b + 1 && !c", "((a == (b + 1)) && !c)");
        same("a ? b : c ? d : e", "(a ? b : (c ? d : e))");
        same("!a.b[0].c(1, [2,], {'k': -3}).d", "!a.b[0].c(1, [2], {\"k\": -3}).d");
        same("--1 - -x", "(--1 - -x)");
        same("-9223372036854775808", "-9223372036854775808");
        same("a in [1, 2] == true", "((a in [1, 2]) == true)");
        same("has(a.b) && c.exists(x, x > 1.5)", "(has(a.b) && c.exists(x, (x > 1.5)))");
        same("(a) // b\n+ c", "(a + c)");
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        let same = |text: &str, said: &str| assert_eq!(parsed(text), said);
        same("", "0: a value is expected here, not the end");
        same("a b", "2: an operator is expected here, not `b`");
        same("a and b", "2: an operator is expected here, not `and`; conditions are joined by `&&`");
        same("not a", "0: a value is expected here, not `not`; the opposite of a condition is `!`");
        same("f(a", "3: `)` is expected here, not the end");
        same("f(a,)", "4: a value is expected here, not `)`");
        same("a ? b", "5: `:` is expected here, not the end");
        same("a.", "2: the name of a field or function is expected here, not the end");
        same("a.?b", "2: optional fields are not supported: a field that is missing is null");
        same("for", "0: `for` is a word of CEL and cannot be a name");
        same("T{a: 1}", "1: messages of protocol buffers are not supported");
        same("9223372036854775808", "0: 9223372036854775808 is too large a number");
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(parsed(&nested(limits::RULE_DEPTH - 1)), "1");
        assert!(parsed(&nested(limits::RULE_DEPTH)).ends_with("levels"));
        for deep in ["!", "-", "[", "a.b(", "{1: ", "a ? b : "] {
            assert!(parsed(&format!("{}a", deep.repeat(800))).ends_with("levels"), "{deep}");
        }
        assert!(parsed(&format!("a{}", " + a".repeat(800))).ends_with("levels"));
        assert!(parsed(&format!("a{}", ".b".repeat(800))).ends_with("levels"));
        assert!(parsed(&format!("a{}", " || a".repeat(800))).starts_with("(a || a"));
        assert!(parsed(&" ".repeat(limits::RULE_EXPRESSION + 1)).contains("at most"));
    }

    #[test]
    fn an_expression_in_braces_ends_at_its_own() {
        let (node, end) = in_braces("x {{'a': 1}.size()} it's", 3).unwrap();
        assert_eq!((told(&node).as_str(), end), ("{\"a\": 1}.size()", 19));
        assert!(in_braces("{a", 1).is_err() && in_braces("{}", 1).is_err());
    }
}

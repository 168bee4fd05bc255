//! Filter expressions: which sessions and messages are shown (`docs/filter.md`).
//!
//! In: text such as `command = Get and status >= 400`. Out: a [`Filter`] that is asked about sessions and their
//! messages, or an [`Error`] with its place and a suggestion; and what could be typed next. Bounds: [`MAX_LENGTH`]
//! bytes, [`MAX_DEPTH`] levels of parentheses.

mod complete;
mod eval;
mod parse;

pub use complete::complete;
pub use eval::Scene;

/// Longest expression, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 32;

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    text: String,
    expression: Expression,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at column {}", .column)]
pub struct Error {
    /// Byte of the text at which it goes wrong.
    pub at: usize,
    /// The same in characters, from 1.
    pub column: usize,
    /// What is wrong there, and what can stand there.
    pub message: String,
}

/// What a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Server,
    Device,
    Session,
    Outcome,
    From,
    MsgId,
    Command,
    Target,
    Status,
    Severity,
    Rule,
    Time,
}

impl Field {
    pub(crate) const ALL: [(&'static str, Field); 12] = [
        ("server", Field::Server),
        ("device", Field::Device),
        ("session", Field::Session),
        ("outcome", Field::Outcome),
        ("from", Field::From),
        ("msg-id", Field::MsgId),
        ("command", Field::Command),
        ("target", Field::Target),
        ("status", Field::Status),
        ("severity", Field::Severity),
        ("rule", Field::Rule),
        ("time", Field::Time),
    ];

    /// Whether its values have an order.
    fn is_ordered(self) -> bool {
        matches!(self, Field::Status | Field::Severity | Field::Time | Field::MsgId)
    }

    /// The words it can be compared with, where they are few.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Field::Outcome => &["complete", "aborted", "auth-failed", "incomplete", "open"],
            Field::From => &["client", "server"],
            Field::Severity => &["info", "warning", "error"],
            Field::Command => {
                &["Add", "Alert", "Atomic", "Copy", "Delete", "Exec", "Get", "Replace", "Results", "Sequence", "Status"]
            }
            _ => &[],
        }
    }
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Holds,
    NotHolds,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// As they are written, the longer ones first.
    pub(crate) const ALL: [(&'static str, Operator); 9] = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("!~", Operator::NotHolds),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=", Operator::Equal),
        ("~", Operator::Holds),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
}

#[derive(Clone, Debug, PartialEq)]
enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Test(Field, Operator, String),
}

impl Filter {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, where.
    pub fn parse(text: &str) -> Result<Filter, Error> {
        Ok(Filter { text: text.trim().to_owned(), expression: parse::parse(text)? })
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether findings must be known to answer: it asks for a severity or a rule.
    pub fn asks_for_findings(&self) -> bool {
        self.expression.any(&mut |field| matches!(field, Field::Severity | Field::Rule))
    }
}

impl Expression {
    /// Whether some test is of such a field.
    fn any(&self, wanted: &mut dyn FnMut(Field) -> bool) -> bool {
        match self {
            Expression::And(left, right) | Expression::Or(left, right) => left.any(wanted) || right.any(wanted),
            Expression::Not(inner) => inner.any(wanted),
            Expression::Test(field, ..) => wanted(*field),
        }
    }
}

impl std::str::FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Filter, Error> {
        Filter::parse(text)
    }
}

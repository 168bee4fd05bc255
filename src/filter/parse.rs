//! Text to expression. Words and strings, tests, `not`, `and`, `or`, parentheses; `!`, `&&` and `||` mean the same.

use super::{Error, Expression, Field, MAX_DEPTH, MAX_LENGTH, Operator};
use crate::near;

/// A piece of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Operator(Operator),
    And,
    Or,
    Not,
    Open,
    Close,
}

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expression, Error> {
    if text.len() > MAX_LENGTH {
        return Err(error(text, MAX_LENGTH, format!("a filter has at most {MAX_LENGTH} bytes")));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens: &tokens, next: 0, depth: 0 };
    if tokens.is_empty() {
        return Err(parser.wrong(format!("a filter begins with a field: {}", names())));
    }
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(Token::Close) => Err(parser.wrong("this parenthesis closes none".to_owned())),
        Some(_) => Err(parser.wrong("`and` or `or` is missing here".to_owned())),
    }
}

fn error(text: &str, at: usize, message: String) -> Error {
    let before = text.char_indices().take_while(|(place, _)| *place < at).count();
    Error { at, column: before + 1, message }
}

fn names() -> String {
    Field::ALL.map(|(name, _)| name).join(", ")
}

/// The pieces with the bytes at which they begin.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let space = rest.len() - rest.trim_start().len();
        if space > 0 {
            at += space;
            continue;
        }
        let (token, len) = token(text, at, rest)?;
        tokens.push((at, token));
        at += len;
    }
    Ok(tokens)
}

fn token(text: &str, at: usize, rest: &str) -> Result<(Token, usize), Error> {
    if let Some((sign, operator)) = Operator::ALL.iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((Token::Operator(*operator), sign.len()));
    }
    let signs = [("&&", Token::And), ("||", Token::Or), ("!", Token::Not), ("(", Token::Open), (")", Token::Close)];
    if let Some((sign, token)) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Ok((token, sign.len()));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        let Some(end) = inside.find('"') else {
            return Err(error(text, at, "this string has no end".to_owned()));
        };
        return Ok((Token::Quoted(inside.get(..end).unwrap_or_default().to_owned()), end + 2));
    }
    let ends = |letter: char| letter.is_whitespace() || "()\"=!~<>".contains(letter);
    // A `!` or `=` may stand inside a word (a URI's query), but not begin it.
    let end =
        rest.char_indices().skip(1).find(|(_, letter)| letter.is_whitespace() || matches!(letter, '(' | ')' | '"'));
    let end = end.map_or(rest.len(), |(end, _)| end);
    let word = rest.get(..end).unwrap_or_default();
    // Right behind a field its operator may stand without a space.
    let name = word.find(ends).unwrap_or(word.len());
    let field = Field::ALL.iter().any(|(known, _)| word.get(..name) == Some(known));
    let word = if field { word.get(..name).unwrap_or_default() } else { word };
    let token = match word {
        "and" => Token::And,
        "or" => Token::Or,
        "not" => Token::Not,
        word => Token::Word(word.to_owned()),
    };
    Ok((token, word.len()))
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [(usize, Token)],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let found = self.peek() == Some(wanted);
        self.next += usize::from(found);
        found
    }

    /// An error at the next token, or at the end.
    fn wrong(&self, message: String) -> Error {
        let at = self.tokens.get(self.next).map_or(self.text.trim_end().len(), |(at, _)| *at);
        error(self.text, at, message)
    }

    fn or(&mut self) -> Result<Expression, Error> {
        let mut left = self.and()?;
        while self.take(&Token::Or) {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, Error> {
        let mut left = self.not()?;
        while self.take(&Token::And) {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(format!("more than {MAX_DEPTH} levels")));
        }
        let inner = if self.take(&Token::Not) {
            Expression::Not(Box::new(self.not()?))
        } else if self.take(&Token::Open) {
            let inner = self.or()?;
            if !self.take(&Token::Close) {
                return Err(self.wrong("a closing parenthesis is missing".to_owned()));
            }
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(inner)
    }

    fn test(&mut self) -> Result<Expression, Error> {
        let field = self.field()?;
        let operator = match self.peek() {
            Some(Token::Operator(operator)) => *operator,
            _ => return Err(self.wrong("a comparison is missing: = != ~ !~ < <= > >=".to_owned())),
        };
        let ordering =
            matches!(operator, Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual);
        if ordering && !field.is_ordered() {
            return Err(self.wrong("these values have no order; = != ~ !~ compare them".to_owned()));
        }
        self.next += 1;
        let value = match self.peek() {
            Some(Token::Word(word) | Token::Quoted(word)) => word.clone(),
            Some(Token::And) => "and".to_owned(),
            Some(Token::Or) => "or".to_owned(),
            Some(Token::Not) => "not".to_owned(),
            _ => return Err(self.wrong("a value is missing".to_owned())),
        };
        check(field, operator, &value).map_err(|message| self.wrong(message))?;
        self.next += 1;
        Ok(Expression::Test(field, operator, value))
    }

    fn field(&mut self) -> Result<Field, Error> {
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.wrong(format!("a field is missing: {}", names())));
        };
        let known = Field::ALL.iter().find(|(name, _)| name == word);
        let Some((_, field)) = known else {
            let near = near::nearest(word, Field::ALL.iter().map(|(name, _)| *name));
            let meant = near.map_or_else(|| format!("there are {}", names()), |near| format!("did you mean `{near}`?"));
            return Err(self.wrong(format!("there is no field {word:?}; {meant}")));
        };
        self.next += 1;
        Ok(*field)
    }
}

/// Whether a value is one that the field can have.
fn check(field: Field, operator: Operator, value: &str) -> Result<(), String> {
    let holds = matches!(operator, Operator::Holds | Operator::NotHolds);
    match field {
        _ if holds => Ok(()),
        Field::Outcome | Field::From | Field::Severity => {
            let words = field.words();
            if words.contains(&value) {
                return Ok(());
            }
            let near = near::nearest(value, words.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(format!("{value:?} is none of {}{near}", words.join(", ")))
        }
        Field::Status => {
            let class = value.len() == 3 && value.ends_with("xx") && value.starts_with(|c: char| c.is_ascii_digit());
            let equal = matches!(operator, Operator::Equal | Operator::NotEqual);
            match value.parse::<u16>().is_ok() || (class && equal) {
                true => Ok(()),
                false => Err(format!("{value:?} is no status: write 404, or 4xx behind =")),
            }
        }
        Field::Time => {
            let stamp = value.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ ".contains(&byte));
            match stamp && value.starts_with(|first: char| first.is_ascii_digit()) {
                true => Ok(()),
                false => Err(format!("{value:?} is no time: write 10:02, 10:02:11.5 or 2026-01-02T10:02 (UTC)")),
            }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use proptest::prelude::*;

    fn wrong(text: &str) -> String {
        Filter::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn and_binds_closer_than_or() {
        let all = parse("command = Get or command = Exec and not status = 200").unwrap();
        assert!(matches!(&all, Expression::Or(_, right) if matches!(&**right, Expression::And(..))), "{all:?}");
        assert_eq!(
            parse("(command=Get || command=Exec) && !status=200"),
            parse("( command = Get or command = Exec ) and not status = 200")
        );
    }

    #[test]
    fn words_hold_uris() {
        let test = parse("target~./Vendor/MSFT/A?list=Struct").unwrap();
        assert_eq!(test, Expression::Test(Field::Target, Operator::Holds, "./Vendor/MSFT/A?list=Struct".to_owned()));
        let quoted = parse("device = \"a b (c)\"").unwrap();
        assert_eq!(quoted, Expression::Test(Field::Device, Operator::Equal, "a b (c)".to_owned()));
    }

    #[test]
    fn errors_have_a_place_and_a_suggestion() {
        assert_eq!(wrong("comand = Get"), "there is no field \"comand\"; did you mean `command`?, at column 1");
        assert_eq!(wrong("status = 200 command = Get"), "`and` or `or` is missing here, at column 14");
        assert_eq!(
            wrong("severity >= eror"),
            "\"eror\" is none of info, warning, error; did you mean `error`?, at column 13"
        );
        assert_eq!(wrong("device > a"), "these values have no order; = != ~ !~ compare them, at column 8");
        assert_eq!(wrong("(status = 4xx"), "a closing parenthesis is missing, at column 14");
        assert_eq!(wrong("status > 4xx"), "\"4xx\" is no status: write 404, or 4xx behind =, at column 10");
        assert!(wrong("").starts_with("a filter begins with a field: server, device"));
        assert!(wrong("status =").contains("a value is missing"));
        assert!(wrong("device = \"a").contains("this string has no end"));
        assert!(wrong("time = noon").contains("is no time"));
        assert!(wrong(&"(".repeat(100)).contains("more than 32 levels"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_at_a_place_in_it(text in "[a-z=!~<>()\" ä4]{0,60}|(status|and|or|not|=|\\(|\\)|200| ){0,20}") {
            if let Err(error) = Filter::parse(&text) {
                prop_assert!(error.at <= text.len());
            }
        }
    }
}

//! The text of an expression to tokens, as the language definition of CEL has them.

use super::Wrong;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    /// A name, or one of the words `true`, `false`, `null`, `in`.
    Name(&'s str),
    Text(String),
    /// Without its sign.
    Int(u64),
    Double(f64),
    Sign(&'static str),
    End,
}

/// Longer ones first: the first that fits is taken.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "+", "-", "*",
    "/", "%",
];

/// Gives the tokens of a text one after the other, and looks at no more of it than asked.
pub(super) struct Lexer<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    /// Begins at a byte of the text.
    pub(super) fn new(text: &'s str, at: usize) -> Lexer<'s> {
        Lexer { text, at }
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            self.at += rest.len() - trimmed.len();
            match trimmed.strip_prefix("//") {
                Some(comment) => self.at += 2 + comment.find('\n').unwrap_or(comment.len()),
                None => return,
            }
        }
    }

    /// The next token, and where it begins and ends.
    pub(super) fn next(&mut self) -> Result<(Token<'s>, (usize, usize)), Wrong> {
        self.skip_blanks();
        let from = self.at;
        let token = self.token()?;
        Ok((token, (from, self.at)))
    }

    fn token(&mut self) -> Result<Token<'s>, Wrong> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let second = rest[first.len_utf8()..].chars().next().unwrap_or_default();
        match first {
            '0'..='9' => self.number(),
            '.' if second.is_ascii_digit() => self.number(),
            '"' | '\'' => self.string(false),
            'a'..='z' | 'A'..='Z' | '_' => self.name(first, rest),
            _ => self.sign(first, rest),
        }
    }

    fn name(&mut self, first: char, rest: &'s str) -> Result<Token<'s>, Wrong> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let name = rest.get(..rest.bytes().take_while(|byte| is_part(byte)).count()).unwrap_or_default();
        let quoted = rest.get(name.len()..).unwrap_or_default().starts_with(['"', '\'']);
        match (quoted, name.len(), first.to_ascii_lowercase()) {
            (true, 1, 'r') => {
                self.at += 1;
                self.string(true)
            }
            (true, 1 | 2, 'b' | 'r') => Err(Wrong::new(self.at, "byte strings are not supported: write a string")),
            _ => {
                self.at += name.len();
                Ok(Token::Name(name))
            }
        }
    }

    fn sign(&mut self, first: char, rest: &'s str) -> Result<Token<'s>, Wrong> {
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let hint = match first {
            '=' => "; values are compared by `==`",
            '&' => "; conditions are joined by `&&`",
            '|' => "; conditions are joined by `||`",
            _ => "",
        };
        Err(Wrong::new(self.at, format!("`{}` has no meaning here{hint}", first.escape_debug())))
    }

    fn number(&mut self) -> Result<Token<'s>, Wrong> {
        let rest = self.rest();
        let wrong = |message: String| Err(Wrong::new(self.at, message));
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
            let len = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
            let Ok(value) = u64::from_str_radix(hex.get(..len).unwrap_or_default(), 16) else {
                return wrong("this is no hexadecimal number of at most 64 bits".into());
            };
            return self.end_number(2 + len, Token::Int(value));
        }
        let mut len = digits(rest);
        let mut whole = true;
        let after = |len: usize| rest.get(len..).unwrap_or_default();
        if after(len).starts_with('.') && after(len + 1).starts_with(|c: char| c.is_ascii_digit()) {
            len += 1 + digits(after(len + 1));
            whole = false;
        }
        if after(len).starts_with(['e', 'E']) {
            let sign = usize::from(after(len + 1).starts_with(['+', '-']));
            let exponent = digits(after(len + 1 + sign));
            if exponent > 0 {
                len += 1 + sign + exponent;
                whole = false;
            }
        }
        let text = rest.get(..len).unwrap_or_default();
        let token = match whole {
            true => text.parse().map(Token::Int).ok(),
            false => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Token::Double),
        };
        match token {
            Some(token) => self.end_number(len, token),
            None => wrong(format!("{text} is too large a number")),
        }
    }

    fn end_number(&mut self, len: usize, token: Token<'s>) -> Result<Token<'s>, Wrong> {
        let behind = self.rest().get(len..).and_then(|rest| rest.chars().next()).unwrap_or_default();
        if behind == 'u' || behind == 'U' {
            return Err(Wrong::new(self.at + len, "unsigned numbers are not supported: leave the `u` away"));
        }
        if behind.is_ascii_alphanumeric() || behind == '_' {
            return Err(Wrong::new(self.at + len, format!("`{behind}` is no part of a number")));
        }
        self.at += len;
        Ok(token)
    }

    /// A string in single or double quotes, or in three of them.
    fn string(&mut self, raw: bool) -> Result<Token<'s>, Wrong> {
        let from = self.at;
        let rest = self.rest();
        let one = rest.get(..1).unwrap_or_default();
        let three = rest.get(..3).filter(|quotes| *quotes == "\"\"\"" || *quotes == "'''");
        let quotes = three.unwrap_or(one);
        self.at += quotes.len();
        let mut out = String::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(quotes) {
                self.at += quotes.len();
                return Ok(Token::Text(out));
            }
            match rest.chars().next() {
                None => return Err(Wrong::new(from, format!("this string has no end: {quotes} is missing"))),
                Some('\n' | '\r') if three.is_none() => {
                    return Err(Wrong::new(from, format!("this string has no end on its line: {quotes} is missing")));
                }
                Some('\\') if !raw => out.push(self.escape()?),
                Some(character) => {
                    out.push(character);
                    self.at += character.len_utf8();
                }
            }
        }
    }

    /// The character that an escape stands for.
    fn escape(&mut self) -> Result<char, Wrong> {
        let from = self.at;
        let rest = self.rest();
        let wrong = |message: &str| Err(Wrong::new(from, message));
        let Some(letter) = rest.chars().nth(1) else { return wrong("this escape has no end") };
        let coded = |digits: usize, at: usize, radix: u32| {
            let text = rest.get(at..at + digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            let code = text.and_then(|text| u32::from_str_radix(text, radix).ok());
            code.and_then(char::from_u32).map(|character| (character, at + digits))
        };
        let found = match letter {
            'a' => Some(('\u{7}', 2)),
            'b' => Some(('\u{8}', 2)),
            'f' => Some(('\u{c}', 2)),
            'n' => Some(('\n', 2)),
            'r' => Some(('\r', 2)),
            't' => Some(('\t', 2)),
            'v' => Some(('\u{b}', 2)),
            '\\' | '"' | '\'' | '`' | '?' => Some((letter, 2)),
            'x' | 'X' => coded(2, 2, 16),
            'u' => coded(4, 2, 16),
            'U' => coded(8, 2, 16),
            '0'..='3' => coded(3, 1, 8),
            _ => None,
        };
        let Some((character, len)) = found else {
            return wrong("this is no escape of CEL; a pattern is best written as r\"…\", where \\ is itself");
        };
        self.at += len;
        Ok(character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
        let mut lexer = Lexer::new(text, 0);
        let mut all = Vec::new();
        loop {
            match lexer.next().map_err(|wrong| format!("{}: {}", wrong.at, wrong.message))? {
                (Token::End, _) => return Ok(all),
                (token, _) => all.push(token),
            }
        }
    }

    fn text(given: &str) -> String {
        match tokens(given).unwrap().as_slice() {
            [Token::Text(text)] => text.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_are_those_of_cel() {
        let numbers = tokens("1 0x1F 1.5 .5 1e3 2E-1 9223372036854775808 // all").unwrap();
        let expected = [
            Token::Int(1),
            Token::Int(31),
            Token::Double(1.5),
            Token::Double(0.5),
            Token::Double(1000.0),
            Token::Double(0.2),
            Token::Int(1 << 63),
        ];
        assert_eq!(numbers, expected);
        assert!(tokens("1u").unwrap_err().starts_with("1: unsigned"));
        assert!(tokens("99999999999999999999").unwrap_err().contains("too large"));
        assert!(tokens("1e999").unwrap_err().contains("too large"));
        assert!(tokens("12a").unwrap_err().starts_with("2: `a`"));
    }

    #[test]
    fn strings_are_those_of_cel() {
        assert_eq!(text(r#""a\"b\n\x41\u00e4\U0001F600\101\?""#), "a\"b\nAä😀A?");
        assert_eq!(text(r"r'\d\n'"), r"\d\n");
        assert_eq!(text("'''a'b\n\"c'''"), "a'b\n\"c");
        assert_eq!(text("R\"\"\"\\\"\"\""), "\\");
        for wrong in ["'a", "\"a\nb\"", r"'\q'", r"'\u12'", r"'\ud800'", "b'x'", "rb'x'", r"'\"] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_meant_is_said_of_signs_that_have_no_meaning() {
        assert_eq!(tokens("a = b").unwrap_err(), "2: `=` has no meaning here; values are compared by `==`");
        assert!(tokens("a & b").unwrap_err().contains("`&&`"));
        assert!(tokens("ä").is_err() && tokens("a # b").is_err());
        assert_eq!(tokens("a<=b").unwrap(), [Token::Name("a"), Token::Sign("<="), Token::Name("b")]);
    }
}

//! What could be typed next in an expression.

use super::parse::{Token, tokens};
use super::{Field, Filter, Operator};

/// Where the unfinished word at the end of `text` begins, and the words it can become.
pub fn complete(text: &str) -> (usize, Vec<String>) {
    let open = text.len() - text.rsplit([' ', '(']).next().map_or(0, str::len);
    let (done, word) = text.split_at_checked(open).unwrap_or((text, ""));
    let Ok(before) = tokens(done) else { return (open, Vec::new()) };
    let signs = || Operator::ALL.iter().map(|(sign, _)| (*sign).to_owned()).collect::<Vec<_>>();
    let fields = || Field::ALL.iter().map(|(name, _)| (*name).to_owned()).chain(["not".to_owned()]).collect();
    let (last, field) = match before.as_slice() {
        [.., (_, Token::Word(field)), (_, last @ Token::Operator(_))] => (Some(last), Some(field.as_str())),
        [.., (_, last)] => (Some(last), None),
        [] => (None, None),
    };
    let named = |name: &str| Field::ALL.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
    let all: Vec<String> = match last {
        None | Some(Token::And | Token::Or | Token::Not | Token::Open) => fields(),
        Some(Token::Operator(_)) => {
            let words = field.and_then(named).map(Field::words).unwrap_or_default();
            words.iter().map(|word| (*word).to_owned()).collect()
        }
        Some(Token::Word(word)) if named(word).is_some() && Filter::parse(done).is_err() => signs(),
        Some(Token::Word(_) | Token::Quoted(_) | Token::Close) => vec!["and".to_owned(), "or".to_owned()],
    };
    let lower = word.to_ascii_lowercase();
    let fits = |candidate: &String| candidate.to_ascii_lowercase().starts_with(&lower) && candidate != word;
    (open, all.into_iter().filter(fits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_what_may_stand_there() {
        assert_eq!(complete("se").1, ["server", "session", "severity"]);
        assert_eq!(complete("severity >= w"), (12, vec!["warning".to_owned()]));
        assert_eq!(complete("status = 200 a").1, ["and"]);
        assert_eq!(complete("status ").1[0], "==");
        assert_eq!(complete("(from = c").1, ["client"]);
        assert!(complete("not ").1.contains(&"device".to_owned()));
        assert!(complete("device = \"a").1.is_empty());
    }
}

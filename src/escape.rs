//! Text of the input, made safe to print.
//!
//! In: any string that came from a capture. Out: the same with every character that a terminal or a reader would
//! not show as itself spelled out (`\u{1b}`): control characters, and those that reorder or hide text. Nothing of
//! the input reaches a terminal but through here.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character would act on a terminal, reorder the text around it, or not be seen at all.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text that stays on one line: line breaks and tabs are spelled out too.
pub fn line(text: &str) -> Cow<'_, str> {
    spell(text, is_hidden)
}

/// Text of several lines: line feeds and tabs stay.
pub fn lines(text: &str) -> Cow<'_, str> {
    spell(text, |character| is_hidden(character) && !matches!(character, '\n' | '\t'))
}

/// Appends `text` to `out`, escaped as [`lines`] does.
pub fn push_lines(out: &mut String, text: &str) {
    out.push_str(&lines(text));
}

/// At most `max` characters of `text`, the last an ellipsis where some were left out.
pub fn shorten(text: &str, max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(max.saturating_sub(1)).chain(['…']).collect()),
    }
}

fn spell(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    // Nearly all text is plain ASCII without controls: one pass over the bytes settles it.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || !text.chars().any(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            _ if !hidden(character) => out.push(character),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            _ => drop(write!(out, "\\u{{{:x}}}", u32::from(character))),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_a_terminal_is_spelled_out() {
        assert_eq!(line("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(line("a\r\n\tb"), "a\\r\\n\\tb");
        assert_eq!(lines("a\r\n\tb"), "a\\r\n\tb");
        assert_eq!(line("\u{9b}2J"), "\\u{9b}2J");
    }

    #[test]
    fn what_hides_or_reorders_text_is_spelled_out() {
        assert_eq!(line("user\u{202e}nimda"), "user\\u{202e}nimda");
        assert_eq!(line("a\u{200b}b\u{feff}c\u{2066}d\u{e0041}"), "a\\u{200b}b\\u{feff}c\\u{2066}d\\u{e0041}");
    }

    #[test]
    fn text_in_any_script_stays() {
        for text in ["Gerät", "设备", "جهاز", "😀", ""] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shorten("Gerät", 5), "Gerät");
        assert_eq!(shorten("Geräte", 5), "Gerä…");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_hidden));
            prop_assert!(!lines(&text).chars().any(|c| is_hidden(c) && c != '\n' && c != '\t'));
        }
    }
}

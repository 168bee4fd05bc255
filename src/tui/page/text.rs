//! Lines: cutting, wrapping, and the pages that are plain text.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Page;
use crate::escape;
use crate::report::{push, show};
use crate::syncml::{Message, secret};
use crate::tui::ansi;
use crate::tui::theme::Theme;

/// Columns `left..left + width` of a line.
pub(crate) fn cut(line: Line<'static>, left: usize, width: usize) -> Line<'static> {
    let mut column = 0usize;
    let until = left.saturating_add(width);
    let mut spans = Vec::new();
    for span in line.spans {
        let from = column;
        if from >= until {
            break;
        }
        let wide = span.content.width();
        column = from.saturating_add(wide);
        if column <= left {
            continue;
        }
        if from >= left && column <= until {
            spans.push(span);
            continue;
        }
        let mut at = from;
        let mut kept = String::new();
        for letter in span.content.chars() {
            let width = letter.width().unwrap_or(0);
            if at >= left && at + width <= until {
                kept.push(letter);
            }
            at += width;
            if at >= until {
                break;
            }
        }
        spans.push(Span::styled(kept, span.style));
    }
    Line::from(spans)
}

/// A line in which every `needle` (lower case) stands out.
pub(super) fn lit(line: Line<'static>, needle: &str, style: Style) -> Line<'static> {
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    // Letters whose lower case is longer or shorter would move the places; ASCII is what protocols speak.
    let lower = text.to_ascii_lowercase();
    let places: Vec<_> = lower.match_indices(needle).map(|(at, found)| at..at + found.len()).collect();
    if needle.is_empty() || places.is_empty() {
        return line;
    }
    restyled(line, &places, |old| old.patch(style))
}

/// A line with the style of some stretches (sorted byte ranges of its text) changed.
pub(super) fn restyled(
    line: Line<'static>,
    places: &[std::ops::Range<usize>],
    change: impl Fn(Style) -> Style,
) -> Line<'static> {
    let mut spans = Vec::new();
    let mut start = 0;
    for span in line.spans {
        let (text, end) = (span.content, start);
        let len = text.len();
        let mut done = 0;
        for place in places {
            let from = place.start.saturating_sub(end).clamp(done, len);
            let to = place.end.saturating_sub(end).clamp(from, len);
            let (Some(before), Some(inside)) = (text.get(done..from), text.get(from..to)) else { continue };
            if !before.is_empty() {
                spans.push(Span::styled(before.to_owned(), span.style));
            }
            if !inside.is_empty() {
                spans.push(Span::styled(inside.to_owned(), change(span.style)));
            }
            done = to;
        }
        if let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
            spans.push(Span::styled(rest.to_owned(), span.style));
        }
        start += len;
    }
    Line::from(spans)
}

/// Text in lines of at most `width` columns, broken at spaces; what has none is broken anywhere.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            for letter in word.chars() {
                if line.width() + letter.width().unwrap_or(0) > width {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(letter);
            }
        }
        lines.push(line);
    }
    lines
}

/// A body that is no document.
pub(super) fn body(message: &Message, show_secrets: bool, theme: &Theme) -> Page {
    let mut lines = notes(message, theme);
    if let Some(bearer) = message.bearer {
        let mut out = Vec::new();
        // Writing to memory cannot fail.
        drop(push::write(&push::lines(&message.body.bytes, bearer.framing, show_secrets), &mut out));
        lines.extend(ansi::lines(&String::from_utf8_lossy(&out), theme));
        return Page::Text { lines, items: Vec::new() };
    }
    match message.body.bytes.text() {
        Some("") => lines.push(Line::styled("(no body)", theme.dim)),
        Some(text) => {
            let text = if show_secrets { text.to_owned() } else { secret::mask(text) };
            lines.extend(escape::lines(&text).lines().map(|line| Line::raw(line.replace('\t', "    "))));
        }
        None => {
            let text = format!("({} bytes that are no text; the tab Hex shows them)", message.body.bytes.len());
            lines.push(Line::styled(text, theme.dim));
        }
    }
    Page::Text { lines, items: Vec::new() }
}

/// The HTTP side of a message.
pub(super) fn http(message: &Message, show_secrets: bool, width: usize, theme: &Theme) -> Page {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    drop(show::write_http(message, show_secrets, &mut out));
    let mut lines = Vec::new();
    for (number, line) in ansi::lines(&String::from_utf8_lossy(&out), theme).into_iter().enumerate() {
        let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
        match text.split_once(": ").filter(|_| number > 0) {
            Some((name, value)) => {
                lines.extend(fact(&format!("{name}: "), folded(value, width.saturating_sub(name.width() + 2)), theme))
            }
            None if number == 0 => {
                lines.extend(folded(&text, width).into_iter().map(|text| Line::styled(text, theme.heading)))
            }
            None => lines.push(line),
        }
    }
    lines.extend(notes(message, theme));
    Page::Text { lines, items: Vec::new() }
}

/// A name and the lines of its value, which stand under each other.
pub(super) fn fact(name: &str, value: Vec<String>, theme: &Theme) -> impl Iterator<Item = Line<'static>> + use<> {
    let mut value = value.into_iter();
    let first = vec![Span::styled(name.to_owned(), theme.name_style), Span::raw(value.next().unwrap_or_default())];
    let indent = " ".repeat(name.width());
    std::iter::once(Line::from(first)).chain(value.map(move |line| Line::raw(format!("{indent}{line}"))))
}

/// Text broken where the width ends: what it has of blanks stays.
fn folded(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line, mut wide) = (Vec::new(), String::new(), 0);
    for letter in text.chars() {
        let letter_width = letter.width().unwrap_or(0);
        if wide + letter_width > width.max(8) {
            lines.push(std::mem::take(&mut line));
            wide = 0;
        }
        line.push(letter);
        wide += letter_width;
    }
    lines.push(line);
    lines
}

/// What the layers below noticed.
pub(super) fn notes(message: &Message, theme: &Theme) -> Vec<Line<'static>> {
    let notes = message.notes.iter().chain(&message.doc.notes);
    let told = notes.map(|note| format!("note: {}: {}", note.kind.code(), escape::line(&note.detail)));
    let judged = message.judged().err().map(|why| format!("not judged: {}", escape::line(why)));
    told.chain(judged).map(|text| Line::styled(text, theme.warning)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(line: &Line<'_>) -> String {
        line.spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn cuts_columns_not_bytes() {
        let line = Line::from(vec![Span::raw("Ger"), Span::raw("ät 设备 x")]);
        assert_eq!(text(&cut(line.clone(), 2, 3)), "rät");
        assert_eq!(text(&cut(line, 0, 7)), "Gerät ");
    }

    #[test]
    fn hits_stand_out_across_spans() {
        let line = Line::from(vec![Span::raw("ab"), Span::raw("cd ABCD")]);
        let hit = Style::new().fg(ratatui::style::Color::Red);
        let shown = lit(line, "bc", hit);
        let styled: Vec<&str> =
            shown.spans.iter().filter(|span| span.style == hit).map(|span| span.content.as_ref()).collect();
        assert_eq!((text(&shown).as_str(), styled), ("abcd ABCD", vec!["b", "c", "BC"]));
    }

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_lose_no_letter(words in "[a-z ä设]{0,80}", width in 8usize..30) {
            let lines = wrap(&words, width);
            prop_assert!(lines.iter().all(|line| line.width() <= width));
            let kept: String = lines.concat().split_whitespace().collect();
            prop_assert_eq!(kept, words.split_whitespace().collect::<String>());
        }
    }
}

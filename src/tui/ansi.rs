//! Text with colour codes, as our reports write it, to styled lines. Only codes of this program arrive here: what
//! comes from an input was escaped before, so no escape character of an input is left in it.

use ratatui::text::{Line, Span};

use super::theme::Theme;
use ratatui::style::Style;

/// The lines of a text.
pub(crate) fn lines(text: &str, theme: &Theme) -> Vec<Line<'static>> {
    let mut style = Style::new();
    text.lines().map(|line| styled(line, &mut style, theme)).collect()
}

fn styled(line: &str, style: &mut Style, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    for (number, piece) in line.split("\u{1b}[").enumerate() {
        let text = match piece.split_once('m').filter(|_| number > 0) {
            Some((codes, text)) => {
                *style = codes.split(';').fold(*style, |style, code| applied(style, code, theme));
                text
            }
            None => piece,
        };
        if !text.is_empty() {
            spans.push(Span::styled(text.replace('\t', "    "), *style));
        }
    }
    Line::from(spans)
}

/// The theme's styles stand for those of the reports, which are for any terminal.
fn applied(style: Style, code: &str, theme: &Theme) -> Style {
    match code {
        "" | "0" => Style::new(),
        "1" => style.patch(theme.key),
        "2" => style.patch(theme.dim),
        code if code.len() == 2 && code.starts_with(['3', '9']) => style.patch(theme.heading),
        _ => style,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_styles() {
        let theme = Theme::dark();
        let lines = lines("\u{1b}[1mbold\u{1b}[0m plain\n\u{1b}[96mhead\u{1b}[0m", &theme);
        assert_eq!(lines[0].spans[0].style, theme.key);
        assert_eq!((lines[0].spans[1].content.as_ref(), lines[0].spans[1].style), (" plain", Style::new()));
        assert_eq!(lines[1].spans[0].style, theme.heading);
    }
}

//! Two sessions side by side, and what differs.
//!
//! In: two sessions of the store. Out: rows for the screen, made by `diff`; where there is no room for two columns, one
//! below the other.

use super::scroll::Scroll;
use super::store::Store;
use crate::diff::{self, Diff, Mark, Outline, Shown};

/// See the module's head.
#[derive(Debug, Default)]
pub(crate) struct Compare {
    /// The two sessions, by their place in the store.
    pub(crate) of: Option<(usize, usize)>,
    /// What they are, a line each.
    pub(crate) titles: [String; 2],
    /// Whether nothing differs.
    pub(crate) same: bool,
    lines: Vec<Shown>,
    /// The line of each row that is on the screen.
    rows: Vec<usize>,
    pub(crate) scroll: Scroll,
}

/// A row on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) mark: Mark,
    pub(crate) left: String,
    /// `None` where there is one column, or a remark over both.
    pub(crate) right: Option<String>,
}

impl Compare {
    /// Compares two sessions; `None` when one is not in memory.
    pub(crate) fn of(store: &Store, a: usize, b: usize, show_secrets: bool) -> Option<Compare> {
        let outline = |index: usize| {
            let opened = store.sessions.get(index)?;
            Some(Outline::of(store.content(index)?, &opened.drafts, show_secrets))
        };
        let (first, second) = (outline(a)?, outline(b)?);
        let diff = Diff::of(&first, &second);
        let lines = diff::lines(&first, &second, &diff, true);
        let title = |outline: &Outline| format!("{} · {}", outline.key, outline.title);
        Some(Compare {
            of: Some((a, b)),
            titles: [title(&first), title(&second)],
            same: diff.is_same(),
            lines,
            rows: Vec::new(),
            scroll: Scroll::default(),
        })
    }

    /// The rows, in two columns or in one.
    pub(crate) fn lay_out(&mut self, columns: bool) -> Vec<Row> {
        let mut rows = Vec::new();
        self.rows.clear();
        for (at, line) in self.lines.iter().enumerate() {
            let laid = laid_out(line, columns);
            self.rows.extend(laid.iter().map(|_| at));
            rows.extend(laid);
        }
        rows
    }

    /// To the next place where something differs, or to the one before.
    pub(crate) fn next(&mut self, forward: bool) {
        let mark = |row: usize| self.rows.get(row).and_then(|at| self.lines.get(*at)).map(|line| line.mark);
        let begins = |row: &usize| match mark(*row) {
            Some(Mark::Holds) => true,
            Some(Mark::First | Mark::Second) => row.checked_sub(1).and_then(mark) != mark(*row),
            _ => false,
        };
        let here = self.scroll.cursor;
        let found = match forward {
            true => (here + 1..self.rows.len()).find(begins),
            false => (0..here).rev().find(begins),
        };
        if let Some(row) = found {
            self.scroll.to(row);
        }
    }

    /// The session and the message of the cursor's row.
    pub(crate) fn place(&self) -> Option<(usize, Option<usize>)> {
        let (a, b) = self.of?;
        let line = self.lines.get(*self.rows.get(self.scroll.cursor)?)?;
        Some(match line.messages {
            (Some(message), _) => (a, Some(message)),
            (None, Some(message)) => (b, Some(message)),
            (None, None) => (a, None),
        })
    }
}

fn laid_out(line: &Shown, columns: bool) -> Vec<Row> {
    let row = |mark: Mark, left: &str, right: Option<&str>| Row {
        mark,
        left: left.to_owned(),
        right: right.map(str::to_owned),
    };
    match line.mark {
        Mark::Note => vec![row(line.mark, &line.left, None)],
        _ if columns => vec![row(line.mark, &line.left, Some(&line.right))],
        Mark::Same | Mark::Holds => vec![row(line.mark, &line.left, None)],
        Mark::First => vec![row(line.mark, &line.left, None)],
        Mark::Second => vec![row(line.mark, &line.right, None)],
        Mark::Differs => {
            let sides = [(Mark::First, &line.left), (Mark::Second, &line.right)];
            sides.into_iter().filter(|(_, text)| !text.is_empty()).map(|(mark, text)| row(mark, text, None)).collect()
        }
    }
}

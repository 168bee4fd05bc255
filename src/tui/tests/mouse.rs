//! What clicks and the wheel do.

use ratatui::crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{app, press, screen};
use crate::tui::app::{App, Effect, Pane, Screen};
use crate::tui::page;

const SIZE: (u16, u16) = (120, 40);

fn event(app: &mut App, kind: MouseEventKind, column: u16, row: u16) {
    screen(app, SIZE.0, SIZE.1);
    app.mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE });
    screen(app, SIZE.0, SIZE.1);
}

/// Clicks on a text of the screen.
fn click(app: &mut App, text: &str) {
    let shown = screen(app, SIZE.0, SIZE.1);
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains(text)).expect(text);
    let column = line.split(text).next().unwrap().chars().count();
    event(app, MouseEventKind::Down(MouseButton::Left), column as u16, row as u16);
}

#[test]
fn a_click_selects_and_a_second_one_opens() {
    let mut app = app("msgid-skipped.pcap");
    click(&mut app, "DM-MSG-003");
    assert_eq!(app.screen, Screen::Browse, "the cursor stood on the finding already");
    click(&mut app, "→ client 2");
    assert_eq!((app.focus, app.shown), (Pane::Tree, Some((0, Some(2)))));
    click(&mut app, "→ client 2");
    assert_eq!(app.focus, Pane::Commands, "as enter does");
    click(&mut app, "Replace");
    let here = app.at;
    click(&mut app, "Final");
    assert_ne!(app.at, here);
}

#[test]
fn tabs_and_choices_can_be_clicked() {
    let mut app = app("msgid-skipped.pcap");
    press(&mut app, "n");
    for (tab, name) in page::TABS.iter().enumerate() {
        click(&mut app, name);
        assert_eq!(app.detail.tab, tab);
    }
    press(&mut app, "y");
    click(&mut app, "the finding as text");
    assert!(matches!(app.effects().pop(), Some(Effect::Copy(text)) if text.starts_with("warning[DM-MSG-003]")));
    press(&mut app, "y");
    click(&mut app, "Sessions");
    assert!(app.menu.is_none() && app.effects().is_empty(), "a click beside a menu closes it");
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut app = app("msgid-skipped.pcap");
    press(&mut app, "n");
    event(&mut app, MouseEventKind::ScrollDown, 100, 35);
    let top = app.detail.scroll.top;
    assert!(top > 0);
    event(&mut app, MouseEventKind::ScrollUp, 100, 35);
    assert!(app.detail.scroll.top < top);
    assert_eq!(app.focus, Pane::Tree, "the wheel takes no focus");
}

#[test]
fn a_click_in_the_timeline_goes_to_the_message() {
    let mut app = app("md5-sessions.pcap");
    press(&mut app, "T");
    click(&mut app, "→ client 3");
    click(&mut app, "→ client 3");
    assert_eq!((app.screen, app.shown), (Screen::Browse, Some((0, Some(4)))));
}

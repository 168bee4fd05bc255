//! `docs/view.md`: what it says of the samples and of the keys is so.

use std::time::Duration;

use super::{app_with, press, screen};
use crate::tui::config::Config;
use crate::tui::keys::{Group, Keys, TABLE};

/// Keys from opening to naming the cause: fewer than ten.
const MOST: usize = 9;

fn guide() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/view.md")).unwrap()
}

/// The rows of the table that begins with this heading, cell by cell.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let rows = page.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The texts between backticks.
fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_sample_tells_its_cause_in_under_ten_keys() {
    let rows = table(&guide(), "| sample |");
    let mut told: Vec<String> = Vec::new();
    for row in &rows {
        let [sample, keys, cause] = row.as_slice() else { panic!("{row:?}") };
        let (sample, keys) = (code(sample)[0], code(keys));
        told.push(sample.to_owned());
        assert!(keys.len() <= MOST, "{sample}: {keys:?}");
        let mut app = app_with(sample, sample.starts_with("md5"));
        press(&mut app, &keys.join(" "));
        while app.search_on(Duration::from_millis(5)) {}
        let shown = screen(&mut app, 100, 30);
        for text in code(cause) {
            assert!(shown.contains(text), "{sample}: {text:?} is not on the screen:\n{shown}");
        }
        assert!(!code(cause).is_empty(), "{sample}");
    }
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/samples")).unwrap();
    let mut samples: Vec<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    samples.retain(|name| ![".md", ".toml", ".keylog"].iter().any(|other| name.ends_with(other)));
    samples.sort();
    told.sort();
    assert_eq!(told, samples, "each sample once");
}

#[test]
fn the_table_of_keys_is_the_one_in_force() {
    let keys = Keys::default();
    let mut written = String::new();
    for group in Group::ALL {
        written += &format!("| **{}** | | |\n", group.title());
        for entry in TABLE.iter().filter(|entry| entry.group == group) {
            let keys: Vec<String> = keys.printed(entry.action).iter().map(|keys| format!("`{keys}`")).collect();
            written += &format!("| {} | `{}` | {} |\n", keys.join(" "), entry.name, entry.help);
        }
    }
    assert!(guide().contains(&written), "docs/view.md: the table of keys should be\n\n{written}");
}

#[test]
fn its_configuration_is_read() {
    let page = guide();
    let text = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a TOML example");
    Config::read(text).unwrap();
}

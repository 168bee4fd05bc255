//! A diff as JSON, schema `dmscope/diff/1`.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Change, Diff, Outline, Pair, Step};

/// Writes what differs between two captures. `pairs` are the sessions that were compared, with what differs.
pub fn write(
    names: [&str; 2],
    [a, b]: [&[Outline]; 2],
    pairs: &[(Pair, Option<Diff>)],
    out: &mut dyn Write,
) -> io::Result<()> {
    let same = pairs.iter().all(|(_, diff)| diff.as_ref().is_some_and(Diff::is_same));
    let sessions: Vec<Value> = pairs
        .iter()
        .map(|((at, bt), diff)| {
            let (a, b) = (at.and_then(|at| a.get(at)), bt.and_then(|bt| b.get(bt)));
            let key = |outline: Option<&Outline>| outline.map(|outline| outline.key.clone());
            let rows = diff.as_ref().map(|diff| {
                let differing = diff.rows.iter().filter(|row| !row.is_same() || row.note.is_some());
                let step = |outline: Option<&Outline>, at: Option<usize>| {
                    outline.zip(at).and_then(|(outline, at)| outline.steps.get(at).map(told))
                };
                let rows = differing.map(|row| {
                    json!({
                        "a": step(a, row.a),
                        "b": step(b, row.b),
                        "changes": changes(&row.changes),
                        "note": row.note,
                    })
                });
                rows.collect::<Vec<_>>()
            });
            json!({
                "a": key(a),
                "b": key(b),
                "same": diff.as_ref().is_some_and(Diff::is_same),
                "compared": diff.as_ref().map_or(0, |diff| diff.rows.len()),
                "changes": diff.as_ref().map(|diff| changes(&diff.changes)).unwrap_or_default(),
                "rows": rows.unwrap_or_default(),
            })
        })
        .collect();
    let report = json!({"schema": "dmscope/diff/1", "same": same, "a": names[0], "b": names[1], "sessions": sessions});
    writeln!(out, "{report:#}")
}

fn told(step: &Step) -> Value {
    let facts: serde_json::Map<String, Value> =
        step.facts.iter().map(|fact| (fact.name.to_owned(), fact.text.clone().into())).collect();
    json!({"message": step.message + 1, "what": step.label, "facts": facts})
}

fn changes(changes: &[Change]) -> Vec<Value> {
    changes.iter().map(|change| json!({"name": change.name, "a": change.a, "b": change.b})).collect()
}

//! Every rule's page is a test: its examples give the findings that are marked in them, and no others.
//!
//! `RULE=DM-MSG-014` (ids, names or families, with commas) runs those alone. `rules/README.md` tells the format.

#[path = "build/mod.rs"]
mod build;
#[path = "rules/capture.rs"]
mod capture;
#[path = "rules/catalog.rs"]
mod catalog;
#[path = "rules/check.rs"]
mod check;
#[path = "rules/compose.rs"]
mod compose;
#[path = "rules/enroll.rs"]
mod enroll;
#[path = "rules/export.rs"]
mod export;
#[path = "rules/gates.rs"]
mod gates;
#[path = "rules/handshake.rs"]
mod handshake;
#[path = "rules/har.rs"]
mod har;
#[path = "rules/harm.rs"]
mod harm;
#[path = "rules/http2.rs"]
mod http2;
#[path = "rules/push.rs"]
mod push;
#[path = "rules/run.rs"]
mod run;
#[path = "rules/seeds.rs"]
mod seeds;

use dmscope::examples::{binary, page};
use dmscope::limits::Limits;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::{Selection, is_named};
use dmscope::rules::{ALL, Location, OptionKind, OptionValue, Rule};

/// The rules that `RULE` names; all without it.
fn chosen() -> Vec<&'static Rule> {
    let words = std::env::var("RULE").unwrap_or_default();
    let words: Vec<&str> = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let chosen: Vec<&Rule> =
        ALL.iter().filter(|rule| words.is_empty() || words.iter().any(|word| is_named(rule, word))).collect();
    assert!(words.is_empty() || !chosen.is_empty(), "RULE={} names no rule", words.join(","));
    chosen
}

/// Runs `check` for each chosen rule and fails with all that was wrong.
fn for_each_rule(check: impl Fn(&'static Rule) -> Result<(), String>) {
    let wrong: Vec<String> = chosen()
        .into_iter()
        .filter_map(|rule| check(rule).err().map(|why| format!("{}-{}.md, {why}", rule.id, rule.name)))
        .collect();
    assert!(wrong.is_empty(), "\n\n{}\n", wrong.join("\n\n"));
}

fn runner(example: &page::Example, ignored: &[&str]) -> Runner {
    runner_with(example, ignored, &example.set)
}

fn runner_with(example: &page::Example, ignored: &[&str], set: &[(&'static Rule, String, OptionValue)]) -> Runner {
    let mut selection = Selection::of(example.profile).ignore(ignored).expect("the rules exist");
    for (rule, name, value) in set {
        selection = selection.set(rule, name, value.clone()).expect("an option of the rule");
    }
    Runner::new(&selection, &Limits::default()).with_credentials(example.credentials.clone())
}

/// Runs `check` for each example of a rule, and says where it failed.
fn for_each_example(
    rule: &'static Rule,
    check: impl Fn(&page::Example, &[compose::Sent<'_>]) -> Vec<String>,
) -> Result<(), String> {
    let mut wrong = Vec::new();
    for example in page::examples(rule)? {
        let sent = compose::messages(&example);
        let differences = check(&example, &sent);
        if !differences.is_empty() {
            let heading = &example.heading;
            wrong.push(format!("line {}, ## {heading}:\n  {}", example.line, differences.join("\n  ")));
            if std::env::var_os("RULE").is_some() {
                wrong.extend(sent.iter().map(|sent| {
                    let text = String::from_utf8_lossy(&sent.body).into_owned();
                    format!("---- {} {}\n{text}", sent.side.name(), sent.block.msg_id)
                }));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

#[test]
fn examples_hold_as_documents() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            if example.capture_only() {
                return Vec::new();
            }
            let sessions = run::as_documents(sent);
            let found = check::findings(&runner(example, &[]), &sessions, sent);
            [check::differences(|own| own == rule, sent, &found), check::unseen(&sessions, sent)].concat()
        })
    });
}

#[test]
fn examples_hold_as_wbxml() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let Some(sent) = binary::encoded(sent).filter(|_| !example.capture_only()) else { return Vec::new() };
            let found = check::findings(&runner(example, &[]), &run::as_documents(&sent), &sent);
            check::differences(|own| own == rule, &sent, &found)
        })
    });
}

/// As `dmscope rules test` runs the pages of own rules: exchanges without packets.
#[test]
fn examples_hold_as_exchanges() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, _| {
            let Ok(sent) = dmscope::examples::compose::messages(example) else { return Vec::new() };
            let sessions = dmscope::examples::run::as_http(&sent);
            let found = check::findings(&runner(example, &[]), &sessions, &sent);
            [check::differences(|own| own == rule, &sent, &found), check::unseen(&sessions, &sent)].concat()
        })
    });
}

#[test]
fn examples_hold_in_a_capture() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let read = run::as_capture(&capture::packets(sent), sent);
            in_a_file(rule, example, sent, &read, |location| location.frame.is_some())
        })
    });
}

#[test]
fn examples_hold_over_http2() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let Some(file) = http2::file(sent) else { return Vec::new() };
            let read = run::as_file(&file, "example.pcap");
            in_a_file(rule, example, sent, &read, |location| location.frame.is_some())
        })
    });
}

#[test]
fn examples_hold_over_tls() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let Some(file) = capture::file_over_tls(sent) else { return Vec::new() };
            let read = run::as_file(&file, "example.pcapng");
            in_a_file(rule, example, sent, &read, |location| location.frame.is_some())
        })
    });
}

#[test]
fn examples_hold_in_a_har() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let Some(har) = har::file(sent) else { return Vec::new() };
            let read = run::as_file(&har, "example.har");
            in_a_file(rule, example, sent, &read, |location| location.entry.is_some())
        })
    });
}

#[test]
fn an_export_is_judged_as_what_was_exported() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let runner = runner(example, &[]);
            let of_capture = run::as_file(&capture::file(sent), "example.pcap").sessions;
            let mut wrong = export::differences(&runner, &of_capture, export::Form::Lines);
            if !example.capture_only() {
                let binary = binary::encoded(sent).map(|sent| run::as_documents(&sent));
                let binary = binary.map(|binary| export::differences(&runner, &binary, export::Form::Lines));
                wrong.extend(binary.into_iter().flatten().map(|wrong| format!("WBXML {wrong}")));
            }
            if let Some(har) = har::file(sent) {
                let recorded = run::as_file(&har, "example.har").sessions;
                wrong.extend(export::differences(&runner, &recorded, export::Form::Har));
            }
            wrong
        })
    });
}

#[test]
fn no_finding_says_a_secret() {
    for_each_rule(|rule| {
        let known = rule.page.lines().filter_map(|line| line.strip_prefix("secret = "));
        let known: Vec<&str> = known.map(|secret| secret.trim_matches('"')).collect();
        for_each_example(rule, |example, sent| {
            let sessions = run::as_documents(sent);
            let secrets = check::secrets(&sessions).chain(known.iter().copied()).collect::<Vec<_>>();
            let found = check::findings(&runner(example, &[]), &sessions, sent);
            let told = |text: &str| secrets.iter().any(|secret| text.contains(secret));
            let said = found.iter().filter(|found| check::words(&found.draft).any(told));
            said.map(|found| format!("says a secret: {}", found.draft.message)).collect()
        })
    });
}

/// What is wrong with the findings in an example's file; each must be somewhere in it.
fn in_a_file(
    rule: &Rule,
    example: &page::Example,
    sent: &[compose::Sent<'_>],
    read: &run::Read,
    is_somewhere: impl Fn(&Location) -> bool,
) -> Vec<String> {
    let (runner, sessions) = (runner(example, &[]), &read.sessions);
    let mut found = check::findings(&runner, sessions, sent);
    found.extend(check::findings_on_encrypted(&runner, read, sent));
    let nowhere = check::nowhere(&runner, sessions, is_somewhere);
    [check::differences(|own| own == rule, sent, &found), check::unseen(sessions, sent), nowhere].concat()
}

/// The mutation check: as if the function of the rule did nothing.
#[test]
fn bad_examples_fail_without_their_rule() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            if !example.bad {
                return Vec::new();
            }
            let runner = runner(example, &[rule.id]);
            let found = match example.capture_only() {
                false => check::findings(&runner, &run::as_documents(sent), sent),
                true => {
                    let read = run::as_capture(&capture::packets(sent), sent);
                    let mut found = check::findings(&runner, &read.sessions, sent);
                    found.extend(check::findings_on_encrypted(&runner, &read, sent));
                    found
                }
            };
            let own = found.iter().filter(|found| found.draft.rule == rule).map(|found| check::told(found, sent));
            let mut wrong: Vec<String> = own.map(|told| format!("found although ignored: {told}")).collect();
            if check::differences(|own| own == rule, sent, &found).is_empty() {
                wrong.push("passes although the rule is ignored".to_owned());
            }
            wrong
        })
    });
}

/// What a rule says of an example with these options.
fn said(rule: &'static Rule, example: &page::Example, set: &[(&'static Rule, String, OptionValue)]) -> Vec<String> {
    let sent = compose::messages(example);
    let runner = runner_with(example, &[], set);
    let mut found = check::findings(&runner, &run::as_capture(&capture::packets(&sent), &sent).sessions, &sent);
    found.retain(|found| found.draft.rule == rule);
    found.iter().map(|found| check::told(found, &sent)).collect()
}

/// An option that can be set and changes nothing would be a lie.
#[test]
fn options_change_what_is_said() {
    for_each_rule(|rule| {
        let examples = if rule.options.is_empty() { Vec::new() } else { page::examples(rule)? };
        for option in rule.options {
            let name = option.name.to_owned();
            let set_in_page = |example: &page::Example| example.set.iter().find(|(_, set, _)| *set == name).cloned();
            let values: Vec<OptionValue> = match option.kind {
                OptionKind::Number { least, most, .. } => vec![OptionValue::Number(least), OptionValue::Number(most)],
                OptionKind::Words { .. } => Vec::new(),
            };
            let counts = examples.iter().any(|example| {
                let plain = said(rule, example, &[]);
                let set = values.iter().map(|value| (rule, name.clone(), value.clone())).chain(set_in_page(example));
                set.into_iter().any(|set| said(rule, example, &[set]) != plain)
            });
            if !counts {
                return Err(format!("the option {name} changes nothing that is said of the examples"));
            }
        }
        Ok(())
    });
}

#[test]
fn pages_have_bad_and_good_examples_with_marks_where_they_belong() {
    for_each_rule(|rule| {
        let examples = page::examples(rule)?;
        for bad in [true, false] {
            let word = if bad { "Bad" } else { "Good" };
            if !examples.iter().any(|example| example.bad == bad) {
                return Err(format!("there is no section ## {word}"));
            }
        }
        for example in &examples {
            let marked = compose::messages(example).iter().flat_map(|sent| &sent.marks).any(|mark| mark.id == rule.id);
            if example.blocks.is_empty() {
                return Err(format!("line {}: no messages", example.line));
            }
            if marked != example.bad {
                return Err(format!("line {}: {}", example.line, if marked { "marked" } else { "not marked" }));
            }
        }
        Ok(())
    });
}

//! Examples that are harmed: elements taken out or emptied, messages cut. Rules must stand anything, and must not
//! cry wolf over what was not captured.

use dmscope::limits::Limits;
use dmscope::octets::Octets;
use dmscope::origin::Span;
use dmscope::rules::location::Locator;
use dmscope::rules::runner::Runner;
use dmscope::rules::{Rule, Severity};
use dmscope::session::Session;
use dmscope::xml;

use super::build::Packet;
use super::compose::Sent;
use super::page::Example;
use super::{capture, check, chosen, compose, for_each_example, for_each_rule, page, run, runner};

/// The message with each of its elements taken out or, in turn, emptied.
fn harmed(body: &Octets) -> Vec<Octets> {
    let doc = xml::parse(body, &Limits::default());
    let spans = doc.elements().enumerate();
    let spans = spans.map(|(number, element)| if number % 2 == 0 { element.inner() } else { element.span() });
    let without = |span: Span| [&body[..span.start as usize], &body[span.end as usize..]].concat().into();
    spans.filter(|span| !span.is_empty()).map(without).collect()
}

/// All rules over a session, and every finding resolved; a panic is the failure.
fn judge(runner: &Runner, sessions: &[Session]) {
    for session in sessions {
        let mut locator = Locator::new(session, false);
        for draft in runner.run(session).drafts {
            let finding = locator.finding(draft);
            assert!(!finding.message.ends_with('.'), "{}: {}", finding.rule.id, finding.message);
            assert!(!finding.message.contains('\n'), "{}: {}", finding.rule.id, finding.message);
        }
    }
}

#[test]
fn rules_stand_documents_without_any_one_element() {
    for rule in chosen() {
        let examples = page::examples(rule).expect("a page");
        let Some(example) = examples.iter().find(|example| example.bad) else { continue };
        let (sent, runner) = (compose::messages(example), runner(example, &[]));
        for number in (0..sent.len()).filter(|number| !sent[*number].marks.is_empty()) {
            for body in harmed(&sent[number].body) {
                let mut sent = sent.clone();
                sent[number].body = body;
                judge(&runner, &run::as_documents(&sent));
            }
        }
    }
}

/// Errors that are not marked, over an example of which not all was captured. A rule that the example marks may speak of
/// another place then: that of the first message, say.
fn errors(example: &Example, sent: &[Sent<'_>], sessions: &[Session], how: &str) -> Vec<String> {
    let found = check::findings(&runner(example, &[]), sessions, sent);
    let marked = |rule: &Rule| sent.iter().any(|sent| sent.marks.iter().any(|mark| mark.id == rule.id));
    let errors = found.iter().filter(|found| found.draft.severity == Severity::Error && !marked(found.draft.rule));
    errors.map(|found| format!("{how}: {}", check::told(found, sent))).collect()
}

#[test]
fn a_cut_message_is_no_error() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            if example.capture_only() {
                return Vec::new();
            }
            let cut = |number: usize| {
                let mut sent = sent.to_vec();
                sent[number].cut = Some(sent[number].body.len() / 2);
                let how = format!("with half of the message of line {}", sent[number].block.line);
                errors(example, &sent, &run::as_documents(&sent), &how)
            };
            (0..sent.len()).flat_map(cut).collect()
        })
    });
}

/// The packets of an example as a capture has them that lacks some.
fn errors_in(example: &Example, sent: &[Sent<'_>], packets: &[Packet], how: &str) -> Vec<String> {
    errors(example, sent, &run::as_capture(packets, sent).sessions, how)
}

#[test]
fn a_lost_message_is_no_error() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let lost = |number: usize| {
                let mut sent = sent.to_vec();
                sent[number].lost = true;
                let how = format!("without the message of line {}", sent[number].block.line);
                errors_in(example, &sent, &capture::packets(&sent), &how)
            };
            (0..sent.len()).flat_map(lost).collect()
        })
    });
}

#[test]
fn a_capture_of_a_part_is_no_error() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let packets = capture::packets(sent);
            let part = |number: usize| {
                let line = sent[number].block.line;
                let at = packets.partition_point(|packet| packet.at < sent[number].at);
                let (before, after) = packets.split_at(at);
                let mut wrong = errors_in(example, sent, after, &format!("from the message of line {line} on"));
                wrong.extend(errors_in(example, sent, before, &format!("up to the message of line {line}")));
                wrong
            };
            (1..sent.len()).flat_map(part).collect()
        })
    });
}

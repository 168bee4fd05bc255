//! A gate (`has`, `lacks`, `signs` on a page) keeps back no finding: with all gates open the same is said.

use std::path::Path;

use dmscope::engine::{self, Settings};
use dmscope::input;
use dmscope::limits::Limits;
use dmscope::rules::Profile;
use dmscope::rules::runner::Runner;
use dmscope::rules::select::Selection;
use dmscope::session::Session;

use super::{catalog, compose, for_each_example, for_each_rule, run, runner};

/// Harmed copies of each example.
const COPIES: u64 = 8;
/// What is written over a byte: what XML, addresses and codes are made of.
const LETTERS: &[u8] = b" \n./?%*<>&D0142u-";

fn differences(gated: &Runner, ungated: &Runner, session: &Session) -> Vec<String> {
    let said = |runner: &Runner| {
        runner
            .run(session)
            .drafts
            .iter()
            .map(|draft| format!("{} {}", draft.rule.id, draft.message))
            .collect::<Vec<_>>()
    };
    let (with, without) = (said(gated), said(ungated));
    without.into_iter().filter(|told| !with.contains(told)).collect()
}

#[test]
fn gates_keep_back_nothing_of_examples_and_of_harmed_copies() {
    for_each_rule(|rule| {
        for_each_example(rule, |example, sent| {
            let (gated, ungated) = (runner(example, &[]), runner(example, &[]).ungated());
            let mut sessions = run::as_documents(sent);
            sessions.extend((1..=COPIES).flat_map(|copy| run::as_documents(&harmed(sent, copy))));
            sessions.iter().flat_map(|session| differences(&gated, &ungated, session)).collect()
        })
    });
}

/// The messages with a letter changed here and there; of every other copy, one is left out.
fn harmed<'a>(sent: &[compose::Sent<'a>], copy: u64) -> Vec<compose::Sent<'a>> {
    let mut seed = copy.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let mut sent = sent.to_vec();
    if copy.is_multiple_of(2) && sent.len() > 1 {
        sent.remove(random(sent.len()));
    }
    for message in &mut sent {
        let mut body = message.body.to_vec();
        for _ in 0..1 + body.len() / 400 {
            let (at, letter) = (random(body.len()), LETTERS[random(LETTERS.len())]);
            if let Some(byte) = body.get_mut(at) {
                *byte = letter;
            }
        }
        message.body = body.into();
    }
    sent
}

#[test]
fn gates_keep_back_nothing_of_recordings() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")];
    folders.extend(catalog::corpus().map(|folder| folder.join("corpus")));
    let selection = Selection::of(Profile::Windows);
    let gated = Runner::new(&selection, &Limits::default());
    let ungated = Runner::new(&selection, &Limits::default()).ungated();
    let (mut judged, mut wrong) = (0, Vec::new());
    let each = &mut |session: Session| {
        judged += 1;
        wrong.extend(differences(&gated, &ungated, &session));
    };
    let inputs = input::collect(&folders, None).expect("readable folders");
    engine::read(&inputs, &Settings::default(), each, &mut |_| {}).expect("readable files");
    assert!(judged > 10 && wrong.is_empty(), "{judged} sessions\n{}", wrong.join("\n"));
}

//! Stories of devices, one page each: as text, as Markdown to paste into a ticket, as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::spot;
use crate::escape;
use crate::rules::Location;
use crate::story::code::{Explained, written};
use crate::story::{Cause, Stage, Story, duration};
use crate::syncml::secret;
use crate::time::Time;

const SCHEMA: &str = "dmscope/diagnose/1";
/// Columns of text; longer lines are folded.
const WIDTH: usize = 110;
/// Width of the labels at the left.
const LABEL: usize = 10;

/// What a page says besides the stories.
pub struct Page<'a> {
    /// The stories.
    pub stories: &'a [Story],
    /// The names of the inputs, by their ids.
    pub paths: &'a [String],
    /// What was noticed in reading them.
    pub notes: &'a [String],
}

impl Page<'_> {
    fn spot(&self, place: Option<&Location>) -> Option<String> {
        let place = place?;
        let path = place.input.and_then(|input| self.paths.get(input.0 as usize)).map_or("", String::as_str);
        Some(spot(path, place))
    }
}

/// A line from what an input says, safe to print.
pub(crate) fn safe(text: &str) -> String {
    escape::line(text).into_owned()
}

fn clock(time: Time) -> String {
    time.to_string().get(11..19).unwrap_or_default().to_owned()
}

/// Who and when: the head of a story.
pub(crate) fn head(story: &Story) -> Vec<String> {
    let server = story.server.as_deref().map(|server| secret::url(server).into_owned());
    let who = [story.device.clone(), story.user.clone(), server];
    let who: Vec<String> = who.into_iter().flatten().map(|text| safe(&text)).collect();
    let day = story.from.map(|from| {
        let from = from.to_string();
        let until = story.to.map(|to| format!(" to {}", clock(to))).unwrap_or_default();
        format!("{}{until} UTC", from.get(..19).unwrap_or_default().replace('T', " "))
    });
    let few: Vec<&str> = story.sessions.iter().take(8).map(String::as_str).collect();
    let more = story.sessions.len().saturating_sub(few.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sessions = (!few.is_empty()).then(|| format!("{}{more}", few.join(", ")));
    let when: Vec<String> = [day, sessions].into_iter().flatten().collect();
    [who.join(" · "), when.join(" · ")].into_iter().filter(|line| !line.is_empty()).collect()
}

pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn caused(cause: &Cause) -> String {
    match cause.evidence.is_empty() {
        true => safe(&cause.text),
        false => format!(
            "{} [{}]",
            safe(&cause.text),
            cause.evidence.iter().map(|text| safe(text)).collect::<Vec<_>>().join("; ")
        ),
    }
}

pub(crate) fn stage_line(stage: &Stage) -> [String; 5] {
    let time = stage.at.map(clock).unwrap_or_default();
    let took = stage.took.map(duration).unwrap_or_default();
    let said = stage.said.iter().map(|text| safe(text)).collect::<Vec<_>>().join(", ");
    [stage.name.to_owned(), time, took, stage.outcome.name().to_owned(), said]
}

/// Writes the page as text.
pub fn text(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (number, story) in page.stories.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        for line in head(story) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "\n{}\n", fold(&sentence(&safe(&story.verdict())), 0))?;
        for stage in &story.stages {
            let [name, time, took, outcome, said] = stage_line(stage);
            let line = format!("  {name:<15} {time:<8} {took:>8}  {outcome:<11}  ");
            writeln!(out, "{}", fold_from(&line, &said).trim_end())?;
        }
        let parts = parts(page, story);
        if !parts.is_empty() {
            writeln!(out)?;
        }
        for (label, lines) in parts {
            for (at, line) in lines.iter().enumerate() {
                let label = if at == 0 { label } else { "" };
                writeln!(out, "{}", fold_from(&format!("{label:<LABEL$}"), line).trim_end())?;
            }
        }
    }
    for note in page.notes {
        writeln!(out, "note: {}", safe(note))?;
    }
    Ok(())
}

/// The lists of a story: label, and lines.
pub(crate) fn parts(page: &Page<'_>, story: &Story) -> Vec<(&'static str, Vec<String>)> {
    let mut parts = Vec::new();
    if let Some(stop) = &story.stop {
        parts
            .extend(stop.code.as_ref().map(|(code, meaning)| ("Code", vec![format!("{}: {meaning}", written(*code))])));
        parts.extend(page.spot(stop.place.as_ref()).map(|spot| ("Where", vec![spot])));
        parts.push(("Likely", numbered(stop.causes.iter().map(caused))));
        parts.push(("Next", stop.next.iter().map(|text| format!("- {}", safe(text))).collect()));
    }
    parts.extend(story.schedule.iter().map(|schedule| ("Schedule", vec![safe(schedule)])));
    parts.push(("Trouble", story.trouble.iter().map(|text| format!("- {}", safe(text))).collect()));
    parts.push(("Not shown", story.not_shown.iter().map(|text| format!("- {}", safe(text))).collect()));
    parts.retain(|(_, lines)| !lines.is_empty());
    parts
}

fn numbered(lines: impl Iterator<Item = String>) -> Vec<String> {
    lines.enumerate().map(|(at, line)| format!("{}. {line}", at + 1)).collect()
}

/// A text in lines of at most [`WIDTH`] columns, the later ones indented.
fn fold(text: &str, indent: usize) -> String {
    let (mut out, mut column) = (String::new(), indent);
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > indent && column + 1 + width > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out
}

fn fold_from(start: &str, text: &str) -> String {
    format!("{start}{}", fold(text, start.chars().count()))
}

/// Writes the page as Markdown.
pub fn markdown(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    for story in page.stories {
        writeln!(out, "## {}\n", plain(sentence(&safe(&story.verdict())).trim_end_matches('.')))?;
        for line in head(story) {
            writeln!(out, "{}  ", plain(&line))?;
        }
        writeln!(out, "\n| Stage | Time | Took | Outcome | |\n|---|---|---|---|---|")?;
        for stage in &story.stages {
            let cells = stage_line(stage).map(|cell| plain(&cell));
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        for (label, lines) in parts(page, story) {
            writeln!(out, "\n**{label}**\n")?;
            for line in lines {
                let listed = line.starts_with("- ")
                    || line.starts_with(|letter: char| letter.is_ascii_digit() && label == "Likely");
                writeln!(out, "{}{}", if listed { "" } else { "- " }, plain(&line))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Text that Markdown leaves as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '|' | '<' | '*' | '_' | '`' | '[' | ']') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[derive(Serialize)]
struct PageJson<'a> {
    schema: &'static str,
    stories: Vec<StoryJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct StoryJson<'a> {
    verdict: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    sessions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    stages: Vec<StageJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<StopJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: &'a Option<String>,
    trouble: &'a [String],
    not_shown: &'a [String],
}

#[derive(Serialize)]
struct StageJson<'a> {
    stage: &'static str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    details: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

#[derive(Serialize)]
struct StopJson<'a> {
    stage: &'static str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u32>,
    causes: Vec<CauseJson<'a>>,
    next: &'a [String],
}

#[derive(Serialize)]
struct CauseJson<'a> {
    cause: &'a str,
    evidence: &'a [String],
}

/// Writes the page as JSON.
pub fn json(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let stories = page.stories.iter().map(|story| story_json(page, story)).collect();
    super::json::pretty(&PageJson { schema: SCHEMA, stories, notes: page.notes }, out)
}

fn story_json<'a>(page: &Page<'_>, story: &'a Story) -> StoryJson<'a> {
    let stage = |stage: &'a Stage| StageJson {
        stage: stage.name,
        outcome: stage.outcome.name(),
        time: stage.at.map(|time| time.to_string()),
        seconds: stage.took.map(|took| took.as_secs_f64()),
        details: &stage.said,
        place: page.spot(stage.place.as_ref()),
    };
    let stopped = story.stop.as_ref().map(|stop| StopJson {
        stage: stop.stage,
        what: &stop.what,
        code: stop.code.as_ref().map(|(code, _)| written(*code)),
        meaning: stop.code.as_ref().map(|(_, meaning)| meaning.as_str()),
        place: page.spot(stop.place.as_ref()),
        frame: stop.place.as_ref().and_then(|place| place.frame),
        causes: stop.causes.iter().map(|cause| CauseJson { cause: &cause.text, evidence: &cause.evidence }).collect(),
        next: &stop.next,
    });
    StoryJson {
        verdict: story.verdict(),
        device: &story.device,
        user: &story.user,
        server: story.server.as_deref().map(|server| secret::url(server).into_owned()),
        sessions: &story.sessions,
        started: story.from.map(|time| time.to_string()),
        ended: story.to.map(|time| time.to_string()),
        stages: story.stages.iter().map(stage).collect(),
        stopped,
        schedule: &story.schedule,
        trouble: &story.trouble,
        not_shown: &story.not_shown,
    }
}

#[derive(Serialize)]
struct CodeJson<'a> {
    schema: &'static str,
    code: &'a str,
    meaning: &'a str,
    causes: &'a [String],
    next: &'a [String],
}

/// Writes what a code means.
pub fn code_text(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", fold(&format!("{}: {}", explained.code, explained.meaning), 0))?;
    let parts = [
        ("Likely", numbered(explained.causes.iter().cloned())),
        ("Next", explained.next.iter().map(|text| format!("- {text}")).collect()),
    ];
    for (label, lines) in parts {
        for (at, line) in lines.iter().enumerate() {
            writeln!(out, "{}", fold_from(&format!("{:<LABEL$}", if at == 0 { label } else { "" }), line))?;
        }
    }
    Ok(())
}

/// The same as Markdown.
pub fn code_markdown(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## {}: {}\n", explained.code, plain(&explained.meaning))?;
    for line in numbered(explained.causes.iter().map(|cause| plain(cause))) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    explained.next.iter().try_for_each(|text| writeln!(out, "- {}", plain(text)))
}

/// The same as JSON.
pub fn code_json(explained: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let Explained { code, meaning, causes, next } = explained;
    super::json::pretty(&CodeJson { schema: SCHEMA, code, meaning, causes, next }, out)
}

//! `dmscope diagnose`: the story of each device, or what a bare code means.

use std::io::Write as _;

use anyhow::{Result, bail};

use super::judge::Judge;
use super::record::Judged;
use super::{Exit, reading, stdout};
use crate::cli::{self, StoryFormat};
use crate::config;
use crate::report::story::{self as page, Page};
use crate::story::{Heard, Story, Teller, code};

pub(super) fn run(options: &cli::Diagnose) -> Result<Exit> {
    match &options.code {
        Some(word) => explain(word, options.format),
        None => tell(options),
    }
}

fn explain(word: &str, format: StoryFormat) -> Result<Exit> {
    let Some(explained) = code::explain(word) else {
        bail!(
            "{word:?} is no error number that is known here; expected such as 0x80180014, 80190190, 407 or DeviceCapReached"
        );
    };
    let mut out = stdout();
    match format {
        StoryFormat::Text => page::code_text(&explained, &mut out)?,
        StoryFormat::Json => page::code_json(&explained, &mut out)?,
        StoryFormat::Markdown => page::code_markdown(&explained, &mut out)?,
    }
    out.flush()?;
    Ok(Exit::Clean)
}

fn tell(options: &cli::Diagnose) -> Result<Exit> {
    let file = config::File::load(&options.reading.setup)?;
    let config = file.reading(&options.reading, false)?;
    let inputs = reading::inputs(&config)?;
    let limits = &config.engine.limits;
    let selection = file.for_inputs(&file.selection_for(None)?, &inputs);
    let judge = Judge::new(&selection, limits, false, false).with_filter(config.filter.clone());
    let mut teller = Teller::new(limits);
    let (judged, read) = judge.all(config.engine.threads, |each| {
        reading::read(&inputs, &config, &mut |session| {
            if let Some(heard) = Heard::of(&session) {
                teller.take(heard);
            }
            each(session);
        })
    })?;
    let Judged { lint, bugs, .. } = judged;
    let stories: Vec<Story> = teller.tell(&lint.findings, read.seen());
    let paths: Vec<String> = inputs.iter().map(|input| input.name.clone()).collect();
    let notes: Vec<String> = lint.inputs.iter().flat_map(|input| input.notes.iter().cloned()).collect();
    let page = Page { stories: &stories, paths: &paths, notes: &notes };
    let mut out = stdout();
    match options.format {
        StoryFormat::Json => page::json(&page, &mut out)?,
        _ if stories.is_empty() => {}
        StoryFormat::Text => page::text(&page, &mut out)?,
        StoryFormat::Markdown => page::markdown(&page, &mut out)?,
    }
    out.flush()?;
    if let Some(exit) = reading::broken(&bugs)? {
        return Ok(exit);
    }
    if stories.is_empty() { reading::no_session(&inputs, &read.encrypted) } else { Ok(Exit::Clean) }
}

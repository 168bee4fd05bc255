//! `dmscope rules fields`: what there is for those who write rules of their own.

use std::io::Write as _;

use anyhow::Result;

use super::{Exit, stdout};
use crate::cli::OwnRules;
use crate::report;
use crate::rules::own::reference;

pub(super) fn run(command: &OwnRules) -> Result<Exit> {
    match command {
        OwnRules::Fields => fields(),
    }
}

fn fields() -> Result<Exit> {
    let mut out = stdout();
    report::rules::reference(&reference(), &mut out)?;
    out.flush()?;
    Ok(Exit::Clean)
}

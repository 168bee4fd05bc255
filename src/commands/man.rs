//! The manual page: one for all commands, made from the definition of the command line.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::Cli;

/// Writes the page as roff.
pub(super) fn write(out: &mut dyn Write) -> io::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    let page = Man::new(cli.clone()).manual("Commands");
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    literal(&cli, out)?;
    for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
        section(command, out)?;
    }
    writeln!(out, ".SH SEE ALSO\ntshark(1), tcpdump(1)")
}

/// A command as a section, its parts as subsections.
fn section(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, ".SH DMSCOPE {}", command.get_name().to_uppercase())?;
    let page = Man::new(command.clone());
    let mut parts = Vec::new();
    page.render_description_section(&mut parts)?;
    page.render_options_section(&mut parts)?;
    out.write_all(String::from_utf8_lossy(&parts).replace(".SH ", ".SS ").as_bytes())?;
    literal(command, out)
}

/// What help ends with, line by line as it stands there.
fn literal(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let Some(text) = command.get_after_help() else { return Ok(()) };
    writeln!(out, ".PP\n.nf")?;
    for line in text.to_string().lines() {
        let line = line.replace('\\', "\\\\").replace('-', "\\-");
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        writeln!(out, "{guard}{line}")?;
    }
    writeln!(out, ".fi")
}

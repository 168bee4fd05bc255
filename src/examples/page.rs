//! The examples of a rule's page: sections, blocks and the words on their info lines, as `rules/README.md` has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::credentials::Credentials;
use crate::rules::{OptionValue, Profile, Rule};
use crate::syncml::Side;

/// A section `## Bad` or `## Good`: one session.
#[derive(Debug, Default)]
pub struct Example {
    /// Its heading, for messages.
    pub heading: String,
    /// Line of the heading in the page.
    pub line: usize,
    /// Whether findings are expected.
    pub bad: bool,
    /// The profile it runs under.
    pub profile: Profile,
    /// Its messages.
    pub blocks: Vec<Block>,
    /// The secrets that are known of them.
    pub credentials: Credentials,
    /// The options of the page's rule that are set, as they stand in the block.
    pub options: String,
    /// The same, read.
    pub set: Vec<(&'static Rule, String, OptionValue)>,
}

/// One fenced block: a message.
#[derive(Debug, Default)]
pub struct Block {
    /// Line of the fence in the page.
    pub line: usize,
    /// Whether the text begins with an HTTP head.
    pub http: bool,
    /// Whether it is no message but TLS, and the text the name of the server.
    pub tls: bool,
    /// Whether it is no message but tells how the TLS of its connection begins.
    pub of_tls: bool,
    /// What is told of how the TLS of its connection begins, where it runs over TLS.
    pub handshake: Option<Arc<str>>,
    /// Whether it is no message but a credentials file.
    pub credentials: bool,
    /// Whether it is no message but options of the page's rule.
    pub options: bool,
    /// Whether it is a SOAP message of enrollment; `msg_id` is its step.
    pub soap: bool,
    /// Whether it is a provisioning document.
    pub wap: bool,
    /// `alone`: the document is the body of the response, not in a token.
    pub alone: bool,
    /// Whether it is a WAP push.
    pub push: bool,
    /// `port=N`: the UDP port that a push goes to.
    pub port: Option<u16>,
    /// Whether it is sent as WBXML.
    pub wbxml: bool,
    /// Who sends it.
    pub side: Option<Side>,
    /// Its MsgID.
    pub msg_id: String,
    /// What stands in the block.
    pub text: String,
    /// `nofinal`.
    pub no_final: bool,
    /// `raw`.
    pub raw: bool,
    /// `lost`.
    pub lost: bool,
    /// `cut=N`.
    pub cut: Option<usize>,
    /// `after=S`, in nanoseconds.
    pub after: Option<i64>,
    /// `client=IP`.
    pub client: Option<String>,
    /// `connection=N`.
    pub connection: Option<u32>,
    /// `alert=N`: the client breaks TLS off with that alert.
    pub alert: Option<u8>,
    /// `end=open|reset`.
    pub end: Option<End>,
}

/// How a connection ends in the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Not at all.
    Open,
    /// With RST.
    Reset,
}

impl Example {
    /// Whether it says something that only a capture can show.
    pub fn capture_only(&self) -> bool {
        self.blocks.iter().any(|block| {
            block.http
                || block.tls
                || block.handshake.is_some()
                || block.lost
                || block.port.is_some()
                || block.client.is_some()
                || block.connection.is_some()
                || block.end.is_some()
        })
    }
}

/// The examples of a rule's page, or what is wrong with it (with a line number).
pub fn examples(rule: &'static Rule) -> Result<Vec<Example>, String> {
    let mut examples = read(rule.page, |heading| profile(rule, heading))?;
    for example in &mut examples {
        let table: toml::Table = example.options.parse().map_err(|error| format!("line {}: {error}", example.line))?;
        let set = |(name, value)| option(value).map(|value| (rule, name, value));
        let set: Result<_, String> = table.into_iter().map(set).collect();
        example.set = set.map_err(|why| format!("line {}: {why}", example.line))?;
    }
    Ok(examples)
}

fn option(value: toml::Value) -> Result<OptionValue, String> {
    match value {
        toml::Value::Integer(number) => {
            number.try_into().map(OptionValue::Number).map_err(|_| format!("{number} is no value of an option"))
        }
        toml::Value::Array(words) => {
            Ok(OptionValue::Words(words.iter().filter_map(|word| word.as_str()).map(str::to_owned).collect()))
        }
        other => Err(format!("{other} is no value of an option")),
    }
}

/// The examples of a page; `profile` tells the one of each heading.
pub fn read(page: &str, profile: impl Fn(&str) -> Profile) -> Result<Vec<Example>, String> {
    let mut examples: Vec<Example> = Vec::new();
    let mut open: Option<Block> = None;
    let mut in_examples = false;
    let mut handshakes: BTreeMap<(usize, u32), Arc<str>> = BTreeMap::new();
    for (number, line) in page.lines().enumerate().map(|(number, line)| (number + 1, line)) {
        let wrong = |what: String| Err(format!("line {number}: {what}"));
        match &mut open {
            Some(block) if line.trim_end() == "```" => {
                block.text.truncate(block.text.trim_end_matches('\n').len());
                let block = open.take().unwrap_or_default();
                match examples.last_mut() {
                    Some(example) if in_examples && block.credentials => {
                        let parsed = Credentials::parse(&block.text);
                        example.credentials = parsed.map_err(|error| format!("line {}, {error}", block.line))?;
                    }
                    Some(example) if in_examples && block.options => example.options = block.text,
                    Some(_) if in_examples && block.of_tls => {
                        handshakes.insert((examples.len(), block.connection.unwrap_or(1)), block.text.into());
                    }
                    Some(example) if in_examples && block.side.is_some() => example.blocks.push(block),
                    _ if block.side.is_none() => {}
                    _ => return wrong("an example outside of a section Bad or Good".into()),
                }
            }
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if line.starts_with("```") => match block(line.trim_start_matches('`')) {
                Ok(block) => open = Some(Block { line: number, ..block }),
                Err(why) => return wrong(why),
            },
            None => {
                if let Some(heading) = line.strip_prefix("## ") {
                    let bad = heading.starts_with("Bad");
                    in_examples = bad || heading.starts_with("Good");
                    if in_examples {
                        let (profile, heading) = (profile(heading), heading.to_owned());
                        examples.push(Example { heading, line: number, bad, profile, ..Example::default() });
                    }
                }
            }
        }
    }
    for (number, example) in examples.iter_mut().enumerate() {
        for block in &mut example.blocks {
            block.handshake = handshakes.get(&(number + 1, block.connection.unwrap_or(1))).cloned();
        }
    }
    match open {
        Some(block) => Err(format!("line {}: the block has no end", block.line)),
        None => Ok(examples),
    }
}

fn profile(rule: &Rule, heading: &str) -> Profile {
    match heading.rsplit_once('(').map(|(_, word)| word.trim_end_matches(')')) {
        Some("oma") => Profile::Oma,
        Some("windows") => Profile::Windows,
        _ if rule.windows.is_some() => Profile::Windows,
        _ => Profile::Oma,
    }
}

/// Reads an info line; a block of another language has no side.
fn block(info: &str) -> Result<Block, String> {
    let mut words = info.split_whitespace();
    let kind = match words.next() {
        Some("syncml") => Block::default(),
        Some("soap") => Block { soap: true, ..Block::default() },
        Some("wap") => Block { wap: true, ..Block::default() },
        Some("push") => Block { push: true, ..Block::default() },
        Some("wbxml") => Block { wbxml: true, ..Block::default() },
        Some("handshake") => {
            let number = words.next().map_or(Ok(1), |word| word.parse().map_err(|_| format!("no number: {word}")));
            return Ok(Block { of_tls: true, connection: Some(number?), ..Block::default() });
        }
        Some("options") => return Ok(Block { options: true, ..Block::default() }),
        Some("credentials") => return Ok(Block { credentials: true, ..Block::default() }),
        Some("http") => Block { http: true, ..Block::default() },
        Some("tls") => Block { tls: true, ..Block::default() },
        _ => return Ok(Block::default()),
    };
    let side = match words.next() {
        Some("client") => Side::Client,
        Some("server") => Side::Server,
        other => return Err(format!("client or server expected, not {other:?}")),
    };
    let mut block = Block { side: Some(side), ..kind };
    for (place, word) in words.enumerate() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("nofinal", "") => block.no_final = true,
            ("raw", "") => block.raw = true,
            ("lost", "") => block.lost = true,
            ("alone", "") => block.alone = true,
            ("cut", bytes) => block.cut = Some(bytes.parse().map_err(|_| format!("cut={bytes}"))?),
            ("after", seconds) => {
                let seconds: f64 = seconds.parse().map_err(|_| format!("after={seconds}"))?;
                block.after = Some((seconds * 1e9) as i64);
            }
            ("client", address) => block.client = Some(address.into()),
            ("connection", number) => {
                block.connection = Some(number.parse().map_err(|_| format!("connection={number}"))?)
            }
            ("port", number) => block.port = Some(number.parse().map_err(|_| format!("port={number}"))?),
            ("alert", number) => block.alert = Some(number.parse().map_err(|_| format!("alert={number}"))?),
            ("end", "open") => block.end = Some(End::Open),
            ("end", "reset") => block.end = Some(End::Reset),
            (msg_id, "") if place == 0 => block.msg_id = msg_id.into(),
            _ => return Err(format!("{word:?} is no word of an info line")),
        }
    }
    Ok(block)
}

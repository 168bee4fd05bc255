//! The command line: what the user typed, and nothing else.
//!
//! Out: clap's structures. What they mean together is for `config` to say.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::filter::Filter;
use crate::input::Kind;
use crate::limits;

/// Reads captures of OMA DM (SyncML) device-management traffic and says what is wrong in them.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "dmscope",
    version,
    about = "Analyze and lint captures of OMA DM (SyncML) traffic, as Windows' MDM client speaks it",
    long_about = "Reads packet captures and other recordings of OMA DM (SyncML DM 1.2) device-management traffic, puts the \
                  sessions together, and checks them against the specifications and against what real Windows clients do.",
    after_help = EXAMPLES,
    after_long_help = EXAMPLES,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours: auto, always or never. NO_COLOR is honoured
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        global = true,
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub color: Color,
}

const EXAMPLES: &str = "Examples:
  dmscope lint capture.pcapng                 what is wrong in this capture?
  dmscope lint --format json=out.json logs/   the same for a script, of a directory
  dmscope sessions capture.pcapng             who talked to whom, and how it went
  dmscope show capture.pcapng --session s1    the messages, commands with answers
  dmscope explain DM-MSG-003                  what a rule checks and how to comply";

/// What is to be done.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Check recordings and report what is wrong
    #[command(after_help = LINT_HELP, after_long_help = LINT_HELP)]
    #[command(mut_arg("paths", |paths| paths.required(false).required_unless_present("show_config")))]
    Lint(Lint),
    /// List the device-management sessions, one a row
    Sessions(Sessions),
    /// Print the messages of sessions, each command with the answer it got
    #[command(after_help = SHOW_HELP, after_long_help = SHOW_HELP)]
    Show(Show),
    /// Browse sessions in the terminal: messages, commands with answers, findings
    #[command(after_help = VIEW_HELP, after_long_help = VIEW_HELP)]
    #[command(mut_arg("paths", |paths| paths.required(false).required_unless_present("print_config")))]
    View(View),
    /// Compare two sessions, or the sessions of two captures
    #[command(after_help = DIFF_HELP, after_long_help = DIFF_HELP)]
    #[command(mut_arg("paths", |paths| paths.num_args(1..=2).value_names(["A", "B"]).help(DIFF_PATHS).long_help(DIFF_PATHS)))]
    Diff(Diff),
    /// Write sessions for other tools: decrypted, decoded, secrets masked
    #[command(after_help = EXPORT_HELP, after_long_help = EXPORT_HELP)]
    Export(Export),
    /// Tell how far enrollment came, where it stopped and why, and how a device is managed or left
    #[command(after_help = DIAGNOSE_HELP, after_long_help = DIAGNOSE_HELP)]
    #[command(mut_arg("paths", |paths| paths.required(false).required_unless_present("code")))]
    Diagnose(Diagnose),
    /// Convert SyncML from WBXML to XML, or back; print a notification in words
    #[command(after_help = DECODE_HELP, after_long_help = DECODE_HELP)]
    Decode(Decode),
    /// Capture from a network interface, and report what was wrong in the sessions seen
    #[cfg(feature = "live")]
    #[command(after_help = CAPTURE_HELP, after_long_help = CAPTURE_HELP)]
    Capture(Capture),
    /// Explain a rule: what it checks, why it matters, how to put it right
    Explain(Explain),
    /// List the rules
    Rules(Rules),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  dmscope completions bash > ~/.local/share/bash-completion/completions/dmscope")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  dmscope man | man -l -")]
    Man,
}

const LINT_HELP: &str = "Exit status:
  0  no finding at or above the level of --fail-on
  1  findings, or entries of the baseline that were not found any more
  2  wrong usage, an input that cannot be read, or an internal error
  3  the inputs hold no device-management message at all (0 with --allow-empty)

Examples:
  dmscope lint capture.pcapng
  dmscope lint --baseline known.toml captures/
  dmscope lint --format text --format json=report.json captures/
  dmscope lint --select DM-MSG,DM-STA --severity DM-SEC-002=error capture.pcap
  tcpdump -r big.pcap -w - port 80 | dmscope lint -";

#[cfg(feature = "live")]
const CAPTURE_HELP: &str =
    "Capturing takes privileges: run as root, or give the program CAP_NET_RAW. Only traffic in the clear can be
judged, as in front of a TLS proxy.

Examples:
  dmscope capture                             list the interfaces
  dmscope capture -i eth0 tcp port 80         until Ctrl-C
  dmscope capture -i lo --duration 60 -w dm.pcap";

const SHOW_HELP: &str = "Examples:
  dmscope show capture.pcapng
  dmscope show capture.pcapng --session s2 --message 3 --as hex
  dmscope show server.log --as tree";

const VIEW_HELP: &str =
    "Large captures are browsed while they are read; esc stops the reading. docs/large-captures.md says how.

Examples:
  dmscope view capture.pcapng        n goes to the next finding, ? lists all keys
  dmscope view -f growing.pcap       beside tcpdump -U -w growing.pcap port 80
  ssh server tcpdump -U -w - port 80 | dmscope view -

Without a terminal it prints the summary. Keys and colours can be changed in view.toml: docs/view.md.";

const DIFF_PATHS: &str = "Two captures; PATH:KEY is one session of a capture, as in a.pcap:s2";

const DIFF_HELP: &str =
    "Commands are aligned by kind, address and order. Ids, nonces, times and the names of device and server are left
aside: where they break something, the findings differ.

Exit status:
  0  nothing differs
  1  something does
  2  wrong usage, an input that cannot be read, or an internal error
  3  one of them holds no session

Examples:
  dmscope diff before.pcap after.pcap
  dmscope diff capture.pcap --session s1 --session s2
  dmscope diff works.har:s1 fails.pcap:s3 --format json";

const EXPORT_HELP: &str =
    "What is written can be read again: `dmscope lint` says the same of it as of the capture, but for rules on what was
masked. docs/messages-jsonl.md describes the lines.

Examples:
  dmscope export capture.pcapng --to har --out session.har
  dmscope export capture.pcapng --to xml --out messages/
  dmscope export capture.pcapng --to jsonl | jq -r 'select(.side == \"server\").body.text'
  dmscope export --filter 'command = Get' capture.pcapng --to jsonl | dmscope lint -";

const DIAGNOSE_HELP: &str = "Examples:
  dmscope diagnose enrollment.pcapng --keylog keys.txt
  dmscope diagnose --format markdown proxy.har > ticket.md
  dmscope diagnose --code 0x80180014";

const RULES_HELP: &str = "docs/own-rules.md tells how to write rules of your own.

Examples:
  dmscope rules --rules our-rules/   the built-in rules and your own
  dmscope rules new no-camera our-rules/
  dmscope rules test our-rules/      do the examples of the pages hold?
  dmscope rules fields               what an expression can name";

const DECODE_HELP: &str = "Nothing is masked: the output says all that the message says.

Examples:
  dmscope decode message.wbxml
  dmscope decode --encode message.xml > message.wbxml
  dmscope decode --notification 010603c4af87...
  xxd -r -p < message.hex | dmscope decode -";

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to read, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reading")]
pub struct Reading {
    /// Files, directories to search for recordings, or - for standard input
    ///
    /// What a file is, is told by its content: pcap and pcapng (also inside gzip or zstd), HAR, Fiddler
    /// archives (SAZ), mitmproxy flow files, Burp items, text logs with SyncML in them, SyncML Viewer exports, single
    /// messages, messages that `export` wrote.
    #[arg(value_name = "PATH", required = true, help_heading = None::<&str>)]
    pub paths: Vec<PathBuf>,
    /// Take every input for this kind, whatever its content looks like
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    pub input_kind: Option<Kind>,
    /// Only sessions and messages for which an expression holds: command = Get and status >= 400
    ///
    /// Fields: server, device, session, outcome, from, msg-id, command, target, status, severity, rule, time. They are
    /// compared by = != ~ (holds) !~ < <= > >= and joined by and, or, not and parentheses; docs/filter.md has examples.
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<Filter>,
    /// What decrypts TLS.
    #[command(flatten)]
    pub keys: Keys,
    /// Read files instead of mapping them into memory: for files that may shrink meanwhile
    #[arg(long)]
    pub no_mmap: bool,
    /// Memory for what has to be kept until the rest of it comes; what does not fit is given up, and told [default: 1G]
    ///
    /// In bytes, or with K, M or G for powers of 1024; at least 64M.
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    pub max_memory: Option<usize>,
    /// Threads that read and judge; what is said does not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Print results and errors only: no summary, no progress
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Which configuration file.
    #[command(flatten)]
    pub setup: Setup,
}

/// Which configuration file.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Configuration")]
pub struct Setup {
    /// Take the configuration from this file, not from dmscope.toml in this folder or above
    ///
    /// $DMSCOPE_CONFIG names one too. docs/configuration.md tells what may stand in it; the command line goes before it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Take no configuration file
    #[arg(long, conflicts_with = "config")]
    pub isolated: bool,
    /// A team's own rules.
    #[command(flatten)]
    pub own: Own,
}

/// A team's own rules.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rules")]
pub struct Own {
    /// Run the rules of this directory too: pages as docs/own-rules.md has them. May be repeated
    #[arg(long = "rules", value_name = "DIR")]
    pub directories: Vec<PathBuf>,
}

/// What decrypts TLS.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Reading")]
pub struct Keys {
    /// Decrypt TLS with the secrets in this key log, as $SSLKEYLOGFILE makes it. May be repeated
    ///
    /// The file that $SSLKEYLOGFILE names is read too, and so are the secrets blocks of pcapng files.
    #[arg(long, value_name = "FILE")]
    pub keylog: Vec<PathBuf>,
    /// Decrypt TLS with this RSA private key of the server, PEM or DER. May be repeated
    ///
    /// It helps only where the keys were exchanged by RSA, which TLS 1.3 and most servers do not do.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
}

/// The kinds of input that can be read.
fn kinds() -> impl TypedValueParser<Value = Kind> {
    let readable = Kind::all().filter(|kind| kind.unsupported().is_none()).map(Kind::name);
    PossibleValuesParser::new(readable.collect::<Vec<_>>()).try_map(|name| name.parse::<Kind>())
}

/// A size such as `512M`, enough to work with.
fn memory(text: &str) -> Result<usize, String> {
    let size = || -> Option<usize> {
        let unit = text.trim_end_matches(['b', 'B']).trim_end_matches('i');
        let (digits, factor) = match unit.char_indices().next_back()? {
            (at, 'k' | 'K') => (&unit[..at], 1 << 10),
            (at, 'm' | 'M') => (&unit[..at], 1 << 20),
            (at, 'g' | 'G') => (&unit[..at], 1 << 30),
            _ => (text, 1),
        };
        digits.trim().parse::<usize>().ok()?.checked_mul(factor)
    };
    match size() {
        Some(size) if size >= limits::LEAST_MEMORY => Ok(size),
        Some(_) => Err(format!("expected at least {}M", limits::LEAST_MEMORY >> 20)),
        None => Err("expected a size such as 512M or 2G".to_owned()),
    }
}

/// `dmscope lint`.
#[derive(Args, Clone, Debug)]
pub struct Lint {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Which rules run.
    #[command(flatten)]
    pub rules: Selection,
    /// What is known of the secrets in the traffic.
    #[command(flatten)]
    pub secrets: Secrets,
    /// Report to write, to standard output or to a file. May be repeated [default: text]
    ///
    /// text, concise, json, jsonl, sarif, junit, github, gitlab or markdown; docs/reports.md tells what each is for.
    #[arg(long = "format", value_name = "KIND[=FILE]", help_heading = "Reporting")]
    pub formats: Vec<String>,
    /// Lowest severity that makes the exit status 1: error, warning, info or never [default: error]
    #[arg(long, value_name = "LEVEL", help_heading = "Reporting", hide_possible_values = true)]
    pub fail_on: Option<FailOn>,
    /// Exit with 0 instead of 3 when there was nothing to judge
    #[arg(long, help_heading = "Reporting")]
    pub allow_empty: bool,
    /// Print credentials, nonces, tokens and private values instead of ********
    #[arg(long, help_heading = "Reporting")]
    pub show_secrets: bool,
    /// List every unjudged message and every note on the inputs, not the first few; say how many rules ran
    #[arg(short, long, help_heading = "Output", conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say on standard error how much was read, how fast, and the time of each rule
    #[arg(long, help_heading = "Reporting")]
    pub stats: bool,
    /// Print the configuration in force and where each value comes from, and exit
    #[arg(long, help_heading = "Configuration")]
    pub show_config: bool,
    /// Which findings are known.
    #[command(flatten)]
    pub known: Known,
}

/// Which findings are known, so that they are not told.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Known findings")]
pub struct Known {
    /// Tell no findings that this file knows: docs/baseline.md
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Add the findings of this run to the baseline
    #[arg(long, conflicts_with = "no_ignores")]
    pub update_baseline: bool,
    /// Take out of the baseline what this run does not show any more
    #[arg(long, conflicts_with = "no_ignores")]
    pub prune_baseline: bool,
    /// Let entries of the baseline that were not found any more pass
    #[arg(long)]
    pub allow_stale: bool,
    /// Whether anything is known at all.
    #[command(flatten)]
    pub ignores: Ignores,
}

/// Whether findings that are known are told.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Ignores {
    /// Tell all findings: take no ignores of the configuration or of comments, and no baseline
    #[arg(long, help_heading = "Known findings")]
    pub no_ignores: bool,
}

/// Which rules run, and how severe they are.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rules")]
pub struct Selection {
    /// Which client the server talks to [default: windows]
    #[arg(long)]
    pub profile: Option<Profile>,
    /// Run only these rules: ids, names or families, with commas between them
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub select: Vec<String>,
    /// Do not run these rules
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Set the severity of a rule or family: error, warning, info or off
    #[arg(long, value_name = "RULE=LEVEL", value_delimiter = ',')]
    pub severity: Vec<String>,
}

/// What is known of the secrets in the traffic.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rules")]
pub struct Secrets {
    /// Recompute credentials with the users, secrets and nonces in this TOML file
    ///
    /// Digests are recomputed, and where one is wrong the mistakes that are often made are tried. The file is a list:
    ///
    ///   [[credentials]]
    ///   device = "the device's Source URI"  # or server = "the server's"
    ///   user = "name"
    ///   secret = "password"
    ///   nonce = "base64"  # if known: the one it holds when the recording begins
    // The help shows this text as it stands: no link is meant.
    #[allow(rustdoc::broken_intra_doc_links)]
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub credentials: Option<PathBuf>,
}

/// Which client the server talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Windows' own client: what it is known to do is no fault
    Windows,
    /// Any client that follows OMA DM 1.2
    Oma,
}

/// Lowest severity that makes the exit status 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings and errors.
    Warning,
    /// Any finding.
    Info,
    /// None.
    Never,
}

/// `dmscope diagnose`.
#[derive(Args, Clone, Debug)]
pub struct Diagnose {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Explain this error number and read nothing: 0x80180014, 80190190, an HTTP status, or the name of a SOAP subcode
    #[arg(long, value_name = "CODE", conflicts_with = "paths", allow_hyphen_values = true)]
    pub code: Option<String>,
    /// How to print the story: text, json or markdown
    #[arg(long, value_name = "KIND", default_value = "text", help_heading = "Output", hide_possible_values = true)]
    pub format: StoryFormat,
}

/// How to print a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoryFormat {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For tickets.
    Markdown,
}

/// `dmscope sessions`.
#[derive(Args, Clone, Debug)]
pub struct Sessions {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Which client the server talks to, for the worst finding: windows or oma [default: windows]
    #[arg(long, help_heading = "Rules", hide_possible_values = true)]
    pub profile: Option<Profile>,
    /// What is known of the secrets in the traffic.
    #[command(flatten)]
    pub secrets: Secrets,
    /// Whether findings that are known are told.
    #[command(flatten)]
    pub ignores: Ignores,
    /// How to print them: text or json
    #[arg(long, value_name = "KIND", default_value = "text", help_heading = "Output", hide_possible_values = true)]
    pub format: TableFormat,
}

/// Text or JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// A table.
    Text,
    /// JSON.
    Json,
}

/// `dmscope show`.
#[derive(Args, Clone, Debug)]
pub struct Show {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Only this session, by the key that reports print (s1), or by its SessionID
    #[arg(long, value_name = "KEY", help_heading = "What to show")]
    pub session: Option<String>,
    /// Only the Nth message of each session, counted from 1
    #[arg(long, value_name = "N", help_heading = "What to show", value_parser = clap::value_parser!(u32).range(1..))]
    pub message: Option<u32>,
    /// Print credentials, nonces, tokens and private values instead of ********
    #[arg(long, help_heading = "What to show")]
    pub show_secrets: bool,
    /// How to print them
    #[arg(long = "as", value_name = "FORM", default_value = "xml", help_heading = "What to show")]
    pub form: Form,
}

/// `dmscope view`.
#[derive(Args, Clone, Debug)]
pub struct View {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Which rules run.
    #[command(flatten)]
    pub rules: Selection,
    /// What is known of the secrets in the traffic.
    #[command(flatten)]
    pub secrets: Secrets,
    /// Whether findings that are known are told.
    #[command(flatten)]
    pub ignores: Ignores,
    /// Show credentials, nonces, tokens and private values from the start; the key p does it later
    #[arg(long, help_heading = "What to show")]
    pub show_secrets: bool,
    /// Go on reading at the end of the last PATH as the file grows, until esc or q
    ///
    /// For a capture that is still being written (tcpdump -U -w FILE), or a log. Sessions that go on are shown as they
    /// stand. A file that is removed, cut short or replaced is not followed any longer, and the summary says so.
    #[arg(short, long, help_heading = "Reading")]
    pub follow: bool,
    /// Colours for a dark or a light terminal, or none: dark, light or mono
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub theme: Option<String>,
    /// Print the configuration in force, keys and theme, and exit
    #[arg(long, help_heading = "Output")]
    pub print_config: bool,
}

/// How messages are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One element a line
    Xml,
    /// One command a line
    Tree,
    /// The body's bytes
    Hex,
    /// The HTTP head and facts on the body
    Http,
    /// What TLS says: versions, certificates, alerts; also of connections that could not be decrypted
    Tls,
}

/// `dmscope diff`.
#[derive(Args, Clone, Debug)]
pub struct Diff {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// Which client the server talks to, for the findings: windows or oma [default: windows]
    #[arg(long, help_heading = "Rules", hide_possible_values = true)]
    pub profile: Option<Profile>,
    /// What is known of the secrets in the traffic.
    #[command(flatten)]
    pub secrets: Secrets,
    /// Whether findings that are known are told.
    #[command(flatten)]
    pub ignores: Ignores,
    /// The session to compare, by its key (s1) or SessionID; twice for another one of the second capture, or of the same
    #[arg(long, value_name = "KEY", help_heading = "What to compare")]
    pub session: Vec<String>,
    /// Show credentials, nonces, tokens and private values instead of ********
    #[arg(long, help_heading = "What to compare")]
    pub show_secrets: bool,
    /// How to print what differs: text or json
    #[arg(long, value_name = "KIND", default_value = "text", help_heading = "Output", hide_possible_values = true)]
    pub format: TableFormat,
}

/// `dmscope export`.
#[derive(Args, Clone, Debug)]
pub struct Export {
    /// What to read.
    #[command(flatten)]
    pub reading: Reading,
    /// What is known of the secrets in the traffic.
    #[command(flatten)]
    pub secrets: Secrets,
    /// The format to write
    #[arg(long, value_name = "FORMAT", help_heading = "What to write")]
    pub to: ExportKind,
    /// Where to: a folder for xml, a file for the others [default: standard output]
    #[arg(short, long, value_name = "DIR|FILE", help_heading = "What to write")]
    pub out: Option<PathBuf>,
    /// Replace what is there
    #[arg(long, help_heading = "What to write")]
    pub force: bool,
    /// Only this session, by the key that reports print (s1), or by its SessionID
    #[arg(long, value_name = "KEY", help_heading = "What to write")]
    pub session: Option<String>,
    /// Write credentials, nonces, tokens and private values instead of ********
    #[arg(long, help_heading = "What to write")]
    pub show_secrets: bool,
}

/// The formats of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportKind {
    /// HTTP archive (HAR 1.2), for browsers, proxies and Fiddler
    Har,
    /// One pretty file a message, and an index
    Xml,
    /// One JSON object a message, with all that is known of it
    Jsonl,
}

/// `dmscope decode`.
#[derive(Args, Clone, Debug)]
pub struct Decode {
    /// A message as bytes, or - for standard input
    pub file: PathBuf,
    /// Make WBXML of XML
    #[arg(long)]
    pub encode: bool,
    /// Print the fields of a notification (package 0) or another WAP push; FILE may be its octets in hexadecimal
    #[arg(long, conflicts_with = "encode")]
    pub notification: bool,
}

/// `dmscope capture`.
#[cfg(feature = "live")]
#[derive(Args, Clone, Debug)]
pub struct Capture {
    /// The interface; without it, all are listed
    #[arg(short, long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Capture only packets for which this BPF expression holds
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Write the packets to this pcap file too
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Stop after so many seconds; without it, Ctrl-C stops
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<u64>,
    /// What decrypts TLS.
    #[command(flatten)]
    pub keys: Keys,
    /// Which rules run.
    #[command(flatten)]
    pub rules: Selection,
    /// What is known of the secrets in the traffic.
    #[command(flatten)]
    pub secrets: Secrets,
    /// Which configuration file.
    #[command(flatten)]
    pub setup: Setup,
    /// Lowest severity that makes the exit status 1: error, warning, info or never [default: error]
    #[arg(long, value_name = "LEVEL", hide_possible_values = true)]
    pub fail_on: Option<FailOn>,
    /// Print credentials, nonces, tokens and private values instead of ********
    #[arg(long)]
    pub show_secrets: bool,
}

/// `dmscope explain`.
#[derive(Args, Clone, Debug)]
#[command(arg_required_else_help = true)]
pub struct Explain {
    /// Id or name of the rule: DM-MSG-003, MSG-003, or its name
    pub rule: String,
    /// Which configuration file, and a team's own rules.
    #[command(flatten)]
    pub setup: Setup,
    /// How to print it: text or markdown
    #[arg(long, value_name = "KIND", default_value = "text", help_heading = "Output", hide_possible_values = true)]
    pub format: PageFormat,
}

/// How a page is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PageFormat {
    /// For reading in a terminal
    Text,
    /// The page as it was written
    Markdown,
}

/// `dmscope rules`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, after_help = RULES_HELP, after_long_help = RULES_HELP)]
pub struct Rules {
    /// What to do with own rules; without it, the rules are listed.
    #[command(subcommand)]
    pub command: Option<OwnRules>,
    /// Which configuration file, and a team's own rules.
    #[command(flatten)]
    pub setup: Setup,
    /// How to print them: text, json or markdown
    #[arg(long, value_name = "KIND", default_value = "text", help_heading = "Output", hide_possible_values = true)]
    pub format: RulesFormat,
}

/// What to do with a team's own rules.
#[derive(Clone, Debug, Subcommand)]
pub enum OwnRules {
    /// List what the expressions of own rules can name: scopes, fields, functions
    Fields,
    /// Run the examples of the pages of own rules
    Test {
        /// Directories of pages
        #[arg(value_name = "DIR", required = true)]
        directories: Vec<PathBuf>,
        /// Print examples that fail only
        #[arg(short, long)]
        quiet: bool,
    },
    /// Write a page to begin with: a rule that works, with examples that hold
    New {
        /// Name of the rule: small letters with hyphens
        name: String,
        /// Where to
        #[arg(value_name = "DIR", default_value = ".")]
        directory: PathBuf,
        /// What its id begins with [default: as the pages of the directory, else OWN]
        #[arg(long)]
        prefix: Option<String>,
    },
}

/// How the list of rules is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// A table
    Text,
    /// JSON
    Json,
    /// A Markdown table
    Markdown,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

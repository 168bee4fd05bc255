//! What the user knows of the secrets in the traffic: who authenticates with which user, secret and nonce.
//!
//! In: a TOML file as `docs/credentials.md` has it. Out: [`Credentials`], for the rules that recompute what was sent; or
//! one line that says what is wrong with the file, and never what is secret in it. Bounds: `MOST` bytes.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::syncml::Side;
use crate::table::{self, Text as Lines, Wrong};

/// Largest credentials file, in bytes: some ten thousand entries.
const MOST: u64 = 4 * 1024 * 1024;

const TABLE: &str = "credentials";
const KEYS: [&str; 5] = ["device", "server", "user", "secret", "nonce"];

/// A text or octets that must not be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a secret.
    pub fn new(secret: T) -> Secret<T> {
        Secret(secret)
    }

    /// The secret itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// Where credentials are known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The user gave them.
    File,
    /// The device was given them when it enrolled, in the same recording.
    Enrollment,
}

impl Origin {
    /// What holds them, in findings.
    pub fn name(self) -> &'static str {
        match self {
            Origin::File => "the credentials file",
            Origin::Enrollment => "the provisioning document of the enrollment",
        }
    }
}

/// How one device, or one server, authenticates itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is known from.
    pub origin: Origin,
    /// Whether a device or a server does.
    pub side: Side,
    /// Its Source URI.
    pub id: String,
    /// The user name (`AAUTHNAME`).
    pub user: String,
    /// The password (`AAUTHSECRET`).
    pub secret: Secret<String>,
    /// The octets of the nonce that it holds when the recording begins (`AAUTHDATA`, decoded).
    pub nonce: Option<Secret<Vec<u8>>>,
}

/// All entries of a file.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    entries: Vec<Entry>,
}

/// What is wrong with a credentials file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Its content is not as it should be.
    #[error("line {line}: {what}")]
    Content {
        /// Where, counted from 1.
        line: usize,
        /// What.
        what: String,
    },
}

impl Credentials {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is not as it should be.
    pub fn read(path: &Path) -> Result<Credentials, Error> {
        Credentials::parse(&table::load(path, MOST).map_err(Error::Unreadable)?)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// Something in it is not as it should be.
    pub fn parse(text: &str) -> Result<Credentials, Error> {
        Ok(Credentials { entries: File(Lines(text)).entries()? })
    }

    /// The entries for the device or server with this Source URI.
    pub fn of(&self, side: Side, id: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.side == side && entry.id == id)
    }

    /// These and more.
    pub fn with(&self, more: impl IntoIterator<Item = Entry>) -> Credentials {
        Credentials { entries: self.entries.iter().cloned().chain(more).collect() }
    }

    /// The entries for the server that notifications name so: by its name, or by its user.
    pub fn of_server(&self, name: &str) -> impl Iterator<Item = &Entry> {
        let of_servers = self.entries.iter().filter(|entry| entry.side == Side::Server);
        of_servers.filter(move |entry| entry.id == name || entry.user == name)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Error {
        Error::Content { line: wrong.line, what: wrong.what }
    }
}

/// The text of a file.
struct File<'a>(Lines<'a>);

impl File<'_> {
    fn wrong(&self, at: usize, what: impl Into<String>) -> Error {
        self.0.wrong(at, what).into()
    }

    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let table = self.0.parse()?;
        self.0.known(table.get_ref(), &[TABLE])?;
        let Some(list) = table.get_ref().get(TABLE) else {
            return Err(self.wrong(0, format!("there is no [[{TABLE}]]")));
        };
        let DeValue::Array(tables) = list.get_ref() else {
            return Err(self.wrong(list.span().start, format!("a list is expected: [[{TABLE}]]")));
        };
        tables.iter().map(|table| self.entry(table)).collect()
    }

    fn entry(&self, table: &Spanned<DeValue<'_>>) -> Result<Entry, Error> {
        let start = table.span().start;
        let DeValue::Table(entry) = table.get_ref() else {
            return Err(self.wrong(start, format!("a table is expected: [[{TABLE}]]")));
        };
        self.0.known(entry, &KEYS)?;
        let text = |key: &str| self.text(entry, key);
        let needed = |key: &str| text(key)?.ok_or_else(|| self.wrong(start, format!("{key} is missing")));
        let (side, id) = match (text("device")?, text("server")?) {
            (Some(device), None) => (Side::Client, device.get_ref().to_string()),
            (None, Some(server)) => (Side::Server, server.get_ref().to_string()),
            (None, None) => {
                return Err(self.wrong(start, "device or server is missing: the Source URI of who authenticates"));
            }
            (Some(_), Some(_)) => {
                return Err(self.wrong(start, "device and server in one entry; one of them authenticates"));
            }
        };
        let nonce = match text("nonce")? {
            Some(nonce) => {
                Some(octets(nonce.get_ref()).ok_or_else(|| self.wrong(nonce.span().start, "nonce is not base64"))?)
            }
            None => None,
        };
        let (user, secret) = (needed("user")?.get_ref().to_string(), needed("secret")?.get_ref().to_string());
        Ok(Entry { origin: Origin::File, side, id, user, secret: Secret(secret), nonce: nonce.map(Secret) })
    }

    fn text<'t, 'd>(&self, table: &'t DeTable<'d>, key: &str) -> Result<Option<Text<'t, 'd>>, Error> {
        let Some(value) = table.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(Spanned::new(value.span(), text))),
            _ => Err(self.wrong(value.span().start, format!("{key} is not a string in quotes"))),
        }
    }
}

type Text<'t, 'd> = Spanned<&'t DeString<'d>>;

/// The octets of a base64 text; white space in it and missing padding do no harm.
pub fn octets(text: &str) -> Option<Vec<u8>> {
    use base64::engine::DecodePaddingMode;
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const LENIENT: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    LENIENT.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
[[credentials]]
device = \"urn:uuid:1\"
user = \"Bruce2\"
secret = \"OhBehave\"
nonce = \"Tm9uY2U=\"

[[credentials]]
server = \"https://mdm.example.test/manage\"
user = \"mdm\"
secret = \"hunter2\"
";

    fn error(text: &str) -> String {
        Credentials::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn entries_are_found_by_who_authenticates() {
        let credentials = Credentials::parse(GOOD).unwrap();
        let device: Vec<&Entry> = credentials.of(Side::Client, "urn:uuid:1").collect();
        assert_eq!(
            (device.len(), device[0].user.as_str(), device[0].secret.expose().as_str()),
            (1, "Bruce2", "OhBehave")
        );
        assert_eq!(device[0].nonce.as_ref().map(Secret::expose), Some(&b"Nonce".to_vec()));
        let server = credentials.of(Side::Server, "https://mdm.example.test/manage").next().unwrap();
        assert_eq!((server.secret.expose().as_str(), &server.nonce), ("hunter2", &None));
        assert_eq!(credentials.of(Side::Server, "urn:uuid:1").count(), 0);
    }

    #[test]
    fn no_secret_is_printed() {
        let text = format!("{:?}", Credentials::parse(GOOD).unwrap());
        assert!(text.contains("Bruce2") && text.contains("********"), "{text}");
        assert!(!["OhBehave", "hunter2", "Nonce", "78, 111"].iter().any(|secret| text.contains(secret)), "{text}");
    }

    #[test]
    fn an_error_names_the_line_and_no_secret() {
        assert_eq!(
            error(&GOOD.replace("secret", "sercet")),
            "line 5: unknown key \"sercet\"; did you mean \"secret\"?"
        );
        assert_eq!(
            error(&GOOD.replace("user", "name")),
            "line 4: unknown key \"name\"; there are device, server, user, secret, nonce"
        );
        assert_eq!(
            error(&GOOD.replace("credentials", "credential")),
            "line 2: unknown key \"credential\"; did you mean \"credentials\"?"
        );
        assert_eq!(error("# nothing\n"), "line 1: there is no [[credentials]]");
        assert_eq!(error("credentials = 1"), "line 1: a list is expected: [[credentials]]");
        assert_eq!(error(&GOOD.replace("secret = \"hunter2\"\n", "")), "line 8: secret is missing");
        assert_eq!(error(&GOOD.replace("Tm9uY2U=", "Nonce!")), "line 6: nonce is not base64");
        assert_eq!(error(&GOOD.replace("\"hunter2\"", "12345")), "line 11: secret is not a string in quotes");
        assert_eq!(
            error(&GOOD.replace("user = \"mdm\"", "device = \"a\"")),
            "line 8: device and server in one entry; one of them authenticates"
        );
        assert_eq!(
            error(&GOOD.replace("device = \"urn:uuid:1\"", "")),
            "line 2: device or server is missing: the Source URI of who authenticates"
        );
        for broken in ["hunter2", "\"hunter2", "\"\"\"hunter2", "\"hunter2\\q\"", "\"hunter2\" hunter2", "'hunter2"] {
            let said = error(&GOOD.replace("\"hunter2\"", broken));
            assert!(said.starts_with("line 1") && !said.contains("hunter") && said.lines().count() == 1, "{said}");
        }
    }

    #[test]
    fn base64_may_be_wrapped_and_unpadded() {
        assert_eq!(octets("Tm9u\n Y2U").as_deref(), Some(&b"Nonce"[..]));
        assert_eq!((octets("nonce"), octets("nonce!"), octets("")), (None, None, Some(Vec::new())));
    }
}

//! The notification of OMA DM 1.2, package 0 (OMA-TS-DM_Notification-V1_2_1, 6.2).
//!
//! Digest 128 bits; version 10, ui-mode 2, initiator 1, future use 27, session 16, length of the server's name 8; the name;
//! what the vendor adds. Big endian.

/// Octets of a digest.
const DIGEST: usize = 16;
/// Octets before the server's name.
pub const MIN: usize = DIGEST + 8;
/// The version of DM 1.2: 1.1, times ten.
pub const VERSION: u16 = 11;

/// What the server asks the device to do with its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UiMode {
    /// Nothing is asked.
    Unspecified,
    /// Run without telling the user.
    Background,
    /// Tell the user.
    Informative,
    /// Ask the user.
    Interactive,
}

impl UiMode {
    /// Its two bits.
    pub fn bits(self) -> u8 {
        self as u8
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            UiMode::Unspecified => "unspecified",
            UiMode::Background => "background, the user is not told",
            UiMode::Informative => "informative, the user is told",
            UiMode::Interactive => "user interaction, the user is asked first",
        }
    }
}

/// A message that ends before the server's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Its octets.
    pub octets: usize,
}

/// See the module's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger<'a> {
    /// The MD5 value.
    pub digest: [u8; DIGEST],
    /// Ten times the version.
    pub version: u16,
    /// What is asked for the user.
    pub ui_mode: UiMode,
    /// Whether the server, not the user, is the cause.
    pub by_server: bool,
    /// The 27 bits that are to be zero.
    pub future: u32,
    /// The session that is to be held.
    pub session: u16,
    /// How many octets the server's name is said to have.
    pub server_len: u8,
    /// The octets of the server's name that are there.
    pub server: &'a [u8],
    /// What the vendor adds.
    pub vendor: &'a [u8],
    /// All that the digest is made over: what is behind it.
    pub signed: &'a [u8],
}

impl<'a> Trigger<'a> {
    /// Reads a notification.
    ///
    /// # Errors
    /// It ends before the server's name.
    pub fn read(bytes: &'a [u8]) -> Result<Trigger<'a>, Short> {
        let short = || Short { octets: bytes.len() };
        let (digest, signed) = bytes.split_first_chunk().ok_or_else(short)?;
        let (fields, rest) = signed.split_first_chunk().ok_or_else(short)?;
        let fields = u64::from_be_bytes(*fields);
        let [.., s0, s1, server_len] = fields.to_be_bytes();
        let (server, vendor) = rest.split_at(usize::from(server_len).min(rest.len()));
        Ok(Trigger {
            digest: *digest,
            version: u16::try_from(fields >> 54).unwrap_or(u16::MAX),
            ui_mode: match fields >> 52 & 3 {
                0 => UiMode::Unspecified,
                1 => UiMode::Background,
                2 => UiMode::Informative,
                _ => UiMode::Interactive,
            },
            by_server: fields >> 51 & 1 == 1,
            future: u32::try_from(fields >> 24 & 0x07FF_FFFF).unwrap_or(u32::MAX),
            session: u16::from_be_bytes([s0, s1]),
            server_len,
            server,
            vendor,
            signed,
        })
    }

    /// The version as people write it.
    pub fn version_name(&self) -> String {
        format!("{}.{}", self.version / 10, self.version % 10)
    }

    /// The server's name as text.
    pub fn server_name(&self) -> String {
        String::from_utf8_lossy(self.server).into_owned()
    }

    /// The `SessionID` that the session has to have: upper-case hexadecimal without leading zeros (6.2.2.10).
    pub fn session_id(&self) -> String {
        format!("{:X}", self.session)
    }

    /// Whether bytes of which nothing is known are one: there is no mark that would tell.
    pub(super) fn is_plausible(&self) -> bool {
        let printable = |byte: &u8| byte.is_ascii_graphic();
        let named = usize::from(self.server_len) == self.server.len() && !self.server.is_empty();
        (10..=12).contains(&self.version) && self.future == 0 && named && self.server.iter().all(printable)
    }
}

//! Notifications of OMA DM 1.2 and the push PDUs of WSP around them, field by field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

/// How a code or a name is sent.
#[derive(Clone, Debug)]
pub enum Named {
    /// As a code.
    Code(u8),
    /// Spelled out.
    Name(String),
}

/// A notification.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Ten times the version.
    pub version: u16,
    /// Two bits.
    pub ui_mode: u8,
    /// Whether the server is the cause.
    pub by_server: bool,
    /// 27 bits.
    pub future: u32,
    /// The session.
    pub session: u16,
    /// The server's name.
    pub server: String,
    /// What is said to be its length.
    pub length: Option<u8>,
    /// What stands behind it.
    pub vendor: Vec<u8>,
    /// Password and nonce.
    pub secret: (String, Vec<u8>),
}

impl Default for Trigger {
    fn default() -> Trigger {
        Trigger {
            version: 11,
            ui_mode: 1,
            by_server: true,
            future: 0,
            session: 0x12,
            server: "mdm.example.test".into(),
            length: None,
            vendor: Vec::new(),
            secret: ("sesame too".into(), b"nonce".to_vec()),
        }
    }
}

impl Trigger {
    /// All behind the digest.
    pub fn signed(&self) -> Vec<u8> {
        let length = self.length.unwrap_or(self.server.len() as u8);
        let fields = u64::from(self.version) << 54
            | u64::from(self.ui_mode) << 52
            | u64::from(self.by_server) << 51
            | u64::from(self.future) << 24
            | u64::from(self.session) << 8
            | u64::from(length);
        [&fields.to_be_bytes()[..], self.server.as_bytes(), &self.vendor].concat()
    }

    /// With its digest.
    pub fn bytes(&self) -> Vec<u8> {
        let signed = self.signed();
        let (password, nonce) = &self.secret;
        let account = STANDARD.encode(Md5::digest(format!("{}:{password}", self.server)));
        let content = STANDARD.encode(Md5::digest(&signed));
        let digest = Md5::digest([account.as_bytes(), b":", nonce, b":", content.as_bytes()].concat());
        [&digest[..], &signed].concat()
    }
}

/// A push PDU of WSP.
#[derive(Clone, Debug)]
pub struct Push {
    /// The content type.
    pub content_type: Named,
    /// The kind of security of a bootstrap.
    pub sec: Option<u8>,
    /// The MAC of a bootstrap.
    pub mac: Option<String>,
    /// The application.
    pub application: Option<Named>,
    /// Further headers as they are sent.
    pub headers: Vec<u8>,
    /// The content.
    pub content: Vec<u8>,
}

impl Push {
    /// One of a notification.
    pub fn of(content: Vec<u8>) -> Push {
        let (content_type, application) = (Named::Code(0x44), Some(Named::Code(7)));
        Push { content_type, sec: None, mac: None, application, headers: Vec::new(), content }
    }

    /// The PDU.
    pub fn bytes(&self) -> Vec<u8> {
        let mut parameters = Vec::new();
        if let Some(sec) = self.sec {
            parameters.extend([0x91, 0x80 | sec]);
        }
        if let Some(mac) = &self.mac {
            parameters.extend([&[0x92][..], mac.as_bytes(), &[0]].concat());
        }
        let mut head = named(&self.content_type);
        if !parameters.is_empty() {
            let value = [head, parameters].concat();
            head = [&[31][..], &uintvar(value.len()), &value].concat();
        }
        if let Some(application) = &self.application {
            head.push(0xAF);
            head.extend(named(application));
        }
        head.extend(&self.headers);
        [&[1, 6][..], &uintvar(head.len()), &head, &self.content].concat()
    }
}

fn named(value: &Named) -> Vec<u8> {
    match value {
        Named::Code(code) => vec![0x80 | code],
        Named::Name(name) => [name.as_bytes(), &[0]].concat(),
    }
}

fn uintvar(value: usize) -> Vec<u8> {
    match value {
        0..128 => vec![value as u8],
        _ => vec![0x80 | (value >> 7) as u8, (value & 0x7f) as u8],
    }
}

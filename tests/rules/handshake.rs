//! The TLS of an example: what a block says of a handshake, as `rules/README.md` has it.

use crate::build::tls12::{From, Handshake, TLS10, TLS11, TLS12};
use crate::build::x509::Template;

/// Reads `key = value` lines. `name` is the host that the client asks for, unless they name another.
pub(crate) fn read(text: &str, name: &str, number: u32) -> Result<Handshake, String> {
    let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    let word = |value: &toml::Value| value.as_str().map(str::to_owned).ok_or(format!("not a string: {value}"));
    let name = table.get("name").map(word).transpose()?.unwrap_or(name.to_owned());
    let mut handshake = Handshake {
        version: TLS12,
        number: number as u8,
        server: server(&name, None)?,
        name,
        asks: false,
        client: None,
        alert: None,
    };
    for (key, value) in &table {
        match key.as_str() {
            "name" => {}
            "version" => {
                handshake.version = match word(value)?.as_str() {
                    "TLS 1.0" => TLS10,
                    "TLS 1.1" => TLS11,
                    "TLS 1.2" => TLS12,
                    other => return Err(format!("no version that examples can speak: {other}")),
                }
            }
            "server" => handshake.server = server(&handshake.name, Some(value))?,
            "client" => {
                handshake.client = Some(certificate(Template { for_client: true, ..Template::default() }, value)?)
            }
            "asks" => handshake.asks = value.as_bool().ok_or("asks is true or false")?,
            "alert" => {
                let alert = word(value)?;
                let (from, code) = alert.split_once(' ').ok_or("alert = \"client 48\"")?;
                let from = if from == "client" { From::Client } else { From::Server };
                handshake.alert = Some((from, code.parse().map_err(|_| format!("no code: {code}"))?));
            }
            other => return Err(format!("{other:?} is nothing that a handshake has")),
        }
    }
    Ok(handshake)
}

fn server(name: &str, value: Option<&toml::Value>) -> Result<Vec<u8>, String> {
    let usual = Template { subject: name.into(), hosts: vec![name.to_owned()], ..Template::default() };
    value.map_or_else(|| Ok(usual.der()), |value| certificate(usual.clone(), value))
}

/// `{ subject = "…", issuer = "…", hosts = ["…"], from = "20250101000000Z", until = "20350101000000Z", public = true }`
fn certificate(mut usual: Template, value: &toml::Value) -> Result<Vec<u8>, String> {
    let table = value.as_table().ok_or("a certificate is a table")?;
    for (key, value) in table {
        let word = || value.as_str().ok_or(format!("{key} is a string"));
        match key.as_str() {
            "subject" => usual.subject = word()?.into(),
            "issuer" => usual.issuer = word()?.into(),
            "from" => usual.validity[0] = word()?.to_owned(),
            "until" => usual.validity[1] = word()?.to_owned(),
            "public" => usual.public = value.as_bool().ok_or("public is true or false")?,
            "hosts" => {
                let hosts = value.as_array().ok_or("hosts is a list")?;
                usual.hosts = hosts.iter().filter_map(|host| Some(host.as_str()?.to_owned())).collect();
            }
            other => return Err(format!("{other:?} is nothing that a certificate has")),
        }
    }
    Ok(usual.der())
}

//! WAP pushes in examples: what a block says of one, as `rules/README.md` has it, and how it is sent.

use std::net::SocketAddr;

use dmscope::push::hex;

use super::compose::Sent;
use crate::build::push::{Named, Push, Trigger};
use crate::build::{Packet, ethernet, udp};

/// The bytes of a push: `key = value` lines, or all octets in hexadecimal.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, String> {
    if let Some(octets) = hex::octets(text.as_bytes()) {
        return Ok(octets);
    }
    let table: toml::Table = text.parse().map_err(|error| format!("{error}"))?;
    let mut trigger = Trigger::default();
    let mut push = Push::of(Vec::new());
    let mut content = None;
    for (key, value) in &table {
        let number =
            || value.as_integer().and_then(|number| u32::try_from(number).ok()).ok_or(format!("{key}: no number"));
        let byte = || u8::try_from(number()?).map_err(|_| format!("{key}: too large"));
        let word = || value.as_str().map(str::to_owned).ok_or(format!("{key}: no string"));
        let octets = || hex::octets(word()?.as_bytes()).ok_or(format!("{key}: no octets"));
        let named = || byte().map(Named::Code).or_else(|_| word().map(Named::Name));
        match key.as_str() {
            "version" => trigger.version = number()? as u16,
            "ui-mode" => trigger.ui_mode = byte()?,
            "initiator" => trigger.by_server = word()? == "server",
            "future" => trigger.future = number()?,
            "session" => trigger.session = number()? as u16,
            "server" => trigger.server = word()?,
            "length" => trigger.length = Some(byte()?),
            "vendor" => trigger.vendor = octets()?,
            "password" => trigger.secret.0 = word()?,
            "nonce" => trigger.secret.1 = word()?.into_bytes(),
            "nonce-octets" => trigger.secret.1 = octets()?,
            "content" => content = Some(octets()?),
            "content-type" => push.content_type = named()?,
            "application" if value.as_bool() == Some(false) => push.application = None,
            "application" => push.application = Some(named()?),
            "headers" => push.headers = octets()?,
            "sec" => push.sec = Some(byte()?),
            "mac" => push.mac = Some(word()?),
            other => return Err(format!("{other:?} is nothing that a push has")),
        }
    }
    push.content = content.unwrap_or_else(|| trigger.bytes());
    Ok(push.bytes())
}

/// The packets of the pushes among the messages.
pub(crate) fn packets(sent: &[Sent<'_>]) -> Vec<Packet> {
    sent.iter().filter(|sent| sent.block.push && !sent.lost).map(packet).collect()
}

fn packet(sent: &Sent<'_>) -> Packet {
    let device = sent.block.client.as_deref().unwrap_or("127.0.0.1");
    let server = if device.starts_with("127.") { "127.0.0.1:9200" } else { "10.0.0.1:9200" };
    let end = |text: &str| text.parse::<SocketAddr>().unwrap_or_else(|_| panic!("no address and port: {text}"));
    let to = end(&format!("{device}:{}", sent.block.port.unwrap_or(2948)));
    let packet = Packet::new(sent.at, ethernet(&udp(end(server), to, &sent.body)));
    match sent.cut {
        Some(cut) => packet.cut(14 + 20 + 8 + cut),
        None => packet,
    }
}

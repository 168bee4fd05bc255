//! DM-WIN-010 and DM-WIN-011: settings of certificates that only take effect together.

use super::known::{below, is_write};
use crate::rules::{MessageCx, Sink, quoted};
use crate::syncml::uri::{Key, Naming};
use crate::syncml::{Command, Element, Item, Side, Tag};

const INSTALL: [&str; 2] =
    ["Vendor/MSFT/ClientCertificateInstall/SCEP/", "Vendor/MSFT/ClientCertificateInstall/PFXCertInstall/"];
const RENEW: &str = "Vendor/MSFT/CertificateStore/My/WSTEP/Renew/";

/// The certificate that a node is about, and the rest of its path.
fn certificate(uri: &str) -> Option<(&str, &str)> {
    let rest = INSTALL.iter().find_map(|csp| below(uri, csp))?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// Commands that install a certificate one by one, or that follow the one that starts the enrollment.
pub(in crate::rules) fn certificate_install_not_atomic(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    if cx.side() == Some(Side::Client) {
        return;
    }
    let installs = |command: &Command<'_>| is_write(*command) || command.tag() == Tag::Exec;
    let commands = || cx.commands().filter(installs).filter(|command| command.items().any(|item| item.target().and_then(certificate).is_some()));
    let alone = commands().filter(|command| !is_in_atomic(*command)).map(|command| command.0);
    let text = |first: Element<'_>| format!("{} of a certificate's node stands outside of Atomic; expected one Atomic for the certificate", first.name());
    out.first_of(cx.index, alone, text);
    let mut started: Vec<(&str, Command<'_>)> = Vec::new();
    for command in commands().filter(|command| is_in_atomic(*command)) {
        let targets = command.items().filter_map(Item::target).filter_map(certificate);
        for (name, rest) in targets {
            let before = started.iter().find(|(known, start)| *known == name && start.container() == command.container());
            if let Some((_, start)) = before {
                let text = format!("{} of {} stands behind Exec Enroll; expected Exec Enroll last", command.0.name(), quoted(rest));
                out.at(cx.index, command.0, text).related(cx.at(start.0), "Exec Enroll");
            } else if command.tag() == Tag::Exec && rest.to_ascii_lowercase().ends_with("enroll") {
                started.push((name, command));
            }
        }
    }
}

fn is_in_atomic(command: Command<'_>) -> bool {
    let around = std::iter::successors(command.container(), |container| container.container());
    around.into_iter().any(|container| container.tag() == Tag::Atomic)
}

/// The renewal of the client certificate set one value at a time.
pub(in crate::rules) fn renew_settings_not_atomic(cx: &MessageCx<'_>, out: &mut Sink<'_>) {
    const VALUES: [&str; 3] = ["RenewPeriod", "RetryInterval", "ROBOSupport"];
    let key = |uri: &str| VALUES.iter().any(|name| below(uri, RENEW).is_some_and(|rest| Key::same(rest, name, Naming::Windows)));
    let writes = |command: &Command<'_>| is_write(*command) && command.items().filter_map(Item::target).any(key);
    let alone = cx.commands().filter(|command| writes(command) && !is_in_atomic(*command)).map(|command| command.0);
    if cx.side() != Some(Side::Client) {
        out.first_of(cx.index, alone, |first| format!("{} of a setting of WSTEP/Renew stands outside of Atomic", first.name()));
    }
}

//! The digest of a notification, computed anew with the server's password from the credentials file (DMN 6.2.2.2).

use crate::credentials::Entry;
use crate::push::Trigger;
use crate::rules::auth::digest::{Account, Over, digest, mistakes};
use crate::rules::{NotificationCx, Sink};
use crate::syncml::Side;

/// The nonce of a server that lost the right one (DMN 5.1).
const RESYNCHRONIZES: [u8; 4] = [0; 4];
/// Where the digest stands in the notification.
const DIGEST: (usize, usize) = (0, 16);
/// Octets of a notification's fields before the server's name, behind the digest.
const FIELDS: usize = 8;

/// A digest that is not what the server's name, its password, the nonce and the notification make.
pub(in crate::rules) fn trigger_digest_wrong(cx: &NotificationCx<'_>, out: &mut Sink<'_>) {
    let Some(trigger) = cx.trigger() else { return };
    let server = trigger.server_name();
    let entries: Vec<&Entry> = cx.message.credentials.of_server(&server).collect();
    if entries.is_empty() {
        return;
    }
    let given = nonces(cx);
    let own = entries.iter().filter_map(|entry| entry.nonce.as_ref()).map(|nonce| nonce.expose().clone());
    // What a session gave counts more than what the server held before.
    let is_certain = given.is_some() || entries.iter().any(|entry| entry.nonce.is_some());
    let nonces: Vec<Vec<u8>> = given.into_iter().flatten().chain(own).chain([RESYNCHRONIZES.to_vec()]).collect();
    let right = |nonce: &Vec<u8>| {
        entries.iter().any(|entry| digest(account(entry, &server), nonce, Over::Body(trigger.signed)) == trigger.digest)
    };
    if nonces.iter().any(right) {
        return;
    }
    let made = nonces.iter().find_map(|nonce| entries.iter().find_map(|entry| mistake(entry, &server, nonce, &trigger)));
    let what = match made {
        Some(made) => format!("is made {made}"),
        None if is_certain => "is not made of the server's name, its password, the nonce and the notification".to_owned(),
        None => return,
    };
    let (at, octets) = DIGEST;
    out.report(cx.content(at, octets), format!("the digest {what}"));
}

/// The nonces that the server was given in the sessions before, the last one first; nothing where none was captured.
fn nonces(cx: &NotificationCx<'_>) -> Option<Vec<Vec<u8>>> {
    let past = cx.earlier.iter().filter_map(|past| past.auth.as_ref());
    let given: Vec<Vec<u8>> =
        past.flat_map(|auth| auth.given(Side::Server).rev()).map(|given| given.octets.to_vec()).collect();
    (!given.is_empty()).then_some(given)
}

fn account<'a>(entry: &'a Entry, server: &'a str) -> Account<'a> {
    Account { user: server, secret: entry.secret.expose(), taken_for_user: [("with the user of the credentials as the server's name", Some(&entry.user)), ("", None)] }
}

/// The mistakes by which a digest was made.
fn mistake(entry: &Entry, server: &str, nonce: &[u8], trigger: &Trigger<'_>) -> Option<String> {
    let account = account(entry, server);
    let of_fields = trigger.signed.get(..FIELDS + trigger.server.len()).unwrap_or(trigger.signed);
    let whole = [&[0; 16][..], trigger.signed].concat();
    let others = [("without the vendor's data", of_fields), ("over the digest's place, too, filled with zeros", &whole[..])];
    let other = || others.into_iter().find(|(_, over)| digest(account, nonce, Over::Body(over)) == trigger.digest);
    mistakes(account, nonce, "", Over::Body(trigger.signed), &trigger.digest).or_else(|| other().map(|(made, _)| made.to_owned()))
}

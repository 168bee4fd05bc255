//! The digest of a notification, computed anew with the server's password from the credentials file (DMN 6.2.2.2).

use std::fmt;

use crate::credentials::Entry;
use crate::push::Trigger;
use crate::rules::auth::digest::{Account, Over, digest, mistakes};
use crate::rules::{NotificationCx, Severity, Sink};
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
    let nonces = nonces(cx, &entries);
    let right = |nonce: &Nonce| {
        let of = |entry: &&Entry| digest(account(entry, &server), &nonce.octets, Over::Body(trigger.signed));
        entries.iter().any(|entry| of(entry) == trigger.digest)
    };
    if nonces.iter().any(right) {
        return;
    }
    let (at, octets) = DIGEST;
    let place = cx.content(at, octets);
    let made = nonces.iter().find_map(|nonce| {
        let made = entries.iter().find_map(|entry| mistake(entry, &server, &nonce.octets, &trigger))?;
        Some(format!("the digest is made {made}; the nonce is {}", nonce.from))
    });
    let doubt = nonces.first().and_then(|last| last.from.doubt(cx.message.session.number));
    match (made, doubt) {
        (Some(made), _) => _ = out.report(place, made),
        (None, Some(why)) => out.not_judged(place, || why),
        (None, None) => _ = out.report(place, STRANGE).at_most(Severity::Warning),
    }
}

const STRANGE: &str =
    "the digest is not made of the server's name, its password, the nonce of the credentials file and the notification";

/// A nonce that a server may have used.
struct Nonce {
    octets: Vec<u8>,
    from: Source,
}

/// Where a nonce is known from.
#[derive(Clone, Copy)]
enum Source {
    Session(u32),
    File,
    Resynchronization,
}

impl Source {
    /// Why a notification, the session with this number, need not have used the nonce, when it is the last one that is known.
    fn doubt(self, number: u32) -> Option<String> {
        match self {
            Source::Session(given) => Some(format!(
                "the digest fits no nonce that is known; the last one is of session s{given}, and a session that was not \
                 recorded may have given another since"
            )),
            // A session that began before may have given one, though it does not show: its device is not known, or it goes on.
            Source::File => (number > 1).then(|| {
                "the digest does not fit the nonce of the credentials file, and a session since may have given another"
                    .to_owned()
            }),
            Source::Resynchronization => Some("no nonce is known that the digest can be made with".to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Session(number) => write!(f, "that of session s{number}"),
            Source::File => f.write_str("that of the credentials file"),
            Source::Resynchronization => f.write_str("that of a server that lost its own, four zero octets"),
        }
    }
}

/// The nonces that the server may have used: those that it was given in the sessions before, the last one first, then the one
/// that it held before the recording.
fn nonces(cx: &NotificationCx<'_>, entries: &[&Entry]) -> Vec<Nonce> {
    let number = cx.message.session.number;
    let before = cx.earlier.iter().filter(|past| past.number < number);
    let given = before.flat_map(|past| {
        let given = past.auth.iter().flat_map(|auth| auth.given(Side::Server).rev());
        given.map(|given| Nonce { octets: given.octets.to_vec(), from: Source::Session(past.number) })
    });
    let own = entries.iter().filter_map(|entry| entry.nonce.as_ref());
    let own = own.map(|nonce| Nonce { octets: nonce.expose().clone(), from: Source::File });
    let lost = Nonce { octets: RESYNCHRONIZES.to_vec(), from: Source::Resynchronization };
    given.chain(own).chain([lost]).collect()
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

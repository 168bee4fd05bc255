//! The digests of RP 5.3 and DMS 5.4: as they should be, and as they are made wrong again and again.
//!
//! In: user, password, nonce, and for a MAC the body. Out: the 16 octets that should have been sent, or the mistakes
//! that lead to those that were. Bounds: some thousand hashes of short texts for one wrong digest; a body is hashed a
//! dozen times.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};

/// An MD5 value.
pub(in crate::rules) type Hash = [u8; 16];

/// Who authenticates.
#[derive(Clone, Copy)]
pub(in crate::rules) struct Account<'a> {
    /// The user name.
    pub(in crate::rules) user: &'a str,
    /// The password.
    pub(in crate::rules) secret: &'a str,
    /// Names that are taken for the user's, with what they are.
    pub(in crate::rules) taken_for_user: [(&'static str, Option<&'a str>); 2],
}

/// What is hashed behind the nonce.
#[derive(Clone, Copy)]
pub(in crate::rules) enum Over<'a> {
    /// Nothing: `syncml:auth-md5`.
    Nothing,
    /// The body of the message: `syncml:auth-MAC`.
    Body(&'a [u8]),
}

/// The digest as it should be.
pub(in crate::rules) fn digest(account: Account<'_>, nonce: &[u8], over: Over<'_>) -> Hash {
    let tail = match over {
        Over::Nothing => Vec::new(),
        Over::Body(body) => behind_colon(STANDARD.encode(md5(body)).as_bytes()),
    };
    md5(&[inner(account.user, account.secret).as_bytes(), b":", nonce, &tail].concat())
}

/// The mistakes by which a digest was made: the fewest, at most two of them. `text` is the nonce as it was sent.
pub(in crate::rules) fn mistakes(account: Account<'_>, nonce: &[u8], text: &str, over: Over<'_>, seen: &Hash) -> Option<String> {
    let (inners, nonces, tails) = (inners(account), nonces(nonce, text), tails(over));
    let mut best: Option<Vec<&'static str>> = None;
    for (inner_is, inner) in &inners {
        for (nonce_is, nonce) in &nonces {
            for (tail_is, tail) in &tails {
                for (join_is, join) in JOINS {
                    let made: Vec<&'static str> = [*inner_is, *nonce_is, *tail_is, join_is].into_iter().flatten().collect();
                    let fewer = made.len() <= 2 && best.as_ref().is_none_or(|best| made.len() < best.len());
                    if fewer && md5(&join(inner, nonce, tail)) == *seen {
                        best = Some(made);
                    }
                }
            }
        }
    }
    let best = best.or_else(|| is_hmac(account, nonce, over, seen).then(|| vec!["as an HMAC of RFC 2104"]));
    best.filter(|made| !made.is_empty()).map(|made| made.join(" and "))
}

fn md5(bytes: &[u8]) -> Hash {
    Md5::digest(bytes).into()
}

/// `B64(MD5(user ":" password))`.
fn inner(user: &str, secret: &str) -> String {
    STANDARD.encode(md5(format!("{user}:{secret}").as_bytes()))
}

fn behind_colon(bytes: &[u8]) -> Vec<u8> {
    [b":", bytes].concat()
}

type Way = (Option<&'static str>, Vec<u8>);

/// What stands before the nonce; the right way first.
fn inners(account: Account<'_>) -> Vec<Way> {
    let Account { user, secret, taken_for_user } = account;
    let plain = format!("{user}:{secret}");
    let hash = md5(plain.as_bytes());
    let coded = |hash: Hash| STANDARD.encode(hash).into_bytes();
    let of_text = |text: String| coded(md5(text.as_bytes()));
    let right = inner(user, secret);
    let mut ways: Vec<Way> = vec![
        (None, right.clone().into_bytes()),
        (Some("without base64 around the inner hash"), hash.to_vec()),
        (Some("with the inner hash in hexadecimal"), hex(&hash).into_bytes()),
        (Some("with the inner hash in hexadecimal"), hex(&hash).to_ascii_uppercase().into_bytes()),
        (Some("with the inner base64 unpadded"), STANDARD_NO_PAD.encode(hash).into_bytes()),
        (Some("with a line break behind the inner base64"), format!("{right}\n").into_bytes()),
        (Some("with a line break behind the inner base64"), format!("{right}\r\n").into_bytes()),
        (Some("without the inner hash"), plain.clone().into_bytes()),
        (Some("with user and password swapped"), of_text(format!("{secret}:{user}"))),
        (Some("without the colon between user and password"), of_text(format!("{user}{secret}"))),
        (Some("with the password alone"), of_text(secret.to_owned())),
        (Some("with a line break behind the password"), of_text(format!("{plain}\n"))),
        (Some("with the user in other letters"), of_text(format!("{}:{secret}", user.to_lowercase()))),
        (Some("with the user in other letters"), of_text(format!("{}:{secret}", user.to_uppercase()))),
        (Some("with user and password in UTF-16"), coded(md5(&utf16(&plain, u16::to_le_bytes)))),
        (Some("with user and password in UTF-16"), coded(md5(&utf16(&plain, u16::to_be_bytes)))),
    ];
    for (what, name) in taken_for_user {
        ways.extend(name.filter(|name| *name != user).map(|name| (Some(what), inner(name, secret).into_bytes())));
    }
    ways
}

fn nonces(nonce: &[u8], text: &str) -> Vec<Way> {
    vec![
        (None, nonce.to_vec()),
        (Some("with the base64 text of the nonce, not its octets"), text.as_bytes().to_vec()),
        (Some("with the base64 text of the nonce, not its octets"), STANDARD.encode(nonce).into_bytes()),
        (Some("with the nonce in hexadecimal"), hex(nonce).into_bytes()),
        (Some("with an empty nonce"), Vec::new()),
    ]
}

fn tails(over: Over<'_>) -> Vec<Way> {
    let Over::Body(body) = over else { return vec![(None, Vec::new())] };
    let hash = md5(body);
    let trimmed = body.trim_ascii();
    vec![
        (None, behind_colon(STANDARD.encode(hash).as_bytes())),
        (Some("without base64 around the hash of the body"), behind_colon(&hash)),
        (Some("with the hash of the body in hexadecimal"), behind_colon(hex(&hash).as_bytes())),
        (Some("with the body itself, not its hash"), behind_colon(body)),
        (Some("without the body"), Vec::new()),
        (Some("without the white space around the body"), behind_colon(STANDARD.encode(md5(trimmed)).as_bytes())),
    ]
}

type Join = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;

/// How hash and nonce are put together; the right way first.
const JOINS: [(Option<&str>, Join); 5] = [
    (None, |inner, nonce, tail| [inner, b":", nonce, tail].concat()),
    (Some("without the colon before the nonce"), |inner, nonce, tail| [inner, nonce, tail].concat()),
    (Some("with the nonce before the hash"), |inner, nonce, tail| [nonce, b":", inner, tail].concat()),
    (Some("without a nonce"), |inner, _, tail| [inner, tail].concat()),
    (Some("in UTF-16"), |inner, nonce, tail| {
        let all = [inner, b":", nonce, tail].concat();
        all.iter().flat_map(|byte| [*byte, 0]).collect()
    }),
];

/// Whether a MAC is an HMAC over the body, with one of the keys that suggest themselves.
fn is_hmac(account: Account<'_>, nonce: &[u8], over: Over<'_>, seen: &Hash) -> bool {
    let Over::Body(body) = over else { return false };
    let inner = inner(account.user, account.secret).into_bytes();
    let with_nonce = [&*inner, b":", nonce].concat();
    [inner, with_nonce, account.secret.as_bytes().to_vec(), nonce.to_vec()].iter().any(|key| {
        let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else { return false };
        mac.update(body);
        mac.finalize().into_bytes().as_slice() == seen
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRUCE: Account<'static> = Account {
        user: "Bruce2",
        secret: "OhBehave",
        taken_for_user: [("with the LocName as the user", Some("Bruce")), ("with the device as the user", None)],
    };

    fn wrong(text: &str, over: Over<'_>) -> Option<String> {
        let seen: Hash = STANDARD.decode(text).unwrap().try_into().unwrap();
        mistakes(BRUCE, b"Nonce", "Tm9uY2U=", over, &seen)
    }

    fn md5_of(text: &str) -> String {
        STANDARD.encode(md5(text.as_bytes()))
    }

    #[test]
    fn the_published_vectors_hold() {
        assert_eq!(inner("Bruce2", "OhBehave"), "PtEdr8lBQ45IbT1bZIkrOQ==");
        assert_eq!(STANDARD.encode(digest(BRUCE, b"Nonce", Over::Nothing)), "Zz6EivR3yeaaENcRN6lpAQ==");
        assert_eq!(md5_of("<SyncML/>"), "p7fHQr43AfxW0tZLC6QiAA==");
        assert_eq!(STANDARD.encode(digest(BRUCE, b"Nonce", Over::Body(b"<SyncML/>"))), "urdCeS3JUmjFgi8SX3webw==");
        assert_eq!(STANDARD.encode("Bruce2:OhBehave"), "QnJ1Y2UyOk9oQmVoYXZl");
    }

    #[test]
    fn the_mistake_that_reproduces_a_digest_is_named() {
        let named = |text: &str| wrong(text, Over::Nothing).unwrap();
        assert_eq!(named("CmO/kTaDnxgwUdBvdtRh4A=="), "with the base64 text of the nonce, not its octets");
        let made = |text: &str| named(&md5_of(text));
        assert_eq!(made("3ed11dafc941438e486d3d5b64892b39:Nonce"), "with the inner hash in hexadecimal");
        assert_eq!(made("Bruce2:OhBehave:Nonce"), "without the inner hash");
        assert_eq!(made(&format!("{}:Nonce", inner("OhBehave", "Bruce2"))), "with user and password swapped");
        assert_eq!(made(&format!("{}:Nonce", inner("Bruce", "OhBehave"))), "with the LocName as the user");
        assert_eq!(made("PtEdr8lBQ45IbT1bZIkrOQ==Nonce"), "without the colon before the nonce");
        assert_eq!(made("PtEdr8lBQ45IbT1bZIkrOQ==:"), "with an empty nonce");
        assert_eq!(named("PtEdr8lBQ45IbT1bZIkrOQ=="), "without the inner hash and without a nonce");
        let raw = [&md5(b"Bruce2:OhBehave")[..], b":Nonce"].concat();
        assert_eq!(named(&STANDARD.encode(md5(&raw))), "without base64 around the inner hash");
        let wide = STANDARD.encode(md5(&utf16("Bruce2:OhBehave", u16::to_le_bytes)));
        assert_eq!(made(&format!("{wide}:Nonce")), "with user and password in UTF-16");
        assert_eq!(
            made(&format!("{}:Tm9uY2U=", inner("OhBehave", "Bruce2"))),
            "with user and password swapped and with the base64 text of the nonce, not its octets"
        );
    }

    #[test]
    fn a_right_digest_and_a_strange_one_have_no_mistake() {
        assert_eq!(wrong("Zz6EivR3yeaaENcRN6lpAQ==", Over::Nothing), None);
        assert_eq!(wrong("AAAAAAAAAAAAAAAAAAAAAA==", Over::Nothing), None);
        assert_eq!(wrong("AAAAAAAAAAAAAAAAAAAAAA==", Over::Body(b"<SyncML/>")), None);
    }

    #[test]
    fn mistakes_of_a_mac_are_named() {
        let over = Over::Body(b"<SyncML/>\n");
        let made = |text: &str| wrong(&md5_of(text), over).unwrap();
        assert_eq!(made("PtEdr8lBQ45IbT1bZIkrOQ==:Nonce"), "without the body");
        assert_eq!(made("PtEdr8lBQ45IbT1bZIkrOQ==:Nonce:<SyncML/>\n"), "with the body itself, not its hash");
        assert_eq!(wrong("urdCeS3JUmjFgi8SX3webw==", over).unwrap(), "without the white space around the body");
        let mut mac = Hmac::<Md5>::new_from_slice(b"OhBehave").unwrap();
        mac.update(b"<SyncML/>\n");
        assert_eq!(wrong(&STANDARD.encode(mac.finalize().into_bytes()), over).unwrap(), "as an HMAC of RFC 2104");
    }
}

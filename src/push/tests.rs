//! Pushes built by hand, field by field, and read again.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The worked example of the protocol reference: version 1.1, informative, by the server, session 0x1234.
const FIELDS: [u8; 8] = [0x02, 0xE8, 0, 0, 0, 0x12, 0x34, 18];
const SERVER: &[u8] = b"com.mgmtsrv.manage";

fn notification() -> Vec<u8> {
    [&[7; 16][..], &FIELDS, SERVER].concat()
}

fn push(head: &[u8], content: &[u8]) -> Vec<u8> {
    [&[1, 6, u8::try_from(head.len()).unwrap()], head, content].concat()
}

/// `application/vnd.wap.connectivity-wbxml; SEC=USERPIN; MAC=…`
fn bootstrap_head(mac: &str) -> Vec<u8> {
    let value = [&[0xB6, 0x91, 0x81, 0x92][..], mac.as_bytes(), &[0]].concat();
    [&[31, u8::try_from(value.len()).unwrap()], &value[..], &[0xAF, 0x87]].concat()
}

#[test]
fn every_field_of_a_notification_is_read() {
    let bytes = [notification(), b"vendor".to_vec()].concat();
    let trigger = Trigger::read(&bytes).unwrap();
    assert_eq!(trigger.digest, [7; 16]);
    assert_eq!((trigger.version, trigger.version_name().as_str()), (VERSION, "1.1"));
    assert_eq!((trigger.ui_mode, trigger.by_server, trigger.future), (UiMode::Informative, true, 0));
    assert_eq!((trigger.session, trigger.session_id().as_str()), (0x1234, "1234"));
    assert_eq!((trigger.server_len, trigger.server, trigger.vendor), (18, SERVER, &b"vendor"[..]));
    assert_eq!(trigger.signed, &bytes[16..]);
}

#[test]
fn each_bit_is_one_of_its_field() {
    let read = |fields: [u8; 8]| {
        let bytes = [&[0; 16][..], &fields].concat();
        let trigger = Trigger::read(&bytes).unwrap();
        (trigger.version, trigger.ui_mode.bits(), trigger.by_server, trigger.future, trigger.session)
    };
    assert_eq!(read([0xFF, 0xC0, 0, 0, 0, 0, 0, 0]), (1023, 0, false, 0, 0));
    assert_eq!(read([0, 0x30, 0, 0, 0, 0, 0, 0]), (0, 3, false, 0, 0));
    assert_eq!(read([0, 0x10, 0, 0, 0, 0, 0, 0]), (0, 1, false, 0, 0));
    assert_eq!(read([0, 0x08, 0, 0, 0, 0, 0, 0]), (0, 0, true, 0, 0));
    assert_eq!(read([0, 0x07, 0xFF, 0xFF, 0xFF, 0, 0, 0]), (0, 0, false, (1 << 27) - 1, 0));
    assert_eq!(read([0, 0, 0, 0, 0, 0xFF, 0xFF, 0]), (0, 0, false, 0, 0xFFFF));
}

#[test]
fn one_that_ends_early_says_how_much_is_there() {
    let bytes = notification();
    assert_eq!(Trigger::read(&bytes[..23]), Err(Short { octets: 23 }));
    let cut = Trigger::read(&bytes[..30]).unwrap();
    assert_eq!((cut.server, cut.server_len), (&SERVER[..6], 18));
}

#[test]
fn a_push_with_well_known_numbers_is_read() {
    let bytes = push(&[0xC4, 0xAF, 0x87], &notification());
    let read = Push::read(&bytes, Framing::Wsp);
    assert_eq!((read.tid, read.confirmed, &read.fault), (Some(1), false, &None));
    assert_eq!((read.content_type.code, read.content_type.name.as_str()), (Some(0x44), names::TRIGGER));
    assert_eq!(read.application(), Some((names::DM_CLIENT.to_owned(), Some(7))));
    assert_eq!((read.kind(), read.content_at), (Content::Trigger, 6));
    assert_eq!(read.trigger().map(|trigger| trigger.session), Some(0x1234));
    assert_eq!(Framing::sniff(&bytes), Some(Framing::Wsp));
    assert_eq!(Framing::sniff(&notification()), Some(Framing::Bare));
}

#[test]
fn a_push_with_names_is_read() {
    let head = b"Application/Vnd.syncml.notification\0\xAFx-wap-application:syncml.dm\0X-Own\0a\0\xB4\x81";
    let bytes = push(head, &notification());
    let read = Push::read(&bytes, Framing::Wsp);
    assert_eq!(read.fault, None);
    assert_eq!((read.content_type.code, read.kind()), (None, Content::Trigger));
    assert_eq!(read.application(), Some((names::DM_CLIENT.to_owned(), None)));
    assert_eq!(read.header("x-own"), Some(&Value::Text("a".into())));
    assert_eq!(read.header("push-flag"), Some(&Value::Number(1)));
}

#[test]
fn a_push_inside_an_invoke_is_read() {
    let bytes = [&[0x0A, 0, 9, 0x12, 6, 3, 0xC4, 0xAF, 0x87], &notification()[..]].concat();
    let read = Push::read(&bytes, Framing::Wtp);
    assert_eq!((read.tid, &read.fault), (Some(9), &None));
    assert_eq!(read.trigger().map(|trigger| trigger.server), Some(SERVER));
    assert_eq!(Framing::sniff(&bytes), Some(Framing::Wtp));
}

#[test]
fn the_security_of_a_bootstrap_is_read_and_masked() {
    let mac = "0123456789ABCDEF0123456789ABCDEF01234567";
    let bytes = push(&bootstrap_head(mac), b"\x03\x0b\x6a\0secret");
    let read = Push::read(&bytes, Framing::Wsp);
    assert_eq!((&read.fault, read.kind()), (&None, Content::Bootstrap { binary: true }));
    assert_eq!(read.content_type.parameter("sec"), Some(&Value::Number(1)));
    assert_eq!(read.content_type.parameter("MAC"), Some(&Value::Text(mac.into())));
    let masked = secret::masked(&bytes, Framing::Wsp);
    let again = Push::read(&masked, Framing::Wsp);
    assert_eq!(masked.len(), bytes.len());
    assert_eq!(again.content_type.parameter("MAC"), Some(&Value::Text("0".repeat(40))));
    assert!(again.content.iter().all(|byte| *byte == b'0') && again.application() == read.application());
}

#[test]
fn what_is_wrong_is_said() {
    let fault = |bytes: &[u8]| Push::read(bytes, Framing::Wsp).fault.unwrap_or_default();
    assert_eq!(fault(&[]), "the transaction is missing: it ends at octet 0");
    assert_eq!(fault(&[1, 0x40, 0]), "PDU type is 0x40; expected 0x06, a push");
    assert_eq!(fault(&[1, 6, 9, 0xC4]), "the length of the headers is 9; octets behind it: 1");
    assert_eq!(fault(&[1, 6, 0]), "the content type is missing: it ends at octet 3");
    assert_eq!(fault(&[1, 6, 2, b'a', b'b']), "the content type at octet 3 has no zero at its end");
    assert_eq!(
        fault(&[1, 6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        "the length of the headers at octet 2 has more than 5 octets"
    );
    assert_eq!(fault(&[1, 6, 2, 0xC4, 0xAF]), "X-Wap-Application-Id is missing: it ends at octet 5");
}

#[test]
fn other_bytes_are_no_push_of_ours() {
    let mms = push(&[0xBE, 0xAF, 0x84], b"\x8c\x82");
    assert_eq!(Push::read(&mms, Framing::Wsp).kind(), Content::Other);
    let dns = b"\x12\x06\x81\x80\0\x01\0\x01\0\0\0\0\x07example\x04test\0\0\x01\0\x01";
    for bytes in [&mms[..], dns, b"", b"\x01\x06", b"GET / HTTP/1.1\r\n\r\n0123456789"] {
        assert_eq!(Framing::sniff(bytes), None, "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn fields_are_what_they_were(
        digest in any::<[u8; 16]>(), version in 0u64..1024, ui in 0u64..4, by_server in any::<bool>(),
        future in 0u64..1 << 27, session in any::<u16>(), server in vec(any::<u8>(), 0..=255), vendor in vec(any::<u8>(), 0..40),
    ) {
        let length = server.len() as u64;
        let fields =
            version << 54 | ui << 52 | u64::from(by_server) << 51 | future << 24 | u64::from(session) << 8 | length;
        let bytes = [&digest[..], &fields.to_be_bytes(), &server, &vendor].concat();
        let trigger = Trigger::read(&bytes).unwrap();
        prop_assert_eq!(trigger.digest, digest);
        prop_assert_eq!((u64::from(trigger.version), u64::from(trigger.ui_mode.bits())), (version, ui));
        prop_assert_eq!((trigger.by_server, u64::from(trigger.future), trigger.session), (by_server, future, session));
        prop_assert_eq!((trigger.server, trigger.vendor), (&server[..], &vendor[..]));
        let whole = push(&[0xC4, 0xAF, 0x87], &bytes);
        let read = Push::read(&whole, Framing::Wsp);
        prop_assert_eq!((read.content, read.fault), (&bytes[..], None));
    }

    #[test]
    fn any_bytes_are_read_within_their_bounds(bytes in vec(any::<u8>(), 0..200), start in 0usize..3) {
        let starts: [&[u8]; 3] = [b"", b"\x01\x06", b"\x01\x06\x03\xC4\xAF\x87"];
        let bytes = [starts[start], &bytes].concat();
        for framing in Framing::ALL {
            let push = Push::read(&bytes, framing);
            prop_assert!(push.content_at + push.content.len() <= bytes.len());
            let fields = push.headers.iter().chain(&push.content_type.parameters);
            prop_assert!(fields.clone().all(|field| field.span.start <= field.span.end && field.span.end <= bytes.len()));
            let masked = secret::masked(&bytes, framing);
            prop_assert_eq!(masked.len(), bytes.len());
            prop_assert_eq!(Push::read(&masked, framing).kind(), push.kind());
        }
    }
}

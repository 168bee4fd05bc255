use super::build::Template;
use super::*;
use proptest::prelude::*;

fn certificate(template: &Template) -> Certificate {
    Certificate::read(&template.der())
}

#[test]
fn all_fields_are_read() {
    let template = Template {
        hosts: vec!["mdm.example.test".to_owned(), "*.enroll.example.test".to_owned()],
        for_client: true,
        public: true,
        ..Template::default()
    };
    let read = certificate(&template);
    assert_eq!(read.subject.as_ref().unwrap().to_string(), "CN=mdm.example.test");
    assert_eq!(read.issuer.as_ref().unwrap().common_name(), Some("Example CA"));
    assert_eq!(read.serial.as_deref(), Some("0a1b"));
    assert_eq!(read.not_before.unwrap().to_string(), "2025-01-01T00:00:00Z");
    assert_eq!(read.not_after.unwrap().to_string(), "2035-01-01T00:00:00Z");
    assert_eq!(read.key.as_ref().unwrap().to_string(), "RSA 2048");
    assert_eq!(read.signature.as_deref(), Some("sha256WithRSAEncryption"));
    assert_eq!((read.is_ca, read.purposes.as_slice()), (Some(false), &["clientAuth".to_owned()][..]));
    let names: Vec<_> = read.alt_names.iter().map(AltName::to_string).collect();
    assert_eq!(names, ["DNS:mdm.example.test", "DNS:*.enroll.example.test"]);
    assert_eq!(read.thumbprint().len(), 40);
    assert!(read.unreadable.is_empty() && !read.is_self_issued());
    assert_eq!((read.policies.as_slice(), read.is_public()), (&["2.23.140.1.2.1".to_owned()][..], true));
}

#[test]
fn a_name_with_characters_that_its_type_does_not_allow_is_kept() {
    // Windows writes `!` and `_` into PrintableStrings.
    let subject = b"9B6A!8F_2\xe4@x\"y".to_vec();
    let read = certificate(&Template { subject, ..Template::default() });
    assert_eq!(read.subject.as_ref().unwrap().common_name(), Some("9B6A!8F_2\u{e4}@x\"y"));
    assert_eq!(read.subject.unwrap().to_string(), "CN=\"9B6A!8F_2\u{e4}@x\"\"y\"");
    assert!(read.unreadable.is_empty());
}

#[test]
fn a_field_that_cannot_be_read_hides_no_other() {
    let validity = ["yesterday".to_owned(), "20350101000000Z".to_owned()];
    let read = certificate(&Template { validity, serial: vec![7; 40], ..Template::default() });
    assert_eq!((read.not_before, read.unreadable.as_slice()), (None, &["validity"][..]));
    assert_eq!(read.subject.unwrap().common_name(), Some("mdm.example.test"));
    assert_eq!(read.serial.unwrap().len(), 80);
    assert_eq!(Certificate::read(b"no DER").unreadable, ["Certificate"]);
}

#[test]
fn a_certificate_holds_for_the_hosts_it_names() {
    let hosts = vec!["mdm.example.test".to_owned(), "*.enroll.example.test".to_owned()];
    let read = certificate(&Template { hosts, subject: b"other.example.test".to_vec(), ..Template::default() });
    let covered = ["mdm.example.test", "MDM.example.test.", "a.enroll.example.test"];
    assert!(covered.into_iter().all(|host| read.covers(host) == Some(true)));
    let others = ["other.example.test", "enroll.example.test", "a.b.enroll.example.test", ".enroll.example.test", ""];
    assert!(others.into_iter().all(|host| read.covers(host) == Some(false)));
    assert_eq!(certificate(&Template::default()).covers("mdm.example.test"), Some(true));
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..60), at in 0usize..900) {
        Certificate::read(&bytes);
        let mut harmed = Template { hosts: vec!["a.example.test".into()], ..Template::default() }.der();
        let end = harmed.len().min(at + bytes.len());
        if at < end {
            harmed[at..end].copy_from_slice(&bytes[..end - at]);
        }
        Certificate::read(&harmed);
        Certificate::read(&harmed[..end]);
    }
}

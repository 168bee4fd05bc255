//! SSLCLIENTCERTSEARCHCRITERIA of the w7 APPLICATION CSP: by what the device finds its certificate.
//!
//! `Subject=CN%3Ddev1&Stores=My%5CUser`: names and values, each escaped as in URIs; several values stand apart by U+F000.

/// One name with its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criterion<'a> {
    /// The name, as written.
    pub name: &'a str,
    /// The values, as written.
    pub written: &'a str,
}

impl<'a> Criterion<'a> {
    /// Those of a parameter, in order.
    pub fn all(text: &'a str) -> impl Iterator<Item = Criterion<'a>> {
        let pairs = text.split('&').filter(|pair| !pair.trim().is_empty());
        pairs.map(|pair| {
            let (name, written) = pair.split_once('=').unwrap_or((pair, ""));
            Criterion { name: name.trim(), written: written.trim() }
        })
    }

    /// Whether it is called so, without case.
    pub fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The values with their escapes resolved.
    pub fn values(self) -> Vec<String> {
        decoded(self.written).split('\u{F000}').map(str::to_owned).collect()
    }
}

/// Escapes of a URI resolved; what is none stays.
fn decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        // The parser of numbers takes a sign, too.
        let digits = tail.get(..2).filter(|digits| *byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(octet) => {
                octets.push(octet);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                octets.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// Types of attributes that are compared, as `x509::Name` has them.
const KINDS: [&str; 10] = ["C", "CN", "DC", "E", "L", "O", "OU", "SERIALNUMBER", "ST", "UID"];

/// The attributes of a distinguished name as text, `CN=dev1, O="A, B"`: type and value. `None` where one cannot be read.
pub fn attributes(name: &str) -> Option<Vec<(String, String)>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for letter in name.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(String::new()),
            _ => parts.last_mut()?.push(letter),
        }
    }
    let attribute = |part: &String| {
        let (kind, value) = part.split_once('=')?;
        let kind = match kind.trim().to_ascii_uppercase().as_str() {
            "S" => "ST".to_owned(),
            "EMAIL" | "EMAILADDRESS" => "E".to_owned(),
            kind => kind.to_owned(),
        };
        KINDS.contains(&kind.as_str()).then(|| (kind, value.trim().to_owned()))
    };
    parts.iter().map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_taken_apart() {
        let text = "Subject=CN%3dTester,O%3DMicrosoft&Stores=My%5CUser%EF%80%80My%5CSystem&";
        let all: Vec<_> = Criterion::all(text).map(|one| (one.name, one.values())).collect();
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            all,
            [("Subject", owned(&["CN=Tester,O=Microsoft"])), ("Stores", owned(&["My\\User", "My\\System"]))]
        );
        let odd: Vec<_> = Criterion::all("a&=b&c=%G1%4").map(|one| (one.name, one.written)).collect();
        assert_eq!(odd, [("a", ""), ("", "b"), ("c", "%G1%4")]);
        assert_eq!(decoded("%G1%4%+1"), "%G1%4%+1");
    }

    #[test]
    fn names_are_read_as_attributes() {
        let read = |name: &str| {
            attributes(name).map(|all| all.iter().map(|(kind, value)| format!("{kind}:{value}")).collect::<Vec<_>>())
        };
        assert_eq!(read("cn=dev1, O=\"A, B\",S=x"), Some(vec!["CN:dev1".into(), "O:A, B".into(), "ST:x".into()]));
        assert_eq!((read("dev1"), read("CN=a, Inc."), read("CN=a, X=b")), (None, None, None));
    }
}

//! Addresses: of a request, and those that messages name.

use crate::http::Head;

/// Host (lower case, without port) and path (as written, without query) of an HTTP address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The host; empty where nothing tells it.
    pub host: String,
    /// The path, from `/` on.
    pub path: String,
}

impl Address {
    /// Takes a URL apart; `None` for what is no `http` or `https` URL.
    pub fn of(url: &str) -> Option<Address> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let known = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = host_of(authority);
        (known && !host.is_empty()).then(|| Address { host, path: path_of(path) })
    }

    /// The address that a request goes to. The URL that a recording gives may have an address in place of the name.
    pub fn of_request(head: &Head) -> Address {
        if head.method == "CONNECT" {
            return Address { host: host_of(&head.target), path: "/".into() };
        }
        let host = head.header("host").map(host_of).filter(|host| !host.is_empty());
        let url = Address::of(&head.target);
        let url = url.unwrap_or_else(|| Address { host: String::new(), path: path_of(&head.target) });
        Address { host: host.unwrap_or(url.host), path: url.path }
    }

    /// Whether both are the same place; a host that is not known may be any, and letters of a path do not count.
    pub fn is_at(&self, other: &Address) -> bool {
        let hosts = self.host == other.host || self.host.is_empty() || other.host.is_empty();
        hosts && self.path.eq_ignore_ascii_case(&other.path)
    }

    /// Whether its path ends so, without case.
    pub fn ends_with(&self, end: &str) -> bool {
        let from = self.path.len().checked_sub(end.len());
        from.and_then(|from| self.path.get(from..)).is_some_and(|path| path.eq_ignore_ascii_case(end))
    }
}

fn path_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() { "/".into() } else { path.into() }
}

fn host_of(authority: &str) -> String {
    let host = authority.trim().rsplit('@').next().unwrap_or_default();
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    without_port.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> Option<(String, String)> {
        Address::of(url).map(|address| (address.host, address.path))
    }

    #[test]
    fn urls_are_taken_apart() {
        let address = |host: &str, path: &str| Some((host.to_owned(), path.to_owned()));
        assert_eq!(parts("https://MDM.example.test:443/A.svc?x=1"), address("mdm.example.test", "/A.svc"));
        assert_eq!(parts(" http://mdm "), address("mdm", "/"));
        assert_eq!(parts("https://[::1]:8443/a"), address("[::1]", "/a"));
        for wrong in ["mdm.example.test/a", "ftp://a/b", "https:///a", "", "ms-app://x"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_request_tells_where_it_goes() {
        let head = |method: &str, target: &str| Head {
            method: method.into(),
            target: target.into(),
            headers: vec![("Host".into(), "Enroll.example.test:8443".into())],
            ..Head::default()
        };
        let address = Address::of_request(&head("POST", "/EnrollmentServer/Discovery.svc?a"));
        assert_eq!(
            (address.host.as_str(), address.path.as_str()),
            ("enroll.example.test", "/EnrollmentServer/Discovery.svc")
        );
        assert!(address.ends_with("/discovery.SVC") && !address.ends_with("policy.svc"));
        assert_eq!(Address::of_request(&head("CONNECT", "a.example.test:443")).host, "a.example.test");
        assert_eq!(Address::of_request(&head("GET", "http://127.0.0.1/x")).host, "enroll.example.test");
        assert!(address.is_at(&Address { host: String::new(), path: "/enrollmentserver/discovery.svc".into() }));
    }
}

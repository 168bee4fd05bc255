//! The Unenroll nodes of the DMClient provider, and what is meant to be one.

use crate::syncml::uri;

/// The names in a path that ends in Unenroll, without the leading dot; none of other paths.
fn names(target: &str) -> Vec<&str> {
    let path = uri::path(target);
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
    if last.eq_ignore_ascii_case("Unenroll") { path.split('/').collect() } else { Vec::new() }
}

/// Whether a path ends in Unenroll below DMClient, right or wrong. That of a linked enrollment is another node.
pub(super) fn means_unenroll(target: &str) -> bool {
    let names = names(target);
    let has = |name: &str| names.iter().any(|own| own.eq_ignore_ascii_case(name));
    has("DMClient") && !has("LinkedEnrollment")
}

/// Whether it is one of the nodes that exist.
pub(super) fn is_known(target: &str) -> bool {
    let names = names(target);
    below_client(&names).is_some_and(|rest| match rest {
        [last] => last.eq_ignore_ascii_case("Unenroll"),
        [_, _, _] => provider(target).is_some(),
        _ => false,
    })
}

/// The provider in the path of an Unenroll node.
pub(super) fn provider(target: &str) -> Option<&str> {
    match below_client(&names(target))? {
        [word, id, last] if !id.is_empty() && word.eq_ignore_ascii_case("Provider") => {
            last.eq_ignore_ascii_case("Unenroll").then_some(*id)
        }
        _ => None,
    }
}

/// What stands behind `[Device/]Vendor/MSFT/DMClient` in a path.
fn below_client<'n, 'a>(names: &'n [&'a str]) -> Option<&'n [&'a str]> {
    let rest = match names {
        [root, rest @ ..] if root.eq_ignore_ascii_case("Device") => rest,
        all => all,
    };
    match rest {
        [vendor, company, client, rest @ ..] => {
            let same = [(vendor, "Vendor"), (company, "MSFT"), (client, "DMClient")];
            same.iter().all(|(own, name)| own.eq_ignore_ascii_case(name)).then_some(rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_paths_are_known() {
        for path in ["./Device/Vendor/MSFT/DMClient/Provider/A%20B/Unenroll", "./Vendor/MSFT/DMClient/Provider/A/Unenroll"] {
            assert!(is_known(path) && provider(path).is_some(), "{path}");
        }
        for path in ["./Device/Vendor/MSFT/DMClient/Unenroll", "./vendor/msft/dmclient/unenroll/"] {
            assert!(is_known(path) && provider(path).is_none(), "{path}");
        }
    }

    #[test]
    fn other_paths_are_not() {
        for path in ["./Vendor/MSFT/DMClient/Provider/Unenroll", "./User/Vendor/MSFT/DMClient/Provider/A/Unenroll"] {
            assert!(means_unenroll(path) && !is_known(path), "{path}");
        }
        assert!(!means_unenroll("./Device/Vendor/MSFT/DMClient/Provider/A/LinkedEnrollment/Unenroll"));
        assert!(!means_unenroll("./Vendor/Example/Unenroll"));
    }
}

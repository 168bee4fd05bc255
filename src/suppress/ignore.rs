//! Suppressions of the configuration: `[[ignore]]`.
//!
//! In: entries with rules, places, a reason and maybe a last day. Out: which of them hides a finding. One whose last day is
//! over hides nothing.

use crate::pattern::Pattern;
use crate::rules::area::{Area, Seen};
use crate::rules::{Finding, Rule};

/// An entry.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// The rules as they were named.
    pub names: Vec<String>,
    /// The rules.
    pub rules: Vec<&'static Rule>,
    /// For which inputs, servers and devices.
    pub area: Area,
    /// Patterns of what the command is about; any without.
    pub locuri: Vec<LocUri>,
    /// Commands; any without.
    pub commands: Vec<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it counts.
    pub until: Option<jiff::civil::Date>,
    /// Where it stands: `dmscope.toml:12`.
    pub place: String,
}

/// A pattern of addresses of nodes. `./Vendor` and `./Device/Vendor` are the same, and so are letters of either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocUri {
    pattern: Pattern,
    text: String,
}

impl Ignore {
    /// Whether it hides findings that are known by their rule alone.
    pub fn covers_rule(&self, rule: &Rule) -> bool {
        self.locuri.is_empty() && self.commands.is_empty() && self.rules.contains(&rule)
    }

    /// Whether it hides a finding, which was seen in its area.
    pub fn covers(&self, finding: &Finding) -> bool {
        let command = |name: &String| finding.about().command.is_some_and(|command| command.eq_ignore_ascii_case(name));
        let locuri = |uri: &LocUri| finding.about().target.as_deref().is_some_and(|target| uri.matches(target));
        self.rules.contains(&finding.rule)
            && (self.commands.is_empty() || self.commands.iter().any(command))
            && (self.locuri.is_empty() || self.locuri.iter().any(locuri))
    }

    /// Whether its last day is over.
    pub fn has_expired(&self, today: jiff::civil::Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }

    /// Whether something was seen in its area.
    pub fn is_about(&self, seen: Seen<'_>) -> bool {
        self.area.holds(seen)
    }
}

impl LocUri {
    /// A pattern.
    pub fn new(text: &str) -> LocUri {
        LocUri { pattern: Pattern::caseless(&whole(text)), text: text.to_owned() }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn matches(&self, uri: &str) -> bool {
        self.pattern.matches(&whole(uri))
    }
}

/// An address with its root: `./Vendor/MSFT` as `device/Vendor/MSFT`.
fn whole(uri: &str) -> String {
    let bare = uri.strip_prefix("./").unwrap_or(uri);
    let is_vendor = bare.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("vendor"));
    if is_vendor && matches!(bare.as_bytes().get(6), None | Some(b'/')) {
        format!("device/{bare}")
    } else {
        bare.to_owned()
    }
}

/// The day it is, in UTC: that of `$SOURCE_DATE_EPOCH` where it is set, so that a run can be repeated.
pub fn today() -> jiff::civil::Date {
    let set = std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds.parse().ok()?).ok());
    set.unwrap_or_else(jiff::Timestamp::now).to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_many_spellings() {
        let matches = |pattern: &str, uri: &str| LocUri::new(pattern).matches(uri);
        assert!(matches("./Vendor/MSFT/Policy/**", "./Device/vendor/MSFT/Policy/Config/X"));
        assert!(matches("./Device/Vendor/**", "Vendor/MSFT") && !matches("./Device/**", "./User/Vendor/X"));
        assert!(matches("./Vendor/*/Policy", "./Vendor/MSFT/Policy") && !matches("./Vendor/*", "./Vendor/MSFT/Policy"));
        assert!(matches("**/WiFi/**", "./Vendor/MSFT/WiFi/Profile") && matches("./DevInfo/*", "./devinfo/DevId"));
        assert!(!matches("./Vendors", "./Device/Vendors") && matches("./Vendors", "./Vendors"));
    }

    #[test]
    fn the_last_day_still_counts() {
        let date = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
        let ignore = |until: Option<&str>| Ignore {
            names: Vec::new(),
            rules: Vec::new(),
            area: Area::default(),
            locuri: Vec::new(),
            commands: Vec::new(),
            reason: String::new(),
            until: until.map(date),
            place: String::new(),
        };
        assert!(!ignore(Some("2026-03-01")).has_expired(date("2026-03-01")));
        assert!(
            ignore(Some("2026-03-01")).has_expired(date("2026-03-02")) && !ignore(None).has_expired(date("2026-03-02"))
        );
    }
}

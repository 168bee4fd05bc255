//! The poll schedule of the DMClient CSP: three rows of retries one after the other, and what starts a session besides.

use super::provisioning::{Characteristic, Parm};

/// `Poll`.
#[derive(Clone, Copy, Debug)]
pub struct Poll<'a>(pub Characteristic<'a>);

/// One row: so many sessions, so far apart.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The parameter with the number of sessions; 0 means without end.
    pub count: Option<Parm<'a>>,
    /// The parameter with the minutes between them.
    pub interval: Option<Parm<'a>>,
}

impl Row<'_> {
    /// How many sessions; 0 means without end.
    pub fn times(self) -> Option<u64> {
        number(self.count)
    }

    /// Minutes between them.
    pub fn minutes(self) -> Option<u64> {
        number(self.interval)
    }
}

fn number(parm: Option<Parm<'_>>) -> Option<u64> {
    parm?.value()?.trim().parse().ok()
}

/// The parameters of each row: number, and interval.
pub const ROWS: [(&str, &str); 3] = [
    ("NumberOfFirstRetries", "IntervalForFirstSetOfRetries"),
    ("NumberOfSecondRetries", "IntervalForSecondSetOfRetries"),
    ("NumberOfRemainingScheduledRetries", "IntervalForRemainingScheduledRetries"),
];

impl<'a> Poll<'a> {
    /// The rows in their order.
    pub fn rows(self) -> [Row<'a>; 3] {
        ROWS.map(|(count, interval)| Row { count: self.0.parm(count), interval: self.0.parm(interval) })
    }

    /// A parameter that is true or false.
    pub fn flag(self, name: &str) -> Option<bool> {
        match self.0.value(name)?.trim() {
            value if value.eq_ignore_ascii_case("true") || value == "1" => Some(true),
            value if value.eq_ignore_ascii_case("false") || value == "0" => Some(false),
            _ => None,
        }
    }

    /// The schedule in words: `every 3 minutes 5 times, then every 15 minutes 8 times, then every 24 hours`.
    pub fn words(self) -> String {
        let mut parts = Vec::new();
        for row in self.rows() {
            match (row.times(), row.minutes()) {
                (_, Some(0)) | (None, _) | (_, None) => {}
                (Some(0), Some(minutes)) => {
                    parts.push(every(minutes));
                    break;
                }
                (Some(1), Some(minutes)) => parts.push(format!("once after {}", span(minutes))),
                (Some(times), Some(minutes)) => parts.push(format!("{} {times} times", every(minutes))),
            }
        }
        let mut words = match parts.is_empty() {
            true => "no scheduled session".to_owned(),
            false => parts.join(", then "),
        };
        if self.flag("PollOnLogin") == Some(true) {
            words.push_str("; also when a user signs in");
        }
        words
    }
}

fn every(minutes: u64) -> String {
    match span(minutes) {
        one if one.starts_with("1 ") => format!("every {}", &one[2..]),
        many => format!("every {many}"),
    }
}

/// Minutes in the largest unit that fits; a day and less in hours.
fn span(minutes: u64) -> String {
    let counted = |number: u64, unit: &str| format!("{number} {unit}{}", if number == 1 { "" } else { "s" });
    match minutes {
        _ if minutes.is_multiple_of(24 * 60) && minutes > 24 * 60 => counted(minutes / (24 * 60), "day"),
        _ if minutes.is_multiple_of(60) && minutes > 0 => counted(minutes / 60, "hour"),
        _ => counted(minutes, "minute"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::soap::doc;
    use super::*;

    fn words(values: [&str; 6], more: &str) -> String {
        let parms: String = ROWS
            .iter()
            .flat_map(|(count, interval)| [*count, *interval])
            .zip(values)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("<parm name='{name}' value='{value}' datatype='integer'/>"))
            .collect();
        let doc = doc(&format!("<characteristic type='Poll'>{parms}{more}</characteristic>"));
        Poll(Characteristic(doc.root().expect("a root"))).words()
    }

    #[test]
    fn schedules_in_words() {
        assert_eq!(
            words(["5", "3", "8", "15", "0", "1440"], ""),
            "every 3 minutes 5 times, then every 15 minutes 8 times, then every 24 hours"
        );
        assert_eq!(words(["0", "1", "8", "15", "0", "1440"], ""), "every minute");
        assert_eq!(words(["1", "60", "", "", "0", "2880"], ""), "once after 1 hour, then every 2 days");
        assert_eq!(
            words(["", "", "x", "15", "", ""], "<parm name='PollOnLogin' value='true'/>"),
            "no scheduled session; also when a user signs in"
        );
        assert_eq!(words(["99999999999999999999", "3", "2", "0", "3", "1"], ""), "every minute 3 times");
    }
}

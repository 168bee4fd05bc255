//! DM-WIN: what only Windows' MDM client does, and what only it wants (MS-MDM, the pages of its CSPs).
//!
//! `request` judges the headers of its requests, `scope` for whom a session is, `client` the settings of the client itself
//! (`DMClient`), `schedule` when it comes, `certificates` how certificates are installed, `diagnosis` what explains itself.
//! `known` is what a session shows of the device's settings, for the sessions that follow.

mod certificates;
mod client;
mod diagnosis;
mod known;
mod request;
mod schedule;
mod scope;

pub(super) use certificates::*;
pub(super) use client::*;
pub(super) use diagnosis::*;
pub(super) use known::{Known, known};
pub(super) use request::*;
pub(super) use schedule::*;
pub(super) use scope::*;

use super::uri::after;
use crate::syncml::uri;

/// The provider's id and the rest of the path, of a node below `DMClient/Provider/ID`.
pub(super) fn below_provider(target: &str) -> Option<(&str, &str)> {
    let rest = after(node(target), "Vendor/MSFT/DMClient/Provider/")?;
    let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
    (!id.is_empty()).then_some((id, rest.trim_end_matches('/')))
}

/// A path of the device's tree without its beginnings `./` and `Device/`.
fn node(target: &str) -> &str {
    let path = uri::path(target);
    let path = path.strip_prefix("./").unwrap_or(path);
    after(path, "Device/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_stand_below_a_provider() {
        let path = "./Device/Vendor/MSFT/DMClient/Provider/Example%20MDM/Poll/NumberOfFirstRetries";
        assert_eq!(below_provider(path), Some(("Example%20MDM", "Poll/NumberOfFirstRetries")));
        assert_eq!(below_provider("./vendor/msft/dmclient/provider/A?list=Struct"), Some(("A", "")));
        assert_eq!(below_provider("./Vendor/MSFT/DMClient/Provider"), None);
        assert_eq!(below_provider("./User/Vendor/MSFT/DMClient/Provider/A"), None);
    }
}

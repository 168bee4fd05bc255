//! The examples of rule pages: read, put together to sessions, and held against what the rules say.
//!
//! In: a page with its sections `## Bad` and `## Good`, as `rules/README.md` has them. Out: for each section whether the
//! findings are those that it marks. The project's tests run the built-in rules' pages by these modules, and in more forms
//! (packets, TLS, HTTP/2); `dmscope rules test` runs a team's own.

pub mod binary;
pub mod check;
pub mod compose;
pub mod page;
pub mod run;
mod test;

pub use test::{Tested, test};

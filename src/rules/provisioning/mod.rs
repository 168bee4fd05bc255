//! Provisioning documents (DM-PRV), one file a part.

mod application;
mod certificates;
mod credentials;
mod document;
mod schedule;

pub(super) use application::*;
pub(super) use certificates::*;
pub(super) use credentials::*;
pub(super) use document::*;
pub(super) use schedule::*;

//! Provisioning documents (DM-PRV), one file a part.

mod application;
mod certificates;
mod credentials;
mod criteria;
mod document;
mod management;
mod parameters;
mod renewal;
mod schedule;

pub(super) use application::*;
pub(super) use certificates::*;
pub(super) use credentials::*;
pub(super) use criteria::*;
pub(super) use document::*;
pub(super) use management::*;
pub(super) use parameters::*;
pub(super) use renewal::*;
pub(super) use schedule::*;

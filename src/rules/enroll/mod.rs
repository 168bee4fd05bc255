//! Enrollment exchanges (DM-ENR), one file a step.

mod discovery;
mod envelope;
mod fault;
mod network;
mod services;

pub(super) use discovery::*;
pub(super) use envelope::*;
pub(super) use fault::*;
pub(super) use network::*;
pub(super) use services::*;

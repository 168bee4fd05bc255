//! Enrollment exchanges (DM-ENR), one file a theme.

mod discovery;
mod envelope;
mod fault;
mod network;
mod order;
mod policy;
mod proof;
mod renewal;
mod request;
mod response;
mod services;
mod signin;

pub(super) use discovery::*;
pub(super) use envelope::*;
pub(super) use fault::*;
pub(super) use network::*;
pub(super) use order::*;
pub(super) use policy::*;
pub(super) use proof::*;
pub(super) use renewal::*;
pub(super) use request::*;
pub(super) use response::*;
pub(super) use services::*;
pub(super) use signin::*;

//! TLS, as far as it shows without keys.
//!
//! In: the client's stream. Out: the name of the server that it asks for. It decrypts nothing.

pub mod hello;

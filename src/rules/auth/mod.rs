//! Credentials and challenges (RP 5.3, DMP 9, DMS 5).
//!
//! `form` judges what stands in one message, `nonce` the nonces of challenges, `retry` what follows on a challenge,
//! `outcome` what follows on a verdict, `proof` the digests themselves, where the user gave the secrets.

mod dialog;
pub(super) mod digest;
mod form;
mod hmac;
mod memory;
mod nonce;
mod outcome;
mod proof;
mod retry;
mod verify;

pub(super) use dialog::Dialog;
pub(super) use form::{
    auth_format_not_b64, basic_cred_form, challenge_missing, challenge_on_success_basic, cred_not_base64,
    hmac_header_syntax, hmac_username_mismatch, mac_in_cred, md5_username_missing, unknown_auth_type,
};
pub(super) use memory::Remembered;
pub(super) use nonce::{nextnonce_missing, nextnonce_not_base64, nonce_reused, predictable_nonce, weak_nonce};
pub(super) use outcome::{
    auth_scheme_changed, code_401_407_confused, commands_in_auth_failure_answer, cred_after_212,
    cred_not_repeated_after_200, hmac_dropped, server_not_authenticated, status_212_for_mac,
    statuses_missing_in_auth_failure_answer, username_changes,
};
pub(super) use proof::{hmac_wrong, md5_digest_wrong, next_session_nonce_not_used, stale_nonce_after_200};
pub(super) use retry::{
    authentication_loop, cred_missing_after_challenge, cred_type_differs_from_challenge, lone_challenge_from_client,
    package1_not_resent, retry_form, single_failure_not_rechallenged,
};

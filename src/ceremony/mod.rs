//! The acts: preflight, import, review, approve, sign, export; the only room that opens a private key.

pub(crate) mod acts;
pub(crate) mod anchors;
pub(crate) mod approve;
pub(crate) mod error;
pub(crate) mod export;
pub(crate) mod form;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod officers;
pub(crate) mod preflight;
pub(crate) mod prepare;
pub(crate) mod progress;
pub(crate) mod request;
pub(crate) mod review;
pub(crate) mod reviewed;
pub(crate) mod sign;
pub(crate) mod signers;
pub(crate) mod slip;
pub(crate) mod succession;
pub(crate) mod tool;
pub(crate) mod trust;

pub(crate) use error::CeremonyError;

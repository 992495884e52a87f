//! The acts: preflight, import, review, approve, sign, export; the only room that opens a private key.

pub mod acts;
pub mod anchors;
pub mod approve;
pub mod error;
pub mod export;
pub mod form;
pub mod import;
pub mod keys;
pub mod made;
pub mod officers;
pub mod preflight;
pub mod prepare;
pub mod progress;
pub mod request;
pub mod review;
pub mod reviewed;
pub mod sign;
pub mod signers;
pub mod slip;
pub mod succession;
pub mod tool;
pub mod trust;

pub use error::CeremonyError;

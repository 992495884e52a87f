//! The acts: import, approve, sign, export, preflight; the only room that opens a private key.

pub mod preflight;

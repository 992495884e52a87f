//! The only room that holds a secret: officers' identities, sealed keys and their shares, paper, passphrases.

pub mod backup;
pub mod error;
pub mod keys;
pub mod officer;
pub mod paper;
pub mod passphrase;
pub mod qr;
pub(crate) mod record;
pub mod restore;
pub mod seal;
pub mod sealed;
pub mod share;
pub mod sheet;

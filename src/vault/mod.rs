//! The only room that holds a secret: officers' identities, sealed keys and their shares, paper, passphrases.

pub(crate) mod backup;
pub(crate) mod error;
pub(crate) mod keys;
pub(crate) mod officer;
pub(crate) mod paper;
pub(crate) mod passphrase;
pub(crate) mod qr;
pub(crate) mod record;
pub(crate) mod restore;
pub(crate) mod seal;
pub(crate) mod sealed;
pub(crate) mod share;
pub(crate) mod sheet;

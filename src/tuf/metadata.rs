//! The envelope of every metadata file: `{"signatures":[…],"signed":{…}}`.

use super::{Dialect, Message, Signature, TufError};
use crate::host::clock::Time;
use crate::json::{Kind, Value};
use crate::text::shown;
use std::borrow::Cow;

/// The greatest version that any program keeps apart from the next: JSON's numbers are floating point in many.
pub(crate) const GREATEST_VERSION: u64 = (1 << 53) - 1;

/// An envelope whose `signed` was found to be of the role that is needed.
#[derive(Clone)]
pub struct Metadata<'d> {
    /// Whose rules it follows.
    pub dialect: Dialect,
    /// What is signed, with every member that it has.
    pub signed: Value<'d>,
    /// The signatures, in document order.
    pub signatures: Vec<Signature>,
    /// `version`.
    pub version: u64,
    /// `expires` as it is written.
    pub expires: Cow<'d, str>,
}

impl<'d> Metadata<'d> {
    /// Reads an envelope: a document's outermost value, or one inside a service's response.
    ///
    /// # Errors
    /// A member is missing or of the wrong type, or `_type` is another role.
    pub(crate) fn read(
        envelope: Value<'d>,
        dialect: Dialect,
        role: &'static str,
    ) -> Result<Metadata<'d>, TufError> {
        let signed = envelope.require("signed")?;
        let signatures = Signature::parse_list(envelope.require("signatures")?, dialect)?;
        Metadata::of_signed(signed, signatures, dialect, role)
    }

    /// Reads a `signed` whose signatures are at hand.
    ///
    /// # Errors
    /// As [`Metadata::read`].
    pub(crate) fn of_signed(
        signed: Value<'d>,
        signatures: Vec<Signature>,
        dialect: Dialect,
        role: &'static str,
    ) -> Result<Metadata<'d>, TufError> {
        signed.want(Kind::Object)?;
        dialect.check_members(signed.document(), signed)?;
        let found = signed.require("_type")?.require_str()?;
        let file = signed.document().name();
        if !dialect.is_role(&found, role) {
            return Err(TufError::Role { file: shown(file), wanted: role, found: found.into_owned() });
        }
        let version = signed.require("version")?;
        let number = version.require_u64()?;
        if !(1..=GREATEST_VERSION).contains(&number) {
            return Err(version.invalid("a version is a whole number from 1 to 2^53 - 1").into());
        }
        let expires = signed.require("expires")?.require_str()?;
        Ok(Metadata { dialect, signed, signatures, version: number, expires })
    }

    /// What the signatures are over.
    ///
    /// # Errors
    /// The dialect has no canonical form for it.
    pub fn message(&self) -> Result<Message<'d>, TufError> {
        Message::of(self.signed, self.dialect)
    }

    /// When it expires; `None` when `expires` is not a time at all.
    pub(crate) fn expiry(&self) -> Option<Time> {
        Time::parse(&self.expires)
    }
}

//! Signatures as they stand in metadata, and what each of them is worth.

use super::key::Verified;
use super::{Dialect, KeyId, Message, PublicKey, Root, TufError};
use crate::json::{Kind, Value, canonical};
use crate::text::shown;
use crate::threads;
use std::collections::BTreeSet;

/// One entry of `signatures`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Whose it says it is.
    pub keyid: KeyId,
    /// `method`, where it is there.
    pub method: Option<String>,
    /// The value's bytes, or why its text could not be read.
    pub value: Result<Vec<u8>, &'static str>,
    /// Itself as JSON, to be passed on: the members that a signature has, and no others.
    pub json: String,
    /// The names of its other members. Foreign text.
    pub strange_members: Vec<String>,
}

/// More signatures than this are not the work of a Factory.
const MAX_SIGNATURES: usize = 64;

impl Signature {
    /// Reads the list `signatures`.
    ///
    /// # Errors
    /// It is not a list of objects with `keyid` and `sig`, or it has more than 64 entries.
    pub(crate) fn parse_list(list: Value<'_>, dialect: Dialect) -> Result<Vec<Signature>, TufError> {
        list.want(Kind::Array)?;
        if list.items().nth(MAX_SIGNATURES).is_some() {
            return Err(list.invalid(format!("more than {MAX_SIGNATURES} signatures")).into());
        }
        list.items().filter_map(|item| Signature::parse(item, dialect).transpose()).collect()
    }

    /// `None` for the place of a signature that was not made yet.
    fn parse(item: Value<'_>, dialect: Dialect) -> Result<Option<Signature>, TufError> {
        let sig = item.require("sig")?.require_str()?;
        if dialect.is_placeholder(&sig) {
            return Ok(None);
        }
        let method = item.get("method").map(|method| method.require_str().map(|text| text.into_owned()));
        let known = dialect.signature_members();
        let is_known = |name: &str| known.contains(&name);
        let own = known.iter().filter_map(|name| Some((name, item.get(name)?.as_str()?)));
        let own = own.map(|(name, text)| format!("\"{name}\":{}", canonical::string(&text)));
        let others = item.members().map(|(key, _)| key.text()).filter(|key| !is_known(key));
        Ok(Some(Signature {
            keyid: KeyId::new(item.require("keyid")?.require_str()?),
            method: method.transpose()?,
            value: dialect.decode_signature(&sig),
            json: format!("{{{}}}", own.collect::<Vec<_>>().join(",")),
            strange_members: others.map(|key| key.into_owned()).collect(),
        }))
    }
}

/// What one signature is worth to one role of one root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Worth {
    /// Valid, by a key that the role lists: it counts.
    Counts,
    /// The same key already stands before it. A device rejects the whole file.
    Duplicate,
    /// By a key that the role does not list: it does not count, and devices skip it.
    Unknown,
    /// By a listed key, and not valid; the words say why.
    Invalid(&'static str),
    /// By a listed key of a type that is not known here: it does not count, and clients that know the type may count it.
    Unverifiable,
    /// It names no method, or one that devices do not know: they reject the whole file.
    UnsupportedMethod,
}

/// A signature and what it is worth.
#[derive(Clone, Debug)]
pub struct Assessed {
    /// The signature.
    pub signature: Signature,
    /// What it is worth.
    pub worth: Worth,
    /// It counts, and its salt has another length than the hash: clients that ask for that length refuse it.
    pub other_salt: bool,
}

/// Assesses every signature of a document for a role of a root: verified over the message, counted over distinct
/// authorised keys.
pub fn assess(signatures: Vec<Signature>, message: &Message<'_>, root: &Root, role: &str) -> Vec<Assessed> {
    let mut seen_ids = BTreeSet::new();
    let mut seen_keys: Vec<PublicKey> = Vec::new();
    let mut to_verify: Vec<(usize, PublicKey)> = Vec::new();
    let mut assessed: Vec<Assessed> = Vec::with_capacity(signatures.len());
    for (index, signature) in signatures.into_iter().enumerate() {
        let key = root.key_in_role(role, &signature.keyid);
        let worth = if !seen_ids.insert(signature.keyid.clone()) {
            Worth::Duplicate
        } else if root.dialect.rejects_method(signature.method.as_deref()) {
            Worth::UnsupportedMethod
        } else {
            match (key, &signature.value) {
                (None, _) => Worth::Unknown,
                (Some(key), _) if key.unusable_because().is_some() => Worth::Unverifiable,
                (Some(_), Err(why)) => Worth::Invalid(why),
                (Some(key), Ok(_)) if seen_keys.contains(key) => Worth::Duplicate,
                (Some(key), Ok(_)) => match root.dialect.check_method(signature.method.as_deref(), key) {
                    Err(why) => Worth::Invalid(why),
                    Ok(()) => {
                        seen_keys.push(key.clone());
                        to_verify.push((index, key.clone()));
                        Worth::Invalid("the signature does not fit the content")
                    }
                },
            }
        };
        assessed.push(Assessed { signature, worth, other_salt: false });
    }
    for (index, other_salt) in verify_all(&assessed, to_verify, message, root.dialect) {
        assessed[index].worth = Worth::Counts;
        assessed[index].other_salt = other_salt;
    }
    assessed
}

/// The indices of the signatures that hold, and whether one does with a salt of another length only.
fn verify_all(
    assessed: &[Assessed],
    to_verify: Vec<(usize, PublicKey)>,
    message: &Message<'_>,
    dialect: Dialect,
) -> Vec<(usize, bool)> {
    let holds = |(index, key): (usize, PublicKey)| -> Option<(usize, bool)> {
        let value = assessed.get(index)?.signature.value.as_ref().ok()?;
        match dialect.verify(&key, message.bytes(), value) {
            Verified::No => None,
            Verified::Yes => Some((index, false)),
            Verified::OtherSalt => Some((index, true)),
        }
    };
    let bytes = message.bytes().len() as u64;
    threads::each(to_verify, |_| bytes, holds).into_iter().flatten().collect()
}

/// How many distinct keys of the role signed validly.
pub(crate) fn count(assessed: &[Assessed]) -> usize {
    assessed.iter().filter(|one| one.worth == Worth::Counts).count()
}

/// What is wrong with those that do not count, in words.
pub(crate) fn problems(assessed: &[Assessed]) -> Vec<String> {
    let said = |one: &Assessed| {
        let why = match &one.worth {
            Worth::Counts => return None,
            Worth::Duplicate => "stands twice",
            Worth::Unknown => "is not listed for this role",
            Worth::Unverifiable => "is of a type that is not known here",
            Worth::UnsupportedMethod => "names no method that devices know",
            Worth::Invalid(why) => why,
        };
        Some(format!("key {}: {why}", one.signature.keyid.short()))
    };
    assessed.iter().filter_map(said).collect()
}

/// Checks that a document carries the signatures that a role of a root asks for.
///
/// # Errors
/// Fewer valid signatures of distinct authorised keys than the role's threshold.
pub(crate) fn require_threshold(
    what: &str,
    signatures: Vec<Signature>,
    message: &Message<'_>,
    root: &Root,
    role: &'static str,
) -> Result<Vec<Assessed>, TufError> {
    let assessed = assess(signatures, message, root, role);
    let (valid, needed) = (count(&assessed), root.threshold(role));
    if valid >= needed {
        return Ok(assessed);
    }
    let problems = problems(&assessed);
    Err(TufError::Threshold { what: shown(what), role, root: root.version, valid, needed, problems })
}

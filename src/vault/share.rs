//! One officer's share of a sealed key's identity: Shamir's scheme over GF(256), in a text that names what it is of.
//!
//! A bare share combines with anything into nonsense. This text says of which key, which set, for whom and which index
//! it is, so that a wrong, swapped, stale or foreign share is refused by name. The payload is the share's values in
//! hexadecimal, one byte for each byte of the secret, over the field with the polynomial 0x11d; the secret is the
//! polynomials' value at 0.

use crate::host::Random;
use crate::text::shown;
use crate::vault::error::{CustodyError, CustodyResult, ShareProblem};
use crate::vault::officer::OfficerName;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use zeroize::Zeroizing;

const FIRST_LINE: &str = "countersign share 1";
/// An age identity has 74 characters.
const SECRET_CAP: usize = 1024;

/// A share. Its payload is wiped when dropped; has no `Debug`.
pub struct Share {
    /// The key whose identity was split.
    pub keyid: String,
    /// The set that this share belongs to: 16 hexadecimal digits, new at every sealing.
    pub set: String,
    /// For whom it was made.
    pub officer: OfficerName,
    /// Where the polynomials were evaluated, from 1.
    pub index: u8,
    /// How many shares are needed.
    pub threshold: u8,
    /// How many there are.
    pub total: u8,
    /// The public half of the identity that was split.
    pub recipient: String,
    payload: Zeroizing<Vec<u8>>,
}

/// What the shares of one set have in common.
pub(crate) struct ShareSet<'a> {
    /// The key.
    pub keyid: &'a str,
    /// The set.
    pub set: &'a str,
    /// How many shares are needed.
    pub threshold: u8,
    /// How many there are.
    pub total: u8,
    /// The public half of the identity that was split.
    pub recipient: &'a str,
}

impl Share {
    /// The share's text.
    pub fn to_text(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(1024 + 2 * self.payload.len()));
        let head = format!(
            "{FIRST_LINE}\nkey: {}\nset: {}\nofficer: {}\nindex: {}\nthreshold: {}\ntotal: {}\nrecipient: {}\npayload: ",
            self.keyid, self.set, self.officer, self.index, self.threshold, self.total, self.recipient
        );
        text.extend_from_slice(head.as_bytes());
        let digits = Zeroizing::new(hex::encode(&*self.payload));
        text.extend_from_slice(digits.as_bytes());
        text.push(b'\n');
        let checksum = checksum(&text);
        text.extend_from_slice(format!("checksum: {checksum}\n").as_bytes());
        text
    }

    /// Reads a share's text.
    ///
    /// # Errors
    /// [`ShareProblem::Malformed`] or [`ShareProblem::Damaged`].
    pub fn parse(text: &[u8]) -> Result<Share, ShareProblem> {
        let malformed = |what: &str| ShareProblem::Malformed(what.to_owned());
        let text = std::str::from_utf8(text).map_err(|_| malformed("it is not text"))?;
        let mut lines = text.split_inclusive('\n');
        if lines.next().map(str::trim_end) != Some(FIRST_LINE) {
            return Err(malformed("it does not begin with \"countersign share 1\""));
        }
        let mut field = |name: &'static str| {
            let line = lines.next().and_then(|line| line.strip_suffix('\n'));
            line.and_then(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .ok_or_else(|| malformed(&format!("the line \"{name}\" is missing or out of order")))
        };
        let (keyid, set, officer) = (field("key")?, field("set")?, field("officer")?);
        let (index, threshold, total) = (field("index")?, field("threshold")?, field("total")?);
        let (recipient, payload, sum) = (field("recipient")?, field("payload")?, field("checksum")?);
        if lines.next().is_some() {
            return Err(malformed("something follows its last line"));
        }
        let covered = text.rfind("checksum: ").and_then(|at| text.get(..at)).unwrap_or_default();
        if checksum(covered.as_bytes()) != sum {
            return Err(ShareProblem::Damaged);
        }
        let number = |digits: &str| digits.parse::<u8>().ok().filter(|n| n.to_string() == digits && *n > 0);
        let number = |name: &str, digits| {
            number(digits).ok_or_else(|| malformed(&format!("\"{name}\" is not 1 to 255")))
        };
        if payload.is_empty() || payload.len() > 2 * SECRET_CAP || payload.len() % 2 != 0 {
            return Err(malformed("\"payload\" has no length that a share has"));
        }
        let mut bytes = Zeroizing::new(vec![0; payload.len() / 2]);
        hex::decode_to_slice(payload, &mut bytes).map_err(|_| malformed("\"payload\" is not hexadecimal"))?;
        Ok(Share {
            keyid: keyid.to_owned(),
            set: set.to_owned(),
            officer: officer.parse().map_err(|_| malformed("\"officer\" is not an officer's name"))?,
            index: number("index", index)?,
            threshold: number("threshold", threshold)?,
            total: number("total", total)?,
            recipient: recipient.to_owned(),
            payload: bytes,
        })
    }

    /// Is this the share of this officer in this set?
    ///
    /// # Errors
    /// [`ShareProblem::ForeignKey`], `Stale`, `Swapped` or `Disagrees`.
    pub(crate) fn check(&self, set: &ShareSet<'_>, officer: &OfficerName) -> Result<(), ShareProblem> {
        if self.keyid != set.keyid {
            return Err(ShareProblem::ForeignKey(shown(&self.keyid)));
        }
        if self.set != set.set {
            return Err(ShareProblem::Stale { found: shown(&self.set), wanted: set.set.to_owned() });
        }
        if self.officer != *officer {
            return Err(ShareProblem::Swapped(self.officer.to_string()));
        }
        let told =
            |threshold, total, recipient: &str| format!("{threshold} of {total} for {}", shown(recipient));
        let found = told(self.threshold, self.total, &self.recipient);
        let wanted = told(set.threshold, set.total, set.recipient);
        if found != wanted || self.index > self.total {
            let found = format!("{found}, index {}", self.index);
            return Err(ShareProblem::Disagrees { found, wanted });
        }
        Ok(())
    }

    fn point(&self) -> Option<blahaj::Share> {
        let mut point = Zeroizing::new(Vec::with_capacity(self.payload.len() + 1));
        point.push(self.index);
        point.extend_from_slice(&self.payload);
        blahaj::Share::try_from(point.as_slice()).ok()
    }
}

fn checksum(text: &[u8]) -> String {
    hex::encode(Sha256::digest(text))
}

/// Splits a secret so that any `set.threshold` of the officers' shares make it again, and fewer say nothing about it.
/// Every share is tried in a combination before any is handed out.
///
/// # Errors
/// There is no randomness, or the combinations do not give the secret back.
pub(crate) fn split(
    secret: &[u8],
    set: &ShareSet<'_>,
    officers: &[&OfficerName],
    random: &dyn Random,
) -> CustodyResult<Vec<Share>> {
    let failed = |reason: &str| CustodyError::Make {
        what: format!("the shares of the key {}", set.keyid),
        reason: reason.to_owned(),
    };
    let mut source = Source { random, failure: None };
    let points: Vec<blahaj::Share> =
        blahaj::Sharks(set.threshold).dealer_rng(secret, &mut source).take(officers.len()).collect();
    if let Some(e) = source.failure {
        return Err(CustodyError::NoRandomness(e));
    }
    let mut shares = Vec::with_capacity(officers.len());
    for (officer, point) in officers.iter().zip(&points) {
        let bytes = Zeroizing::new(Vec::from(point));
        let (index, payload) = bytes.split_first().ok_or_else(|| failed("the secret is empty"))?;
        shares.push(Share {
            keyid: set.keyid.to_owned(),
            set: set.set.to_owned(),
            officer: (*officer).clone(),
            index: *index,
            threshold: set.threshold,
            total: set.total,
            recipient: set.recipient.to_owned(),
            payload: Zeroizing::new(payload.to_vec()),
        });
    }
    let (count, needed) = (shares.len(), usize::from(set.threshold));
    for first in 0..count {
        let some: Vec<&Share> = (0..needed).filter_map(|step| shares.get((first + step) % count)).collect();
        if combine(&some).is_none_or(|again| *again != secret) {
            return Err(failed("a trial combination did not give the secret back"));
        }
    }
    Ok(shares)
}

/// The secret that shares make together; `None` when they cannot be of one set. The caller has checked each share
/// ([`Share::check`]) and afterwards compares the secret with what it knows of it: Shamir's scheme itself cannot tell.
pub fn combine(shares: &[&Share]) -> Option<Zeroizing<Vec<u8>>> {
    let threshold = shares.first()?.threshold;
    let points: Vec<blahaj::Share> = shares.iter().map(|share| share.point()).collect::<Option<_>>()?;
    blahaj::Sharks(threshold).recover(&points).ok().map(Zeroizing::new)
}

/// Our randomness in the form in which blahaj takes it. That trait cannot fail; a failure is kept and looked at before
/// anything that came out is used.
struct Source<'a> {
    random: &'a dyn Random,
    failure: Option<std::io::Error>,
}

impl rand_core::TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        if let Err(e) = self.random.fill(bytes) {
            self.failure.get_or_insert(e);
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Source<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::random::SystemRandom;
    use proptest::prelude::*;

    fn names(count: u8) -> Vec<OfficerName> {
        (0..count).map(|n| format!("officer-{n}").parse().expect("a name")).collect()
    }

    fn set(threshold: u8, total: u8) -> ShareSet<'static> {
        ShareSet { keyid: "k", set: "0011223344556677", threshold, total, recipient: "age1x" }
    }

    fn split_up(secret: &[u8], threshold: u8, total: u8) -> Vec<Share> {
        let names = names(total);
        let names: Vec<&OfficerName> = names.iter().collect();
        split(secret, &set(threshold, total), &names, &SystemRandom).expect("split")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_quorum_of_shares_makes_the_secret_and_one_fewer_does_not(
            secret in prop::collection::vec(any::<u8>(), 16..80),
            (total, threshold) in (2u8..=7).prop_flat_map(|n| (Just(n), 2..=n)),
            order in any::<[u16; 7]>(),
        ) {
            let shares = split_up(&secret, threshold, total);
            let mut some: Vec<&Share> = shares.iter().collect();
            some.sort_by_key(|share| order[usize::from(share.index - 1)]);
            some.truncate(usize::from(threshold));
            prop_assert_eq!(&*combine(&some).expect("combined"), &secret);
            some.pop();
            prop_assert!(combine(&some).is_none());
            // Also when the shares lie about their threshold, what comes out is not the secret.
            let fewer: Vec<Share> = some.iter().map(|share| {
                let mut lying = Share::parse(&share.to_text()).expect("a share");
                lying.threshold -= 1;
                lying
            }).collect();
            let fewer: Vec<&Share> = fewer.iter().collect();
            prop_assert!(combine(&fewer).is_none_or(|wrong| *wrong != secret));
        }

        #[test]
        fn a_share_is_read_back_as_it_was_written_and_any_text_is_read_without_panic(
            secret in prop::collection::vec(any::<u8>(), 1..80), odd in any::<Vec<u8>>(),
        ) {
            let shares = split_up(&secret, 2, 3);
            let text = shares[1].to_text();
            let again = Share::parse(&text).expect("a share");
            prop_assert_eq!(&*again.to_text(), &*text);
            again.check(&set(2, 3), &names(3)[1]).expect("in the set");
            prop_assert!(Share::parse(&odd).is_err());
        }
    }

    #[test]
    fn one_changed_byte_of_a_share_is_noticed() {
        let text = split_up(b"AGE-SECRET-KEY-1", 2, 2)[0].to_text();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(Share::parse(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn without_randomness_nothing_is_split() {
        struct Dry;
        impl Random for Dry {
            fn fill(&self, _: &mut [u8]) -> std::io::Result<()> {
                Err(std::io::Error::other("dry"))
            }
        }
        let names = names(2);
        let names: Vec<&OfficerName> = names.iter().collect();
        let refused = split(b"secret", &set(2, 2), &names, &Dry);
        assert!(matches!(refused, Err(CustodyError::NoRandomness(_))));
    }
}

//! The root chain: each root is vouched for by the one before it and by itself (TUF specification, section 5.3).

use super::{Root, TufError};
use crate::text::shown;

/// A gapless run of roots in which each is signed by the keys of its predecessor and by its own.
#[derive(Clone, Debug)]
pub struct Chain {
    roots: Vec<Root>,
}

/// More roots than this in one chain are refused; a Factory makes a few a year.
pub(crate) const MAX_ROOTS: usize = 1024;

/// The most bytes that the roots of a chain have together: as many of them, each as long as a device reads (64 KiB).
pub(crate) const MAX_CHAIN_BYTES: u64 = 64 << 20;

impl Chain {
    /// Checks a chain whose first root is trusted for itself: the officer compares the fingerprint of the newest. The
    /// roots may come in any order.
    ///
    /// # Errors
    /// There is none, a version is missing or stands twice, dialects are mixed, or a signature threshold is not met.
    pub fn verify(mut roots: Vec<Root>) -> Result<Chain, TufError> {
        roots.sort_by_key(|root| root.version);
        let mut rest = roots.into_iter();
        let first = rest.next().ok_or_else(|| TufError::Chain("there is no root in it".to_owned()))?;
        first.require_signed_by(&file_name(&first), &first)?;
        let mut chain = Chain { roots: vec![first] };
        rest.try_for_each(|root| chain.extend(root))?;
        Ok(chain)
    }

    /// A chain that was verified before and kept by the station.
    pub fn newest(&self) -> &Root {
        // A chain is made with one root and only ever grows.
        &self.roots[self.roots.len() - 1]
    }

    /// All roots, oldest first.
    pub(crate) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The root of a version.
    pub(crate) fn version(&self, version: u64) -> Option<&Root> {
        self.roots.iter().find(|root| root.version == version)
    }

    /// Accepts the next root, or the same one again.
    ///
    /// # Errors
    /// A gap, a fork (a known version with another content), another dialect, or too few signatures by the keys of the
    /// newest root or by its own.
    pub fn extend(&mut self, next: Root) -> Result<(), TufError> {
        let newest = self.newest();
        let name = file_name(&next);
        if next.dialect != newest.dialect {
            return Err(TufError::Chain(format!(
                "{name} follows the {} dialect, the root before it the {}",
                next.dialect, newest.dialect
            )));
        }
        if next.version <= newest.version {
            return match self.version(next.version) {
                Some(known) if known.bytes == next.bytes => Ok(()),
                // The same content in another envelope: its signatures must hold all the same.
                Some(known) if known.fingerprint == next.fingerprint => {
                    next.require_signed_by(&name, &next).map(|_| ())
                }
                Some(known) => Err(TufError::Chain(format!(
                    "{name} differs from the root of that version that is already trusted \
                     (fingerprint {} against {}). It is of another Factory, or somebody made a second root{}",
                    next.fingerprint,
                    known.fingerprint,
                    // CI's chain differs from production's in the threshold alone, and is the likelier mistake.
                    if next.require_production().is_err() {
                        ". It asks for one signature over targets: if it is CI's, download the production roots, with \
                         ?production=1 behind N.root.json"
                    } else {
                        ""
                    }
                ))),
                // Older than the first root of this chain: nothing is known about it, and nothing rests on it.
                None => Ok(()),
            };
        }
        if next.version != newest.version + 1 {
            return Err(TufError::Chain(format!(
                "{name} comes after version {}: the versions between are missing",
                newest.version
            )));
        }
        // CI's next root is signed by the same keys: what asked for an offline signature once goes on asking.
        if newest.dialect.has_service() && newest.require_production().is_ok() {
            next.require_production()?;
        }
        if self.roots.len() == MAX_ROOTS {
            return Err(TufError::Chain(format!("it has more than {MAX_ROOTS} roots")));
        }
        next.require_signed_by(&name, newest)?;
        next.require_signed_by(&name, &next)?;
        self.roots.push(next);
        Ok(())
    }
}

fn file_name(root: &Root) -> String {
    shown(&format!("{}.root.json", root.version))
}

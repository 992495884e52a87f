//! The root update that is open at the service: the next roots, staged by `fioctl keys tuf updates`, and the signatures that
//! are applied together with them.

use super::acts::{Act, Look, settle};
use super::fetch::document;
use super::wave::{or_nothing, typed};
use super::{Client, CourierError, SMALL};
use crate::json::canonical;
use crate::text::shown;
use crate::tuf::{Chain, Root};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use ureq::http::Method;
use zeroize::Zeroizing;

/// No root update is open.
const NONE: &str = "NONE";
/// One is open, and may be changed.
const STARTED: &str = "STARTED";

/// What the service tells of it. The roots are JSON in a text.
#[derive(Deserialize)]
#[serde(expecting = "a root update")]
struct Told {
    status: String,
    #[serde(default, deserialize_with = "or_nothing")]
    updated: Roots,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Roots {
    #[serde(deserialize_with = "or_nothing")]
    ci_root: String,
    #[serde(deserialize_with = "or_nothing")]
    prod_root: String,
}

/// A root update that is open.
pub(super) struct RootUpdate {
    status: String,
    ci: String,
    /// The staged production root.
    pub production: Root,
}

/// Signatures to be applied with it.
pub(super) struct Staged<'a> {
    /// The member that carries them: `targets-signatures` or `waves-signatures`.
    pub member: &'a str,
    /// `{"tag or wave":[signature]}`.
    pub signatures: &'a [u8],
    /// The update's transaction id, which whoever opened it need not give.
    pub txid: Option<&'a SecretString>,
}

fn path(client: &Client<'_>) -> Result<String, CourierError> {
    client.repository_path("root/updates")
}

impl RootUpdate {
    /// Reads it; `None` where none is open.
    ///
    /// # Errors
    /// The service refuses, or answers something else; or it changes nothing yet.
    pub(super) fn read(client: &Client<'_>) -> Result<Option<RootUpdate>, CourierError> {
        let what = "the root update";
        let Some(body) = client.read(what, &path(client)?, SMALL)? else { return Ok(None) };
        let Told { status, updated: Roots { ci_root, prod_root } } = typed(what, &body)?;
        if status == NONE {
            return Ok(None);
        }
        if prod_root.is_empty() {
            return Err(CourierError::Blocked(
                "a root update is open, and it changes nothing yet: its root officers stage the new root first, with \
                 fioctl keys tuf updates"
                    .to_owned(),
            ));
        }
        let parse = |name: &str, text: &str| {
            Root::parse(name, text.as_bytes()).map_err(|e| CourierError::Incoherent(e.to_string()))
        };
        parse("the staged CI root", &ci_root)?;
        let production = parse("the staged production root", &prod_root)?;
        Ok(Some(RootUpdate { status, ci: ci_root, production }))
    }

    /// The chain with the staged root at its end.
    ///
    /// # Errors
    /// The staged root does not continue it: its owners have not signed it, or it is of another chain.
    pub(super) fn continues(&self, mut chain: Chain) -> Result<Chain, CourierError> {
        match chain.extend(self.production.clone()) {
            Ok(()) => Ok(chain),
            Err(e) => Err(CourierError::Blocked(format!(
                "the staged root cannot be used yet: {e}. Its root officers sign it with fioctl keys tuf updates sign"
            ))),
        }
    }

    /// Is it the update that was read before?
    pub(super) fn is_same(&self, other: &RootUpdate) -> bool {
        // The service may have written them anew: what they say counts, and who signed.
        let said = |bytes: &[u8]| {
            document("the staged root", bytes).map(|one| canonical::bytes(one.root()).into_owned()).ok()
        };
        said(self.ci.as_bytes()) == said(other.ci.as_bytes())
            && said(&self.production.bytes) == said(&other.production.bytes)
    }

    /// Adds signatures to it. The service does not show them until it is applied: what is read back are the staged roots,
    /// which are sent along as they stand.
    ///
    /// # Errors
    /// The update is being applied, or was changed meanwhile; the service refuses, or it is not known what became of it.
    pub(super) fn add(
        &self,
        client: &Client<'_>,
        staged: &Staged<'_>,
        find_out: &str,
    ) -> Result<(), CourierError> {
        if self.status != STARTED {
            return Err(CourierError::Blocked(format!(
                "the root update is {}: nothing can be added to it. Nothing was uploaded",
                shown(&self.status)
            )));
        }
        let path = path(client)?;
        let body = self.body(staged);
        let act = Act {
            doing: "add the signatures to the root update",
            method: Method::PUT,
            path: &path,
            body: Some(&body),
            may_repeat: true,
            find_out,
        };
        let look = || {
            match RootUpdate::read(client)? {
            Some(now) if now.is_same(self) => Ok(Look::Hidden),
            _ => Err(CourierError::Incoherent(
                "the root update was changed by somebody else meanwhile, and what was just sent may have undone that: \
                 agree before it is applied"
                    .to_owned(),
            )),
        }
        };
        settle(client, &act, &look).map(|_| ())
    }

    fn body(&self, staged: &Staged<'_>) -> Zeroizing<Vec<u8>> {
        let txid = staged.txid.map_or("", |txid| txid.expose_secret());
        let mut body = Zeroizing::new(b"{\"txid\":".to_vec());
        body.extend_from_slice(Zeroizing::new(canonical::string(txid)).as_bytes());
        for (member, value) in [
            ("ci-root", self.ci.as_bytes()),
            ("prod-root", &self.production.bytes),
            (staged.member, staged.signatures),
        ] {
            body.extend_from_slice(format!(",\"{member}\":").as_bytes());
            body.extend_from_slice(value.trim_ascii());
        }
        body.push(b'}');
        body
    }
}

//! Downloads what a request rests on: whole, of one moment, and proven as far as a machine without a station can.
//!
//! Bytes are kept as they came. What the service does not have is believed only where it answered everything else.

use super::deltas::{New, without_delta};
use super::list::{AllWaves, all_waves, no_factory};
use super::root_update::RootUpdate;
use super::wave::{COMPLETE, Wave};
use super::{Client, CourierError, SMALL};
use crate::bundle::media::{Files, write_folder};
use crate::host::Disk;
use crate::json::{Document, Key, Kind, Limits, Value};
use crate::station::trust::online_key_in;
use crate::text::{shown, shown_path};
use crate::tuf::chain::MAX_ROOTS;
use crate::tuf::root::MAX_ROOT_BYTES;
use crate::tuf::signature::{assess, count};
use crate::tuf::{Chain, Metadata, PublicKey, Root, Targets, keyfile};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// How often everything is read anew when the service moved on meanwhile.
const TRIES: u32 = 3;
/// Seconds before everything is read anew.
const PAUSE: u64 = 1;

/// What was downloaded.
pub(crate) struct Downloads {
    /// The production root chain, verified.
    pub chain: Chain,
    /// `ci-targets.pub`.
    online_key: Vec<u8>,
    /// `ci-targets.json`.
    ci: Vec<u8>,
    /// `prod-targets.json`; `None` before the first wave.
    production: Option<Vec<u8>>,
    pub waves: AllWaves,
    /// `wave.json`: one wave with its targets.
    wave: Option<Vec<u8>>,
    /// What the person should hear.
    pub notes: Vec<String>,
}

/// What to bring beside what every request rests on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Besides<'a> {
    /// A wave with its targets, for a further signature.
    pub wave: Option<&'a str>,
    /// The new targets of which it is said whether they have a static delta.
    pub new: New,
    /// The root that is staged in the root update that is open, for what is signed again.
    pub staged_root: bool,
}

/// Downloads everything.
///
/// # Errors
/// The service refuses, what it answers cannot be used, or it does not fit together three times.
pub(crate) fn fetch(client: &Client<'_>, cap: u64, besides: Besides<'_>) -> Result<Downloads, CourierError> {
    let mut tried = 0;
    loop {
        tried += 1;
        match once(client, cap, besides) {
            Err(CourierError::Incoherent(why)) if tried < TRIES => {
                client.host().terminal.err(&format!("Starting over: {why}\n"));
                client.host().clock.sleep(PAUSE * 1000);
            }
            Err(CourierError::Incoherent(why)) => {
                return Err(CourierError::refused(
                    "download it whole",
                    format!(
                        "what the service answered does not fit together, {TRIES} times: {why}. Nothing was written. If \
                         this stays, somebody on the way may be changing it: tell the Factory's owner"
                    ),
                ));
            }
            other => return other,
        }
    }
}

fn once(client: &Client<'_>, cap: u64, besides: Besides<'_>) -> Result<Downloads, CourierError> {
    whoami(client)?;
    let waves = all_waves(client)?;
    let production = production(client, cap)?;
    let chain = chain(client)?;
    let online_key = must(client, "the online key", &client.factory_path("ci-targets.pub")?, SMALL)?;
    let online = keyfile::public_key("ci-targets.pub", &online_key)
        .map_err(|e| CourierError::Incoherent(e.to_string()))?;
    online_key_in(chain.newest(), &online)
        .map_err(|e| CourierError::Incoherent(format!("ci-targets.pub: {e}")))?;
    let ci = must(client, "the CI targets", &client.repository_path("targets.json")?, cap)?;
    require_ci(&ci, &online, &chain)?;
    let wave = match besides.wave {
        Some(name) => Some(Wave::with_targets(client, name, cap)?.ok_or_else(|| super::wave::no_wave(name))?),
        None => None,
    };
    require_production(production.as_deref(), &chain)?;
    require_agreement(&waves.waves, production.as_deref())?;
    let moved = all_waves(client)?.moment() != waves.moment()
        || tags(self::production(client, cap)?.as_deref())? != tags(production.as_deref())?;
    if moved {
        return Err(CourierError::Incoherent(
            "the waves or the production targets changed while the rest was read".to_owned(),
        ));
    }
    let mut notes: Vec<String> = without_delta(&ci, production.as_deref(), &chain, besides.new);
    let chain = if besides.staged_root { with_staged(client, chain, &mut notes)? } else { chain };
    Ok(Downloads { chain, online_key, ci, production, waves, wave, notes })
}

/// The chain with the staged root at its end, where a root update is open.
fn with_staged(client: &Client<'_>, chain: Chain, notes: &mut Vec<String>) -> Result<Chain, CourierError> {
    let Some(update) = RootUpdate::read(client)? else {
        notes.push(
            "No root update is open. What is in force already is signed again for one: open it first, with fioctl keys tuf \
             updates init"
                .to_owned(),
        );
        return Ok(chain);
    };
    let chain = update.continues(chain)?;
    notes.push(format!(
        "Root version {} is staged and not yet applied (fingerprint {}): compare it with the one that its root officers \
         send another way",
        chain.newest().version,
        chain.newest().fingerprint
    ));
    Ok(chain)
}

/// The cheapest proof that the Factory is there and the token sees it.
pub(super) fn whoami(client: &Client<'_>) -> Result<(), CourierError> {
    let path = client.factory_path("users/self/")?;
    let body = client.read("who the token is for", &path, SMALL)?.ok_or_else(|| no_factory(client))?;
    let document = Document::parse("users/self", &body[..], Limits::of_bytes(SMALL))?;
    if document.root().get("polis-id").is_none() && document.root().get("name").is_none() {
        return Err(CourierError::refused(
            "find the Factory",
            "the server's answer is none of a Factory's service. Check --server",
        ));
    }
    Ok(())
}

/// What must be there once the Factory is.
fn must(client: &Client<'_>, what: &str, path: &str, cap: u64) -> Result<Vec<u8>, CourierError> {
    client.read(what, path, cap)?.ok_or_else(|| {
        CourierError::Incoherent(format!(
            "the service says that {what} are not there, and a Factory has them"
        ))
    })
}

/// The production targets of all tags; `None` where the service says that there are none.
pub(super) fn production(client: &Client<'_>, cap: u64) -> Result<Option<Vec<u8>>, CourierError> {
    client.read("the production targets", &client.factory_path("prod-targets/?tag=")?, cap)
}

/// The service's production root chain, verified.
pub(super) fn chain(client: &Client<'_>) -> Result<Chain, CourierError> {
    Chain::verify(roots(client)?).map_err(|e| CourierError::Incoherent(format!("the production roots: {e}")))
}

/// The production roots: counted up to the first that is not there, which must come after the newest.
fn roots(client: &Client<'_>) -> Result<Vec<Root>, CourierError> {
    let parse = |name: &str, body: &[u8]| {
        Root::parse(name, body).map_err(|e| CourierError::Incoherent(format!("the production roots: {e}")))
    };
    let mut roots = Vec::new();
    for version in 1..=MAX_ROOTS as u64 {
        let name = format!("{version}.root.json");
        let path = client.repository_path(&format!("{name}?production=1"))?;
        let Some(body) = client.read(&format!("production root {version}"), &path, MAX_ROOT_BYTES)? else {
            break;
        };
        let root = parse(&name, &body)?;
        if root.version != version {
            return Err(CourierError::Incoherent(format!(
                "root {} came when root {version} was asked for",
                root.version
            )));
        }
        roots.push(root);
    }
    let path = client.repository_path("root.json?production=1")?;
    let newest = parse("root.json", &must(client, "the newest production root", &path, MAX_ROOT_BYTES)?)?;
    let counted = roots.last().map_or(0, |root| root.version);
    if newest.version != counted || roots.last().is_some_and(|root| root.fingerprint != newest.fingerprint) {
        return Err(CourierError::Incoherent(format!(
            "the roots could be read up to version {counted}, and the newest is said to be version {}",
            newest.version
        )));
    }
    Ok(roots)
}

/// A body that was read before, parsed.
pub(super) fn document<'a>(name: &'a str, body: &'a [u8]) -> Result<Document<'a>, CourierError> {
    Document::parse(name, body, Limits::of_bytes(body.len() as u64))
        .map_err(|e| CourierError::Incoherent(e.to_string()))
}

/// CI's targets must be signed by the online key.
fn require_ci(body: &[u8], online: &PublicKey, chain: &Chain) -> Result<(), CourierError> {
    let fail = |why: String| CourierError::Incoherent(format!("ci-targets.json: {why}"));
    let document = document("ci-targets.json", body)?;
    let metadata = Metadata::read(document.root(), chain.newest().dialect, "targets")
        .map_err(|e| fail(e.to_string()))?;
    let message = metadata.message().map_err(|e| fail(e.to_string()))?;
    let holds = metadata
        .signatures
        .iter()
        .any(|one| one.value.as_ref().is_ok_and(|value| online.verify(message.bytes(), value)));
    if holds { Ok(()) } else { Err(fail("no signature by the online key holds".to_owned())) }
}

/// Each tag's production targets must carry the signatures that a root of the chain asks for. Under which root they count
/// is the station's to judge.
pub(super) fn require_production(body: Option<&[u8]>, chain: &Chain) -> Result<(), CourierError> {
    let Some(body) = body else { return Ok(()) };
    let document = document("prod-targets.json", body)?;
    document.root().want(Kind::Object).map_err(|e| CourierError::Incoherent(e.to_string()))?;
    for (tag, envelope) in document.root().members() {
        let fail = |why: String| {
            CourierError::Incoherent(format!("prod-targets.json, tag \"{}\": {why}", shown(&tag.text())))
        };
        let targets = Targets::read(envelope, chain.newest().dialect).map_err(|e| fail(e.to_string()))?;
        let message = targets.metadata.message().map_err(|e| fail(e.to_string()))?;
        let counts = |root: &Root| {
            count(&assess(targets.metadata.signatures.clone(), &message, root, "targets"))
                >= root.threshold("targets")
        };
        if !chain.roots().iter().rev().any(counts) {
            return Err(fail("the signatures that the production root asks for do not hold".to_owned()));
        }
    }
    Ok(())
}

/// By tag, the exact bytes of its production targets.
fn tags(body: Option<&[u8]>) -> Result<BTreeMap<String, Vec<u8>>, CourierError> {
    let Some(body) = body else { return Ok(BTreeMap::new()) };
    let document = document("prod-targets.json", body)?;
    Ok(document
        .root()
        .members()
        .map(|(tag, value)| (tag.text().into_owned(), value.span().to_vec()))
        .collect())
}

/// Waves and production targets must tell of one moment: what a complete wave released is there, or something newer.
pub(super) fn require_agreement(waves: &[Wave], production: Option<&[u8]>) -> Result<(), CourierError> {
    let document = production.map(|body| document("prod-targets.json", body)).transpose()?;
    for wave in waves.iter().filter(|wave| wave.status == COMPLETE) {
        let envelope = document.as_ref().and_then(|document| document.root().get(&wave.tag));
        let version = envelope.and_then(|one| one.get("signed")?.get("version")?.as_u64());
        if version.is_none() || version < wave.number() {
            return Err(CourierError::Incoherent(format!(
                "the wave {} of version {} is complete for the tag {}, and the production targets are {}",
                shown(&wave.name),
                shown(&wave.version),
                shown(&wave.tag),
                version.map_or("said not to be there".to_owned(), |version| format!("of version {version}"))
            )));
        }
    }
    Ok(())
}

/// The metadata versions that production runs, by tag.
pub(super) fn versions(production: &[u8]) -> BTreeMap<String, u64> {
    let Ok(document) = document("prod-targets.json", production) else { return BTreeMap::new() };
    let version = |(tag, envelope): (Key<'_>, Value<'_>)| {
        Some((tag.text().into_owned(), envelope.get("signed")?.get("version")?.as_u64()?))
    };
    document.root().members().filter_map(version).collect()
}

impl AllWaves {
    /// What a request rests on: which waves there are, and how they ended.
    fn moment(&self) -> BTreeMap<&str, (&str, &str, &str)> {
        self.waves
            .iter()
            .map(|wave| {
                (wave.name.as_str(), (wave.version.as_str(), wave.tag.as_str(), wave.status.as_str()))
            })
            .collect()
    }
}

impl Downloads {
    /// Writes the downloads into a new folder, laid out as `countersign request --from` wants it.
    pub(crate) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), CourierError> {
        fn part(bytes: &[u8]) -> Vec<Cow<'_, [u8]>> {
            vec![Cow::Borrowed(bytes)]
        }
        let mut files = Files::new();
        for root in self.chain.roots() {
            files.insert(format!("prod-roots/{}.root.json", root.version), part(&root.bytes));
        }
        files.insert("ci-targets.json".to_owned(), part(&self.ci));
        files.insert("ci-targets.pub".to_owned(), part(&self.online_key));
        files.insert("waves.json".to_owned(), part(&self.waves.file));
        for (name, bytes) in [("prod-targets.json", &self.production), ("wave.json", &self.wave)] {
            if let Some(bytes) = bytes {
                files.insert(name.to_owned(), part(bytes));
            }
        }
        Ok(write_folder(disk, folder, &files)?)
    }

    /// What came, in a few lines.
    pub(crate) fn summary(&self, folder: &Path) -> String {
        let root = self.chain.newest();
        let production = match &self.production {
            Some(bytes) => {
                let versions = versions(bytes);
                let each = versions.iter().map(|(tag, version)| format!("{} {version}", shown(tag)));
                each.collect::<Vec<_>>().join(", ")
            }
            None => "none yet".to_owned(),
        };
        format!(
            "Production roots    1 to {} (fingerprint {})\nProduction targets  {production}\nWaves               {}\n\
             Written to {}\n",
            root.version,
            root.fingerprint,
            self.waves.waves.len(),
            shown_path(folder)
        )
    }
}

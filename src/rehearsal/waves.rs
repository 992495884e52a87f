//! The service's side of a wave: it takes what the station signed, adds the online signature, and completes it.

use super::{Factory, FactoryError};
use crate::json::{Document, Kind, Limits, Value};
use serde_json::json;

/// Where a wave stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WaveStatus {
    /// Created, and not yet at an end.
    Active,
    /// Its targets are the tag's production targets.
    Complete,
}

impl WaveStatus {
    fn word(self) -> &'static str {
        match self {
            WaveStatus::Active => "active",
            WaveStatus::Complete => "complete",
        }
    }
}

/// Targets with their signatures, as the service keeps them.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) version: u64,
    /// Canonical `signed`.
    pub(super) signed: Vec<u8>,
    /// One a key, the online key's first.
    pub(super) signatures: Vec<serde_json::Value>,
}

impl Signed {
    /// `{"signed":…,"signatures":[…]}`, in parts.
    pub(super) fn parts<'a>(&'a self, signatures: &'a mut Vec<u8>) -> [&'a [u8]; 4] {
        *signatures = serde_json::Value::Array(self.signatures.clone()).to_string().into_bytes();
        [b"{\"signatures\":", signatures, b",\"signed\":", &self.signed]
    }
}

pub(super) struct Wave {
    name: String,
    status: WaveStatus,
    targets: Signed,
}

impl Factory {
    /// Creates a wave from the body of `POST …/waves/`, as `upload/wave-create.json` holds it. The offline signatures
    /// are verified; the online one is added.
    ///
    /// # Errors
    /// Everything for which the service, or the devices after it, would refuse the wave.
    pub fn create_wave(&mut self, body: &[u8]) -> Result<(), FactoryError> {
        let document = read(body)?;
        let root = document.root();
        let name = root.require("name")?.require_str()?.into_owned();
        if self.waves.iter().any(|wave| wave.name == name) {
            return Err(FactoryError::WaveExists(name));
        }
        let tag = root.require("tag")?.require_str()?;
        if tag != self.tag() {
            return Err(FactoryError::OtherTag(tag.into_owned(), self.tag().to_owned()));
        }
        let targets = root.require("targets")?;
        let signed = targets.require("signed")?;
        if !signed.is_canonical() {
            return Err(FactoryError::NotCanonical);
        }
        let version = signed.require("version")?.require_u64()?;
        if let Some(current) = &self.production
            && version <= current.version
        {
            return Err(FactoryError::NotNewer(version, current.version));
        }
        let canonical = signed.span().to_vec();
        let signatures = vec![self.keys.online.sign(&canonical)];
        let mut targets_signed = Signed { version, signed: canonical, signatures };
        self.add_signatures(&mut targets_signed, targets.require("signatures")?)?;
        self.waves.push(Wave { name, status: WaveStatus::Active, targets: targets_signed });
        Ok(())
    }

    /// Completes a wave: its targets become the tag's production targets.
    ///
    /// # Errors
    /// There is no such active wave, or it lacks signatures.
    pub fn complete_wave(&mut self, name: &str) -> Result<(), FactoryError> {
        let at = self.active(name)?;
        let wave = &mut self.waves[at];
        let wanted = 1 + self.keys.offline.len();
        if wave.targets.signatures.len() < wanted {
            return Err(FactoryError::TooFewSignatures(wave.targets.signatures.len(), wanted));
        }
        wave.status = WaveStatus::Complete;
        self.production = Some(wave.targets.clone());
        Ok(())
    }

    /// `waves.json`: the list of all waves.
    pub(super) fn waves_file(&self) -> Vec<u8> {
        let waves: Vec<_> = self.waves.iter().map(|wave| self.facts(wave)).collect();
        json!({"waves": waves, "total": self.waves.len()}).to_string().into_bytes()
    }

    /// Notes a wave that was created and completed before the story begins.
    pub(super) fn note_completed_wave(&mut self, name: &str, targets: Signed) {
        self.production = Some(targets.clone());
        // The list needs the version only; the targets stand in `production`.
        let targets = Signed { signed: Vec::new(), ..targets };
        self.waves.push(Wave { name: name.to_owned(), status: WaveStatus::Complete, targets });
    }

    fn facts(&self, wave: &Wave) -> serde_json::Value {
        json!({
            "name": wave.name,
            "version": wave.targets.version.to_string(),
            "tag": self.tag(),
            "status": wave.status.word(),
            "change-meta": {"created-at": self.now().to_string()},
        })
    }

    fn active(&self, name: &str) -> Result<usize, FactoryError> {
        let at = self.waves.iter().position(|wave| wave.name == name);
        let at = at.ok_or_else(|| FactoryError::NoWave(name.to_owned()))?;
        match self.waves[at].status {
            WaveStatus::Active => Ok(at),
            _ => Err(FactoryError::NotActive(name.to_owned())),
        }
    }

    /// Verifies the offline signatures of an upload and adds those of keys that have not signed yet.
    fn add_signatures(&self, targets: &mut Signed, list: Value<'_>) -> Result<(), FactoryError> {
        list.want(Kind::Array)?;
        for signature in list.items() {
            let keyid = signature.require("keyid")?.require_str()?;
            let key = self.keys.offline.iter().find(|key| key.id() == keyid);
            let key = key.ok_or_else(|| FactoryError::UnknownKey(keyid.clone().into_owned()))?;
            let text = signature.require("sig")?.require_str()?;
            if !key.verifies(&targets.signed, &text) {
                return Err(FactoryError::BadSignature(keyid.into_owned()));
            }
            if targets.signatures.iter().all(|known| known["keyid"] != *keyid) {
                targets.signatures.push(json!({"keyid": keyid, "method": "ed25519", "sig": text}));
            }
        }
        Ok(())
    }
}

fn read(body: &[u8]) -> Result<Document<'_>, FactoryError> {
    Ok(Document::parse("the upload", body, Limits::of_bytes(1 << 30))?)
}

//! The made-up Factory itself: what it has built, what it has in production, and the files that one downloads from it.

use super::content::machines;
use super::roots::{Chain, Keys, chain, fingerprint};
use super::target::{Recipe, Spacing, Tags, Writer};
use super::waves::{Signed, Wave};
use super::{FactoryError, keys};
use crate::host::clock::Time;
use crate::host::disk::{Disk, ensure_folder};
use std::io::Write as _;
use std::path::Path;

/// A file that was written: its name below the step's folder, and its length in bytes.
pub(crate) type Written = (String, u64);

/// A made-up Factory with its service (`examples/factory.rs`).
pub struct Factory {
    name: String,
    tag: String,
    seed: u64,
    now: Time,
    spacing: Spacing,
    machines: Vec<String>,
    /// Versions that CI has built, ascending.
    builds: Vec<u64>,
    pub(super) keys: Keys,
    pub(super) production: Option<Signed>,
    pub(super) waves: Vec<Wave>,
}

impl Factory {
    /// A Factory with two hardware ids, one officer, the tag `production`, and nothing built yet. All times that it
    /// writes are relative to `now`.
    pub fn new(seed: u64, name: &str, now: Time) -> Factory {
        Factory {
            name: name.to_owned(),
            tag: "production".to_owned(),
            seed,
            now,
            spacing: Spacing::Compact,
            machines: machines(2),
            builds: Vec::new(),
            keys: Keys::derive(seed, name),
            production: None,
            waves: Vec::new(),
        }
    }

    /// With so many hardware ids: each build has one target for each.
    pub fn with_hardware(mut self, count: usize) -> Factory {
        self.machines = machines(count);
        self
    }

    /// With another tag for production devices.
    pub fn with_tag(mut self, tag: &str) -> Factory {
        self.tag = tag.to_owned();
        self
    }

    /// With CI files written this way.
    pub fn with_spacing(mut self, spacing: Spacing) -> Factory {
        self.spacing = spacing;
        self
    }

    /// With a second officer's offline targets key: a fourth root, and a threshold of 3.
    pub fn with_second_officer(mut self) -> Factory {
        self.keys.offline.push(keys::MadeUpKey::derive(self.seed, &self.name, "offline targets 2"));
        self
    }

    /// The Factory's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag of its production devices.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The time at which all of this happens.
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// SHA-256 of the newest production root's canonical `signed`, in hex: what the officer compares.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.keys, self.now)
    }

    /// The key ids of the officers' targets keys, the first officer's first.
    pub fn offline_keyids(&self) -> Vec<&str> {
        self.keys.offline.iter().map(keys::MadeUpKey::id).collect()
    }

    /// CI builds these versions.
    pub fn build(&mut self, versions: impl IntoIterator<Item = u64>) {
        self.builds.extend(versions);
        self.builds.sort_unstable();
        self.builds.dedup();
    }

    /// Puts built versions into production at once, signed by all keys: the history before the story begins.
    pub fn populate(&mut self, versions: impl IntoIterator<Item = u64>) -> Result<(), FactoryError> {
        let versions: Vec<u64> = versions.into_iter().collect();
        if let Some(absent) = versions.iter().find(|version| self.builds.binary_search(version).is_err()) {
            return Err(FactoryError::NoBuild(*absent));
        }
        let version = versions.iter().copied().max().ok_or(FactoryError::NoBuild(0))?;
        let signed = self.targets(&versions, version, Tags::Only(&self.tag), Spacing::Compact);
        let keys = std::iter::once(&self.keys.online).chain(&self.keys.offline);
        let signatures = keys.map(|key| key.sign(&signed)).collect();
        self.note_completed_wave("populate-targets", Signed { version, signed, signatures });
        Ok(())
    }

    /// Writes what a connected machine downloads before it makes a wave of `version`, laid out as
    /// `request --from DIR` wants it. The folder is made; files that are there already are an error.
    pub fn write_step(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        version: u64,
    ) -> Result<Vec<Written>, FactoryError> {
        if self.builds.binary_search(&version).is_err() {
            return Err(FactoryError::NoBuild(version));
        }
        let mut out = Folder { disk, dir, written: Vec::new() };
        ensure_folder(disk, dir, 0o755)?;
        for (folder, which) in [("prod-roots", Chain::Production), ("ci-roots", Chain::Ci)] {
            ensure_folder(disk, &dir.join(folder), 0o755)?;
            for (index, file) in chain(&self.keys, which, self.now).iter().enumerate() {
                out.write(&format!("{folder}/{}.root.json", index + 1), &[file])?;
            }
        }
        out.write("ci-targets.json", &[&self.ci_targets()])?;
        out.write("ci-targets.pub", &[self.keys.online.public().to_string().as_bytes()])?;
        out.write(&format!("targets-{version}.json"), &[&self.new_targets(version)])?;
        out.write("waves.json", &[&self.waves_file()])?;
        if let Some(production) = &self.production {
            let opening = format!("{{\"{}\":", self.tag);
            let mut signatures = Vec::new();
            let [a, b, c, d] = production.parts(&mut signatures);
            out.write("prod-targets.json", &[opening.as_bytes(), a, b, c, d, b"}}"])?;
        }
        Ok(out.written)
    }

    /// An officer's `targets.keys.tgz` as fioctl writes it; officers count from 0. `None` when there is no such
    /// officer. The keys are made up: they are worth nothing outside of this Factory.
    pub(crate) fn key_file(&self, officer: usize) -> Option<Vec<u8>> {
        let key = self.keys.offline.get(officer)?;
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut archive = tar::Builder::new(gzip);
        for (ending, content) in [("pub", key.public()), ("sec", key.private())] {
            let content = content.to_string();
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0);
            header.set_entry_type(tar::EntryType::Regular);
            let name = format!("tufrepo/keys/fioctl-targets-{}.{ending}", key.id());
            archive.append_data(&mut header, name, content.as_bytes()).ok()?;
        }
        let mut gzip = archive.into_inner().ok()?;
        gzip.flush().ok()?;
        gzip.finish().ok()
    }

    /// Writes an officer's key file.
    pub fn write_key_file(&self, disk: &dyn Disk, path: &Path, officer: usize) -> Result<(), FactoryError> {
        let file = self.key_file(officer).unwrap_or_default();
        Ok(disk.create(path, 0o600, &[&file])?)
    }

    /// `ci-targets.json`: everything that CI has built, signed by the online key.
    fn ci_targets(&self) -> Vec<u8> {
        let newest = self.builds.last().copied().unwrap_or(0);
        let canonical = self.targets(&self.builds, newest, Tags::Ci, Spacing::Compact);
        let signature = self.keys.online.sign(&canonical).to_string();
        let mut file = format!("{{\"signatures\":[{signature}],\"signed\":").into_bytes();
        match self.spacing {
            Spacing::Compact => file.extend_from_slice(&canonical),
            spacing => file.extend_from_slice(&self.targets(&self.builds, newest, Tags::Ci, spacing)),
        }
        file.push(b'}');
        file
    }

    /// `targets-VERSION.json`: CI's targets of one version, as a map by name.
    fn new_targets(&self, version: u64) -> Vec<u8> {
        let mut out = Writer::new(self.spacing, self.machines.len() * 1400);
        self.members(&mut out, &[version], Tags::Ci);
        out.finish()
    }

    /// `signed` of a targets file.
    fn targets(&self, versions: &[u64], version: u64, tags: Tags<'_>, spacing: Spacing) -> Vec<u8> {
        let days = if matches!(tags, Tags::Ci) { 3650 } else { 365 };
        let mut out = Writer::new(spacing, versions.len() * self.machines.len() * 1400 + 200);
        out.open(b'{');
        out.member("_type", &[b"Targets"]);
        out.member("expires", &[self.now.plus_days(days).to_string().as_bytes()]);
        out.key("targets");
        self.members(&mut out, versions, tags);
        out.key("version");
        out.raw(&version.to_string());
        out.close(b'}');
        out.finish()
    }

    /// The targets of these versions as an object, sorted by name.
    fn members(&self, out: &mut Writer, versions: &[u64], tags: Tags<'_>) {
        let newest = self.builds.last().copied().unwrap_or(0);
        let recipe = Recipe { seed: self.seed, factory: &self.name, newest, now: self.now };
        let mut targets: Vec<(String, &str, u64)> = self
            .machines
            .iter()
            .flat_map(|machine| versions.iter().map(|v| (Recipe::name(machine, *v), machine.as_str(), *v)))
            .collect();
        targets.sort_unstable();
        out.open(b'{');
        for (_, machine, version) in &targets {
            recipe.write(out, machine, *version, tags);
        }
        out.close(b'}');
    }
}

/// Where a step is written to, and what was written.
struct Folder<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    written: Vec<Written>,
}

impl Folder<'_> {
    fn write(&mut self, name: &str, parts: &[&[u8]]) -> Result<(), FactoryError> {
        self.disk.create(&self.dir.join(name), 0o644, parts)?;
        self.written.push((name.to_owned(), parts.iter().map(|part| part.len() as u64).sum()));
        Ok(())
    }
}

//! `targets` members as a Factory's CI publishes them, about 1,320 bytes each, written straight to bytes.

use super::content::{Stream, arch};
use crate::host::clock::Time;

/// How the service writes a file that nobody has signed as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spacing {
    /// Canonical form.
    Compact,
    /// With a space after every comma and colon, and `custom` out of order: the canonical form is other bytes.
    Spaced,
}

/// Writes JSON from known ASCII content in one pass.
pub(super) struct Writer {
    out: Vec<u8>,
    spacing: Spacing,
    /// Nothing stands before the next member or item yet.
    first: bool,
}

impl Writer {
    pub(super) fn new(spacing: Spacing, capacity: usize) -> Writer {
        Writer { out: Vec::with_capacity(capacity), spacing, first: true }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// `{` or `[`.
    pub(super) fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.first = true;
    }

    /// `}` or `]`.
    pub(super) fn close(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.first = false;
    }

    /// What stands between two items.
    pub(super) fn item(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.extend_from_slice(if self.spacing == Spacing::Spaced { b", " } else { b"," });
        }
    }

    pub(super) fn key(&mut self, key: &str) {
        self.item();
        self.string(&[key.as_bytes()]);
        self.out.extend_from_slice(if self.spacing == Spacing::Spaced { b": " } else { b":" });
    }

    /// A string from parts that need no escapes.
    pub(super) fn string(&mut self, parts: &[&[u8]]) {
        self.out.push(b'"');
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
        self.out.push(b'"');
    }

    /// A number, or JSON that stands as it is.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn member(&mut self, key: &str, parts: &[&[u8]]) {
        self.key(key);
        self.string(parts);
    }
}

/// Whose list a target stands in.
#[derive(Clone, Copy)]
pub(super) enum Tags<'a> {
    /// CI's own branches.
    Ci,
    /// The one tag of production.
    Only(&'a str),
}

/// What all targets of a Factory have in common.
pub(super) struct Recipe<'a> {
    pub(super) seed: u64,
    pub(super) factory: &'a str,
    /// The targets of this version were built last, a day before `now`.
    pub(super) newest: u64,
    pub(super) now: Time,
}

impl Recipe<'_> {
    /// A target's name.
    pub(super) fn name(machine: &str, version: u64) -> String {
        format!("{machine}-lmp-{version}")
    }

    /// Writes the member of one target: its name and its value.
    pub(super) fn write(&self, out: &mut Writer, machine: &str, version: u64, tags: Tags<'_>) {
        let spaced = out.spacing == Spacing::Spaced;
        let number = version.to_string();
        let machine_bits = machine.bytes().fold(0u64, |bits, byte| bits.rotate_left(7) ^ u64::from(byte));
        // The machines of one build share its containers and its layers.
        let mut build = Stream::of(self.seed, &[version]);
        let mut own = Stream::of(self.seed, &[version, machine_bits]);
        let age = i64::try_from(self.newest.saturating_sub(version)).unwrap_or(i64::MAX);
        let built = self.now.plus_days(-1).plus_seconds(age.saturating_mul(-6 * 3600)).to_string();
        let (built, number) = (built.as_bytes(), number.as_bytes());
        let factory = self.factory.as_bytes();

        out.key(&Self::name(machine, version));
        out.open(b'{');
        out.key("custom");
        out.open(b'{');
        out.member("arch", &[arch(machine).as_bytes()]);
        out.member("containers-sha", &[&build.digest::<40>()]);
        out.member("createdAt", &[built]);
        if !spaced {
            delta(out, &mut own);
        }
        out.key("docker_compose_apps");
        out.open(b'{');
        for app in ["fiotest", "shellhttpd", "telemetry"] {
            out.key(app);
            out.open(b'{');
            let digest = build.digest::<64>();
            out.member("uri", &[b"hub.foundries.io/", factory, b"/", app.as_bytes(), b"@sha256:", &digest]);
            out.close(b'}');
        }
        out.close(b'}');
        out.key("fetched-apps");
        out.open(b'{');
        out.member("shortlist", &[b"shellhttpd"]);
        out.member("uri", &[b"https://storage.foundries.io/", factory, b"/", number, b".tar"]);
        out.close(b'}');
        out.key("hardwareIds");
        out.open(b'[');
        out.string(&[machine.as_bytes()]);
        out.close(b']');
        out.member("image-file", &[b"lmp-factory-image-", machine.as_bytes(), b".wic.gz"]);
        out.member("lmp-manifest-sha", &[&build.digest::<40>()]);
        out.member("lmp-ver", &[(90 + version / 40).to_string().as_bytes()]);
        out.member("meta-subscriber-overrides-sha", &[&build.digest::<40>()]);
        out.member("name", &[machine.as_bytes(), b"-lmp"]);
        out.key("tags");
        out.open(b'[');
        let branches: &[&str] = match &tags {
            Tags::Only(tag) => &[tag],
            Tags::Ci if version % 3 == 1 => &["devel"],
            Tags::Ci => &["main", "devel"],
        };
        for tag in branches {
            out.item();
            out.string(&[tag.as_bytes()]);
        }
        out.close(b']');
        out.member("targetFormat", &[b"OSTREE"]);
        out.member("updatedAt", &[built]);
        out.member("uri", &[b"https://ci.foundries.io/projects/", factory, b"/lmp/builds/", number]);
        out.member("version", &[number]);
        if spaced {
            delta(out, &mut own);
        }
        out.close(b'}');
        out.key("hashes");
        out.open(b'{');
        out.member("sha256", &[&own.digest::<64>()]);
        out.close(b'}');
        out.key("length");
        out.raw("0");
        out.close(b'}');
    }
}

fn delta(out: &mut Writer, own: &mut Stream) {
    out.key("delta-stats");
    out.open(b'{');
    out.member("sha256", &[&own.digest::<64>()]);
    out.key("size");
    out.raw(&(4_000_000 + own.next() % 90_000_000).to_string());
    out.close(b'}');
}

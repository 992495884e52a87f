//! The policy's file: TOML into a checked [`Policy`].

use super::checks::{self, CHECKS, Severity};
use super::{DEFAULT, FORMAT, MAX_POLICY_BYTES, Policy, PolicyError, Role};
use crate::ledger::Demand;
use crate::text::shown;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use toml::Spanned;

/// Lines of the preflight whose failure the policy may turn into a warning.
pub(super) const PREFLIGHT_LINES: &[&str] = &[
    "network",
    "clock",
    "time-zone",
    "swap",
    "core-dumps",
    "permissions",
    "free-space",
    "medium",
    "program",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: Spanned<String>,
    #[serde(default)]
    confinement: Option<Spanned<String>>,
    approvals: Approvals,
    limits: Limits,
    #[serde(default)]
    witness: Option<Witness>,
    #[serde(default)]
    preflight: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    checks: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approvals {
    count: Spanned<i64>,
    hours: Spanned<i64>,
    importer_may_approve: bool,
    separate_roles: Vec<Spanned<(Role, Role)>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    max_file_bytes: Spanned<i64>,
    expiry_min_days: Spanned<i64>,
    expiry_max_days: Spanned<i64>,
    root_expires_soon_days: Spanned<i64>,
    app_hosts: Vec<Spanned<String>>,
    mass_removal_percent: Spanned<i64>,
    mass_removal_count: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Witness {
    #[serde(default)]
    quorum: Option<Spanned<i64>>,
    #[serde(default)]
    window_days: Option<Spanned<i64>>,
    #[serde(default)]
    every_bundle: bool,
}

/// A policy's text, for turning places in it into line numbers.
struct Source<'a>(&'a str);

impl Source<'_> {
    /// Line and column of a byte offset, both from 1.
    fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.0.as_bytes().get(..offset).unwrap_or(self.0.as_bytes());
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        (memchr::memchr_iter(b'\n', before).count() + 1, before.len() - line_start + 1)
    }

    fn refuse<T>(&self, at: &Spanned<T>, field: &str, message: impl Into<String>) -> PolicyError {
        PolicyError::Value {
            line: self.place(at.span().start).0,
            field: field.to_owned(),
            message: message.into(),
        }
    }

    /// A whole number within a range.
    fn number<T: TryFrom<i64>>(
        &self,
        value: &Spanned<i64>,
        field: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Result<T, PolicyError> {
        let number = *value.get_ref();
        let fits = if range.contains(&number) { T::try_from(number).ok() } else { None };
        fits.ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            self.refuse(value, field, format!("is {number}; it must be from {low} to {high}"))
        })
    }
}

/// See [`Policy::read`].
pub(super) fn read(bytes: &[u8]) -> Result<Policy, PolicyError> {
    let length = bytes.len() as u64;
    if length > MAX_POLICY_BYTES {
        return Err(PolicyError::TooLarge { length });
    }
    if let Some(what) = crate::text::encoding(bytes) {
        return Err(PolicyError::Encoding(what));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| PolicyError::NotText { at: e.valid_up_to() })?;
    let source = Source(text);
    let file: File = toml::from_str(text).map_err(|e| {
        let (line, column) = source.place(e.span().map_or(0, |span| span.start));
        PolicyError::Syntax { line, column, message: shown(e.message()) }
    })?;
    check_format(&source, &file.format)?;
    let Approvals { count, hours, importer_may_approve, separate_roles } = file.approvals;
    let limits = file.limits;
    let expiry_min_days = source.number(&limits.expiry_min_days, "limits.expiry_min_days", 0..=36_500)?;
    let expiry_max_days = source.number(&limits.expiry_max_days, "limits.expiry_max_days", 1..=36_500)?;
    if expiry_min_days > expiry_max_days {
        let message = format!("is {expiry_max_days}, below expiry_min_days, which is {expiry_min_days}");
        return Err(source.refuse(&limits.expiry_max_days, "limits.expiry_max_days", message));
    }
    Ok(Policy {
        approvals: source.number(&count, "approvals.count", 1..=16)?,
        approval_hours: source.number(&hours, "approvals.hours", 1..=24 * 90)?,
        importer_may_approve,
        separate_roles: role_pairs(&source, separate_roles)?,
        // Below 1 MiB not even a small Factory's files fit; above 4 GiB a laptop's memory does not.
        max_file_bytes: source.number(&limits.max_file_bytes, "limits.max_file_bytes", 1 << 20..=4 << 30)?,
        expiry_min_days,
        expiry_max_days,
        root_expires_soon_days: source.number(
            &limits.root_expires_soon_days,
            "limits.root_expires_soon_days",
            0..=3_650,
        )?,
        app_hosts: app_hosts(&source, limits.app_hosts)?,
        mass_removal_percent: source.number(
            &limits.mass_removal_percent,
            "limits.mass_removal_percent",
            0..=100,
        )?,
        mass_removal_count: source.number(
            &limits.mass_removal_count,
            "limits.mass_removal_count",
            1..=1_000_000,
        )?,
        witness: witness(&source, file.witness)?,
        requires_confinement: confinement(&source, file.confinement)?,
        preflight: preflight(&source, file.preflight)?,
        checks: severities(&source, file.checks)?,
        text: text.to_owned(),
        digest: Sha256::digest(bytes).into(),
    })
}

/// What is asked of witnesses. A window, or waiting for every bundle, asks for one where no number is given.
fn witness(source: &Source<'_>, witness: Option<Witness>) -> Result<Demand, PolicyError> {
    let Some(Witness { quorum, window_days, every_bundle }) = witness else { return Ok(Demand::default()) };
    let window =
        window_days.map(|days| source.number(&days, "witness.window_days", 0..=3_650)).transpose()?;
    let quorum = quorum.map(|quorum| source.number(&quorum, "witness.quorum", 0..=16)).transpose()?;
    Ok(Demand::new(quorum.unwrap_or(0), window.unwrap_or(0), every_bundle))
}

fn check_format(source: &Source<'_>, format: &Spanned<String>) -> Result<(), PolicyError> {
    if format.get_ref() == FORMAT {
        return Ok(());
    }
    let message = format!("is \"{}\"; this program reads \"{FORMAT}\"", shown(format.get_ref()));
    Err(source.refuse(format, "format", message))
}

/// A policy that does not say it warns.
fn confinement(source: &Source<'_>, value: Option<Spanned<String>>) -> Result<bool, PolicyError> {
    let Some(value) = value else { return Ok(false) };
    match value.get_ref().as_str() {
        "require" => Ok(true),
        "warn" => Ok(false),
        other => {
            let message = format!("is \"{}\"; it must be \"require\" or \"warn\"", shown(other));
            Err(source.refuse(&value, "confinement", message))
        }
    }
}

fn role_pairs(
    source: &Source<'_>,
    pairs: Vec<Spanned<(Role, Role)>>,
) -> Result<Vec<(Role, Role)>, PolicyError> {
    for pair in &pairs {
        let (one, other) = pair.get_ref();
        if one == other {
            let message = format!("names the {one} twice; a pair is two different roles");
            return Err(source.refuse(pair, "approvals.separate_roles", message));
        }
    }
    Ok(pairs.into_iter().map(Spanned::into_inner).collect())
}

/// Registry names as they stand before the first `/` of an app's address: host, or host and port.
fn app_hosts(source: &Source<'_>, hosts: Vec<Spanned<String>>) -> Result<Vec<String>, PolicyError> {
    let is_host = |text: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b);
        (1..=255).contains(&text.len()) && text.bytes().all(plain)
    };
    for host in &hosts {
        if !is_host(host.get_ref()) {
            let message = format!(
                "holds \"{}\"; a registry is a host name in lower case, with a port if it needs one, without \"https://\" or a path",
                shown(host.get_ref())
            );
            return Err(source.refuse(host, "limits.app_hosts", message));
        }
    }
    Ok(hosts.into_iter().map(Spanned::into_inner).collect())
}

type Table = BTreeMap<Spanned<String>, Spanned<String>>;

fn preflight(source: &Source<'_>, table: Table) -> Result<BTreeMap<String, Severity>, PolicyError> {
    let mut lines = BTreeMap::new();
    for (name, value) in table {
        let field = format!("preflight.{}", shown(name.get_ref()));
        if !PREFLIGHT_LINES.contains(&name.get_ref().as_str()) {
            let message = format!("is not a line that can be set; known: {}", PREFLIGHT_LINES.join(", "));
            return Err(source.refuse(&name, &field, message));
        }
        let severity = match value.get_ref().as_str() {
            "block" => Severity::Block,
            "warn" => Severity::Warn,
            other => {
                let message = format!("is \"{}\"; it must be \"block\" or \"warn\"", shown(other));
                return Err(source.refuse(&value, &field, message));
            }
        };
        lines.insert(name.into_inner(), severity);
    }
    Ok(lines)
}

fn severities(source: &Source<'_>, table: Table) -> Result<BTreeMap<String, Severity>, PolicyError> {
    let mut set = BTreeMap::new();
    for (name, value) in table {
        let field = format!("checks.{}", shown(name.get_ref()));
        let Some(check) = checks::check(name.get_ref()) else {
            let known: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
            let message = format!("is not a check; known: {}", known.join(", "));
            return Err(source.refuse(&name, &field, message));
        };
        let Some(severity) = Severity::from_policy(value.get_ref()) else {
            let word = shown(value.get_ref());
            let message = format!("is \"{word}\"; it must be \"block\", \"warn\", \"note\" or \"off\"");
            return Err(source.refuse(&value, &field, message));
        };
        if severity > check.lowest {
            let message = format!("cannot be lowered below \"{}\": it protects what is signed", check.lowest);
            return Err(source.refuse(&value, &field, message));
        }
        set.insert(name.into_inner(), severity);
    }
    Ok(set)
}

/// The default policy. Its text is part of the program, and a test reads it with [`read`] and compares.
pub(super) fn built_in() -> Policy {
    Policy {
        approvals: 1,
        approval_hours: 24,
        importer_may_approve: true,
        separate_roles: Vec::new(),
        max_file_bytes: 64 << 20,
        expiry_min_days: 7,
        expiry_max_days: 400,
        root_expires_soon_days: 60,
        app_hosts: Vec::new(),
        mass_removal_percent: 25,
        mass_removal_count: 5,
        witness: Demand::default(),
        requires_confinement: false,
        preflight: PREFLIGHT_LINES
            .iter()
            .map(|name| {
                let warns = ["time-zone", "swap", "medium", "program"].contains(name);
                ((*name).to_owned(), if warns { Severity::Warn } else { Severity::Block })
            })
            .collect(),
        checks: BTreeMap::new(),
        text: DEFAULT.to_owned(),
        digest: Sha256::digest(DEFAULT).into(),
    }
}

//! The evidence beside the targets: the Factory's waves as the service lists them.

use crate::json::{JsonError, Value};

/// What became of a wave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaveStatus {
    /// Being rolled out.
    Active,
    /// Its targets became the tag's production targets.
    Complete,
    /// Withdrawn. Devices that took it stay on it.
    Canceled,
    /// A word that this version does not know.
    Other,
}

/// One wave of `waves.json`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wave {
    /// Its name. Foreign text.
    pub name: String,
    /// Its version; `None` when it is not a number.
    pub version: Option<u64>,
    /// Its device tag. Foreign text.
    pub tag: String,
    /// What became of it.
    pub status: WaveStatus,
}

impl Wave {
    /// Reads the service's list: `{"waves":[…]}`.
    ///
    /// # Errors
    /// It has another form.
    pub fn parse_list(document: Value<'_>) -> Result<Vec<Wave>, JsonError> {
        document.require("waves")?.items().map(Wave::parse).collect()
    }

    fn parse(item: Value<'_>) -> Result<Wave, JsonError> {
        let version = item.require("version")?;
        let status = item.get("status").and_then(|status| status.as_str()).unwrap_or_default();
        Ok(Wave {
            name: item.require("name")?.require_str()?.into_owned(),
            version: version.as_str().and_then(|text| text.parse().ok()).or_else(|| version.as_u64()),
            tag: item.require("tag")?.require_str()?.into_owned(),
            status: match status.as_ref() {
                "active" => WaveStatus::Active,
                "complete" => WaveStatus::Complete,
                "canceled" | "cancelled" => WaveStatus::Canceled,
                _ => WaveStatus::Other,
            },
        })
    }
}

//! How far a wave is: the service's own numbers.

use super::wave::{ACTIVE, CANCELED, COMPLETE, no_wave, or_nothing, typed, wave_path};
use super::{Client, CourierError, SMALL};
use serde::{Deserialize, Serialize};

/// A wave's status.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", expecting = "a wave's status")]
pub(crate) struct WaveStatus {
    /// The wave's name.
    pub name: String,
    pub version: u64,
    /// Its device tag.
    pub tag: String,
    /// `active`, `complete` or `canceled`.
    pub status: String,
    /// When it was made.
    #[serde(default, deserialize_with = "or_nothing")]
    pub created_at: String,
    /// When it was finished; empty before.
    #[serde(default, deserialize_with = "or_nothing")]
    pub finished_at: String,
    /// Production devices of the tag.
    #[serde(default, deserialize_with = "or_nothing")]
    pub total_devices: u64,
    /// Of those, on the wave's version or a newer one.
    #[serde(default, deserialize_with = "or_nothing")]
    pub updated_devices: u64,
    /// Of those, on an older one and to be updated.
    #[serde(default, deserialize_with = "or_nothing")]
    pub scheduled_devices: u64,
    /// The rest.
    #[serde(default, deserialize_with = "or_nothing")]
    pub unscheduled_devices: u64,
    /// Groups that it was rolled out to, by time.
    #[serde(default, deserialize_with = "or_nothing")]
    pub rollout_groups: Vec<GroupStatus>,
    /// The other groups with devices of the tag; last, those without a group.
    #[serde(default, deserialize_with = "or_nothing")]
    pub other_groups: Vec<GroupStatus>,
}

/// A group's part in it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct GroupStatus {
    /// Its name; empty for devices without a group.
    #[serde(deserialize_with = "or_nothing")]
    pub name: String,
    /// When it was rolled out to it.
    #[serde(deserialize_with = "or_nothing")]
    pub rollout_at: String,
    /// Its devices of the tag.
    #[serde(deserialize_with = "or_nothing")]
    pub devices_total: u64,
    /// Seen within the threshold.
    #[serde(deserialize_with = "or_nothing")]
    pub devices_online: u64,
    /// On the wave's version.
    #[serde(deserialize_with = "or_nothing")]
    pub devices_on_wave_version: u64,
    /// On a newer one.
    #[serde(deserialize_with = "or_nothing")]
    pub devices_on_newer_version: u64,
    /// On an older one.
    #[serde(deserialize_with = "or_nothing")]
    pub devices_on_older_version: u64,
    /// On an older one and to be updated.
    #[serde(deserialize_with = "or_nothing")]
    pub devices_scheduled_for_update: u64,
    /// What its devices run.
    #[serde(deserialize_with = "or_nothing")]
    pub targets: Vec<TargetCount>,
}

/// How many devices run a version.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct TargetCount {
    #[serde(deserialize_with = "or_nothing")]
    pub version: u64,
    /// Devices.
    #[serde(deserialize_with = "or_nothing")]
    pub devices: u64,
    /// Is it in none of the tag's targets: pruned, canceled, another tag's?
    #[serde(deserialize_with = "or_nothing")]
    pub is_orphan: bool,
}

impl GroupStatus {
    /// Devices on the wave's version or a newer one.
    pub(crate) fn updated(&self) -> u64 {
        self.devices_on_wave_version.saturating_add(self.devices_on_newer_version)
    }

    /// Devices that are updated, or are to be.
    pub(crate) fn rolled_out_to(&self) -> u64 {
        self.updated().saturating_add(self.devices_scheduled_for_update)
    }
}

impl WaveStatus {
    /// Reads the status of a wave, or of the active one.
    pub(crate) fn read(
        client: &Client<'_>,
        wave: Option<&str>,
        offline_hours: u32,
    ) -> Result<WaveStatus, CourierError> {
        let name = wave.unwrap_or("$active$");
        let path = wave_path(client, name, &format!("status/?offline-threshold={offline_hours}"))?;
        let what = "the wave's status";
        let body = client.read(what, &path, SMALL)?.ok_or_else(|| match wave {
            Some(name) => no_wave(name),
            None => CourierError::refused(
                "read the wave's status",
                "no wave is active. Name one: countersign-courier wave status WAVE",
            ),
        })?;
        let status: WaveStatus = typed(what, &body)?;
        if wave.is_some_and(|name| status.name != name) {
            return Err(CourierError::Incoherent(
                "another wave came than the one that was asked for".to_owned(),
            ));
        }
        Ok(status)
    }

    /// Is it being rolled out?
    pub(crate) fn is_active(&self) -> bool {
        self.status == ACTIVE
    }

    /// Did its targets become production's?
    pub(crate) fn is_complete(&self) -> bool {
        self.status == COMPLETE
    }

    /// Was it taken back?
    pub(crate) fn is_canceled(&self) -> bool {
        self.status == CANCELED
    }

    /// Was it rolled out to anybody?
    pub(crate) fn is_rolled_out(&self) -> bool {
        !self.rollout_groups.is_empty() || self.scheduled_devices > 0 || self.updated_devices > 0
    }

    /// Devices that it was rolled out to and that are on an older version still.
    pub(crate) fn waiting(&self) -> u64 {
        self.scheduled_devices
    }
}

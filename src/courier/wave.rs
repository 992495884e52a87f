//! A wave as the service tells of it. All text is foreign.

use super::client::place;
use super::{Client, CourierError, SMALL};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// `active`, `complete` or `canceled`: the last two are final.
pub(super) const ACTIVE: &str = "active";
/// See [`ACTIVE`].
pub(super) const COMPLETE: &str = "complete";
/// See [`ACTIVE`].
pub(super) const CANCELED: &str = "canceled";

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", expecting = "a wave")]
pub(crate) struct Wave {
    pub name: String,
    /// Its version: a string of digits, as the service writes it.
    #[serde(deserialize_with = "digits")]
    pub version: String,
    /// Its device tag.
    pub tag: String,
    /// `active`, `complete` or `canceled`.
    pub status: String,
    /// The groups that it was rolled out to, by their id.
    #[serde(default, deserialize_with = "or_nothing")]
    pub rollout_groups: BTreeMap<String, RolloutGroup>,
    /// Each rollout, in order.
    #[serde(default, deserialize_with = "or_nothing")]
    pub rollout_history: Vec<Rollout>,
    /// When and by whom it was made and finished.
    #[serde(default, deserialize_with = "or_nothing")]
    pub change_meta: ChangeMeta,
}

/// A group that a wave was rolled out to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct RolloutGroup {
    /// Its name; empty when the group was deleted.
    #[serde(deserialize_with = "or_nothing")]
    pub group_name: String,
    /// When.
    #[serde(deserialize_with = "or_nothing")]
    pub created_at: String,
    /// By whom.
    #[serde(deserialize_with = "or_nothing")]
    pub created_by: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Rollout {
    /// The group, where one was named.
    #[serde(deserialize_with = "or_nothing")]
    pub group_name: String,
    /// By whom.
    #[serde(deserialize_with = "or_nothing")]
    pub rollout_by: String,
    /// When.
    #[serde(deserialize_with = "or_nothing")]
    pub rollout_at: String,
    /// All devices of the group, and those that join it later.
    #[serde(deserialize_with = "or_nothing")]
    pub is_full_group: bool,
    /// Devices of the whole Factory, no group.
    #[serde(deserialize_with = "or_nothing")]
    pub is_factory_wide: bool,
    /// How many devices.
    #[serde(deserialize_with = "or_nothing")]
    pub num_devices: u64,
}

/// When and by whom something was made and finished.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct ChangeMeta {
    /// Made by.
    #[serde(deserialize_with = "or_nothing")]
    pub created_by: String,
    /// Made at.
    #[serde(deserialize_with = "or_nothing")]
    pub created_at: String,
    /// Finished at; empty before.
    #[serde(deserialize_with = "or_nothing")]
    pub updated_at: String,
    /// Finished by; empty before.
    #[serde(deserialize_with = "or_nothing")]
    pub updated_by: String,
}

/// `null` means nothing, as to fioctl.
pub(super) fn or_nothing<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A version as a string of digits or as a number.
fn digits<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Version {
        Text(String),
        Number(u64),
    }
    Ok(match Version::deserialize(from)? {
        Version::Text(text) => text,
        Version::Number(number) => number.to_string(),
    })
}

impl Wave {
    /// The version as a number; `None` when it is none.
    pub(crate) fn number(&self) -> Option<u64> {
        self.version.parse().ok()
    }

    /// Reads one wave from the service; `None` when it has none of this name.
    pub(crate) fn read(client: &Client<'_>, name: &str) -> Result<Option<Wave>, CourierError> {
        let what = "the wave";
        let Some(body) = client.read(what, &wave_path(client, name, "")?, SMALL)? else { return Ok(None) };
        let wave: Wave = typed(what, &body)?;
        if wave.name != name {
            return Err(CourierError::Incoherent(
                "another wave came than the one that was asked for".to_owned(),
            ));
        }
        Ok(Some(wave))
    }

    /// As [`Wave::read`], where it must be there.
    pub(crate) fn require(client: &Client<'_>, name: &str) -> Result<Wave, CourierError> {
        Wave::read(client, name)?.ok_or_else(|| no_wave(name))
    }

    /// The wave's bytes with its targets, as the service sends them.
    pub(super) fn with_targets(
        client: &Client<'_>,
        name: &str,
        cap: u64,
    ) -> Result<Option<Vec<u8>>, CourierError> {
        client.read(
            "the wave with its targets",
            &format!("{}?show-targets=1", wave_path(client, name, "")?),
            cap,
        )
    }
}

/// There is no such wave.
pub(super) fn no_wave(name: &str) -> CourierError {
    CourierError::refused(
        "read the wave",
        format!(
            "there is no wave \"{}\" in this Factory. List them: countersign-courier wave list",
            crate::text::shown(name)
        ),
    )
}

/// The path of a wave, or of an act on it.
pub(super) fn wave_path(client: &Client<'_>, name: &str, act: &str) -> Result<String, CourierError> {
    client.factory_path(&format!("waves/{}/{act}", place(name)?))
}

/// A body of the service as a type. It was found to be well-formed JSON without a member twice.
pub(crate) fn typed<T: serde::de::DeserializeOwned>(what: &str, body: &[u8]) -> Result<T, CourierError> {
    serde_json::from_slice(body).map_err(|e| {
        CourierError::refused(
            &format!("read {what}"),
            format!("the answer has another form than the service's: {}", crate::text::shown(&e.to_string())),
        )
    })
}

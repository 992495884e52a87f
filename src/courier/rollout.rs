//! Which devices a wave is rolled out to: fioctl's rules, and those that it leaves to chance.

use super::CourierError;
use super::acts::RolledOut;
use super::wave::{Rollout, or_nothing};
use crate::text::shown;
use serde::{Deserialize, Serialize};

/// The most devices that a limit or a list may name.
const MOST_DEVICES: u64 = 10_000;
/// The longest UUID, in characters.
const LONGEST_UUID: usize = 60;

/// How many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Limit {
    /// So many devices.
    Devices(u64),
    /// So many of a hundred of those that match.
    Percent(u64),
}

impl Limit {
    /// Reads `10` or `10%`.
    ///
    /// # Errors
    /// It is not a whole number from 1 to 10000, or from 1% to 100%.
    pub(crate) fn parse(text: &str) -> Result<Limit, CourierError> {
        let (digits, most, make): (_, _, fn(u64) -> Limit) = match text.strip_suffix('%') {
            Some(digits) => (digits, 100, Limit::Percent),
            None => (text, MOST_DEVICES, Limit::Devices),
        };
        let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|number| is_plain && (1..=most).contains(number));
        number.map(make).ok_or_else(|| {
            CourierError::Settings(format!(
                "--limit {}: a whole number from 1 to {MOST_DEVICES}, or from 1% to 100%",
                shown(text)
            ))
        })
    }
}

/// Reads a list of UUIDs, separated as fioctl has it: `, ; |` and white space. Each counts once.
///
/// # Errors
/// It is empty, too long, or one of them cannot be a UUID.
pub(crate) fn parse_uuids(text: &str) -> Result<Vec<String>, CourierError> {
    let fail = |why: String| CourierError::Settings(format!("--uuids: {why}"));
    let mut uuids: Vec<String> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for one in
        text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|')).filter(|one| !one.is_empty())
    {
        if one.len() > LONGEST_UUID || !one.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(fail(format!(
                "\"{}\" is not a device's UUID",
                shown(&one.chars().take(80).collect::<String>())
            )));
        }
        if seen.insert(one) {
            uuids.push(one.to_owned());
        }
    }
    match uuids.len() as u64 {
        0 => Err(fail("there is no UUID in it".to_owned())),
        count if count > MOST_DEVICES => {
            Err(fail(format!("it names {count} devices, at most {MOST_DEVICES} are taken")))
        }
        _ => Ok(uuids),
    }
}

/// The devices of a rollout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// The devices of this group.
    pub group: Option<String>,
    /// At most so many.
    pub limit: Option<Limit>,
    /// These.
    pub uuids: Vec<String>,
    /// Only ask which they would be.
    pub dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    uuids: &'a [String],
    dry_run: bool,
    return_uuids: bool,
    return_names: bool,
}

/// The part of the answer that is about devices.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Asked {
    pub device_num: Option<u64>,
    #[serde(deserialize_with = "or_nothing")]
    pub device_uuids: Vec<String>,
    #[serde(deserialize_with = "or_nothing")]
    pub device_names: Vec<String>,
}

impl From<Asked> for RolledOut {
    fn from(asked: Asked) -> RolledOut {
        RolledOut {
            devices: asked.device_num.unwrap_or_default(),
            uuids: asked.device_uuids,
            names: asked.device_names,
        }
    }
}

impl Selection {
    /// Checks that it selects something.
    pub(crate) fn check(&self) -> Result<(), CourierError> {
        if self.group.is_none() && self.limit.is_none() && self.uuids.is_empty() {
            return Err(CourierError::Settings(
                "which devices? Give a GROUP, --limit N or N%, or --uuids LIST or @FILE".to_owned(),
            ));
        }
        Ok(())
    }

    /// The whole group, and every device that joins it later?
    pub(crate) fn is_whole_group(&self) -> bool {
        self.group.is_some() && self.limit.is_none() && self.uuids.is_empty()
    }

    /// Does a second time come to the same? A limit takes other devices each time.
    pub(super) fn may_repeat(&self) -> bool {
        self.limit.is_none()
    }

    /// Is this entry of the wave's history a rollout like this?
    pub(super) fn is_of(&self, entry: &Rollout) -> bool {
        entry.group_name == self.group.as_deref().unwrap_or_default()
            && entry.is_full_group == self.is_whole_group()
    }

    pub(super) fn body(&self) -> Vec<u8> {
        let (limit, percentage) = match self.limit {
            Some(Limit::Devices(number)) => (Some(number), None),
            Some(Limit::Percent(number)) => (None, Some(number)),
            None => (None, None),
        };
        let body = Body {
            group: self.group.as_deref(),
            limit,
            percentage,
            uuids: &self.uuids,
            dry_run: self.dry_run,
            return_uuids: true,
            return_names: true,
        };
        // A struct of texts and numbers always has a JSON form.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_of_devices_or_a_percentage_within_its_range() {
        assert_eq!(Limit::parse("10").expect("read"), Limit::Devices(10));
        assert_eq!(Limit::parse("100%").expect("read"), Limit::Percent(100));
        for text in [
            "",
            "0",
            "-5",
            "+5",
            "101%",
            "0%",
            "200%",
            "10001",
            "ten",
            "1.5",
            "%",
            "5 %",
            "99999999999999999999",
        ] {
            Limit::parse(text).expect_err(text);
        }
    }

    #[test]
    fn uuids_are_separated_as_fioctl_has_it_and_count_once() {
        assert_eq!(parse_uuids("a,b;c|d\ne  a\tf").expect("read"), ["a", "b", "c", "d", "e", "f"]);
        for text in ["", " ,;\n", &"x".repeat(61), "a\u{1b}[2J"] {
            parse_uuids(text).expect_err(text);
        }
        let many: String = (0..=MOST_DEVICES).map(|number| format!("{number},")).collect();
        parse_uuids(&many).expect_err("too many");
    }

    #[test]
    fn empty_selectors_are_left_out_of_the_body() {
        let whole = Selection { group: Some("canary".to_owned()), ..Selection::default() };
        let text = String::from_utf8(whole.body()).expect("UTF-8");
        assert_eq!(text, r#"{"group":"canary","dry-run":false,"return-uuids":true,"return-names":true}"#);
        Selection::default().check().expect_err("nobody is selected");
    }
}

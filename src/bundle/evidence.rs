//! The evidence beside the targets: the Factory's waves as the service lists them, and how whole and well understood that
//! list is.

use crate::json::{Kind, Value};
use crate::text::Foreign;
use std::collections::BTreeSet;

/// What became of a wave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaveStatus {
    /// Being rolled out.
    Active,
    /// Its targets became the tag's production targets.
    Complete,
    /// Withdrawn. Devices that took it stay on it.
    Canceled,
    /// A word that this version does not know, or none.
    Other,
}

/// One wave of `waves.json`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wave {
    /// Its name. Foreign text.
    pub name: String,
    /// Its version; `None` when it is not a whole number in decimal digits.
    pub version: Option<u64>,
    /// Its device tag. Foreign text.
    pub tag: String,
    /// What became of it.
    pub status: WaveStatus,
}

/// `waves.json`: what it lists, and what says that this is not all, or not understood.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WaveList {
    /// The waves.
    pub waves: Vec<Wave>,
    /// Why the list may not be whole, or was not understood, as sentences. Foreign text in them is escaped.
    pub gaps: Vec<String>,
}

/// Sentences about single entries that are kept; the rest is counted.
const KEPT_GAPS: usize = 20;

/// Members by which a service says where the list goes on, or what it left out.
const ELSEWHERE: [&str; 8] = ["next", "previous", "prev", "has_more", "has_next", "status", "tag", "links"];

impl WaveList {
    /// Reads the service's list: `{"waves":[…],"total":N,"next":null}`. Whatever is not that is a gap, never an empty list.
    pub fn read(document: Value<'_>) -> WaveList {
        let mut list = WaveList::default();
        let Some(waves) = document.get("waves").filter(|waves| waves.kind() == Kind::Array) else {
            list.gaps.push("it has no list \"waves\": this is not what the service answers".to_owned());
            return list;
        };
        let (mut count, mut not_understood, mut names) = (0u64, Vec::new(), BTreeSet::new());
        for item in waves.items() {
            count = count.saturating_add(1);
            let wave = Wave::read(item);
            not_understood.extend(wave.as_ref().map_or_else(
                || Some(format!("entry {count} has no name, tag, version and status")),
                |wave| wave.gap(),
            ));
            // A page that came twice hides the one that it stands for.
            if let Some(twice) = wave.as_ref().filter(|wave| !names.insert(wave.name.clone())) {
                not_understood.push(format!("the wave \"{}\" stands twice", Foreign(&twice.name)));
            }
            list.waves.extend(wave);
        }
        list.read_members(document, count);
        let more = not_understood.len().saturating_sub(KEPT_GAPS);
        list.gaps.extend(not_understood.into_iter().take(KEPT_GAPS));
        if more > 0 {
            list.gaps.push(format!("{more} more entries are not understood"));
        }
        list
    }

    /// The members beside the list: do they say that it is whole?
    fn read_members(&mut self, document: Value<'_>, count: u64) {
        for (key, value) in document.members() {
            let key = key.text();
            let says_nothing = match value.kind() {
                Kind::Null | Kind::False => true,
                Kind::String => value.as_str().is_some_and(|text| text.is_empty()),
                _ => false,
            };
            match key.as_ref() {
                "waves" => {}
                "total" | "count" if value.as_u64() == Some(count) => {}
                "total" | "count" => self.gaps.push(format!(
                    "it says that there are {}, and it has {count}",
                    value
                        .number_text()
                        .map_or_else(|| "other than a number".to_owned(), |n| Foreign(n).to_string())
                )),
                "pages" | "page" if value.as_u64() == Some(1) => {}
                "limit" if value.as_u64().is_some_and(|limit| limit > count) => {}
                // A full page is the whole list only where the service says so.
                "limit" if document.get("total").is_some() && value.as_u64() == Some(count) => {}
                name if ELSEWHERE.contains(&name) && says_nothing => {}
                name => self.gaps.push(format!(
                    "its member \"{}\" says, or may say, that there is more than this list has",
                    Foreign(name)
                )),
            }
        }
    }

    /// Is it the whole list, and understood?
    pub(crate) fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }
}

impl Wave {
    fn read(item: Value<'_>) -> Option<Wave> {
        let text = |key: &str| item.get(key)?.as_str().map(|text| text.into_owned());
        let version = item.get("version")?;
        let digits = version.as_str().filter(|text| is_decimal(text));
        Some(Wave {
            name: text("name")?,
            version: digits.and_then(|text| text.parse().ok()).or_else(|| version.as_u64()),
            tag: text("tag")?,
            status: match text("status").as_deref() {
                Some("active") => WaveStatus::Active,
                Some("complete") => WaveStatus::Complete,
                Some("canceled" | "cancelled") => WaveStatus::Canceled,
                _ => WaveStatus::Other,
            },
        })
    }

    /// What of it is not understood.
    fn gap(&self) -> Option<String> {
        let what = match (self.version, self.status) {
            (None, _) => "a version that is no whole number",
            (_, WaveStatus::Other) => "a status that is none of active, complete and canceled",
            _ => return None,
        };
        Some(format!("the wave \"{}\" has {what}", Foreign(&self.name)))
    }
}

/// Decimal digits as the service writes a version: no sign, no zero in front.
fn is_decimal(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn read(text: &str) -> WaveList {
        WaveList::read(Document::parse("waves.json", text.as_bytes(), Limits::DEFAULT).expect("JSON").root())
    }

    const WAVE: &str = r#"{"name":"w1","status":"active","tag":"t","version":"12"}"#;

    #[test]
    fn a_list_that_is_whole_has_no_gaps() {
        for text in [
            r#"{"waves":[]}"#.to_owned(),
            r#"{"next":null,"total":0,"waves":[]}"#.to_owned(),
            format!(
                r#"{{"limit":20,"next":null,"page":1,"pages":1,"previous":"","total":1,"waves":[{WAVE}]}}"#
            ),
        ] {
            assert_eq!(read(&text).gaps, Vec::<String>::new(), "{text}");
        }
        let list = read(&format!(r#"{{"total":1,"waves":[{WAVE}]}}"#));
        assert_eq!(list.waves[0].version, Some(12));
    }

    #[test]
    fn a_list_that_says_that_it_is_not_the_whole_list_is_never_taken_for_it() {
        for text in [
            "null",
            r#"{"waves":[{"name":"w","status":"complete","tag":"t","version":"1"},{"name":"w","status":"active","tag":"t","version":"2"}]}"#,
            "[]",
            r#"{"message":"Unauthorized"}"#,
            r#"{"waves":null}"#,
            r#"{"waves":{}}"#,
            r#"{"waves":[],"total":1}"#,
            r#"{"waves":[],"total":"0"}"#,
            r#"{"waves":[],"total":null}"#,
            r#"{"waves":[],"next":"https://api.example/waves/?page=2"}"#,
            r#"{"waves":[],"next":2}"#,
            r#"{"waves":[],"previous":"https://api.example/waves/?page=1"}"#,
            r#"{"waves":[],"page":2}"#,
            r#"{"waves":[],"pages":2}"#,
            r#"{"waves":[],"has_more":true}"#,
            r#"{"waves":[],"status":"complete"}"#,
            r#"{"waves":[],"tag":"production"}"#,
            r#"{"waves":[],"cursor":"abc"}"#,
            r#"{"waves":[{}]}"#,
            r#"{"waves":["w1"]}"#,
            r#"{"waves":[{"name":"w","status":"active","version":"12"}]}"#,
        ] {
            assert!(!read(text).is_whole(), "{text}");
        }
    }

    #[test]
    fn an_entry_of_an_unknown_form_is_told() {
        for (version, status) in [
            (r#""12.0""#, r#""active""#),
            (r#""+12""#, r#""active""#),
            (r#""012""#, r#""active""#),
            (r#""""#, r#""active""#),
            ("null", r#""active""#),
            ("12.5", r#""active""#),
            (r#""12""#, r#""ACTIVE""#),
            (r#""12""#, r#""active ""#),
            (r#""12""#, "null"),
            (r#""12""#, "1"),
        ] {
            let text =
                format!(r#"{{"waves":[{{"name":"w","status":{status},"tag":"t","version":{version}}}]}}"#);
            assert_eq!(read(&text).gaps.len(), 1, "{text}");
        }
        let many = vec![r#"{"name":"w","status":"","tag":"t","version":"1"}"#; 500].join(",");
        assert_eq!(read(&format!(r#"{{"waves":[{many}]}}"#)).gaps.len(), KEPT_GAPS + 1);
    }
}

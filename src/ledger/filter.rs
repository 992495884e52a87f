//! Which entries to show: by time, kind, person, request.

use super::entry::Entry;
use super::record::Kind;
use crate::host::clock::Time;

/// A choice of entries; the default chooses all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Not before this time.
    pub since: Option<Time>,
    /// Not after this time.
    pub until: Option<Time>,
    /// Only these kinds; empty: all.
    pub kinds: Vec<Kind>,
    /// Only what this officer did, or what names this officer.
    pub officer: Option<String>,
    /// Only what has a request whose digest begins so.
    pub request: Option<String>,
}

impl Filter {
    /// Is it among the chosen?
    pub(crate) fn matches(&self, entry: &Entry<'_>) -> bool {
        self.since.is_none_or(|since| entry.time() >= since)
            && self.until.is_none_or(|until| entry.time() <= until)
            && (self.kinds.is_empty() || self.kinds.contains(&entry.kind()))
            && self
                .officer
                .as_ref()
                .is_none_or(|name| entry.actor() == *name || entry.record().has_officer(name))
            && self.request.as_ref().is_none_or(|start| {
                entry.record().request().is_some_and(|digest| digest.starts_with(start.as_str()))
            })
    }
}

/// The kinds that a person means: one by its name, or all that begin with `sign.`, `sign` or `sign.*`.
pub(crate) fn kinds_named(text: &str) -> Vec<Kind> {
    if let Some(kind) = Kind::named(text.as_bytes()) {
        return vec![kind];
    }
    let stem = text.trim_end_matches('*').trim_end_matches('.');
    let is_meant = |kind: &&Kind| kind.name().strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'));
    Kind::ALL.iter().filter(is_meant).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Stamp;
    use crate::ledger::entry::NO_PREVIOUS;
    use crate::ledger::record::OfficerRetired;

    fn retired(officer: &str, actor: &str) -> Vec<u8> {
        let stamp = Stamp { time: Time::from_unix(1000), boot: String::new(), uptime_ms: 0 };
        OfficerRetired { officer: officer.into(), reason: "".into() }.by(actor).line(0, &NO_PREVIOUS, &stamp)
    }

    #[test]
    fn entries_are_chosen_by_person_kind_and_time() {
        let line = retired("mara", "noor");
        let entry = Entry::read(&line).expect("an entry");
        let matches = |filter: Filter| filter.matches(&entry);
        assert!(matches(Filter::default()));
        for name in ["mara", "noor"] {
            assert!(matches(Filter { officer: Some(name.to_owned()), ..Filter::default() }));
        }
        assert!(!matches(Filter { officer: Some("odile".to_owned()), ..Filter::default() }));
        assert!(!matches(Filter { since: Some(Time::from_unix(1001)), ..Filter::default() }));
        assert!(!matches(Filter { until: Some(Time::from_unix(999)), ..Filter::default() }));
        assert!(!matches(Filter { kinds: kinds_named("sign"), ..Filter::default() }));
        assert!(matches(Filter { kinds: kinds_named("officer"), ..Filter::default() }));
        assert!(!matches(Filter { request: Some(String::new()), ..Filter::default() }));
    }

    #[test]
    fn kinds_are_found_by_their_name_or_the_part_before_the_dot() {
        assert_eq!(kinds_named("sign.intent"), [Kind::SignIntent]);
        assert_eq!(kinds_named("sign").len(), 5);
        assert_eq!(kinds_named("sign.*").len(), 5);
        assert_eq!(
            kinds_named("approval."),
            [Kind::ApprovalGranted, Kind::ApprovalDenied, Kind::ApprovalExpired]
        );
        assert!(kinds_named("nothing").is_empty());
        assert!(kinds_named("").is_empty());
    }
}

//! What another policy changes, member by member: what it loosens stands first.

use super::checks::CHECKS;
use super::file::PREFLIGHT_LINES;
use super::{Policy, Role, Severity};
use std::collections::BTreeSet;
use std::fmt;

/// What a change does to what may be signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Effect {
    /// More may be signed, or with fewer people.
    Looser,
    /// Some of it is looser and some stricter.
    Other,
    /// Less may be signed, or with more people.
    Stricter,
}

impl Effect {
    /// As it is printed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Effect::Looser => "looser",
            Effect::Other => "other",
            Effect::Stricter => "stricter",
        }
    }
}

/// A member that another policy has otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    /// What it does.
    pub effect: Effect,
    /// The member, as `approvals.count`.
    pub member: String,
    /// Its value before.
    pub from: String,
    /// Its value from then on.
    pub to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} is {}, was {}", self.effect.name(), self.member, self.to, self.from)
    }
}

impl Policy {
    /// What `new` changes of this policy, looser members first. Nothing, where only comments and the order differ.
    pub(crate) fn changes(&self, new: &Policy) -> Vec<Change> {
        // Each member by name: one that is added to the policy cannot be forgotten here.
        let Policy {
            approvals,
            approval_hours,
            importer_may_approve,
            separate_roles,
            max_file_bytes,
            expiry_min_days,
            expiry_max_days,
            root_expires_soon_days,
            app_hosts,
            mass_removal_percent,
            mass_removal_count,
            witness,
            requires_confinement,
            preflight: _,
            checks: _,
            text: _,
            digest: _,
        } = new;
        let mut found = Found(Vec::new());
        if self.requires_confinement != *requires_confinement {
            let word = |requires: bool| if requires { "require" } else { "warn" }.to_owned();
            let effect = if *requires_confinement { Effect::Stricter } else { Effect::Looser };
            found.add(effect, "confinement", word(self.requires_confinement), word(*requires_confinement));
        }
        // What a larger value does.
        found.number("approvals.count", self.approvals, *approvals, Effect::Stricter);
        found.number("approvals.hours", self.approval_hours, *approval_hours, Effect::Looser);
        let may_approve = [self.importer_may_approve, *importer_may_approve];
        found.number("approvals.importer_may_approve", may_approve[0], may_approve[1], Effect::Looser);
        found.roles(&self.separate_roles, separate_roles);
        found.number("limits.max_file_bytes", self.max_file_bytes, *max_file_bytes, Effect::Looser);
        found.number("limits.expiry_min_days", self.expiry_min_days, *expiry_min_days, Effect::Stricter);
        found.number("limits.expiry_max_days", self.expiry_max_days, *expiry_max_days, Effect::Looser);
        let soon = [self.root_expires_soon_days, *root_expires_soon_days];
        found.number("limits.root_expires_soon_days", soon[0], soon[1], Effect::Stricter);
        found.hosts(&self.app_hosts, app_hosts);
        let percent = [self.mass_removal_percent, *mass_removal_percent];
        found.number("limits.mass_removal_percent", percent[0], percent[1], Effect::Looser);
        let count = [self.mass_removal_count, *mass_removal_count];
        found.number("limits.mass_removal_count", count[0], count[1], Effect::Looser);
        found.number("witness.quorum", self.witness.quorum, witness.quorum, Effect::Stricter);
        found.window(self.witness.window_days, witness.window_days);
        let waits = [self.witness.every_bundle, witness.every_bundle];
        found.number("witness.every_bundle", waits[0], waits[1], Effect::Stricter);
        for line in PREFLIGHT_LINES {
            let severity = |policy: &Policy| {
                if policy.preflight_blocks(line) { Severity::Block } else { Severity::Warn }
            };
            found.severity(format!("preflight.{line}"), severity(self), severity(new));
        }
        for check in CHECKS {
            let severity = |policy: &Policy| policy.checks.get(check.name).copied().unwrap_or(check.default);
            found.severity(format!("checks.{}", check.name), severity(self), severity(new));
        }
        let mut changes = found.0;
        changes.sort_by_key(|change| change.effect);
        changes
    }
}

struct Found(Vec<Change>);

impl Found {
    fn add(&mut self, effect: Effect, member: impl Into<String>, from: String, to: String) {
        self.0.push(Change { effect, member: member.into(), from, to });
    }

    /// `larger`: what a larger value does.
    fn number<T: PartialOrd + ToString>(&mut self, member: &str, from: T, to: T, larger: Effect) {
        let smaller = if larger == Effect::Looser { Effect::Stricter } else { Effect::Looser };
        if from != to {
            let effect = if to > from { larger } else { smaller };
            self.add(effect, member, from.to_string(), to.to_string());
        }
    }

    fn severity(&mut self, member: String, from: Severity, to: Severity) {
        if from != to {
            // The order is from what blocks to what does not look.
            let effect = if to > from { Effect::Looser } else { Effect::Stricter };
            self.add(effect, member, from.to_string(), to.to_string());
        }
    }

    fn window(&mut self, from: u32, to: u32) {
        if from != to {
            // 0: their age is not looked at.
            let reach = |window: u32| if window == 0 { u32::MAX } else { window };
            let effect = if reach(to) > reach(from) { Effect::Looser } else { Effect::Stricter };
            self.add(effect, "witness.window_days", from.to_string(), to.to_string());
        }
    }

    /// `looser` and `stricter`: is there something that does that?
    fn set(
        &mut self,
        member: &str,
        from: &BTreeSet<String>,
        to: &BTreeSet<String>,
        looser: bool,
        stricter: bool,
    ) {
        let list = |set: &BTreeSet<String>| {
            format!("[{}]", set.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        };
        let effect = match (looser, stricter) {
            (false, false) => return,
            (true, false) => Effect::Looser,
            (false, true) => Effect::Stricter,
            (true, true) => Effect::Other,
        };
        self.add(effect, member, list(from), list(to));
    }

    fn roles(&mut self, from: &[(Role, Role)], to: &[(Role, Role)]) {
        let pairs = |pairs: &[(Role, Role)]| -> BTreeSet<String> {
            let name = |(a, b): &(Role, Role)| {
                let mut pair = [a.to_string(), b.to_string()];
                pair.sort();
                pair.join(" and ")
            };
            pairs.iter().map(name).collect()
        };
        let (from, to) = (pairs(from), pairs(to));
        let (gone, new) = (!from.is_subset(&to), !to.is_subset(&from));
        self.set("approvals.separate_roles", &from, &to, gone, new);
    }

    fn hosts(&mut self, from: &[String], to: &[String]) {
        let (from, to): (BTreeSet<_>, BTreeSet<_>) =
            (from.iter().cloned().collect(), to.iter().cloned().collect());
        // None at all: any.
        let allows_more =
            |one: &BTreeSet<String>, other: &BTreeSet<String>| match (one.is_empty(), other.is_empty()) {
                (true, other) => !other,
                (false, true) => false,
                (false, false) => !one.is_subset(other),
            };
        self.set("limits.app_hosts", &from, &to, allows_more(&to, &from), allows_more(&from, &to));
    }
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT;
    use super::*;

    fn changed(pairs: &[(&str, &str)]) -> Vec<String> {
        let read = |text: &str| Policy::read(text.as_bytes()).expect("a policy");
        let text = pairs.iter().fold(DEFAULT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let forth = read(DEFAULT).changes(&read(&text));
        let back = read(&text).changes(&read(DEFAULT));
        assert_eq!(forth.len(), back.len());
        for one in &forth {
            let other = back.iter().find(|other| other.member == one.member).expect("the way back");
            assert_eq!((&one.from, &one.to), (&other.to, &other.from));
            assert!(one.effect == Effect::Other || one.effect != other.effect, "{one}");
        }
        forth.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_policy_loosens_stands_first_and_comments_change_nothing() {
        assert_eq!(changed(&[("\ncount = 1\n", "\ncount = 1 # one\n")]), [""; 0]);
        let both = changed(&[("\ncount = 1\n", "\ncount = 2\n"), ("\nhours = 24\n", "\nhours = 48\n")]);
        assert_eq!(both, ["looser: approvals.hours is 48, was 24", "stricter: approvals.count is 2, was 1"]);
    }

    #[test]
    fn each_member_knows_which_way_is_looser() {
        let cases = [
            ("importer_may_approve = true", "importer_may_approve = false", "stricter"),
            ("separate_roles = []", "separate_roles = [[\"approver\", \"signer\"]]", "stricter"),
            ("expiry_min_days = 7", "expiry_min_days = 0", "looser"),
            ("expiry_max_days = 400", "expiry_max_days = 500", "looser"),
            ("root_expires_soon_days = 60", "root_expires_soon_days = 1", "looser"),
            ("app_hosts = []", "app_hosts = [\"hub.foundries.io\"]", "stricter"),
            ("mass_removal_percent = 25", "mass_removal_percent = 90", "looser"),
            ("mass_removal_count = 5", "mass_removal_count = 50", "looser"),
            ("window_days = 0", "window_days = 7", "stricter"),
            ("quorum = 0", "quorum = 2", "stricter"),
            ("every_bundle = false", "every_bundle = true", "stricter"),
            ("network = \"block\"", "network = \"warn\"", "looser"),
            ("confinement = \"warn\"", "confinement = \"require\"", "stricter"),
        ];
        for (from, to, effect) in cases {
            let told = changed(&[(from, to)]);
            // A window asks for one witness, too.
            assert!(!told.is_empty() && told.iter().all(|one| one.starts_with(effect)), "{told:?}");
        }
    }

    #[test]
    fn every_check_that_is_lowered_is_told() {
        for check in CHECKS.iter().filter(|check| check.lowest != check.default) {
            let word = if check.lowest == Severity::Disabled { "off" } else { check.lowest.name() };
            let set = format!("\n[checks]\n{} = \"{word}\"\n", check.name);
            let policy =
                Policy::read(DEFAULT.replacen("\n[checks]\n", &set, 1).as_bytes()).expect("a policy");
            let told = Policy::default().changes(&policy);
            assert_eq!(told.len(), 1, "{}: {told:?}", check.name);
            assert_eq!(
                (told[0].effect, told[0].member.as_str()),
                (Effect::Looser, &*format!("checks.{}", check.name))
            );
        }
    }
}

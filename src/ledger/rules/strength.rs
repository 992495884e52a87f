//! How strong a signature is, in people.

use crate::ledger::Custody;
use crate::tuf::{KeyId, Root};

/// How strong a signature is, in people. L2: devices ask for several officers' keys, and no one person can open enough
/// of this station's to reach the threshold. L1: the key opens for several together. L0: one person could make it.
pub(crate) fn strength(
    root: &Root,
    role: &str,
    online: Option<&KeyId>,
    custody: &Custody,
    quorum: u64,
) -> &'static str {
    let listed = root.keyids(role);
    let is_online = |keyid: &&KeyId| online == Some(*keyid);
    // The service signs whatever it publishes: its signature is nobody's consent.
    let has_service = root.dialect.has_service() && role == "targets";
    let by_service = usize::from(has_service || listed.iter().any(|keyid| is_online(&keyid)));
    let needed = root.threshold(role).saturating_sub(by_service);
    let offline = listed.len().saturating_sub(by_service);
    let of_officers = listed.iter().filter(|keyid| !is_online(keyid)).map(KeyId::as_str);
    if needed > 1 && offline > 1 && custody.opened_by_one(of_officers) < needed {
        "L2"
    } else if quorum > 1 {
        "L1"
    } else {
        "L0"
    }
}

/// As 0.1 had it: by keys, whoever opens them. Its logs are judged by it.
pub(crate) fn strength_by_keys(root: &Root, quorum: u64) -> &'static str {
    let by_service = usize::from(root.dialect.has_service());
    let offline = root.keyids("targets").len().saturating_sub(by_service);
    match root.threshold("targets") > by_service + 1 && offline > 1 {
        true => "L2",
        false if quorum > 1 => "L1",
        false => "L0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Stamp;
    use crate::host::clock::Time;
    use crate::ledger::record::{OfficerAdded, SealedKey};
    use crate::ledger::{Entry, Event, Record};

    /// A root that asks for three signatures: the service's and two officers'.
    fn root() -> Root {
        root_of(4)
    }

    /// Officers' keys sealed as said: a quorum and its holders each.
    fn custody(keyids: &[&KeyId], sealed: &[(u64, &[&str])]) -> Custody {
        let mut custody = Custody::default();
        let stamp = Stamp { time: Time::from_unix(1_800_000_000), boot: String::new(), uptime_ms: 0 };
        let mut see = |event: Event| {
            let line = event.line(1, &[0; 32], &stamp);
            custody.see(&Entry::read(&line).expect("an entry"));
        };
        for name in ["ann", "bob", "cat"] {
            let (officer, roles) = (name.into(), Vec::new());
            see(OfficerAdded { officer, recipient: "age1".into(), key: "00".into(), roles }.by("user:0"));
        }
        for (keyid, (quorum, holders)) in keyids.iter().zip(sealed) {
            let sealed = SealedKey {
                keyid: keyid.as_str().into(),
                keytype: "ED25519".into(),
                quorum: *quorum,
                officers: holders.iter().map(|name| (*name).into()).collect(),
                set: "".into(),
                detail: "".into(),
            };
            see(Record::KeyImported(sealed).by("user:0"));
        }
        custody
    }

    #[test]
    fn strength_counts_people_and_not_keys() {
        let root = root();
        let (listed, threshold) = (root.keyids("targets"), root.threshold("targets"));
        assert_eq!((listed.len(), threshold), (3, 3), "the service's key and two officers'");
        let online = listed.iter().find(|keyid| root.owner(keyid).is_none()).expect("the service's");
        let own: Vec<&KeyId> = listed.iter().filter(|keyid| *keyid != online).collect();
        let strength = |sealed: &[(u64, &[&str])], quorum: u64| {
            strength(&root, "targets", Some(online), &custody(&own, sealed), quorum)
        };
        assert_eq!(strength(&[(1, &["ann"]), (1, &["bob"])], 1), "L2");
        // The other key is not on this station.
        assert_eq!(strength(&[(1, &["ann"])], 1), "L2");
        // She holds both, and signs twice.
        assert_eq!(strength(&[(1, &["ann"]), (1, &["ann", "bob"])], 1), "L0");
        assert_eq!(strength(&[(2, &["ann", "bob"]), (1, &["ann"])], 2), "L2");
        assert_eq!(strength(&[(1, &["ann", "cat"]), (1, &["bob", "cat"])], 1), "L0");
        let earlier = root_of(3);
        assert_eq!(super::strength(&earlier, "targets", Some(online), &custody(&own, &[]), 2), "L1");
    }

    fn root_of(version: u64) -> Root {
        let name = format!("tests/fixtures/fioctl/acme/5-two-officers/prod-roots/{version}.root.json");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        Root::parse("root", &std::fs::read(path).expect("a file")).expect("a root")
    }

    /// The service's key of a root, and the officers'.
    fn by_holder(root: &Root) -> (&KeyId, Vec<&KeyId>) {
        let listed = root.keyids("targets");
        let online = listed.iter().find(|keyid| root.owner(keyid).is_none()).expect("the service's");
        (online, listed.iter().filter(|keyid| *keyid != online).collect())
    }

    /// The root with another threshold for targets, and without an officer's key where it should have one only.
    fn with_targets(threshold: usize, officers: usize) -> Root {
        let mut root = root();
        let kept: Vec<KeyId> = {
            let (online, own) = by_holder(&root);
            std::iter::once(online).chain(own.into_iter().take(officers)).cloned().collect()
        };
        let targets = root.roles.get_mut("targets").expect("a role");
        (targets.keyids, targets.threshold) = (kept, threshold);
        root
    }

    #[test]
    fn two_signatures_of_which_one_is_the_services_are_not_two_peoples() {
        for (threshold, officers) in [(2, 2), (3, 1)] {
            let root = with_targets(threshold, officers);
            let (online, own) = by_holder(&root);
            for sealed in [&[][..], &[(1, &["ann"][..]), (1, &["bob"])]] {
                let custody = custody(&own, sealed);
                let of = |quorum| strength(&root, "targets", Some(online), &custody, quorum);
                assert_eq!((of(1), of(2)), ("L0", "L1"), "threshold {threshold}, {officers} officers' keys");
            }
        }
    }

    #[test]
    fn the_service_signs_targets_whether_or_not_its_key_is_known_and_no_other_role() {
        let root = root();
        let (_, own) = by_holder(&root);
        let alone: &[(u64, &[&str])] = &[(1, &["ann"]), (1, &["ann"])];
        assert_eq!(strength(&root, "targets", None, &custody(&own, alone), 1), "L0");
        let mut delegated = root.clone();
        let keyids: Vec<KeyId> = own.iter().map(|keyid| (*keyid).clone()).collect();
        delegated.roles.insert("apps".to_owned(), crate::tuf::root::Role { keyids, threshold: 2 });
        let apart: &[(u64, &[&str])] = &[(1, &["ann"]), (1, &["bob"])];
        assert_eq!(strength(&delegated, "apps", None, &custody(&own, apart), 1), "L2");
    }

    #[test]
    fn a_log_of_0_1_counts_keys_beyond_the_services() {
        for (threshold, officers, by_one) in
            [(3, 2, "L2"), (4, 2, "L2"), (2, 2, "L0"), (3, 1, "L0"), (1, 2, "L0")]
        {
            let root = with_targets(threshold, officers);
            let by_two = if by_one == "L0" { "L1" } else { by_one };
            let said = [1, 2].map(|quorum| strength_by_keys(&root, quorum));
            assert_eq!(said, [by_one, by_two], "threshold {threshold}, {officers} officers' keys");
        }
    }
}

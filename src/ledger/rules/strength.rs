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
}

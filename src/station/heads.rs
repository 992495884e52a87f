//! What this station's log says of its own heads elsewhere, and of the witnesses who saw them.

use super::{Station, StationError};
use crate::ledger::{Anchors, Demand, Record};

impl Station {
    /// Witnesses, heads that came back, and whether anything may be signed, as the log has them.
    ///
    /// # Errors
    /// The log cannot be read, or a policy in it is not whole.
    pub fn anchors(&self) -> Result<Anchors, StationError> {
        let mut anchors = Anchors::default();
        for entry in self.log.entries() {
            let entry = entry?;
            let entry = &entry.entry();
            let policy = match entry.record() {
                Record::StationCreated(created) => Some(&created.policy),
                Record::PolicyChanged(changed) => Some(&changed.to),
                _ => None,
            };
            if let Some(policy) = policy {
                let demand = Demand::of_policy(&self.log.get_object(policy)?).unwrap_or_default();
                anchors.set_demand(demand, entry.time());
            }
            anchors.see(entry);
        }
        Ok(anchors)
    }
}

//! What this station's log says of its own heads elsewhere, and of the witnesses who saw them.

use super::Station;
use crate::ledger::Anchors;

impl Station {
    /// Witnesses, heads that came back, and whether anything may be signed, as the log has them.
    pub(crate) fn anchors(&self) -> &Anchors {
        &self.state().anchors
    }
}

//! The auditor's side: verify, who, reconcile, reports; reads a log export and needs no station.

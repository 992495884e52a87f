//! What the workstation remembers: layout on disk, trusted roots, policy, officers, key vault, requests, history.

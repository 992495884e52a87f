//! What the metadata means: dialects, keys and key ids, signatures and thresholds, root chain, targets.

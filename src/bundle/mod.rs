//! What crosses the gap: request and signed-bundle manifests, reading hostile media, writing media durably.

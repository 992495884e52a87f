#!/usr/bin/env bash
# release/advisories finds what an advisory database that was carried in has against the crates of Cargo.lock, lets pass
# what is patched, unaffected or withdrawn, and says how old the database is.
# needs: git python3
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

held=$(sed -n '/^name = "clap"$/{n;s/^version = "\(.*\)"/\1/p;}' Cargo.lock)
advisory() { # id, crate, more of the head, versions
    mkdir -p "$work/db/crates/$2"
    printf '```toml\n[advisory]\nid = "%s"\npackage = "%s"\ndate = "2026-11-01"\n%s\n[versions]\n%s\n```\n\n# A made-up advisory\n' \
        "$1" "$2" "$3" "$4" > "$work/db/crates/$2/$1.md"
}
advisory RUSTSEC-2026-9001 clap '' "patched = [\">= $held\"]"
advisory RUSTSEC-2026-9002 clap '' 'patched = []
unaffected = ["< 99, >= 1.0.0"]'
advisory RUSTSEC-2026-9003 clap 'withdrawn = "2026-11-02"' 'patched = []'
advisory RUSTSEC-2026-9004 no-such-crate '' 'patched = []'
git -C "$work/db" init -q
git -C "$work/db" add .
GIT_COMMITTER_DATE=2026-11-05T00:00:00Z git -C "$work/db" -c user.name=x -c user.email=x@example.invalid commit -qm x
said=$(release/advisories "$work/db") || fail "an advisory that is patched, unaffected or withdrawn: $said"
grep -q '4 advisories, database of 2026-11-05: none of them against' <<<"$said" || fail "it says: $said"

advisory RUSTSEC-2026-9005 clap 'informational = "unmaintained"' "patched = [\"> $held\"]"
said=$(release/advisories "$work/db") && fail "an advisory against clap $held is not found"
grep -qF "RUSTSEC-2026-9005: clap $held (unmaintained)" <<<"$said" || fail "it says: $said"
release/advisories "$work" > /dev/null 2>&1 && fail "a folder without advisories passes"
echo "advisories: found, let pass, and dated"

#!/usr/bin/env bash
# A release built twice, in two folders with two CARGO_HOMEs, is the same bytes: once from this checkout with the crates
# of the registry, once from the source archive, where there is no network. So are the Debian package, the SBOM and the
# digests; the list is signed with a throw-away key, and verified. PROFILE=dist builds what is released; the default, the
# quicker profile, depends on paths and times in the same ways. Not part of .ci/run, whose time is short: run it by hand.
# packages: gcc git gzip minisign python3 tar util-linux
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${PROFILE:-release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

tools=${CARGO_HOME:-$HOME/.cargo}
release/tools
export PATH="$tools/bin:$PATH"

echo "-- once, from a checkout"
git clone -q . "$work/checkout"
minisign -G -f -W -p "$work/key.pub" -s "$work/key" > /dev/null
CARGO_HOME=$work/home1 "$work/checkout/release/build" --out "$work/one" --profile "$profile" --key "$work/key" > "$work/said" \
    || { tail -20 "$work/said"; fail "the build from a checkout"; }
tail -20 "$work/said"
(cd "$work/one" && minisign -V -q -p "$work/key.pub" -m SHA256SUMS && sha256sum -c --quiet SHA256SUMS) || fail "the signed list"

echo "-- again, from the source archive, in another folder, without a network"
mkdir -p "$work/else/where"
tar -xzf "$work"/one/countersign-*.tar.gz -C "$work/else/where"
alone=(unshare -n)
"${alone[@]}" true 2>/dev/null || alone=(unshare -rn)
"${alone[@]}" true 2>/dev/null || fail "unshare -n is not allowed here; run this as root or where user namespaces are allowed"
CARGO_HOME=$work/home2 CARGO_NET_OFFLINE=true "${alone[@]}" "$work"/else/where/countersign-*/release/build \
    --out "$work/two" --profile "$profile" > "$work/said" || { tail -20 "$work/said"; fail "the build from the archive"; }

compared=0
for file in "$work"/two/*; do
    name=${file##*/}
    case $name in SHA256SUMS | WORDS | NOTES.md) continue ;; esac
    cmp "$work/one/$name" "$file" || fail "$name differs between the two builds"
    compared=$((compared + 1))
done
[ "$compared" -ge 3 ] || fail "only $compared files were compared"
if grep -aoE '(/root/|/home/|/tmp/)[A-Za-z0-9._/-]*(checkout|home1|\.cargo)' "$work/one/countersign" | head -3 | grep .; then
    fail "the program names a folder of this machine"
fi
echo "-- the package"
dpkg-deb -c "$work"/one/countersign_*.deb > "$work/listed"
for place in usr/bin/countersign usr/share/man/man1/countersign.1.gz usr/share/bash-completion/completions/countersign \
    usr/share/doc/countersign/docs/operator-guide.md; do
    grep -q " ./$place$" "$work/listed" || fail "the package has no $place"
done
echo "$compared files are the same bytes twice, profile $profile"

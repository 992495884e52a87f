#!/usr/bin/env bash
# The single static file to carry on a stick: it builds, it is static, and it runs.
# needs: file binutils
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(rustc -vV | sed -n 's/^host: //p')
echo "static build: RUSTFLAGS=\"-C target-feature=+crt-static\" cargo build --release --target $target"
log=$(mktemp)
trap 'rm -rf "$log" "${work:-}"' EXIT
RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$target" --bin countersign 2>&1 | tee "$log"
program=${CARGO_TARGET_DIR:-target}/$target/release/countersign

# glibc's linker warns where a static program would load libraries when it runs; such a program is not one file.
if grep -i 'statically linked applications requires at runtime' "$log"; then
    echo "FAILED: the static program would load shared libraries when it runs" >&2
    exit 1
fi

file "$program"
file "$program" | grep -qE 'static-pie linked|statically linked'
if readelf --dynamic "$program" | grep -q NEEDED; then
    echo "FAILED: $program needs shared libraries" >&2
    exit 1
fi
# ldd says so in two ways, and its exit status depends on which.
(ldd "$program" 2>&1 || true) | grep -E 'statically linked|not a dynamic executable'

work=$(mktemp -d)
# Nothing but the file itself: no environment, and a root of its own where that is allowed.
cp "$program" "$work/countersign"
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$work/tmp" "$work/proc" "$work/dev"
    chroot "$work" /countersign --version
    echo "it runs in an empty root folder"
else
    env -i "$work/countersign" --version
fi
env -i HOME="$work" "$work/countersign" rehearse "$work/rehearsal" >"$work/rehearsal.log" 2>&1 || {
    cat "$work/rehearsal.log" >&2
    echo "FAILED: the static program does not finish a rehearsal" >&2
    exit 1
}
echo "static-build: $(stat -c %s "$program") bytes, static, and it finishes a rehearsal"

#!/usr/bin/env bash
# The signing laptop's image: built twice and compared, booted in qemu under UEFI without a network device, and a whole
# ceremony held in it (image/test). Not part of .ci/run, whose time is short: emulated, it takes long. Run it by hand before
# a release; docs/laptop.md has the figures.
#
#   bash tests/scripts/image.sh [PROGRAM]    PROGRAM: the static countersign; without it one is built
# packages: apt binutils cpio dosfstools dpkg e2fsprogs git mtools ovmf python3 qemu-system-x86 qemu-utils zstd
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=${1:-}
if [ -z "$program" ]; then
    release/tools
    release/build --out "$work/programs" --profile release --programs-only
    program=$work/programs/countersign
fi
image/test "$program" "$work/image"

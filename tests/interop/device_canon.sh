#!/usr/bin/env bash
# A device hashes the bytes that we signed wherever the review calls a document portable; where it does not, the device
# hashes others, or fioctl signs others. Needs g++ and libjsoncpp-dev.
set -euo pipefail
cd "$(dirname "$0")"
work=${INTEROP_WORK:-../../target/interop}
. ./setup.sh
cargo build -q --locked --bin countersign --manifest-path ../../Cargo.toml
g++ -O2 -Wall -Wextra -I/usr/include/jsoncpp device_canon.cc -ljsoncpp -o "$work/device_canon"
countersign=${COUNTERSIGN:-$(cd ../../target/debug && pwd)/countersign}
"$python" device_canon.py "$countersign" "$work/device_canon" ../fixtures/fioctl

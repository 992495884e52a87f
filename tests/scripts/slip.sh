#!/usr/bin/env bash
# A signature leaves by camera: the pictures of a slip, and its printed page, are read by zbarimg, and what comes out of it
# is assembled into a bundle that verifies.
# needs: chromium poppler-utils python3 zbar-tools
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in chromium pdftoppm python3 zbarimg; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install chromium poppler-utils python3 zbar-tools"; exit 1; }
done
cargo build --locked --quiet
countersign=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/countersign
fixtures=$PWD/tests/fixtures/fioctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset COUNTERSIGN_STATION
fail() { echo "FAILED: $*"; exit 1; }
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

echo "topmost Istanbul Pluto vagabond alice" > alice.pass
for factory in acme rsa; do
    step=$fixtures/$factory/1-populate
    station=("$countersign" --station "station-$factory")
    newest=$(ls "$step"/prod-roots/*.root.json | sort -V | tail -1)
    "${station[@]}" init --factory acme-gateway --roots "$step/prod-roots" --online-key "$step/ci-targets.pub" --networked \
        --fingerprint "$("$countersign" --json fingerprint "$newest" | member digest)" >/dev/null 2>&1
    "${station[@]}" officer add alice --passphrase-file alice=alice.pass >/dev/null 2>&1
    "${station[@]}" key import "$fixtures/$factory/targets.keys.tgz" --officers alice --quorum 1 >/dev/null 2>&1
    "$countersign" request --from "$step" --factory acme-gateway --wave populate-targets --version 12 --tag production \
        --expires 2099-01-01T00:00:00Z --out "request-$factory" >/dev/null 2>&1
    id=$("${station[@]}" --json import "request-$factory" 2>/dev/null | member request)
    words=$("${station[@]}" --json review "$id" 2>/dev/null | member confirm)
    "${station[@]}" sign "$id" --officer alice --confirm "$words" --passphrase-file alice=alice.pass >/dev/null 2>&1
    "${station[@]}" export "$id" --slip "slip-$factory" >/dev/null
    zbarimg -q --raw -Sdisable -Sqrcode.enable "slip-$factory"/*.png |
        "$countersign" assemble "request-$factory" --slip - --out "pictures-$factory" >/dev/null || fail "$factory, pictures"
    chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/browser" --no-pdf-header-footer \
        --print-to-pdf="$factory.pdf" "file://$PWD/slip-$factory/slip.html" >/dev/null 2>&1 || fail "the page is not printed"
    pdftoppm -r 150 -gray -png "$factory.pdf" "page-$factory"
    zbarimg -q --raw -Sdisable -Sqrcode.enable "page-$factory"*.png > "$factory.txt" || [ $? = 4 ]
    "$countersign" assemble "request-$factory" --slip "$factory.txt" --out "paper-$factory" >/dev/null || fail "$factory, paper"
    "$countersign" verify "paper-$factory" --roots "$step/prod-roots" >/dev/null || fail "$factory does not verify"
    cmp "pictures-$factory/SHA256SUMS" "paper-$factory/SHA256SUMS"
    echo "$factory: $(wc -l < "slip-$factory/slip.txt") codes, read from pictures and from a printed page"
done

#!/usr/bin/env bash
# What is on paper comes back with stock tools alone: the QR codes are read by zbarimg, and the key is opened by Debian's
# age and, for a split key, by the Python program that stands on the sheet. Nothing of countersign takes part in that.
# needs: age zbar-tools python3
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in age zbarimg python3; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install age zbar-tools python3"; exit 1; }
done
cargo build --locked --quiet
countersign=$PWD/${CARGO_TARGET_DIR:-target}/debug/countersign
fixture=$PWD/tests/fixtures/fioctl/rsa
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset COUNTERSIGN_STATION

fail() { echo "FAILED: $*"; exit 1; }

# Runs a command on a terminal of its own and types a passphrase into it, as a person would.
cat > typing.py <<'EOF'
import os, pty, sys
passphrase, out, command = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.execvp(command[0], command)
typed = False
while True:
    try:
        asked = os.read(terminal, 1024)
    except OSError:
        break
    if not asked:
        break
    if not typed and b"passphrase" in asked:
        os.write(terminal, (passphrase + "\n").encode())
        typed = True
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
typed() { python3 typing.py "$@"; }

scan() { zbarimg -q --raw -Sdisable -Sqrcode.enable "$@" 2>/dev/null; }
# The codes of one file, in order, without the header lines: the recipe on the sheet.
scan_file() { scan "$@" | grep -v ^countersign-paper | grep .; }

tar -xzOf "$fixture/targets.keys.tgz" --wildcards '*.sec' > original.sec
for name in alice bob carol; do echo "topmost Istanbul Pluto vagabond $name" > "$name.pass"; done
files=(--passphrase-file alice=alice.pass --passphrase-file bob=bob.pass --passphrase-file carol=carol.pass)

station() {
    local folder=$1; shift
    local root
    root=$(sed -n 's/^fingerprint=//p' fingerprint 2>/dev/null || true)
    "$countersign" --station "$folder" init --factory acme --roots "$roots" --online-key "$online" --networked \
        --fingerprint "$root" >/dev/null 2>&1
}
step=$(ls -d "$fixture"/[0-9]* | tail -1)
roots=$step/prod-roots online=$(find "$fixture" -name ci-targets.pub | sort | tail -1)
# The fingerprint that came another way: here from the very same file.
"$countersign" --station probe init --factory acme --roots "$roots" --online-key "$online" --networked \
    --fingerprint "$(printf '0%.0s' {1..64})" > probe.txt 2>&1 || true
echo "fingerprint=$(grep -oE '^ +[0-9a-f]{64}$' probe.txt | head -1 | tr -d ' ')" > fingerprint

echo "-- an officer's file opens with age"
station one
for name in alice bob carol; do
    "$countersign" --station one officer add "$name" --passphrase-file "$name=$name.pass" >/dev/null
done
typed "$(cat alice.pass)" identity.txt age -d one/officers/alice.age
grep -q '^AGE-SECRET-KEY-1' identity.txt || fail "age shows no identity"
grep -q '^# approval key (ed25519 seed, hex): [0-9a-f]\{64\}$' identity.txt || fail "age shows no approval key"
if typed "not the passphrase" wrong.txt age -d one/officers/alice.age; then fail "any passphrase opens it"; fi

echo "-- a key of any one officer comes back from paper with age"
"$countersign" --station one key import "$fixture/targets.keys.tgz" --officers alice,bob --quorum 1 >/dev/null 2>&1
keyid=$("$countersign" --station one --json key list | grep -oE '"keyid": "[0-9a-f]{64}' | grep -oE '[0-9a-f]{64}$')
"$countersign" --station one key backup "$keyid" --out paper1 >/dev/null 2>&1
scan_file paper1/*.sealed.age-*.png > sealed.age
scan_file paper1/*-alice.alice.age-*.png > alice.age
cmp sealed.age "one/keys/$keyid/sealed.age" || fail "what was scanned is not what was printed"
typed "$(cat alice.pass)" back.sec age -d -i alice.age sealed.age
cmp back.sec original.sec || fail "what came back is not fioctl's key"

echo "-- a key split 2 of 3 comes back from paper with age and the program on the sheet"
"$countersign" --station one key reseal "$keyid" --officer alice --to alice,bob,carol --quorum 2 "${files[@]}" >/dev/null 2>&1
"$countersign" --station one key backup "$keyid" --out paper2 >/dev/null 2>&1
rm -f sealed.age alice.age back.sec
scan_file paper2/*.sealed.age-*.png > sealed.age
for name in alice carol; do
    scan_file "paper2"/*-$name.$name.age-*.png > $name.age
    scan_file "paper2"/*.share-of-$name.age-*.png > $name.share.age
    typed "$(cat $name.pass)" $name.share age -d -i $name.age $name.share.age
done
sheet=$(ls paper2/key-*.html | head -1)
python3 -c '
import html, re, sys
blocks = re.findall(r"<pre>(.*?)</pre>", open(sys.argv[1]).read(), re.S)
print(html.unescape(next(block for block in blocks if block.startswith("import sys"))))' "$sheet" > combine.py
python3 combine.py alice.share carol.share > identity.txt
age -d -i identity.txt sealed.age > back.sec
cmp back.sec original.sec || fail "what came back is not fioctl's key"
python3 combine.py alice.share > alone.txt 2>/dev/null || true
if age -d -i alone.txt sealed.age > /dev/null 2>&1; then fail "one share opens the key"; fi

echo "-- and on a new station with countersign"
mkdir scans
scan paper2/key-????????.*.png paper2/*-bob.*.png paper2/*-carol.*.png > scans/all.txt
station two
"$countersign" --station two key restore scans >/dev/null 2>&1
"$countersign" --station two key drill "$keyid" --officer bob --officer carol "${files[@]}" | grep -q "is the key that root"
echo "all of it came back"

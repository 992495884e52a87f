#!/usr/bin/env bash
# What is on paper comes back with stock tools alone: the sheets are printed by a browser and scanned page by page, the QR
# codes are read by zbarimg, and the key is opened by Debian's age and, for a split key, by the Python program that stands
# on the sheet. The commands are those that stand on the sheets. Nothing of countersign takes part in that.
# needs: age chromium poppler-utils python3 zbar-tools
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in age chromium pdftoppm python3 zbarimg; do
    command -v "$tool" >/dev/null ||
        { echo "$tool is missing: apt-get install age chromium poppler-utils python3 zbar-tools"; exit 1; }
done
cargo build --locked --quiet
countersign=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/countersign
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

# Prints sheets and scans every page of them, at 300 dots an inch: a folder of pages, many codes on one.
print_and_scan() {
    local scans=$1 sheet name; shift
    mkdir -p "$scans"
    for sheet in "$@"; do
        name=$(basename "$sheet" .html)
        chromium --headless --no-sandbox --disable-gpu --user-data-dir="$work/browser" --no-pdf-header-footer \
            --print-to-pdf="$name.pdf" "file://$PWD/$sheet" >/dev/null 2>&1 || fail "$sheet is not printed"
        pdftoppm -r 300 -gray -png "$name.pdf" "$scans/$name"
    done
}

# The command blocks of a sheet that begin with given words, as a reader would type them.
recipe() {
    python3 -c '
import html, re, sys
blocks = [html.unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", open(sys.argv[1]).read(), re.S)]
print("\n".join(block for block in blocks if block.startswith(sys.argv[2])))' "$1" "$2"
}

# What stands on the sheet, for the key and for some officers, up to where age asks for a passphrase.
by_the_sheet() {
    local paper=$1 name; shift
    # The first block, for a station, names the scans; this is the one for stock tools.
    recipe "$(ls "$paper"/key-????????.html)" 'zbarimg -q --raw -Sdisable -Sqrcode.enable *.png' > steps
    for name in "$@"; do recipe "$(ls "$paper"/key-*-"$name.html")" "part officers/$name.age" | grep '^part ' >> steps; done
    # zbarimg says with 4 that there was a page without a code: that of the table, for one.
    (cd scans && sh ../steps 2>../steps.log)
}

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
print_and_scan scans paper1/key-*.html
by_the_sheet paper1 alice
cmp scans/sealed.age "one/keys/$keyid/sealed.age" || fail "what was scanned is not what was printed"
codes=$(ls paper1/*.png | wc -l)
[ "$(grep -c ^countersign-paper/1 scans/all.txt)" = "$codes" ] || fail "not every one of the $codes codes was read"
typed "$(cat alice.pass)" back.sec age -d -i scans/alice.age scans/sealed.age
cmp back.sec original.sec || fail "what came back is not fioctl's key"

echo "-- a key split 2 of 3 comes back from paper with age and the program on the sheet"
"$countersign" --station one key reseal "$keyid" --officer alice --to alice,bob,carol --quorum 2 "${files[@]}" >/dev/null 2>&1
"$countersign" --station one key backup "$keyid" --out paper2 >/dev/null 2>&1
rm -rf back.sec scans
print_and_scan scans paper2/key-????????.html paper2/key-*-alice.html paper2/key-*-carol.html
# A page that went through the scanner twice changes nothing.
twice=$(ls scans/*.png | tail -1)
cp "$twice" scans/again.png
by_the_sheet paper2 alice carol
for name in alice carol; do
    typed "$(cat $name.pass)" $name.share age -d -i scans/$name.age scans/$name.share.age
done
recipe "$(ls paper2/key-????????.html)" "import sys" > combine.py
python3 combine.py alice.share carol.share > identity.txt
age -d -i identity.txt scans/sealed.age > back.sec
cmp back.sec original.sec || fail "what came back is not fioctl's key"
python3 combine.py alice.share > alone.txt 2>/dev/null || true
if age -d -i alone.txt scans/sealed.age > /dev/null 2>&1; then fail "one share opens the key"; fi

echo "-- and on a new station with countersign"
rm -rf scans
print_and_scan scans paper2/key-????????.html paper2/key-*-bob.html paper2/key-*-carol.html
recipe "$(ls paper2/key-????????.html)" 'zbarimg -q --raw -Sdisable -Sqrcode.enable scans/' | grep ^zbarimg | sh 2>steps.log || [ $? = 4 ]
station two
"$countersign" --station two key restore scans >/dev/null 2>&1
"$countersign" --station two key drill "$keyid" --officer bob --officer carol "${files[@]}" | grep -q "is the key that root"
echo "all of it came back"

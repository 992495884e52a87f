// Makes and checks cosignatures (C2SP tlog-cosignature, ed25519) with golang.org/x/mod/sumdb/note, which this project did
// not write: only the message and the key id of the type 0x04 are said here, from the specification.
//
// Usage: cosign make NAME SEED TIME NOTE     the note with a cosignature by the key of this seed (64 hex digits)
//        cosign check LOG-VKEY VKEY NOTE     are the log's signature and this witness's in the note, and of what time?
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func must(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "NOT WHOLE: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func message(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

// keyHash is the key id for type 0x04.
func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

type witness struct {
	name    string
	hash    uint32
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	time    uint64
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Sign(text []byte) ([]byte, error) {
	stamp := make([]byte, 8)
	binary.BigEndian.PutUint64(stamp, w.time)
	return append(stamp, ed25519.Sign(w.private, message(w.time, text))...), nil
}

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	w.time = binary.BigEndian.Uint64(signature)
	return ed25519.Verify(w.public, message(w.time, text), signature[8:])
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	must(path, err)
	return text
}

func makeOne(name, seed, time, path string) {
	key, err := hex.DecodeString(seed)
	must("seed", err)
	private := ed25519.NewKeyFromSeed(key)
	public := private.Public().(ed25519.PublicKey)
	stamp, err := strconv.ParseUint(time, 10, 64)
	must("time", err)
	w := &witness{name: name, hash: keyHash(name, public), public: public, private: private, time: stamp}
	fmt.Fprintf(os.Stderr, "%s+%08x+%s\n", name, w.hash, base64.StdEncoding.EncodeToString(append([]byte{4}, public...)))
	text := string(read(path))
	at := strings.LastIndex(text, "\n\n")
	signed, err := note.Sign(&note.Note{Text: text[:at+1]}, w)
	must("sign", err)
	// The log's lines stay, and the cosignature stands after them.
	fmt.Print(text + string(signed[at+2:]))
}

func check(logKey, key, path string) {
	log, err := note.NewVerifier(logKey)
	must("the log's key", err)
	parts := strings.SplitN(key, "+", 3)
	if len(parts) != 3 {
		must("the witness's key", fmt.Errorf("it has no three parts"))
	}
	bytes, err := base64.StdEncoding.DecodeString(parts[2])
	must("the witness's key", err)
	if len(bytes) != 33 || bytes[0] != 4 || fmt.Sprintf("%08x", keyHash(parts[0], bytes[1:])) != parts[1] {
		must("the witness's key", fmt.Errorf("it is not of type 4, or its id is another one"))
	}
	w := &witness{name: parts[0], hash: keyHash(parts[0], bytes[1:]), public: bytes[1:]}
	opened, err := note.Open(read(path), note.VerifierList(log, w))
	must(path, err)
	if len(opened.Sigs) != 2 {
		must(path, fmt.Errorf("%d of the two signatures hold", len(opened.Sigs)))
	}
	fmt.Println(w.time)
}

func main() {
	switch {
	case len(os.Args) == 6 && os.Args[1] == "make":
		makeOne(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case len(os.Args) == 5 && os.Args[1] == "check":
		check(os.Args[2], os.Args[3], os.Args[4])
	default:
		fmt.Fprintln(os.Stderr, "usage: cosign make NAME SEED TIME NOTE | cosign check LOG-VKEY VKEY NOTE")
		os.Exit(2)
	}
}

// Checks an evidence pack with golang.org/x/mod/sumdb/{note,tlog}, which this project did not write: the signed
// checkpoints, the exported tiles, every entry, the consistency of all kept checkpoints, and receipts.
//
// Usage: verify PACK VKEY [RECEIPT...]
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is that of C2SP tlog-tiles: 256 hashes a tile.
const tileHeight = 8

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "NOT WHOLE: "+format+"\n", args...)
	os.Exit(1)
}

func must(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

// readCheckpoint opens a signed note and reads size and root out of it.
func readCheckpoint(text []byte, verifiers note.Verifiers, origin string) tlog.Tree {
	opened, err := note.Open(text, verifiers)
	must("checkpoint", err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		fail("the checkpoint is not of %s", origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must("size", err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must("root", err)
	tree := tlog.Tree{N: size}
	if copy(tree.Hash[:], root) != tlog.HashSize {
		fail("the root has %d bytes", len(root))
	}
	return tree
}

// tiles reads tiles from the folder; tlog checks each of them against the tree's root before it uses it.
type tiles struct{ pack string }

func (tiles) Height() int { return tileHeight }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		// The library's path begins with the height, the specification's does not.
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.pack, path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads every bundle of entries.
func entries(pack string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); int64(len(all)) < size; n++ {
		width := size - n<<tileHeight
		if width > 1<<tileHeight {
			width = 1 << tileHeight
		}
		tile := tlog.Tile{H: tileHeight, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", tileHeight), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(pack, path))
		must("bundle", err)
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("bundle %s is cut off", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:end])
			data = data[end:]
		}
		if len(data) > 0 {
			fail("bundle %s is too long", path)
		}
	}
	return all
}

func checkReceipt(path string, verifiers note.Verifiers, origin string) {
	data, err := os.ReadFile(path)
	must("receipt", err)
	parts := strings.SplitN(string(data), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		fail("%s is not a receipt with its entry", path)
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must("extra", err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must("index", err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		must("hash", err)
		proof = append(proof, hash)
	}
	tree := readCheckpoint([]byte(parts[1]), verifiers, origin)
	must("receipt", tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: verify PACK VKEY [RECEIPT...]")
	}
	pack := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	must("key", err)
	verifiers := note.VerifierList(verifier)
	head, err := os.ReadFile(filepath.Join(pack, "checkpoint"))
	must("checkpoint", err)
	tree := readCheckpoint(head, verifiers, verifier.Name())

	// Every leaf, authenticated by the tiles up to the signed root.
	reader := tlog.TileHashReader(tree, tiles{pack})
	var indexes []int64
	for n := int64(0); n < tree.N; n++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
	}
	leaves, err := reader.ReadHashes(indexes)
	must("tiles", err)
	lines := bytes.Buffer{}
	for n, entry := range entries(pack, tree.N) {
		if tlog.RecordHash(entry) != leaves[n] {
			fail("entry %d does not hash to its leaf", n)
		}
		lines.Write(entry)
		lines.WriteByte('\n')
	}

	// The plain lines are the same entries.
	files, err := filepath.Glob(filepath.Join(pack, "events", "*.jsonl"))
	must("events", err)
	sort.Strings(files)
	plain := bytes.Buffer{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		must("events", err)
		plain.Write(data)
	}
	if !bytes.Equal(plain.Bytes(), lines.Bytes()) {
		fail("the lines in events/ are not the entries in tile/entries/")
	}

	// Every kept checkpoint is a prefix of the newest.
	kept, err := filepath.Glob(filepath.Join(pack, "checkpoints", "*"))
	must("checkpoints", err)
	for _, file := range kept {
		data, err := os.ReadFile(file)
		must("checkpoints", err)
		older := readCheckpoint(data, verifiers, verifier.Name())
		if older.N == 0 {
			continue
		}
		root, err := tlog.TreeHash(older.N, reader)
		must("root", err)
		if root != older.Hash {
			fail("%s has another root than the entries give", file)
		}
		proof, err := tlog.ProveTree(tree.N, older.N, reader)
		must("consistency", err)
		must("consistency", tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash))
	}
	for _, receipt := range os.Args[3:] {
		checkReceipt(receipt, verifiers, verifier.Name())
	}
	fmt.Printf("whole: %d entries, %d checkpoints, %d receipts\n", tree.N, len(kept), len(os.Args)-3)
}

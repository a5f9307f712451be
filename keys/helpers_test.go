// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"bytes"
	"crypto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
)

var (
	keyTime = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	now     = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

func keyFile(name string) string { return filepath.Join("..", "testdata", "keys", name) }

func readKeyFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(keyFile(name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func readRing(tb testing.TB, data []byte) *keys.PGPKeyring {
	tb.Helper()
	ring, err := keys.ReadPGPKeyring(data)
	if err != nil {
		tb.Fatal(err)
	}
	return ring
}

// fingerprintsOf returns those of the primary keys in testdata/keys/fingerprints.txt.
func fingerprintsOf(tb testing.TB, names ...string) []chartsign.Fingerprint {
	tb.Helper()
	var list []chartsign.Fingerprint
	for _, name := range names {
		for line := range strings.Lines(string(readKeyFile(tb, "fingerprints.txt"))) {
			if fields := strings.Fields(line); fields[0] == name && fields[1] == "pub" {
				list = append(list, chartsign.Fingerprint(fields[3]))
			}
		}
	}
	if len(list) != len(names) {
		tb.Fatalf("fingerprints.txt: got %d of %v", len(list), names)
	}
	return list
}

func configAt(at time.Time) *packet.Config {
	return &packet.Config{Time: func() time.Time { return at }, Algorithm: packet.PubKeyAlgoEdDSA, DefaultHash: crypto.SHA512}
}

func newKey(tb testing.TB, name string) *openpgp.Entity {
	tb.Helper()
	entity, err := openpgp.NewEntity(name, "", strings.ToLower(name)+"@chartsign.test", configAt(keyTime))
	if err != nil {
		tb.Fatal(err)
	}
	return entity
}

func exported(tb testing.TB, entities ...*openpgp.Entity) []byte {
	tb.Helper()
	var out bytes.Buffer
	for _, entity := range entities {
		if err := entity.Serialize(&out); err != nil {
			tb.Fatal(err)
		}
	}
	return out.Bytes()
}

func exportedSecret(tb testing.TB, entities ...*openpgp.Entity) []byte {
	tb.Helper()
	var out bytes.Buffer
	for _, entity := range entities {
		if err := entity.SerializePrivateWithoutSigning(&out, nil); err != nil {
			tb.Fatal(err)
		}
	}
	return out.Bytes()
}

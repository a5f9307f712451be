// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"errors"
	"testing"

	"github.com/chartsign/chartsign/keys"
)

// FuzzReadPGPKeyring: no input crashes the reader or what comes after it; an error wraps
// ErrKeyring, and a keyring holds at least one key.
func FuzzReadPGPKeyring(f *testing.F) {
	for _, name := range []string{
		"release.pub.asc", "maintainer.pub.gpg", "maintainer.sec.gpg", "protected.sec.asc", "split.laptop.sec.gpg",
		"revoked.pub.gpg", "expired.pub.asc", "team.kbx", "team.pub.gpg",
	} {
		f.Add(readKeyFile(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ring, err := keys.ReadPGPKeyring(data)
		if err != nil {
			if !errors.Is(err, keys.ErrKeyring) || ring != nil {
				t.Errorf("got %v, %v", ring, err)
			}
			return
		}
		if len(ring.Fingerprints()) == 0 {
			t.Fatal("got a keyring without keys and no error")
		}
		for i, fingerprint := range ring.Fingerprints() {
			_ = keys.UserID(ring.Entities()[i])
			if key, err := ring.SigningKey(string(fingerprint), now, nil); err == nil {
				_, _ = key.String(), key.Public().Fingerprints()
			}
		}
		first, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring})
		if err != nil {
			return // a packet that can be read and not be written
		}
		again, err := keys.ReadPGPKeyring(data)
		if err != nil {
			t.Fatalf("read a second time: %v", err)
		}
		if second, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: again}); err != nil || second.Fingerprint() != first.Fingerprint() {
			t.Errorf("read a second time: got another fingerprint, %v", err)
		}
	})
}

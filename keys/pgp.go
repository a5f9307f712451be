// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

// ErrKeyring is wrapped by every error about a file of OpenPGP keys that cannot be read.
var ErrKeyring = errors.New("unreadable keyring")

// PGPKeyring is a set of OpenPGP keys, public or secret, without duplicates: copies of one
// primary key are merged, so that a revocation in any copy counts. It does not change.
type PGPKeyring struct {
	entities openpgp.EntityList
	lock     sync.Mutex
}

// Locked runs use while no other goroutine uses the keys: the OpenPGP library notes in them
// which of their own signatures it has checked. Whoever checks a key or a signature MUST do
// so within Locked.
func (k *PGPKeyring) Locked(use func()) {
	if k != nil {
		k.lock.Lock()
		defer k.lock.Unlock()
	}
	use()
}

// LoadPGPKeyring reads the keyring file at path: see ReadPGPKeyring.
func LoadPGPKeyring(path string) (*PGPKeyring, error) {
	data, err := limits.ReadFile(path, limits.Keyring)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	ring, err := ReadPGPKeyring(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// ReadPGPKeyring reads keys in the binary form (RFC 9580, 10.1), in any number of armored
// blocks (6.2), as 'gpg --export' with and without --armor writes them, or in GnuPG's
// keybox (.kbx). Keys of unknown algorithms are skipped; a file without any usable key is
// an error (ErrKeyring).
func ReadPGPKeyring(data []byte) (*PGPKeyring, error) {
	entities, err := readEntities(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	if len(entities) == 0 {
		return nil, fmt.Errorf("%w: got no key", ErrKeyring)
	}
	if len(entities) > limits.KeyringEntities {
		return nil, fmt.Errorf("%w: %d keys are %w: want at most %d", ErrKeyring, len(entities), limits.ErrTooLarge, limits.KeyringEntities)
	}
	return &PGPKeyring{entities: mergeCopies(entities)}, nil
}

// JoinPGPKeyrings returns a keyring with the keys of all rings, which it takes over: they
// MUST NOT be used by themselves afterwards.
func JoinPGPKeyrings(rings ...*PGPKeyring) *PGPKeyring {
	var all openpgp.EntityList
	for _, ring := range rings {
		if ring != nil {
			all = append(all, ring.entities...)
		}
	}
	return &PGPKeyring{entities: mergeCopies(all)}
}

// Entities returns the keys in the order of the file. They must not be changed.
func (k *PGPKeyring) Entities() openpgp.EntityList {
	if k == nil {
		return nil
	}
	return k.entities
}

// Fingerprints returns the fingerprints of the primary keys in the order of the file.
func (k *PGPKeyring) Fingerprints() []chartsign.Fingerprint {
	var list []chartsign.Fingerprint
	for _, entity := range k.Entities() {
		list = append(list, chartsign.FingerprintOf(entity.PrimaryKey.Fingerprint))
	}
	return list
}

// Has reports whether the keyring holds the primary key with the fingerprint.
func (k *PGPKeyring) Has(fingerprint chartsign.Fingerprint) bool {
	return slices.Contains(k.Fingerprints(), fingerprint)
}

// UserID returns the primary user ID of a key, or the first in alphabetical order, without
// characters that cannot be printed. It is for people: nobody has checked who it belongs to.
func UserID(entity *openpgp.Entity) string {
	var primary, others []string
	for name, identity := range entity.Identities {
		isPrimary := slices.ContainsFunc(identity.SelfCertifications, func(c *packet.VerifiableSignature) bool {
			return c.Packet.IsPrimaryId != nil && *c.Packet.IsPrimaryId
		})
		if isPrimary {
			primary = append(primary, name)
		}
		others = append(others, name)
	}
	for _, names := range [][]string{primary, others} {
		if len(names) > 0 {
			return printable(slices.Min(names))
		}
	}
	return ""
}

// printable drops what a terminal would act on instead of showing it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "?"))
}

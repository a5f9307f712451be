// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/chartsign/chartsign"
)

// The ways in which no secret key can be used; found with errors.Is.
var (
	ErrKeyNotFound  = errors.New("no such key")
	ErrKeyAmbiguous = errors.New("the name fits several keys")
	ErrKeyUnusable  = errors.New("the key cannot sign")
	ErrPassphrase   = errors.New("the key stays locked")
)

// SigningKey is an unlocked OpenPGP key that can sign now: a signing subkey where there is
// a valid one, else the primary key. String and errors never show secret material.
type SigningKey struct {
	ring   *PGPKeyring
	entity *openpgp.Entity
	key    *packet.PrivateKey
}

// PassphraseFunc asks for the passphrase of the key with the given user ID. It is called
// only if the key is locked.
type PassphraseFunc func(userID string) ([]byte, error)

// SigningKey finds the one key that query names (a full fingerprint, a 16-digit key ID, an
// exact user ID, or a part of one that no other key has), chooses the subkey that can sign
// at now, and unlocks it.
func (k *PGPKeyring) SigningKey(query string, now time.Time, passphrase PassphraseFunc) (*SigningKey, error) {
	var entity *openpgp.Entity
	var private *packet.PrivateKey
	var err error
	k.Locked(func() {
		if entity, err = k.find(query); err != nil {
			return
		}
		if private, err = usablePrivateKey(entity, now); err != nil {
			err = fmt.Errorf("key %s: %w", describe(entity), err)
		}
	})
	if err != nil {
		return nil, err
	}
	unlocked := *private // the keyring's own stays locked
	if unlocked.Encrypted {
		if err := unlock(&unlocked, UserID(entity), passphrase); err != nil {
			return nil, fmt.Errorf("key %s: %w", describe(entity), err)
		}
	}
	return &SigningKey{ring: k, entity: entity, key: &unlocked}, nil
}

// Private returns the unlocked secret key packet, for package sign.
func (s *SigningKey) Private() *packet.PrivateKey { return s.key }

// Fingerprint returns that of the primary key.
func (s *SigningKey) Fingerprint() chartsign.Fingerprint {
	return chartsign.FingerprintOf(s.entity.PrimaryKey.Fingerprint)
}

// String names the key for people.
func (s *SigningKey) String() string { return describe(s.entity) }

// GoString is String, so that no way of printing shows more.
func (s *SigningKey) GoString() string { return s.String() }

// Public returns a new keyring that holds the public part of the key alone, to verify what
// it signed.
func (s *SigningKey) Public() *PGPKeyring {
	var public bytes.Buffer
	var err error
	s.ring.Locked(func() { err = s.entity.Serialize(&public) })
	if err != nil {
		return new(PGPKeyring) // verifies nothing
	}
	entities, err := openpgp.ReadKeyRing(&public)
	if err != nil {
		return new(PGPKeyring)
	}
	return &PGPKeyring{entities: entities}
}

func describe(entity *openpgp.Entity) string {
	return fmt.Sprintf("%s (%q)", chartsign.FingerprintOf(entity.PrimaryKey.Fingerprint), UserID(entity))
}

// find tries the ways to name a key from exact to loose and takes the first that fits any.
func (k *PGPKeyring) find(query string) (*openpgp.Entity, error) {
	if query == "" {
		return nil, fmt.Errorf("%w: got no name, want a fingerprint, key ID or user ID of %s", ErrKeyNotFound, describeAll(k.Entities()))
	}
	for _, fits := range []func(*openpgp.Entity) bool{
		func(e *openpgp.Entity) bool { return hasFingerprint(e, query) },
		func(e *openpgp.Entity) bool { return hasKeyID(e, query) },
		func(e *openpgp.Entity) bool { return e.Identities[query] != nil },
		func(e *openpgp.Entity) bool { return hasUserIDPart(e, query) },
	} {
		var found openpgp.EntityList
		for _, entity := range k.Entities() {
			if fits(entity) {
				found = append(found, entity)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return nil, fmt.Errorf("%w: %q is in %s", ErrKeyAmbiguous, query, describeAll(found))
		}
	}
	return nil, fmt.Errorf("%w: got %q, want a fingerprint, key ID or user ID of %s", ErrKeyNotFound, query, describeAll(k.Entities()))
}

const maxListed = 8 // candidates in an error message

func describeAll(entities openpgp.EntityList) string {
	var names []string
	for _, entity := range entities {
		if len(names) == maxListed {
			names = append(names, fmt.Sprintf("%d more", len(entities)-maxListed))
			break
		}
		names = append(names, describe(entity))
	}
	return strings.Join(names, ", ")
}

func hasFingerprint(entity *openpgp.Entity, query string) bool {
	fingerprint, err := chartsign.ParseFingerprint(query)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(publicKeys(entity), func(key *packet.PublicKey) bool {
		return chartsign.FingerprintOf(key.Fingerprint) == fingerprint
	})
}

func hasKeyID(entity *openpgp.Entity, query string) bool {
	query = strings.TrimPrefix(strings.ToUpper(query), "0X")
	return slices.ContainsFunc(publicKeys(entity), func(key *packet.PublicKey) bool { return key.KeyIdString() == query })
}

func hasUserIDPart(entity *openpgp.Entity, query string) bool {
	for name := range entity.Identities {
		if strings.Contains(name, query) {
			return true
		}
	}
	return false
}

func publicKeys(entity *openpgp.Entity) []*packet.PublicKey {
	list := []*packet.PublicKey{entity.PrimaryKey}
	for i := range entity.Subkeys {
		list = append(list, entity.Subkeys[i].PublicKey)
	}
	return list
}

// usablePrivateKey prefers the newest valid signing subkey whose secret part is present.
func usablePrivateKey(entity *openpgp.Entity, now time.Time) (*packet.PrivateKey, error) {
	if now.IsZero() { // by which the library means 'at any time'
		return nil, fmt.Errorf("%w: got no time to judge it at", ErrKeyUnusable)
	}
	config := &packet.Config{Time: func() time.Time { return now }}
	if _, err := entity.VerifyPrimaryKey(now, config); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyUnusable, err)
	}
	var best *packet.PrivateKey
	candidates := []*packet.PrivateKey{entity.PrivateKey}
	for i := range entity.Subkeys {
		candidates = append(candidates, entity.Subkeys[i].PrivateKey)
	}
	for _, candidate := range candidates {
		if candidate == nil || candidate.Dummy() {
			continue
		}
		if _, ok := entity.SigningKeyById(now, candidate.KeyId, config); !ok {
			continue
		}
		if best == nil || candidate.IsSubkey && (!best.IsSubkey || candidate.CreationTime.After(best.CreationTime)) {
			best = candidate
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w: want the secret part of a primary key or subkey with the signing flag, not expired and not revoked", ErrKeyUnusable)
	}
	return best, nil
}

func unlock(private *packet.PrivateKey, userID string, passphrase PassphraseFunc) error {
	if passphrase == nil {
		return fmt.Errorf("%w: no passphrase was given", ErrPassphrase)
	}
	secret, err := passphrase(userID)
	if err != nil {
		return err
	}
	defer clear(secret)
	if err := private.Decrypt(secret); err != nil {
		return fmt.Errorf("%w: wrong passphrase", ErrPassphrase) // the cause may quote what was decrypted
	}
	return nil
}

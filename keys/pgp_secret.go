// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
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
	ErrPassphrase   = errors.New("wrong passphrase")
)

// SigningKey is an unlocked OpenPGP key that can sign now: a signing subkey where there is
// a valid one, else the primary key. String and errors never show secret material.
type SigningKey struct {
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
	entity, err := k.find(query)
	if err != nil {
		return nil, err
	}
	private, err := usablePrivateKey(entity, now)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", describe(entity), err)
	}
	if private.Encrypted {
		if err := unlock(private, UserID(entity), passphrase); err != nil {
			return nil, fmt.Errorf("key %s: %w", describe(entity), err)
		}
	}
	return &SigningKey{entity: entity, key: private}, nil
}

// Private returns the unlocked secret key packet, for package sign.
func (s *SigningKey) Private() *packet.PrivateKey { return s.key }

// Fingerprint returns that of the primary key.
func (s *SigningKey) Fingerprint() chartsign.Fingerprint {
	return chartsign.FingerprintOf(s.entity.PrimaryKey.Fingerprint)
}

// String names the key for people.
func (s *SigningKey) String() string { return describe(s.entity) }

// Public returns a keyring that holds the key alone, to verify what it signed.
func (s *SigningKey) Public() *PGPKeyring {
	return &PGPKeyring{entities: openpgp.EntityList{s.entity}}
}

func describe(entity *openpgp.Entity) string {
	return fmt.Sprintf("%s (%q)", chartsign.FingerprintOf(entity.PrimaryKey.Fingerprint), UserID(entity))
}

// find tries the ways to name a key from exact to loose and takes the first that fits any.
func (k *PGPKeyring) find(query string) (*openpgp.Entity, error) {
	for _, fits := range []func(*openpgp.Entity) bool{
		func(e *openpgp.Entity) bool { return hasFingerprint(e, query) },
		func(e *openpgp.Entity) bool { return hasKeyID(e, query) },
		func(e *openpgp.Entity) bool { return e.Identities[query] != nil },
		func(e *openpgp.Entity) bool { return query != "" && hasUserIDPart(e, query) },
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
		return fmt.Errorf("%w: the key is locked and no passphrase was given", ErrPassphrase)
	}
	secret, err := passphrase(userID)
	if err != nil {
		return err
	}
	defer clear(secret)
	if err := private.Decrypt(secret); err != nil {
		return ErrPassphrase // the cause may quote what was decrypted
	}
	return nil
}

// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// mergeCopies joins the copies of one primary key. Without it a revoked key would stay
// good as long as an older copy stands in the file too.
func mergeCopies(entities openpgp.EntityList) openpgp.EntityList {
	var merged openpgp.EntityList
	byFingerprint := make(map[string]*openpgp.Entity, len(entities))
	for _, entity := range entities {
		fingerprint := string(entity.PrimaryKey.Fingerprint)
		first := byFingerprint[fingerprint]
		switch first {
		case nil:
			byFingerprint[fingerprint] = entity
			merged = append(merged, entity)
		case entity: // the same object, from a keyring that is joined with itself
		default:
			mergeInto(first, entity)
		}
	}
	return merged
}

func mergeInto(entity, other *openpgp.Entity) {
	if entity.PrivateKey == nil {
		entity.PrivateKey = other.PrivateKey
	}
	entity.Revocations = append(entity.Revocations, other.Revocations...)
	entity.DirectSignatures = append(entity.DirectSignatures, other.DirectSignatures...)
	for name, theirs := range other.Identities {
		mine, ok := entity.Identities[name]
		if !ok {
			theirs.Primary = entity
			entity.Identities[name] = theirs
			continue
		}
		mine.SelfCertifications = append(mine.SelfCertifications, theirs.SelfCertifications...)
		mine.Revocations = append(mine.Revocations, theirs.Revocations...)
	}
	for _, theirs := range other.Subkeys {
		mergeSubkey(entity, theirs)
	}
}

func mergeSubkey(entity *openpgp.Entity, theirs openpgp.Subkey) {
	for i := range entity.Subkeys {
		mine := &entity.Subkeys[i]
		if bytes.Equal(mine.PublicKey.Fingerprint, theirs.PublicKey.Fingerprint) {
			mine.Bindings = append(mine.Bindings, theirs.Bindings...)
			mine.Revocations = append(mine.Revocations, theirs.Revocations...)
			if mine.PrivateKey == nil {
				mine.PrivateKey = theirs.PrivateKey
			}
			return
		}
	}
	theirs.Primary = entity
	entity.Subkeys = append(entity.Subkeys, theirs)
}

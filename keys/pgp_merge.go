// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
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
	entity.PrivateKey = better(entity.PrivateKey, other.PrivateKey)
	entity.Revocations = union(entity.Revocations, other.Revocations)
	entity.DirectSignatures = union(entity.DirectSignatures, other.DirectSignatures)
	for name, theirs := range other.Identities {
		mine, ok := entity.Identities[name]
		if !ok {
			theirs.Primary = entity
			entity.Identities[name] = theirs
			continue
		}
		mine.SelfCertifications = union(mine.SelfCertifications, theirs.SelfCertifications)
		mine.Revocations = union(mine.Revocations, theirs.Revocations)
	}
	for _, theirs := range other.Subkeys {
		mergeSubkey(entity, theirs)
	}
}

func mergeSubkey(entity *openpgp.Entity, theirs openpgp.Subkey) {
	for i := range entity.Subkeys {
		mine := &entity.Subkeys[i]
		if bytes.Equal(mine.PublicKey.Fingerprint, theirs.PublicKey.Fingerprint) {
			mine.Bindings = union(mine.Bindings, theirs.Bindings)
			mine.Revocations = union(mine.Revocations, theirs.Revocations)
			mine.PrivateKey = better(mine.PrivateKey, theirs.PrivateKey)
			return
		}
	}
	theirs.Primary = entity
	entity.Subkeys = append(entity.Subkeys, theirs)
}

// better prefers a secret key to none, and both to the stub of one that is kept elsewhere.
func better(mine, theirs *packet.PrivateKey) *packet.PrivateKey {
	if mine == nil || mine.Dummy() && theirs != nil {
		return theirs
	}
	return mine
}

// union adds the signatures of theirs that mine does not hold yet.
func union(mine, theirs []*packet.VerifiableSignature) []*packet.VerifiableSignature {
	held := make(map[string]bool, len(mine))
	for _, signature := range mine {
		held[encoded(signature)] = true
	}
	for _, signature := range theirs {
		// What cannot be encoded is kept: it may be a revocation.
		if form := encoded(signature); form == "" || !held[form] {
			held[form] = true
			mine = append(mine, signature)
		}
	}
	return mine
}

func encoded(signature *packet.VerifiableSignature) string {
	var buffer bytes.Buffer
	if err := signature.Packet.Serialize(&buffer); err != nil {
		return ""
	}
	return buffer.String()
}

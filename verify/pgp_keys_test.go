// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// revoke adds a revocation of the whole key; reason nil leaves the reason out.
func revoke(tb testing.TB, entity *openpgp.Entity, reason *packet.ReasonForRevocation, at time.Time, by *packet.PrivateKey) {
	tb.Helper()
	revocation := &packet.Signature{
		Version: 4, SigType: packet.SigTypeKeyRevocation, PubKeyAlgo: by.PubKeyAlgo, Hash: configAt(at).Hash(), CreationTime: at,
		IssuerKeyId: &by.KeyId, IssuerFingerprint: by.Fingerprint, RevocationReason: reason,
	}
	if err := revocation.RevokeKey(entity.PrimaryKey, by, configAt(at)); err != nil {
		tb.Fatal(err)
	}
	entity.Revocations = append(entity.Revocations, packet.NewVerifiableSig(revocation))
}

// TestRevokedKeys: without a trusted time a revocation in force kills all signatures, and a
// hard one does so before its own date.
func TestRevokedKeys(t *testing.T) {
	before, after, future := signTime.Add(-time.Hour), signTime.Add(time.Hour), pgpNow.Add(time.Hour)
	reason := func(r packet.ReasonForRevocation) *packet.ReasonForRevocation { return &r }
	text := honestText(t)
	for _, tc := range []struct {
		name   string
		reason *packet.ReasonForRevocation
		at     time.Time
		want   judgement
	}{
		{"compromised, after the signature", reason(packet.KeyCompromised), after, rejected(verify.ReasonKeyRevoked)},
		{"compromised, before the signature", reason(packet.KeyCompromised), before, rejected(verify.ReasonKeyRevoked)},
		{"compromised, dated in the future", reason(packet.KeyCompromised), future, rejected(verify.ReasonKeyRevoked)},
		{"no reason given", reason(packet.NoReason), future, rejected(verify.ReasonKeyRevoked)},
		{"reason left out", nil, future, rejected(verify.ReasonKeyRevoked)},
		{"unknown reason", reason(packet.Unknown), future, rejected(verify.ReasonKeyRevoked)},
		{"superseded, after the signature", reason(packet.KeySuperseded), after, rejected(verify.ReasonKeyRevoked)},
		{"retired, after the signature", reason(packet.KeyRetired), after, rejected(verify.ReasonKeyRevoked)},
		{"retired, not yet", reason(packet.KeyRetired), future, verified},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entity := newKey(t, "Release")
			prov := clearsigned(t, text, signing{key: entity.PrivateKey})
			if diff := cmp.Diff(verified, judgeProv(t, ringOf(t, entity), prov)); diff != "" {
				t.Fatalf("before the revocation (-want +got):\n%s", diff)
			}
			old := ringOf(t, entity)
			revoke(t, entity, tc.reason, tc.at, entity.PrivateKey)
			for name, ring := range map[string]*keys.PGPKeyring{
				"alone":         ringOf(t, entity),
				"with old copy": keys.JoinPGPKeyrings(old, ringOf(t, entity)),
			} {
				if diff := cmp.Diff(tc.want, judgeProv(t, ring, prov)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// TestForeignRevocationIsIgnored: otherwise anybody could disable anybody's key.
func TestForeignRevocationIsIgnored(t *testing.T) {
	entity, mallory := newKey(t, "Release"), newKey(t, "Mallory")
	compromised := packet.KeyCompromised
	prov := clearsigned(t, honestText(t), signing{key: entity.PrivateKey})
	revoke(t, entity, &compromised, signTime, mallory.PrivateKey)
	if diff := cmp.Diff(verified, judgeProv(t, ringOf(t, entity), prov)); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
}

func TestSubkeys(t *testing.T) {
	text := honestText(t)
	signingSubkey := func(t *testing.T, entity *openpgp.Entity, lifetime uint32) *openpgp.Subkey {
		t.Helper()
		config := configAt(keyTime)
		config.KeyLifetimeSecs = lifetime
		if err := entity.AddSigningSubkey(config); err != nil {
			t.Fatal(err)
		}
		return &entity.Subkeys[len(entity.Subkeys)-1]
	}
	month := uint32(30 * 24 * 3600)
	for _, tc := range []struct {
		name string
		make func(*testing.T, *openpgp.Entity) *packet.PrivateKey
		want judgement
	}{
		{"primary key", func(_ *testing.T, e *openpgp.Entity) *packet.PrivateKey { return e.PrivateKey }, verified},
		{"signing subkey", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			return signingSubkey(t, e, 0).PrivateKey
		}, verified},
		{"expired subkey", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			return signingSubkey(t, e, month).PrivateKey
		}, rejected(verify.ReasonKeyExpired)},
		{"compromised subkey", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			subkey := signingSubkey(t, e, 0)
			if err := subkey.Revoke(packet.KeyCompromised, "", configAt(pgpNow.Add(time.Hour))); err != nil {
				t.Fatal(err)
			}
			return subkey.PrivateKey
		}, rejected(verify.ReasonKeyRevoked)},
		{"subkey of a revoked primary key", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			subkey := signingSubkey(t, e, 0)
			compromised := packet.KeyCompromised
			revoke(t, e, &compromised, signTime, e.PrivateKey)
			return subkey.PrivateKey
		}, rejected(verify.ReasonKeyRevoked)},
		{"subkey without a binding", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			subkey := signingSubkey(t, e, 0)
			subkey.Bindings = nil
			return subkey.PrivateKey
		}, rejected(verify.ReasonKeyUsage)},
		{"subkey without the cross-signature", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			subkey := signingSubkey(t, e, 0)
			bare := *subkey.Bindings[0].Packet
			bare.EmbeddedSignature = nil
			if err := bare.SignKey(subkey.PublicKey, e.PrivateKey, configAt(keyTime)); err != nil {
				t.Fatal(err)
			}
			subkey.Bindings = []*packet.VerifiableSignature{packet.NewVerifiableSig(&bare)}
			return subkey.PrivateKey
		}, rejected(verify.ReasonKeyUsage)},
		{"subkey that may only authenticate", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			subkey := signingSubkey(t, e, 0)
			other := *subkey.Bindings[0].Packet
			other.FlagSign, other.FlagAuthenticate, other.EmbeddedSignature = false, true, nil
			if err := other.SignKey(subkey.PublicKey, e.PrivateKey, configAt(keyTime)); err != nil {
				t.Fatal(err)
			}
			subkey.Bindings = []*packet.VerifiableSignature{packet.NewVerifiableSig(&other)}
			return subkey.PrivateKey
		}, rejected(verify.ReasonKeyUsage)},
		{"primary key that may only certify", func(t *testing.T, e *openpgp.Entity) *packet.PrivateKey {
			t.Helper()
			for _, identity := range e.Identities {
				certification := identity.SelfCertifications[0].Packet
				certification.FlagSign = false
				if err := certification.SignUserId(identity.Name, e.PrimaryKey, e.PrivateKey, configAt(keyTime)); err != nil {
					t.Fatal(err)
				}
			}
			e.DirectSignatures = nil
			return e.PrivateKey
		}, rejected(verify.ReasonKeyUsage)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entity := newKey(t, "Release")
			key := tc.make(t, entity)
			prov := clearsigned(t, text, signing{key: key})
			if diff := cmp.Diff(tc.want, judgeProv(t, ringOf(t, entity), prov)); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTimesOfSignatures: what the signature says of itself may only make it worse.
func TestTimesOfSignatures(t *testing.T) {
	entity := newKey(t, "Release")
	ring, text := ringOf(t, entity), honestText(t)
	lasts := func(d time.Duration) func(*packet.Signature) {
		return func(s *packet.Signature) {
			seconds := uint32(d / time.Second)
			s.SigLifetimeSecs = &seconds
		}
	}
	for _, tc := range []struct {
		name string
		s    signing
		now  time.Time
		want judgement
	}{
		{"honest", signing{}, pgpNow, verified},
		{"older than its key", signing{at: keyTime.Add(-time.Second)}, pgpNow, rejected(verify.ReasonSignatureTime)},
		{"the same second as its key", signing{at: keyTime}, pgpNow, verified},
		{"within the skew of clocks", signing{at: pgpNow.Add(4 * time.Minute)}, pgpNow, verified},
		{"beyond the skew of clocks", signing{at: pgpNow.Add(6 * time.Minute)}, pgpNow, rejected(verify.ReasonSignatureTime)},
		{"valid for long", signing{edit: lasts(3000 * time.Hour)}, pgpNow, verified},
		{"expired", signing{edit: lasts(time.Hour)}, pgpNow, rejected(verify.ReasonSignatureTime)},
		{"judged before it was made", signing{}, signTime.Add(-time.Hour), rejected(verify.ReasonSignatureTime)},
		{"judged at no time", signing{}, time.Time{}, rejected(verify.ReasonSignatureTime)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.s.key = entity.PrivateKey
			if diff := cmp.Diff(tc.want, judgeProvAt(t, ring, clearsigned(t, text, tc.s), tc.now)); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIssuerHintsProveNothing: who a signature says it is by is unprotected or a lie.
func TestIssuerHintsProveNothing(t *testing.T) {
	release, mallory := newKey(t, "Release"), newKey(t, "Mallory")
	text := honestText(t)
	both := ringOf(t, mallory, release)
	onlyRelease := []verify.Signer{{Name: "release", PGP: both.Fingerprints()[1:]}}
	id, none := &release.PrimaryKey.KeyId, []byte{}
	for _, tc := range []struct {
		name string
		s    signing
		want judgement
	}{
		{"honest", signing{key: release.PrivateKey}, verified},
		{"by a key of the ring that is no signer", signing{key: mallory.PrivateKey}, rejected(verify.ReasonSignerNotTrusted)},
		{"claims the fingerprint", signing{key: mallory.PrivateKey, issuer: id, fingerprint: release.PrimaryKey.Fingerprint}, rejected(verify.ReasonSignatureInvalid)},
		{"claims the key ID", signing{key: mallory.PrivateKey, issuer: id, fingerprint: none}, rejected(verify.ReasonSignatureInvalid)},
		{"key ID alone", signing{key: release.PrivateKey, fingerprint: none}, verified},
		{"names nobody", signing{key: release.PrivateKey, fingerprint: none, edit: func(s *packet.Signature) { s.IssuerKeyId = nil }}, rejected(verify.ReasonSignerNotTrusted)},
		{"names another key", signing{key: release.PrivateKey, issuer: &mallory.PrimaryKey.KeyId, fingerprint: mallory.PrimaryKey.Fingerprint}, rejected(verify.ReasonSignatureInvalid)},
		{"critical notation", signing{key: release.PrivateKey, edit: func(s *packet.Signature) {
			s.Notations = []*packet.Notation{{Name: "unknown@chartsign.test", Value: []byte("1"), IsCritical: true}}
		}}, rejected(verify.ReasonSignatureInvalid)},
		{"notation", signing{key: release.PrivateKey, edit: func(s *packet.Signature) {
			s.Notations = []*packet.Notation{{Name: "unknown@chartsign.test", Value: []byte("1")}}
		}}, verified},
		{"binary", signing{key: release.PrivateKey, edit: func(s *packet.Signature) { s.SigType = packet.SigTypeBinary }}, rejected(verify.ReasonSignatureType)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			verifier := newVerifier(t, trust(t, keys.TrustMaterial{PGP: both}), onlyRelease, noOptions)
			got := best(t, verifier.Verify(guestbook(t), provenance([]byte(clearsigned(t, text, tc.s))), pgpNow))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("verify (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKeyIDCollision: two keys of one 64-bit ID in a ring. The one that made the signature is
// found wherever it stands, and the other one is not taken for it.
func TestKeyIDCollision(t *testing.T) {
	release, twin := newKey(t, "Release"), newKey(t, "Twin")
	prov := clearsigned(t, honestText(t), signing{key: release.PrivateKey, fingerprint: []byte{}})
	for name, order := range map[string][]*openpgp.Entity{"twin first": {twin, release}, "twin last": {release, twin}} {
		for signer, want := range map[*openpgp.Entity]judgement{release: verified, twin: rejected(verify.ReasonSignerNotTrusted)} {
			ring := ringOf(t, order...)
			for _, entity := range ring.Entities() {
				entity.PrimaryKey.KeyId = release.PrimaryKey.KeyId // as if it had cost 2^64
			}
			named := verify.Signer{Name: "signer", PGP: ringOf(t, signer).Fingerprints()}
			verifier := newVerifier(t, trust(t, keys.TrustMaterial{PGP: ring}), []verify.Signer{named}, noOptions)
			if diff := cmp.Diff(want, best(t, verifier.Verify(guestbook(t), provenance([]byte(prov)), pgpNow))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

// TestAdoptedSubkey: Mallory's key claims the subkey of somebody else. It neither makes the
// signature hers nor spoils it for its owner.
func TestAdoptedSubkey(t *testing.T) {
	release, mallory := newKey(t, "Release"), newKey(t, "Mallory")
	if err := release.AddSigningSubkey(configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	subkey := release.Subkeys[len(release.Subkeys)-1]
	adopted := *subkey.Bindings[0].Packet
	if err := adopted.SignKey(subkey.PublicKey, mallory.PrivateKey, configAt(keyTime)); err != nil {
		t.Fatal(err)
	}
	mallory.Subkeys = append(mallory.Subkeys, openpgp.Subkey{
		Primary: mallory, PublicKey: subkey.PublicKey, Bindings: []*packet.VerifiableSignature{packet.NewVerifiableSig(&adopted)},
	})
	prov := clearsigned(t, honestText(t), signing{key: subkey.PrivateKey})
	for name, tc := range map[string]struct {
		signer *openpgp.Entity
		want   judgement
	}{
		"owner":   {release, verified},
		"mallory": {mallory, rejected(verify.ReasonSignerNotTrusted)},
	} {
		named := verify.Signer{Name: "signer", PGP: ringOf(t, tc.signer).Fingerprints()}
		verifier := newVerifier(t, trust(t, keys.TrustMaterial{PGP: ringOf(t, mallory, release)}), []verify.Signer{named}, noOptions)
		if diff := cmp.Diff(tc.want, best(t, verifier.Verify(guestbook(t), provenance([]byte(prov)), pgpNow))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(rejected(verify.ReasonKeyUsage), judgeProv(t, ringOf(t, mallory), prov)); diff != "" {
		t.Errorf("mallory's key alone (-want +got):\n%s", diff)
	}
}

// TestJudgementDoesNotDependOnEarlierOnes: the library remembers what it found out about a
// key at one time and would use it at another. A process that lives on must see a
// revocation of the user ID come into force, and an audit of the past must not.
func TestJudgementDoesNotDependOnEarlierOnes(t *testing.T) {
	entity := newKey(t, "Release")
	comesIntoForce := pgpNow.Add(time.Hour)
	for _, identity := range entity.Identities {
		revocation := &packet.Signature{
			Version: 4, SigType: packet.SigTypeCertificationRevocation, PubKeyAlgo: entity.PrivateKey.PubKeyAlgo, Hash: configAt(keyTime).Hash(),
			CreationTime: comesIntoForce, IssuerKeyId: &entity.PrimaryKey.KeyId, IssuerFingerprint: entity.PrimaryKey.Fingerprint,
		}
		if err := revocation.SignUserId(identity.Name, entity.PrimaryKey, entity.PrivateKey, configAt(comesIntoForce)); err != nil {
			t.Fatal(err)
		}
		identity.Revocations = append(identity.Revocations, packet.NewVerifiableSig(revocation))
	}
	entity.DirectSignatures = nil
	prov := provenance([]byte(clearsigned(t, honestText(t), signing{key: entity.PrivateKey})))
	verifier, subject := pgpVerifier(t, ringOf(t, entity), noOptions), guestbook(t)
	for _, step := range []struct {
		now  time.Time
		want judgement
	}{
		{pgpNow, verified},
		{comesIntoForce.Add(time.Hour), rejected(verify.ReasonKeyUsage)},
		{pgpNow, verified},
		{comesIntoForce.Add(time.Hour), rejected(verify.ReasonKeyUsage)},
	} {
		if diff := cmp.Diff(step.want, best(t, verifier.Verify(subject, prov, step.now))); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", step.now, diff)
		}
	}
}

// TestLogRequired: no log entry is known for a .prov file, so a signer who must be logged is
// not believed without.
func TestLogRequired(t *testing.T) {
	ring := loadKeys(t, "release")
	verifier := newVerifier(t, trust(t, keys.TrustMaterial{PGP: ring}), []verify.Signer{{Name: "a", PGP: ring.Fingerprints(), LogRequired: true}}, noOptions)
	got := best(t, verifier.Verify(guestbook(t), provenance(readFile(t, "provenance/honest/gpg.prov")), pgpNow))
	if diff := cmp.Diff(rejected(verify.ReasonLogEntryMissing), got); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
}

// TestNoKeyring: a root without OpenPGP keys trusts nobody.
func TestNoKeyring(t *testing.T) {
	verifier := newVerifier(t, trust(t, keys.TrustMaterial{}), []verify.Signer{{Name: "a", PGP: loadKeys(t, "release").Fingerprints()}}, noOptions)
	got := best(t, verifier.Verify(guestbook(t), provenance(readFile(t, "provenance/honest/gpg.prov")), pgpNow))
	if diff := cmp.Diff(rejected(verify.ReasonSignerNotTrusted), got); diff != "" {
		t.Errorf("verify (-want +got):\n%s", diff)
	}
}

// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// place is where a value stands in a bundle: field after field, or index in a list.
type place []step

type step struct {
	field protoreflect.FieldDescriptor
	index int // in a list; -1 for the field as a whole
}

func (p place) String() string {
	var names []string
	for _, s := range p {
		name := s.field.JSONName()
		if s.index >= 0 {
			name += fmt.Sprintf("[%d]", s.index)
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// placesOf returns every place in m that holds something: messages, lists and leaves.
func placesOf(m protoreflect.Message, prefix place) []place {
	var places []place
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		whole := append(slices.Clone(prefix), step{field, -1})
		places = append(places, whole)
		switch {
		case field.IsList():
			for i := range value.List().Len() {
				element := append(slices.Clone(prefix), step{field, i})
				places = append(places, element)
				if field.Message() != nil {
					places = append(places, placesOf(value.List().Get(i).Message(), element)...)
				}
			}
		case field.Message() != nil:
			places = append(places, placesOf(value.Message(), whole)...)
		}
		return true
	})
	return places
}

// follow returns the message that holds the last step of p, or nil.
func (p place) follow(m protoreflect.Message) protoreflect.Message {
	for _, s := range p[:len(p)-1] {
		if !m.Has(s.field) {
			return nil
		}
		value := m.Get(s.field)
		if s.index < 0 {
			m = value.Message()
			continue
		}
		if s.index >= value.List().Len() {
			return nil
		}
		m = value.List().Get(s.index).Message()
	}
	return m
}

// transplant puts what stands at p in from into the same place of into; clearing it if from
// has nothing there.
func (p place) transplant(into, from protoreflect.Message) {
	target, source := p.follow(into), p.follow(from)
	last := p[len(p)-1]
	switch {
	case source == nil || !source.Has(last.field):
		target.Clear(last.field)
	case last.index < 0:
		target.Set(last.field, source.Get(last.field))
	case last.index < source.Get(last.field).List().Len():
		target.Mutable(last.field).List().Set(last.index, source.Get(last.field).List().Get(last.index))
	}
}

func decode(tb testing.TB, data []byte) *protobundle.Bundle {
	tb.Helper()
	message := new(protobundle.Bundle)
	if err := protojson.Unmarshal(data, message); err != nil {
		tb.Fatal(err)
	}
	return message
}

func encode(tb testing.TB, message *protobundle.Bundle) []byte {
	tb.Helper()
	data, err := protojson.Marshal(message)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// TestSwapMatrix: CVE-2022-36056, CVE-2022-35929, CVE-2022-23649 and CVE-2026-22703. Every part
// of a valid bundle, large or small, is exchanged with that of another valid bundle. None
// of the chimeras may verify, and each is refused for a documented reason.
func TestSwapMatrix(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	key, otherKey := newECDSA(t), newECDSA(t)
	public, otherPublic := publicKey(t, key), publicKey(t, otherKey)
	trusted := trust(t, keys.TrustMaterial{Sigstore: virtual.Root(t), Keys: []keys.PublicKey{public, otherPublic}})
	signer := releaseSigner()
	signer.Keyless = append(signer.Keyless, verify.KeylessIdentity{Issuer: testkit.Issuer, Subject: "second@example.test"})
	signer.Keys = []string{public.Fingerprint, otherPublic.Fingerprint}
	verifier := newVerifier(t, trusted, []verify.Signer{signer}, noOptions)
	other, otherArchive := chartsign.DigestOf([]byte("other manifest")), []byte("other archive")
	documented := documentedCodes(t)

	later := testkit.Epoch().Add(1e9)
	for name, base := range map[string]testkit.BundleOptions{
		"Rekor v1": {}, "without promise": {NoPromise: true}, "Rekor v2": {RekorV2: true}, "without timestamp": {NoTimestamp: true},
		"key": {Key: key}, "key, Rekor v2": {Key: key, RekorV2: true}, "key, without time": {Key: key, NoTimestamp: true, NoPromise: true},
	} {
		second := base
		second.Subject, second.At = "second@example.test", later
		if base.Key != nil {
			second.Key = otherKey
		}
		sameSigner := base
		sameSigner.At = later
		for form, sign := range map[string]func(testkit.BundleOptions, bool) []byte{
			"statement": func(opts testkit.BundleOptions, same bool) []byte {
				if same {
					return virtual.SignManifest(t, manifest, opts)
				}
				return virtual.SignManifest(t, other, opts)
			},
			"message": func(opts testkit.BundleOptions, same bool) []byte {
				if same {
					return virtual.SignArchive(t, archive, opts)
				}
				return virtual.SignArchive(t, otherArchive, opts)
			},
		} {
			for donor, data := range map[string][]byte{
				"another chart, same signer": sign(sameSigner, false), "same chart, another signer": sign(second, true), "another chart and signer": sign(second, false), "same chart and signer": sign(sameSigner, true),
			} {
				t.Run(name+"/"+form+"/"+donor, func(t *testing.T) {
					good := decode(t, sign(base, true))
					if got := judgementsOf(verifier.Verify(inRegistry(t), bundle(encode(t, good)), testkit.Epoch())); got[0] != verified {
						t.Fatalf("the bundle itself: got %v", got)
					}
					swapAll(t, verifier, documented, good, decode(t, data))
				})
			}
		}
	}
}

func swapAll(t *testing.T, verifier *verify.Verifier, documented map[chartsign.ReasonCode]string, good, donor *protobundle.Bundle) {
	t.Helper()
	swapped := 0
	for _, p := range placesOf(good.ProtoReflect(), nil) {
		chimera := proto.CloneOf(good)
		p.transplant(chimera.ProtoReflect(), proto.CloneOf(donor).ProtoReflect())
		if proto.Equal(chimera, good) || proto.Equal(chimera, donor) {
			continue // the same there, or a valid bundle as a whole
		}
		swapped++
		result := verifier.Verify(inRegistry(t), bundle(encode(t, chimera)), testkit.Epoch())[0]
		switch {
		case result.Outcome() != verify.Verified:
			if documented[result.Reason().Code] == "" {
				t.Errorf("%v: got the reason %q, which is not documented", p, result.Reason().Code)
			}
		case isUnsignedClaim(p, good):
			// Nobody signs these; they may not reach the result either.
			if log := result.Log(); !log.Time.IsZero() || log.Index != 0 {
				t.Errorf("%v: the unsigned claim is in the result: %+v", p, log)
			}
		default:
			t.Errorf("%v exchanged: got verified", p)
		}
	}
	if swapped < 5 {
		t.Errorf("only %d places differ: the matrix tests nothing", swapped)
	}
}

// isUnsignedClaim: index and time of a Rekor v1 entry are signed by its promise alone.
func isUnsignedClaim(p place, good *protobundle.Bundle) bool {
	entry := good.GetVerificationMaterial().GetTlogEntries()[0]
	name := p.String()
	return entry.GetInclusionPromise() == nil && entry.GetKindVersion().GetVersion() == "0.0.1" &&
		(strings.HasSuffix(name, "tlogEntries[0].logIndex") || strings.HasSuffix(name, "tlogEntries[0].integratedTime"))
}

// TestEveryPartIsNeeded takes every part out of a valid bundle. What may be missing is a short
// list; everything else ends in a refusal.
func TestEveryPartIsNeeded(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	verifier := newVerifier(t, sigstoreRoot(t, virtual), []verify.Signer{releaseSigner()}, noOptions)
	const material = "verificationMaterial."
	spare := map[string][]string{
		// One of time and promise is enough, and v0.2 bundles need a proof.
		"Rekor v1": {material + "timestampVerificationData", material + "timestampVerificationData.rfc3161Timestamps", material + "tlogEntries[0].inclusionPromise", material + "tlogEntries[0].inclusionPromise.signedEntryTimestamp"},
		"Rekor v2": nil,
	}
	for name, opts := range map[string]testkit.BundleOptions{"Rekor v1": {}, "Rekor v2": {RekorV2: true}} {
		for form, data := range map[string][]byte{"statement": virtual.SignManifest(t, manifest, opts), "message": virtual.SignArchive(t, archive, opts)} {
			t.Run(name+"/"+form, func(t *testing.T) {
				good := decode(t, data)
				for _, p := range placesOf(good.ProtoReflect(), nil) {
					if p[len(p)-1].index >= 0 {
						continue
					}
					less := proto.CloneOf(good)
					p.follow(less.ProtoReflect()).Clear(p[len(p)-1].field)
					got := judgementsOf(verifier.Verify(inRegistry(t), bundle(encode(t, less)), testkit.Epoch()))[0]
					if want := slices.Contains(spare[name], p.String()); (got == verified) != want {
						t.Errorf("without %v: got %v, want verified %v", p, got, want)
					}
				}
			})
		}
	}
}

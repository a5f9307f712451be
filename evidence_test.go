// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package chartsign_test

import (
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign"
)

func TestEvidence(t *testing.T) {
	e := chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceFile, "demo.tgz.prov", nil)
	if e.Kind() != chartsign.KindProvenance || e.Source() != chartsign.SourceFile || e.Location() != "demo.tgz.prov" {
		t.Errorf("got %s from %s at %s, want what was put in", e.Kind(), e.Source(), e.Location())
	}
	if got := e.Digest().String(); got != emptyDigest {
		t.Errorf("got digest %s, want %s", got, emptyDigest)
	}
	if e.Problem() != nil || len(e.Bytes()) != 0 {
		t.Errorf("got problem %v and %d bytes, want none", e.Problem(), len(e.Bytes()))
	}
}

func TestUnreadableEvidence(t *testing.T) {
	digest := chartsign.DigestOf([]byte("x"))
	e := chartsign.UnreadableEvidence(chartsign.KindBundle, chartsign.SourceReferrer, "sha256:…", digest, io.ErrUnexpectedEOF)
	if !errors.Is(e.Problem(), io.ErrUnexpectedEOF) || e.Bytes() != nil || e.Digest() != digest {
		t.Errorf("got problem %v, %d bytes, digest %s, want the problem and no bytes", e.Problem(), len(e.Bytes()), e.Digest())
	}
}

// Evidence is opaque: an accessor to what the bytes claim would let callers trust a claim
// that verify has not judged.
func TestEvidenceHasNoAccessorToClaims(t *testing.T) {
	var got []string
	for method := range reflect.TypeFor[chartsign.Evidence]().Methods() {
		got = append(got, method.Name)
	}
	want := []string{"Bytes", "Digest", "Kind", "Location", "Problem", "Source"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("methods (-want +got):\n%s", diff)
	}
	for field := range reflect.TypeFor[chartsign.Evidence]().Fields() {
		if field.IsExported() {
			t.Errorf("got exported field %s, want none", field.Name)
		}
	}
}

func TestReason(t *testing.T) {
	err := error(chartsign.Reasonf(chartsign.ReasonNotFound, "get %s: %w", "x", io.EOF))
	if got, want := err.Error(), "get x: EOF [not-found]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("got no cause, want io.EOF")
	}
}

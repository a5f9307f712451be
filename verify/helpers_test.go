// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

const testdata = "../testdata"

// lateNow is after everything in testdata that has ended by now.
var lateNow = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func readFile(tb testing.TB, elements ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{testdata}, elements...)...))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// readChart reads an archive by its path in testdata.
func readChart(tb testing.TB, path string) *chartsign.Chart {
	tb.Helper()
	chart, err := chartsign.ReadChart(bytes.NewReader(readFile(tb, path)), chartsign.ReadOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return chart
}

func guestbook(tb testing.TB) chartsign.Subject {
	tb.Helper()
	return chartsign.Subject{Chart: readChart(tb, "charts/guestbook-1.4.2.tgz")}
}

// loadKeys joins the public keys of testdata/keys.
func loadKeys(tb testing.TB, names ...string) *keys.PGPKeyring {
	tb.Helper()
	var rings []*keys.PGPKeyring
	for _, name := range names {
		ring, err := keys.LoadPGPKeyring(filepath.Join(testdata, "keys", name+".pub.asc"))
		if err != nil {
			tb.Fatal(err)
		}
		rings = append(rings, ring)
	}
	return keys.JoinPGPKeyrings(rings...)
}

func trust(tb testing.TB, material keys.TrustMaterial) *keys.TrustRoot {
	tb.Helper()
	root, err := keys.NewTrustRoot(material)
	if err != nil {
		tb.Fatal(err)
	}
	return root
}

func newVerifier(tb testing.TB, root *keys.TrustRoot, signers []verify.Signer, opts verify.Options) *verify.Verifier {
	tb.Helper()
	verifier, err := verify.New(root, signers, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return verifier
}

// pgpVerifier trusts every primary key of ring as one signer.
func pgpVerifier(tb testing.TB, ring *keys.PGPKeyring, opts verify.Options) *verify.Verifier {
	tb.Helper()
	return newVerifier(tb, trust(tb, keys.TrustMaterial{PGP: ring}), []verify.Signer{{Name: "signer", PGP: ring.Fingerprints()}}, opts)
}

func provenance(data []byte) chartsign.Evidence {
	return chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceFile, "test.prov", data)
}

func bundle(data []byte) chartsign.Evidence {
	return chartsign.NewEvidence(chartsign.KindBundle, chartsign.SourceFile, "test.sigstore.json", data)
}

// judgement is what tests compare of a Result.
type judgement struct {
	Outcome string
	Code    chartsign.ReasonCode
}

var noOptions verify.Options

var verified = judgement{Outcome: "verified"}

func rejected(code chartsign.ReasonCode) judgement { return judgement{"rejected", code} }

func inconclusive(code chartsign.ReasonCode) judgement { return judgement{"inconclusive", code} }

func judgementOf(result verify.Result) judgement {
	got := judgement{Outcome: result.Outcome().String()}
	if reason := result.Reason(); reason != nil {
		got.Code = reason.Code
	}
	return got
}

func judgementsOf(results []verify.Result) []judgement {
	var list []judgement
	for _, result := range results {
		list = append(list, judgementOf(result))
	}
	return list
}

// best is the judgement of the verified result, or of the first.
func best(tb testing.TB, results []verify.Result) judgement {
	tb.Helper()
	if len(results) == 0 {
		tb.Fatal("got no result, want one for each signature")
	}
	for _, result := range results {
		if result.Outcome() == verify.Verified {
			return judgementOf(result)
		}
	}
	return judgementOf(results[0])
}

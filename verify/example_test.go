// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// A chart on disk and the .prov file beside it, judged under a keyring.
func ExampleVerifier_Verify() {
	archive, err := os.ReadFile("../testdata/charts/guestbook-1.4.2.tgz")
	if err != nil {
		log.Fatal(err)
	}
	chart, err := chartsign.ReadChart(bytes.NewReader(archive), chartsign.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	prov, err := os.ReadFile("../testdata/provenance/honest/gpg.prov")
	if err != nil {
		log.Fatal(err)
	}
	ring, err := keys.LoadPGPKeyring("../testdata/keys/release.pub.asc")
	if err != nil {
		log.Fatal(err)
	}
	root, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := verify.New(root, []verify.Signer{{Name: "release", PGP: ring.Fingerprints()}}, verify.Options{})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, content := range [][]byte{prov, append(prov, "and more\n"...)} {
		evidence := chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceFile, "guestbook-1.4.2.tgz.prov", content)
		for _, result := range verifier.Verify(chartsign.Subject{Chart: chart}, evidence, now) {
			fmt.Println(result.Outcome(), result.Signers())
			if reason := result.Reason(); reason != nil {
				fmt.Println(reason.Code)
			}
		}
	}
	// Output:
	// verified [release]
	// rejected []
	// prov-text-outside
}

// Who may sign without a key of their own: exact values, or patterns that match the whole
// value.
func ExampleNew() {
	root, err := keys.NewTrustRoot(keys.TrustMaterial{})
	if err != nil {
		log.Fatal(err)
	}
	for _, subject := range []string{`https://github\.com/acme/charts/.+`, `.*`} {
		_, err := verify.New(root, []verify.Signer{{
			Name:    "release workflow",
			Keyless: []verify.KeylessIdentity{{Issuer: "https://token.actions.githubusercontent.com", SubjectRegexp: subject}},
		}}, verify.Options{})
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// signer "release workflow": invalid signer: subjectRegexp ".*" matches the empty string
}

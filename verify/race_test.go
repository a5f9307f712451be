// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/verify"
)

// TestConcurrentUse: many goroutines share one trust root and two verifiers. The results are
// those of one goroutine, and the race detector is content.
func TestConcurrentUse(t *testing.T) {
	virtual := testkit.NewVirtualSigstore(t)
	ring := loadKeys(t, "release", "maintainer", "split", "expired", "revoked", "retired")
	root := trust(t, keys.TrustMaterial{PGP: ring, Sigstore: virtual.Root(t)})
	signers := []verify.Signer{{Name: "pgp", PGP: ring.Fingerprints()}, releaseSigner()}
	verifiers := []*verify.Verifier{newVerifier(t, root, signers, noOptions), newVerifier(t, root, signers, verify.Options{HelmCompat: true})}
	type work struct {
		subject  chartsign.Subject
		evidence chartsign.Evidence
		now      time.Time
	}
	pgp, sigstore := guestbook(t), inRegistry(t)
	var jobs []work
	for _, file := range []string{"honest/gpg.prov", "honest/helm4.prov", "honest/gpg-two-signers.prov", "honest/gpg-subkey.prov", "hostile/signed-by-expired.prov", "hostile/signed-by-revoked.prov", "hostile/text-before.prov"} {
		jobs = append(jobs, work{pgp, provenance(readFile(t, "provenance", file)), lateNow})
	}
	for _, opts := range []testkit.BundleOptions{{}, {RekorV2: true}, {NoSCT: true}} {
		jobs = append(jobs, work{sigstore, bundle(virtual.SignManifest(t, manifest, opts)), testkit.Epoch()})
	}
	judge := func(verifier *verify.Verifier, job work) string {
		return fmt.Sprint(judgementsOf(verifier.Verify(job.subject, job.evidence, job.now)))
	}
	var want [2][]string
	for i, verifier := range verifiers {
		for _, job := range jobs {
			want[i] = append(want[i], judge(verifier, job))
		}
	}
	var group sync.WaitGroup
	for worker := range 16 {
		group.Go(func() {
			for round := range len(jobs) {
				i, j := worker%2, (worker+round)%len(jobs)
				if got := judge(verifiers[i], jobs[j]); got != want[i][j] {
					t.Errorf("verifier %d, job %d: got %s, want %s", i, j, got, want[i][j])
				}
				if _, err := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// TestResultsShareNothing: what a caller does to one result's lists, no other one sees.
func TestResultsShareNothing(t *testing.T) {
	verifier := pgpVerifier(t, loadKeys(t, "team"), verify.Options{HelmCompat: true})
	prov := "unsigned\n" + string(readFile(t, "provenance/honest/gpg-two-signers.prov"))
	results := verifier.Verify(guestbook(t), provenance([]byte(prov)), lateNow)
	if len(results) != 2 {
		t.Fatalf("got %d results, want 2", len(results))
	}
	results[0].Signers()[0], results[0].Relaxed()[0] = "x", "x"
	for i, result := range results {
		if result.Signers()[0] != "signer" || result.Relaxed()[0] != string(verify.ReasonProvTextOutside) {
			t.Errorf("result %d: got %v, %v", i, result.Signers(), result.Relaxed())
		}
	}
}

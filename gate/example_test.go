// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"fmt"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
)

// A chart on disk is judged under the keys of one keyring.
func Example() {
	trust, err := gate.CompileShort(context.Background(), gate.ShortTrust{Keyrings: []string{"../testdata/keys/release.pub.asc"}}, gate.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	const path = "../testdata/charts/guestbook-1.4.2.tgz"
	ref, err := chartsign.ParseReference(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	judgement := trust.Judge(context.Background(), gate.Request{
		Reference: ref, Source: &gate.File{Path: path, Provenance: "../testdata/provenance/honest/helm4.prov"},
		Time: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	fmt.Println(judgement.Verdict, judgement.Passes())
	// Output: allowed true
}

// A trust policy file names who must have signed which charts.
func ExampleParseTrustPolicy() {
	policy, err := gate.ParseTrustPolicy([]byte(`
apiVersion: chartsign.dev/v1
kind: TrustPolicy
rules:
- name: production
  match: ["oci://registry.example/charts/**"]
  signers:
  - name: maintainer-a
    pgp: {keyring: maintainers.asc}
  require: all
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(policy.Rules[0].Name, policy.Rules[0].Require)
	// Output: production all
}

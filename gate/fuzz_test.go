// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chartsign/chartsign/gate"
)

// FuzzParseTrustPolicy: what is accepted has rules, and means the same when it is written
// down again.
func FuzzParseTrustPolicy(f *testing.F) {
	f.Add([]byte(everyField))
	f.Add([]byte(rule([]string{signRelease, signBot}, "require: all", "mode: warn")))
	f.Add([]byte(header + "rules:\n- &a {name: a, match: [\"file:**\"], signers: [{name: b, pgp: {keyring: k}}]}\n- {<<: *a, name: c}\n"))
	f.Add([]byte(header + "rules: [{name: a, require: 1e3}]\n"))
	f.Add([]byte(header + "rules: [{name: a}]\n---\n"))
	f.Add([]byte(`{"apiVersion": "chartsign.dev/v1", "kind": "TrustPolicy", "rules": [{"name": "a"}]}`))
	f.Add([]byte("a: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		policy, err := gate.ParseTrustPolicy(data)
		if err != nil {
			if policy != nil || !errors.Is(err, gate.ErrTrustPolicy) {
				t.Fatalf("got %v and the error %v, want ErrTrustPolicy alone", policy, err)
			}
			return
		}
		if len(policy.Rules) == 0 || policy.APIVersion != "chartsign.dev/v1" || policy.Kind != "TrustPolicy" {
			t.Fatalf("accepted %+v", policy)
		}
		written, err := json.Marshal(policy)
		if err != nil {
			t.Fatal(err)
		}
		again, err := gate.ParseTrustPolicy(written)
		if err != nil {
			// What was an empty list or text is left out or refused by the strict reader.
			return
		}
		rewritten, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(written), string(rewritten)); diff != "" {
			t.Errorf("written and read again (-first +second):\n%s", diff)
		}
	})
}

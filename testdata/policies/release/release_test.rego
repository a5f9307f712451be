# SPDX-FileCopyrightText: The chartsign authors
# SPDX-License-Identifier: Apache-2.0

package chartsign_test

import data.chartsign

_good := {
	"name": "nginx",
	"version": "15.1.0",
	"signers": [{"name": "release-bot", "kind": "keyless", "logged": true}],
	"chart": {"maintainers": [{"name": "a"}]},
	"context": {"namespace": "production"},
}

_rules(set) := {element.rule | some element in set}

test_good_is_allowed if {
	count(chartsign.deny) == 0 with input as _good
	count(chartsign.warn) == 0 with input as _good
}

test_unsigned_is_denied if {
	_rules(chartsign.deny) == {"release-signer"} with input as object.union(_good, {"signers": []})
}

test_old_is_denied if {
	_rules(chartsign.deny) == {"min-version"} with input as object.union(_good, {"version": "14.9.9"})
}

test_prerelease_is_denied_in_production_only if {
	candidate := object.union(_good, {"version": "16.0.0-rc.1"})
	_rules(chartsign.deny) == {"no-prerelease"} with input as candidate
	count(chartsign.deny) == 0 with input as object.union(candidate, {"context": {"namespace": "dev"}})
}

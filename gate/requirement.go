// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/chartsign/chartsign/verify"
)

// ErrRequirement is wrapped by errors about how many signers are required.
var ErrRequirement = errors.New("invalid requirement")

// parseRequirement returns how many of the signers must have signed: any (1), all, or N.
func parseRequirement(text string, signers int) (int, error) {
	switch text {
	case "", "any":
		return 1, nil
	case "all":
		return signers, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > signers {
		return 0, fmt.Errorf("%w: got %.40q, want any, all or a number from 1 to %d, the number of signers", ErrRequirement, text, signers)
	}
	return n, nil
}

// countSigners returns how many of the named signers the verified results stand for. One
// identity stands for one signer only, even if it fits several: it is the size of the
// largest matching between identities and signers.
func countSigners(results []verify.Result) int {
	fits := make(map[string][]string)
	for _, result := range results {
		if result.Outcome() == verify.Verified {
			id := result.Identity().ID()
			fits[id] = append(fits[id], result.Signers()...)
		}
	}
	taken := make(map[string]string) // signer → identity
	count := 0
	for id := range fits {
		if assign(id, fits, taken, make(map[string]bool)) {
			count++
		}
	}
	return count
}

// assign gives id a signer of its own, if need be by moving others (Kuhn's algorithm).
func assign(id string, fits map[string][]string, taken map[string]string, tried map[string]bool) bool {
	for _, signer := range fits[id] {
		if tried[signer] {
			continue
		}
		tried[signer] = true
		if other, busy := taken[signer]; !busy || assign(other, fits, taken, tried) {
			taken[signer] = id
			return true
		}
	}
	return false
}

// covering returns the results that vouch for name, version and metadata too.
func covering(results []verify.Result) []verify.Result {
	return slices.DeleteFunc(slices.Clone(results), func(r verify.Result) bool { return !r.CoversMetadata() })
}

// sameIdentities reports whether whoever made one of the verified results made one of the
// sure ones too.
func sameIdentities(verified, sure []verify.Result) bool {
	return !slices.ContainsFunc(verified, func(v verify.Result) bool {
		return !slices.ContainsFunc(sure, func(s verify.Result) bool { return s.Identity().ID() == v.Identity().ID() })
	})
}

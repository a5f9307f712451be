// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// forbidden names the functions that no policy may use although OPA does not mark them as
// nondeterministic, or marks them only since some version. Everything that is marked is
// forbidden, too.
var forbidden = []string{
	// The network.
	"http.send", "net.lookup_ip_addr",
	"json.match_schema", "json.verify_schema", // fetch a remote $ref, which may come from the input
	// The environment, and output that nobody reads.
	"opa.runtime", "trace",
	// Clocks: input.time is the only one.
	"time.now_ns", "io.jwt.decode_verify",
	"crypto.x509.parse_and_verify_certificates",              // judges by the clock of the machine
	"crypto.x509.parse_and_verify_certificates_with_options", // so does this without CurrentTime
	// Randomness.
	"rand.intn", "uuid.rfc4122", "io.jwt.encode_sign", "io.jwt.encode_sign_raw",
	// Time: exponential in the graph and deaf to the deadline.
	"graph.reachable_paths",
	// Rego within Rego, which would escape every check of the loader.
	"rego.parse_module",
}

// capabilities is what policies can do: the functions that OPA ships, without those that
// reach out of the evaluation. It is a list of what is allowed, so that the `with` keyword,
// dynamic dispatch and functions that a program has registered with OPA find nothing else
// (CVE-2022-36085). A list of unsafe functions or allow_net would not be enough: an empty
// allow_net is dropped when it is encoded, and absent it means any host.
func capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion(ast.CapabilitiesRegoVersion(ast.RegoV1))
	all.Builtins = slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
		return isForbidden(b) || !slices.Contains(ast.DefaultBuiltins[:], b)
	})
	all.FutureKeywords = nil
	all.Features = slices.DeleteFunc(all.Features, func(feature string) bool {
		return feature == ast.FeatureRegoV2 || feature == ast.FeatureRegoV2Import
	})
	all.AllowNet = []string{}
	return all
}

func isForbidden(b *ast.Builtin) bool {
	return b.Nondeterministic || slices.Contains(forbidden, b.Name)
}

// forbiddenNames are the names that checkBuiltins reports with a reason. What is not in
// capabilities does not compile in any case.
func forbiddenNames() map[string]bool {
	names := make(map[string]bool)
	for _, b := range ast.DefaultBuiltins {
		if isForbidden(b) {
			names[b.Name] = true
		}
	}
	return names
}

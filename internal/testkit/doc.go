// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package testkit holds what tests need in place of the world: a Sigstore in memory, its
// services on loopback, and a clock. Only tests may import it.
//
// Everything in it uses real cryptography and the formats of the real services; nothing is
// a mock. Each knob of BundleOptions takes away or spoils exactly one thing, so that a test
// about a bad bundle has a good twin which differs in that knob alone.
//
//	virtual := testkit.NewVirtualSigstore(t)
//	root, err := keys.NewTrustRoot(keys.TrustMaterial{Sigstore: virtual.Root(t)})
//	…
//	good := virtual.SignManifest(t, manifest, testkit.BundleOptions{})
//	bad := virtual.SignManifest(t, manifest, testkit.BundleOptions{NoSCT: true})
//	spoilt := testkit.EditBundle(t, good, func(b *protobundle.Bundle) { … })
//
// Whoever runs the signing side needs services as well:
//
//	services := virtual.Serve(t)
//	token := virtual.Token(t, map[string]any{"email": "dev@example.test"})
package testkit

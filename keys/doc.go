// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package keys reads key material and holds what is trusted: OpenPGP keyrings, Sigstore
// public keys and trusted roots, gathered in an immutable TrustRoot. It also finds and
// unlocks the secret keys that package sign uses.
//
// Nothing is trusted by default: a TrustRoot holds what its caller put there and nothing
// ambient. A root is not a signer: package verify additionally wants to know which of the
// keys and identities below a root may speak for a chart.
//
// The package MUST NOT open network connections. Secret material MUST NOT appear in
// errors. It may be imported by transparency, sign, verify, gate and cmd.
//
//	ring, err := keys.LoadPGPKeyring("maintainers.asc")
//	…
//	sigstore, err := keys.LoadTrustedRoot("trusted_root.json")
//	…
//	root := keys.NewTrustRoot(keys.TrustMaterial{PGP: ring, Sigstore: sigstore})
package keys

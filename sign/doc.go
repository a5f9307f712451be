// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package sign makes evidence: Helm's .prov files with OpenPGP keys, and Sigstore bundles
// with short-lived certificates or with keys.
//
// Nothing is returned that was not verified: every signer hands what it made to package
// verify under its own trust, naming itself as the only signer, and fails with ErrSelfCheck
// unless all of it comes out verified. What it signs it has read itself: a .prov file and
// a signature over the archive MUST be about a chart that was read from its archive.
//
// Forms: a .prov file is Chart.yaml as Helm marshals it, a line '...', and the archive's
// digest, clear-signed with SHA-512 (RFC 9580, 7), without a newline at the end. A bundle is
// of version 0.3: over an archive a message signature, over a manifest the DSSE envelope and
// statement of cosign v3, with one nameless subject and an empty predicate.
//
// The package opens connections to the services that its caller names and to no others, and
// follows no redirects. Identity tokens, passphrases and secret keys MUST NOT appear in
// errors. It may be imported by transfer and cmd.
//
//	key, err := ring.SigningKey("release@example.com", now, askPassphrase)
//	…
//	pgp, err := sign.NewPGP([]*keys.SigningKey{key}, time.Now)
//	…
//	provenance, err := pgp.Sign(chart)
//	if errors.Is(err, sign.ErrSelfCheck) {
//		return err // made, but would not verify: the error says why
//	}
package sign

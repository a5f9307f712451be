// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package verify is the only judge of evidence. It is pure and offline: it takes bytes,
// keys and a time, opens no connection, reads no file and asks no clock.
//
// There are three outcomes, never two:
//
//   - verified: the evidence is genuine, speaks about exactly this chart, and was made by a
//     signer that the caller named;
//   - rejected: it is not, for one of the documented reasons;
//   - inconclusive: it could not be judged, because something needed was not at hand.
//
// A Result is minted here only. Its fields are unexported and its zero value is 'not
// verified', so nobody else can make one that passes. A caller MUST NOT treat inconclusive
// as anything but a failure.
//
// What evidence binds is part of its meaning: a .prov file and a signature over the .tgz
// bind the layer, a cosign statement binds the manifest (see Binding).
//
// Everything that evidence carries must be good, not just enough of it: one log entry, one
// timestamp or one line that proves nothing makes it a rejected one.
//
//	verifier, err := verify.New(root, []verify.Signer{{Name: "release", PGP: fingerprints}}, verify.Options{})
//	…
//	for _, result := range verifier.Verify(subject, evidence, now) {
//		if result.Outcome() == verify.Verified {
//			fmt.Println("signed by", result.Identity())
//		}
//	}
package verify

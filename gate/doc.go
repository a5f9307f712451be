// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

// Package gate makes the one judgement that every verb and server uses: may this chart be
// used? It matches the chart's reference against the rules of a trust policy, lets package
// verify judge the evidence that a Source found, adds up who signed, and lets package
// policy decide.
//
// The order is fixed, and every step fails closed:
//
//  1. The first rule whose pattern matches the reference applies. No rule: denied.
//  2. The source resolves the reference once; what follows is about that digest.
//  3. The reference must agree with the chart's name and version.
//  4. All evidence is judged. Signatures by named signers are counted against the rule's
//     requirement. Unmet: rejected before inconclusive before unsigned.
//  5. Layer-bound signatures do not cover a registry's config blob: unless enough other
//     evidence does, the archive itself is read and compared. A policy is told of no signer
//     whose signature covers neither the blob nor an archive that was compared.
//  6. The policies of the rule decide over what was verified.
//
// Verdicts are allowed, denied, unsigned, rejected and inconclusive; only the first means
// yes. Gate opens no connection: the Source does.
//
//	trust, err := gate.LoadTrust(ctx, "trust.yaml")
//	…
//	judgement := trust.Judge(ctx, gate.Request{Reference: ref, Source: source, Time: now})
//	if judgement.Verdict != gate.Allowed {
//		return judgement.Reason
//	}
package gate

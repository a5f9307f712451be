// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

// NextStep returns what to try after a failure with the code of a reason, or the empty
// string if there is nothing better to say than the reason itself.
func NextStep(code string) string { return nextSteps[code] }

var nextSteps = map[string]string{
	"no-evidence":         "ask the publisher to sign it, or sign it yourself: chartsign sign CHART --pgp-key KEY --keyring FILE",
	"signer-not-trusted":  "if this signer is right, name them: --signer FINGERPRINT, or --certificate-identity with --certificate-oidc-issuer, or in the trust policy",
	"requirement-unmet":   "have the missing signers sign, or lower require in the trust policy",
	"no-matching-rule":    "add a rule to the trust policy whose match covers the reference",
	"policy-denied":       "change what the policy complains about; --input-out FILE shows what it saw",
	"digest-mismatch":     "get chart and evidence from the same place again; if it stays so, treat the chart as tampered with",
	"content-mismatch":    "pull again; if it stays so, treat the registry or the chart as tampered with",
	"metadata-mismatch":   "treat the chart as tampered with, or ask the publisher to sign this version",
	"reference-mismatch":  "use the reference that the chart says, or except it with anyTag or anyName in a rule",
	"signature-invalid":   "get the evidence from the publisher again; if it stays so, treat it as forged",
	"prov-text-outside":   "ask the publisher for a clean .prov file; --helm-compat accepts text that is not signed",
	"key-expired":         "get the publisher's current key: they may have prolonged it",
	"key-revoked":         "do not use the chart; ask the publisher to sign it with a key that is not revoked",
	"weak-hash":           "ask the publisher to sign again with SHA-256 or stronger",
	"weak-key":            "ask the publisher to sign with a stronger key",
	"log-entry-missing":   "sign with a transparency log, or set transparency: optional for the signer",
	"certificate-invalid": "use the trusted root of the Sigstore deployment that issued the certificate: --trusted-root FILE",
	"log-entry-invalid":   "use the trusted root that holds the log's key: --trusted-root FILE",
	"no-trusted-root":     "name the trusted root: --trusted-root FILE",
	"not-a-signature":     "an attestation is no signature: have the chart signed",
	"not-found":           "check registry, repository and tag: chartsign tree REF shows what is there",
	"unauthorized":        "log in (helm registry login HOST), or give --username and --password-stdin",
	"rate-limited":        "try again later, or log in: registries limit anonymous clients more",
	"unavailable":         "check that the host can be reached; for a registry without TLS: --plain-http",
	"invalid-response":    "check that the host is an OCI registry",
	"listing-incomplete":  "try again: the registry did not list all evidence",
	"not-a-chart":         "check that it is a packaged chart: helm package makes one",
	"chart-too-large":     "check the chart's size: Helm itself refuses charts that unpack to more than 100 MiB",
}

// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import "github.com/chartsign/chartsign"

// The reasons about evidence, of every kind. Together with those of package chartsign this
// is the closed list of docs/spec/reasons.md; the codes never change their meaning.
const (
	// ReasonSignerNotTrusted: genuine or not, nobody whom the caller named made it.
	ReasonSignerNotTrusted chartsign.ReasonCode = "signer-not-trusted"
	// ReasonSignatureInvalid: the signature does not fit the key and the content.
	ReasonSignatureInvalid chartsign.ReasonCode = "signature-invalid"
	// ReasonDigestMismatch: it speaks about other content than this chart.
	ReasonDigestMismatch chartsign.ReasonCode = "digest-mismatch"
	// ReasonMetadataMismatch: the signed metadata is not the chart's.
	ReasonMetadataMismatch chartsign.ReasonCode = "metadata-mismatch"
	// ReasonEvidenceTooLarge: a cap was reached.
	ReasonEvidenceTooLarge chartsign.ReasonCode = "evidence-too-large"
	// ReasonEvidenceUnavailable: it exists but could not be read (inconclusive).
	ReasonEvidenceUnavailable chartsign.ReasonCode = "evidence-unavailable"
	// ReasonUnsupported: a form of evidence that this version does not judge (inconclusive).
	ReasonUnsupported chartsign.ReasonCode = "unsupported"

	// ReasonProvMalformed: not one well-formed clear-signed message.
	ReasonProvMalformed chartsign.ReasonCode = "prov-malformed"
	// ReasonProvTextOutside: text before or after the clear-signed message.
	ReasonProvTextOutside chartsign.ReasonCode = "prov-text-outside"
	// ReasonProvSecondBlock: more than one clear-signed message.
	ReasonProvSecondBlock chartsign.ReasonCode = "prov-second-block"
	// ReasonProvArmor: a header, checksum or line of the armor that does not belong there.
	ReasonProvArmor chartsign.ReasonCode = "prov-armor"
	// ReasonProvParts: other than one metadata part and one files part.
	ReasonProvParts chartsign.ReasonCode = "prov-parts"
	// ReasonProvDuplicateKey: a YAML key that stands twice.
	ReasonProvDuplicateKey chartsign.ReasonCode = "prov-duplicate-key"
	// ReasonProvFiles: the files part names other than exactly one file with its digest.
	ReasonProvFiles chartsign.ReasonCode = "prov-files"

	// ReasonSignatureType: not a signature over text.
	ReasonSignatureType chartsign.ReasonCode = "signature-type"
	// ReasonSignatureTime: the signature is expired, or older than its key, or from the future.
	ReasonSignatureTime chartsign.ReasonCode = "signature-time"
	// ReasonWeakHash: MD5, SHA-1, RIPEMD-160, SHA-224 or an unknown hash.
	ReasonWeakHash chartsign.ReasonCode = "weak-hash"
	// ReasonWeakKey: a key of an algorithm or length that is not acceptable.
	ReasonWeakKey chartsign.ReasonCode = "weak-key"
	// ReasonKeyExpired: the key had expired at the time it is judged at.
	ReasonKeyExpired chartsign.ReasonCode = "key-expired"
	// ReasonKeyRevoked: the key is revoked.
	ReasonKeyRevoked chartsign.ReasonCode = "key-revoked"
	// ReasonKeyUsage: the key may not sign data.
	ReasonKeyUsage chartsign.ReasonCode = "key-usage"

	// ReasonBundleMalformed: not a well-formed Sigstore bundle.
	ReasonBundleMalformed chartsign.ReasonCode = "bundle-malformed"
	// ReasonStatementMalformed: not an in-toto statement about exactly one subject.
	ReasonStatementMalformed chartsign.ReasonCode = "statement-malformed"
	// ReasonNotASignature: an attestation, which says something else than 'signed'.
	ReasonNotASignature chartsign.ReasonCode = "not-a-signature"
	// ReasonCertificateInvalid: no chain to a trusted authority at the signing time.
	ReasonCertificateInvalid chartsign.ReasonCode = "certificate-invalid"
	// ReasonSCTInvalid: the certificate is in no trusted certificate transparency log.
	ReasonSCTInvalid chartsign.ReasonCode = "sct-invalid"
	// ReasonLogEntryMissing: no transparency log entry where one is required.
	ReasonLogEntryMissing chartsign.ReasonCode = "log-entry-missing"
	// ReasonLogEntryInvalid: a log entry that proves nothing about this signature.
	ReasonLogEntryInvalid chartsign.ReasonCode = "log-entry-invalid"
	// ReasonTimestampMissing: no trusted time over the signature.
	ReasonTimestampMissing chartsign.ReasonCode = "timestamp-missing"
	// ReasonTimestampInvalid: a time token that proves nothing about this signature.
	ReasonTimestampInvalid chartsign.ReasonCode = "timestamp-invalid"
	// ReasonNoTrustedRoot: a signer is named by issuer and subject, but there is no trusted
	// root to check certificates under (inconclusive).
	ReasonNoTrustedRoot chartsign.ReasonCode = "no-trusted-root"
)

// Outcome is what came of judging one piece of evidence. The zero value is not Verified.
type Outcome int

// The outcomes. The last two both fail closed; they differ in what to do next.
const (
	// Inconclusive: it could not be judged.
	Inconclusive Outcome = iota
	// Rejected: it does not prove what it must.
	Rejected
	// Verified: genuine, about this chart, by a named signer.
	Verified
)

// String returns the word that the report uses.
func (o Outcome) String() string {
	switch o {
	case Verified:
		return "verified"
	case Rejected:
		return "rejected"
	case Inconclusive:
		return "inconclusive"
	default:
		return "inconclusive"
	}
}

// inconclusiveCodes are the reasons that say 'could not look', not 'is bad'.
func outcomeOf(code chartsign.ReasonCode) Outcome {
	switch code {
	case ReasonEvidenceUnavailable, ReasonUnsupported, ReasonNoTrustedRoot:
		return Inconclusive
	default:
		return Rejected
	}
}

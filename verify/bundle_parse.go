// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	sigbundle "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	sigverify "github.com/sigstore/sigstore-go/pkg/verify"
	"google.golang.org/protobuf/encoding/protojson"
	sigsjson "sigs.k8s.io/json"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

const (
	// predicateSignature is what cosign v3 states about an artifact that it signs.
	predicateSignature = "https://sigstore.dev/cosign/sign/v1"
	payloadInToto      = "application/vnd.in-toto+json"
	statementV1        = "https://in-toto.io/Statement/v1"
	statementV01       = "https://in-toto.io/Statement/v0.1"
)

// statement is the part of an in-toto statement that decides what is signed.
type statement struct {
	Type          string `json:"_type"`
	PredicateType string `json:"predicateType"`
	Subject       []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

// parsedBundle is a well-formed bundle of which nothing is verified yet.
type parsedBundle struct {
	*sigbundle.Bundle
	content   sigverify.VerificationContent
	signature sigverify.SignatureContent
	statement *statement // nil for a message signature
	entries   []*tlog.Entry
	times     [][]byte
}

func readBundle(data []byte) (*parsedBundle, *chartsign.Reason) {
	if int64(len(data)) > limits.Bundle {
		return nil, chartsign.Reasonf(ReasonEvidenceTooLarge, "the bundle has %d bytes: want at most %d", len(data), limits.Bundle)
	}
	message := new(protobundle.Bundle)
	// Unknown fields are errors: what this version cannot read it must not ignore.
	if err := (protojson.UnmarshalOptions{}).Unmarshal(data, message); err != nil {
		return nil, chartsign.Reasonf(ReasonBundleMalformed, "the bundle: %w", err)
	}
	bundle, err := newBundle(message)
	if err != nil {
		return nil, chartsign.Reasonf(ReasonBundleMalformed, "the bundle: %w", err)
	}
	parsed := &parsedBundle{Bundle: bundle}
	if err := parsed.load(); err != nil {
		return nil, chartsign.Reasonf(ReasonBundleMalformed, "the bundle: %w", err)
	}
	if reason := parsed.readStatement(); reason != nil {
		return nil, reason
	}
	return parsed, nil
}

// newBundle accepts the versions whose rules are known. A v0.3 bundle may carry the chain of
// its certificate.
func newBundle(message *protobundle.Bundle) (*sigbundle.Bundle, error) {
	switch message.GetMediaType() {
	case "application/vnd.dev.sigstore.bundle+json;version=0.1", "application/vnd.dev.sigstore.bundle+json;version=0.2":
		return sigbundle.NewBundle(message)
	case "application/vnd.dev.sigstore.bundle+json;version=0.3", chartsign.MediaTypeBundle:
		return sigbundle.NewBundle(message, sigbundle.AllowCertificateChain())
	default:
		return nil, fmt.Errorf("got the media type %.80q, want %s", message.GetMediaType(), chartsign.MediaTypeBundle)
	}
}

func (p *parsedBundle) load() (err error) {
	if p.content, err = p.VerificationContent(); err != nil {
		return err
	}
	if p.signature, err = p.SignatureContent(); err != nil {
		return err
	}
	if p.entries, err = p.TlogEntries(); err != nil {
		return err
	}
	p.times, err = p.Timestamps()
	return err
}

func (p *parsedBundle) readStatement() *chartsign.Reason {
	content := p.signature.EnvelopeContent()
	if content == nil {
		return nil
	}
	envelope := content.RawEnvelope()
	if envelope.PayloadType != payloadInToto || len(envelope.Signatures) != 1 {
		return chartsign.Reasonf(ReasonStatementMalformed, "the envelope has the payload type %.80q and %d signatures: want %q and 1",
			envelope.PayloadType, len(envelope.Signatures), payloadInToto)
	}
	payload, err := envelope.DecodeB64Payload()
	if err != nil {
		return chartsign.Reasonf(ReasonStatementMalformed, "the envelope's payload: %w", err)
	}
	read := new(statement)
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(payload, read); err != nil {
		return chartsign.Reasonf(ReasonStatementMalformed, "the statement: %w", err)
	}
	if err := refuseDuplicates(payload); err != nil {
		return chartsign.Reasonf(ReasonStatementMalformed, "the statement: %w", err)
	}
	if read.Type != statementV1 && read.Type != statementV01 {
		return chartsign.Reasonf(ReasonStatementMalformed, "the statement is of type %.80q: want %q", read.Type, statementV1)
	}
	p.statement = read
	return nil
}

// refuseDuplicates refuses a JSON object in which a field of the statement stands twice, or
// in two spellings: two readers could see two subjects, and Go's own does not tell
// 'subject' from 'Subject'.
func refuseDuplicates(payload []byte) error {
	fields := make(map[string]json.RawMessage)
	if err := unmarshalStrict(payload, &fields); err != nil {
		return err
	}
	if err := refuseCaseTwins(fields, "_type", "subject", "predicateType", "predicate"); err != nil {
		return err
	}
	var subjects []map[string]json.RawMessage
	if err := unmarshalStrict(fields["subject"], &subjects); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	for _, subject := range subjects {
		if err := refuseCaseTwins(subject, "name", "digest"); err != nil {
			return fmt.Errorf("subject: %w", err)
		}
		if digest, ok := subject["digest"]; ok {
			if err := unmarshalStrict(digest, new(map[string]string)); err != nil {
				return fmt.Errorf("subject: digest: %w", err)
			}
		}
	}
	return nil
}

func unmarshalStrict(data []byte, into any) error {
	if len(data) == 0 {
		return errors.New("the field is missing")
	}
	strict, err := sigsjson.UnmarshalStrict(data, into, sigsjson.DisallowDuplicateFields)
	return errors.Join(append(strict, err)...)
}

func refuseCaseTwins(fields map[string]json.RawMessage, names ...string) error {
	for field := range fields {
		for _, name := range names {
			if field != name && strings.EqualFold(field, name) {
				return fmt.Errorf("field %.80q differs from %q in case only", field, name)
			}
		}
	}
	return nil
}

// about returns the digest that the bundle must speak about for this subject.
func (p *parsedBundle) about(subject chartsign.Subject) (chartsign.Digest, *chartsign.Reason) {
	if p.statement == nil {
		return p.aboutArchive(subject.Chart.Digest())
	}
	if subject.Manifest.IsZero() {
		return chartsign.Digest{}, chartsign.Reasonf(ReasonDigestMismatch, "the bundle speaks about the manifest of a chart in a registry: got a local file")
	}
	manifest := subject.Manifest
	for _, stated := range p.statement.Subject {
		if stated.Digest["sha256"] == manifest.Hex() {
			return manifest, nil
		}
	}
	return chartsign.Digest{}, chartsign.Reasonf(ReasonDigestMismatch, "the bundle's statement is not about the manifest %s", subject.Manifest)
}

func (p *parsedBundle) aboutArchive(archive chartsign.Digest) (chartsign.Digest, *chartsign.Reason) {
	message := p.signature.MessageSignatureContent()
	if message == nil {
		return archive, chartsign.Reasonf(ReasonBundleMalformed, "the bundle has neither an envelope nor a message signature")
	}
	claimed := message.Digest()
	if len(claimed) > 0 && message.DigestAlgorithm() != "SHA2_256" {
		return archive, chartsign.Reasonf(ReasonUnsupported, "the bundle names the content by its %s digest: want SHA2_256", message.DigestAlgorithm())
	}
	if len(claimed) > 0 && !bytes.Equal(claimed, archive[:]) {
		return archive, chartsign.Reasonf(ReasonDigestMismatch, "the bundle speaks about the content sha256:%x: the chart is %s", claimed, archive)
	}
	return archive, nil
}

// requireSignature refuses statements that say something else than 'signed', and those
// about more than the one manifest.
func (p *parsedBundle) requireSignature() *chartsign.Reason {
	switch {
	case p.statement == nil:
		return nil
	case p.statement.PredicateType != predicateSignature:
		return chartsign.Reasonf(ReasonNotASignature, "the statement has the predicate type %.120q: a signature has %q", p.statement.PredicateType, predicateSignature)
	case len(p.statement.Subject) != 1 || len(p.statement.Subject[0].Digest) != 1:
		return chartsign.Reasonf(ReasonStatementMalformed, "the statement has %d subjects: a signature is about one, with one sha256 digest", len(p.statement.Subject))
	default:
		return nil
	}
}

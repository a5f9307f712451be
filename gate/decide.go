// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// decide lets the rule's policies decide over what counted verified.
func (r *rule) decide(ctx context.Context, req Request, judgement Judgement, counted []verify.Result) Judgement {
	if r.policy == nil {
		return judgement.conclude(Allowed, nil)
	}
	input, err := policyInput(req, judgement, counted)
	if err != nil {
		return judgement.failed(err)
	}
	if req.KeepInput {
		if judgement.Input, err = json.MarshalIndent(input, "", "  "); err != nil {
			return judgement.failed(err)
		}
	}
	decision, err := r.policy.Evaluate(ctx, input)
	if err != nil {
		return judgement.failed(fmt.Errorf("the policy could not be evaluated: %w", err))
	}
	standing, waived := waive(r.waivers, decision.Denials(), judgement.Subject.Chart.Name(), req.EffectiveTime)
	judgement.Denials, judgement.Warnings = standing, append(decision.Warnings(), waived...)
	switch {
	case len(standing) > 0:
		return judgement.conclude(Denied, chartsign.Reasonf(ReasonPolicyDenied, "the policy denies: %s", standing[0].Message))
	case !decision.Allowed() && len(waived) == 0:
		return judgement.conclude(Denied, chartsign.Reasonf(ReasonPolicyDenied, "the policy came to no decision"))
	default:
		return judgement.conclude(Allowed, nil)
	}
}

func policyInput(req Request, judgement Judgement, counted []verify.Result) (policy.Input, error) {
	subject := judgement.Subject
	chart, err := chartDocument(subject.Chart)
	if err != nil {
		return policy.Input{}, err
	}
	input := policy.Input{
		Name: subject.Chart.Name(), Version: subject.Chart.Version(), AppVersion: subject.Chart.AppVersion(),
		Digest: subject.Chart.Digest().String(), ManifestDigest: subject.Manifest.String(),
		Reference: policy.Reference{Registry: subject.Reference.Registry, Repository: subject.Reference.Repository, Tag: subject.Reference.Tag},
		Chart:     chart, Time: req.EffectiveTime, Context: req.Context,
	}
	for _, result := range counted {
		for _, name := range result.Signers() {
			input.Signers = append(input.Signers, policy.Signer{
				Identity: identityOf(result.Identity(), name), SignedAt: result.SignedAt(), Logged: result.Log() != nil, Binds: string(result.Binds()),
			})
		}
	}
	for _, result := range judgement.Results {
		input.Evidence = append(input.Evidence, evidenceRow(result))
	}
	return input, nil
}

// chartDocument returns Chart.yaml as the JSON object that policies see.
func chartDocument(chart *chartsign.Chart) (map[string]any, error) {
	data, err := chart.Metadata().JSON()
	if err != nil {
		return nil, err
	}
	var document map[string]any
	err = json.Unmarshal(data, &document)
	return document, err
}

func identityOf(identity chartsign.Identity, name string) policy.Identity {
	return policy.Identity{
		Name: name, Kind: string(identity.Kind), Fingerprint: string(identity.Fingerprint), UserID: identity.UserID,
		Issuer: identity.Issuer, Subject: identity.Subject, Extensions: identity.Extensions, Key: identity.Key,
	}
}

func evidenceRow(result verify.Result) policy.Evidence {
	row := policy.Evidence{
		Kind: string(result.Kind()), Source: string(result.Evidence().Source()), Digest: result.Evidence().Digest().String(),
		Binds: string(result.Binds()), Verdict: result.Outcome().String(), SignedAt: result.SignedAt(), PredicateType: result.PredicateType(),
	}
	if identity := result.Identity(); identity.ID() != "" {
		signer := identityOf(identity, "")
		if names := result.Signers(); len(names) > 0 {
			signer.Name = names[0]
		}
		row.Signer = &signer
	}
	if entry := result.Log(); entry != nil {
		row.Log = &policy.Log{Origin: entry.Origin, Index: entry.Index}
	}
	if reason := result.Reason(); reason != nil {
		row.Reason = &policy.Reason{Code: string(reason.Code), Message: reason.Message}
	}
	return row
}

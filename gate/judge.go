// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/policy"
	"github.com/chartsign/chartsign/verify"
)

// Request asks for one judgement.
type Request struct {
	// Reference is what rules are matched against.
	Reference chartsign.Reference
	// Source finds chart and evidence; it must be about Reference.
	Source Source
	// Time is when keys are judged at.
	Time time.Time
	// EffectiveTime is the policies' clock and that of waivers; zero means Time.
	EffectiveTime time.Time
	// Context is handed to the policies.
	Context policy.Context
	// Strict refuses to soften: modes and warnings do not count, as for pull.
	Strict bool
	// KeepInput asks for the document that the policy saw.
	KeepInput bool
}

// Judge judges one chart. It never fails: what could not be done is the judgement, and so
// is a panic below it.
func (t *Trust) Judge(ctx context.Context, req Request) (judgement Judgement) {
	if req.EffectiveTime.IsZero() {
		req.EffectiveTime = req.Time
	}
	judgement = Judgement{Subject: chartsign.Subject{Reference: req.Reference}, Enforced: true}
	defer func() {
		if cause := recover(); cause != nil {
			judgement = judgement.failed(fmt.Errorf("internal error: %v", cause))
		}
	}()
	rule := t.match(req.Reference)
	if rule == nil {
		denial := policy.Finding{
			Rule: string(ReasonNoRule), Message: fmt.Sprintf("no rule of the trust policy matches %s", req.Reference.Name()),
			Solution: "add a rule whose match covers it",
		}
		judgement.Denials = []policy.Finding{denial}
		return judgement.conclude(Denied, chartsign.Reasonf(ReasonNoRule, "%s", denial.Message))
	}
	judgement.Rule, judgement.TrustDigest = rule.name, rule.digest
	if rule.policy != nil {
		judgement.PolicyDigest, judgement.PolicySources = rule.policy.Digest(), rule.policy.Sources()
	}
	return rule.soften(rule.judge(ctx, req, judgement), req.Strict)
}

func (j Judgement) conclude(verdict Verdict, reason *chartsign.Reason) Judgement {
	j.Verdict, j.Reason = verdict, reason
	return j
}

// failed concludes with an error of the source.
func (j Judgement) failed(err error) Judgement {
	reason := reasonOf(err)
	return j.conclude(verdictOf(reason.Code), reason)
}

func reasonOf(err error) *chartsign.Reason {
	if reason, ok := errors.AsType[*chartsign.Reason](err); ok {
		return reason
	}
	return chartsign.Reasonf(chartsign.ReasonUnavailable, "%w", err)
}

// soften marks verdicts that the rule only warns about. Rejected and inconclusive are
// never softened.
func (r *rule) soften(judgement Judgement, strict bool) Judgement {
	if strict || !r.warn {
		return judgement
	}
	if judgement.Verdict == Denied || judgement.Verdict == Unsigned && r.warnUnsigned {
		judgement.Enforced = false
	}
	return judgement
}

func (r *rule) judge(ctx context.Context, req Request, judgement Judgement) Judgement {
	if req.Source == nil || req.Time.IsZero() {
		return judgement.failed(errors.New("got a request without a source or a time"))
	}
	subject, err := req.Source.Resolve(ctx)
	if err == nil {
		err = checkAnswer(req.Reference, subject)
	}
	if err != nil {
		return judgement.failed(err)
	}
	judgement.Subject = subject
	if reason := checkReference(subject, r.anyName, r.anyTag); reason != nil {
		return judgement.conclude(Rejected, reason)
	}
	listing, err := req.Source.Evidence(ctx)
	if err != nil {
		return judgement.failed(err)
	}
	for _, evidence := range listing.Evidence {
		judgement.Results = append(judgement.Results, r.verifier.Verify(subject, evidence, req.Time)...)
	}
	counted, reason := r.confirm(ctx, req.Source, subject, judgement.Results)
	if reason != nil && verdictOf(reason.Code) == Rejected {
		return judgement.conclude(Rejected, reason)
	}
	if got := countSigners(counted); got < r.need {
		return r.unmet(judgement, listing, reason, got)
	}
	if listing.Problem != nil && r.need > 1 {
		return judgement.conclude(Inconclusive, incomplete(listing.Problem))
	}
	return r.decide(ctx, req, judgement, counted)
}

// confirm returns the verified results that count. Facts of a config blob are believed
// only if enough signers vouch for them, and if a policy is told of a signer, that one too;
// otherwise the archive is read and compared. A reason beside results says why it could not.
func (r *rule) confirm(ctx context.Context, source Source, subject chartsign.Subject, results []verify.Result) ([]verify.Result, *chartsign.Reason) {
	verified := slices.DeleteFunc(slices.Clone(results), func(result verify.Result) bool { return result.Outcome() != verify.Verified })
	sure := covering(verified)
	if subject.Chart.FromArchive() || sameIdentities(verified, sure) || r.policy == nil && countSigners(sure) >= r.need {
		return verified, nil
	}
	archive, err := source.Archive(ctx)
	if err == nil && (archive == nil || !archive.FromArchive()) {
		err = errors.New("the source gave no archive")
	}
	if err != nil {
		return sure, reasonOf(err)
	}
	if archive.Digest() != subject.Chart.Digest() {
		return nil, chartsign.Reasonf(chartsign.ReasonContentMismatch, "the archive is %s: judged was %s", archive.Digest(), subject.Chart.Digest())
	}
	if !archive.Metadata().Equal(subject.Chart.Metadata()) {
		return nil, chartsign.Reasonf(verify.ReasonMetadataMismatch, "the registry's config blob says something else than Chart.yaml in the archive")
	}
	return verified, nil
}

// unmet concludes where too few named signers have signed: what is bad outweighs what
// could not be looked at, and that outweighs that there is nothing.
func (r *rule) unmet(judgement Judgement, listing chartsign.Listing, unread *chartsign.Reason, got int) Judgement {
	if worst := firstReason(judgement.Results, verify.Rejected); worst != nil {
		return judgement.conclude(Rejected, worst)
	}
	if unread != nil {
		return judgement.conclude(Inconclusive, unread)
	}
	if worst := firstReason(judgement.Results, verify.Inconclusive); worst != nil {
		return judgement.conclude(Inconclusive, worst)
	}
	if listing.Problem != nil {
		return judgement.conclude(Inconclusive, incomplete(listing.Problem))
	}
	if len(judgement.Results) == 0 {
		return judgement.conclude(Unsigned, chartsign.Reasonf(ReasonNoEvidence, "the chart is unsigned: no provenance and no signature was found"))
	}
	return judgement.conclude(Rejected, chartsign.Reasonf(ReasonRequirementUnmet, "%d of %d named signers have signed: the rule requires %d", got, r.signers, r.need))
}

// firstReason returns the reason of the first result with the outcome. That somebody else
// has signed says least: it counts only where there is no other reason.
func firstReason(results []verify.Result, outcome verify.Outcome) *chartsign.Reason {
	var foreign *chartsign.Reason
	for _, result := range results {
		switch reason := result.Reason(); {
		case result.Outcome() != outcome:
		case reason.Code != verify.ReasonSignerNotTrusted:
			return reason
		case foreign == nil:
			foreign = reason
		}
	}
	return foreign
}

func incomplete(problem error) *chartsign.Reason {
	var reason *chartsign.Reason
	if errors.As(problem, &reason) && reason.Code == chartsign.ReasonUnauthorized {
		return reason
	}
	return chartsign.Reasonf(chartsign.ReasonListingIncomplete, "not all evidence could be listed: %w", problem)
}

// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/policy"
)

// waiver is a compiled Waiver.
type waiver struct {
	Waiver
	end time.Time // the first moment at which it no longer holds
}

func compileWaivers(specs []Waiver) ([]waiver, error) {
	var list []waiver
	for i, spec := range specs {
		last, err := time.Parse(time.DateOnly, spec.Until)
		if err != nil || spec.Rule == "" || spec.Reason == "" || len(spec.Charts) == 0 {
			return nil, fmt.Errorf("%w: waiver %d: want rule, charts, reason, and until as YYYY-MM-DD", ErrTrustPolicy, i+1)
		}
		for _, pattern := range spec.Charts {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, fmt.Errorf("%w: waiver %d: chart pattern %.80q: %w", ErrTrustPolicy, i+1, pattern, err)
			}
		}
		if slices.Contains([]string{policy.RuleError, policy.RuleTimeout, policy.RuleUndefined}, spec.Rule) {
			return nil, fmt.Errorf("%w: waiver %d: %q stands for a policy that came to no decision and cannot be waived", ErrTrustPolicy, i+1, spec.Rule)
		}
		list = append(list, waiver{Waiver: spec, end: last.AddDate(0, 0, 1)})
	}
	return list, nil
}

// waive splits denials into those that stand and warnings about those that are waived. Where
// there were more than fit into the list, all of them stand: nobody knows what was left out.
func waive(waivers []waiver, denials []policy.Finding, chart string, now time.Time) (standing, waived []policy.Finding) {
	if len(denials) > limits.PolicyFindings {
		return denials, nil
	}
	for _, denial := range denials {
		at := slices.IndexFunc(waivers, func(w waiver) bool { return w.holds(denial.Rule, chart, now) })
		if at < 0 {
			standing = append(standing, denial)
			continue
		}
		denial.Message = fmt.Sprintf("waived until %s (%s): %s", waivers[at].Until, waivers[at].Reason, denial.Message)
		waived = append(waived, denial)
	}
	return standing, waived
}

func (w waiver) holds(rule, chart string, now time.Time) bool {
	return w.Rule == rule && now.Before(w.end) && slices.ContainsFunc(w.Charts, func(pattern string) bool {
		ok, err := path.Match(pattern, chart)
		return err == nil && ok
	})
}

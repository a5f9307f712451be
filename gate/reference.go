// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/chartsign/chartsign"
)

// checkAnswer holds the source to the question: a chart, by the reference that the rule was
// chosen for, and the manifest that the reference pins.
func checkAnswer(asked chartsign.Reference, subject chartsign.Subject) error {
	answered := subject.Reference
	asked.Given, answered.Given = "", ""
	switch {
	case subject.Chart == nil || subject.Chart.Digest().IsZero():
		return errors.New("the source gave no chart")
	case answered != asked:
		return fmt.Errorf("the source answered about %q: asked was %q", subject.Reference.Given, asked.Name())
	case !asked.Digest.IsZero() && subject.Manifest != asked.Digest:
		return chartsign.Reasonf(chartsign.ReasonContentMismatch, "the reference pins the manifest %s: got %q", asked.Digest, subject.Manifest)
	default:
		return nil
	}
}

// checkReference compares how the chart was named with what it says it is: a repository's
// base name is the chart's name, and a tag that is a semantic version is the chart's
// version. Without it an old, honestly signed chart could be served under a new tag.
func checkReference(subject chartsign.Subject, anyName, anyTag bool) *chartsign.Reason {
	ref, chart := subject.Reference, subject.Chart
	if !ref.IsOCI() {
		return nil
	}
	if !anyName && ref.BaseName() != chart.Name() {
		return chartsign.Reasonf(chartsign.ReasonReferenceMismatch, "the repository is named %q: the chart in it is %q", ref.BaseName(), chart.Name())
	}
	if !anyTag && !tagFits(ref.Tag, chart.Version()) {
		return chartsign.Reasonf(chartsign.ReasonReferenceMismatch, "the tag is %q: the chart behind it has the version %q", ref.Tag, chart.Version())
	}
	return nil
}

// tagFits reports whether tag may name version: '_' stands for '+', a leading v is
// optional, and a tag that is no full semantic version (stable, 1.2) names any.
func tagFits(tag, version string) bool {
	named := strings.TrimPrefix(strings.ReplaceAll(tag, "_", "+"), "v")
	if _, err := semver.StrictNewVersion(named); err != nil {
		return true
	}
	return named == strings.TrimPrefix(version, "v")
}

// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
)

// Style says how text may look.
type Style struct {
	// Color permits ANSI colours.
	Color bool
}

// WriteText writes the report for people: for each chart its names, a table of evidence,
// the verdict, why, and what to do next.
func (r *Report) WriteText(w io.Writer, style Style) error {
	var out bytes.Buffer
	for _, flag := range r.Insecure {
		fmt.Fprintf(&out, "%s --%s: what this says is worth less\n\n", style.red("insecure"), clean(flag))
	}
	for i := range r.Results {
		if i > 0 {
			out.WriteByte('\n')
		}
		r.Results[i].text(&out, style)
	}
	if len(r.Results) > 1 {
		fmt.Fprintf(&out, "\n%d charts: %d allowed, %d denied, %d unsigned, %d rejected, %d inconclusive\n", len(r.Results),
			r.Summary.Allowed, r.Summary.Denied, r.Summary.Unsigned, r.Summary.Rejected, r.Summary.Inconclusive)
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (r *Result) text(out *bytes.Buffer, style Style) {
	fmt.Fprintf(out, "%s\n", style.bold(clean(r.Reference.Given)))
	fields := Table{}
	if r.Chart != nil {
		fields.Add("  chart", clean(r.Chart.Name+" "+r.Chart.Version))
		fields.Add("  archive", fmt.Sprintf("%s (%s)", r.Chart.Digest, Size(r.Chart.Size)))
	}
	if r.Reference.ManifestDigest != "" {
		fields.Add("  manifest", r.Reference.ManifestDigest)
	}
	if r.Rule != "" {
		fields.Add("  rule", clean(r.Rule))
	}
	fields.write(out)
	r.evidenceTable(out, style)
	r.findings(out, style)
	r.verdictLine(out, style)
}

func (r *Result) evidenceTable(out *bytes.Buffer, style Style) {
	if len(r.Evidence) == 0 {
		return
	}
	table := Table{}
	table.Add("  EVIDENCE", "FROM", "BINDS", "VERDICT", "SIGNER", "SIGNED AT")
	for i := range r.Evidence {
		row := &r.Evidence[i]
		signedAt := ""
		if row.SignedAt != nil {
			signedAt = row.SignedAt.UTC().Format(time.RFC3339)
		}
		table.Add("  "+row.Kind, row.Source, row.Binds, style.verdict(row.Verdict), row.signer(), signedAt)
	}
	out.WriteByte('\n')
	table.write(out)
	for i := range r.Evidence {
		for _, line := range r.Evidence[i].details() {
			fmt.Fprintf(out, "  %s %s: %s\n", style.dim("·"), r.Evidence[i].Kind, line)
		}
	}
}

// signer is the rule's name for the signer, or the shortest name that the identity has.
func (e *Evidence) signer() string {
	switch {
	case e.Signer == nil:
		return "-"
	case e.named():
		return clean(e.Signer.Name)
	case e.Signer.UserID != "":
		return clean(e.Signer.UserID)
	case e.Signer.Subject != "":
		return clean(e.Signer.Subject)
	default:
		return clean(e.Signer.String())
	}
}

// named reports whether the signer has a name of the rule's own, not one that trust by
// flags has made of the identity.
func (e *Evidence) named() bool {
	name, kind := e.Signer.Name, string(e.Signer.Kind)
	return name != "" && name != kind && !strings.HasPrefix(name, kind+":")
}

// details are what has no room in the table: why not, or who exactly and where it is logged.
func (e *Evidence) details() []string {
	var lines []string
	for _, relaxed := range e.Relaxed {
		lines = append(lines, "accepted in spite of "+relaxed+", as asked")
	}
	if e.Reason != nil {
		return append(lines, fmt.Sprintf("%s [%s]", clean(e.Reason.Message), e.Reason.Code))
	}
	if e.Signer != nil {
		lines = append(lines, "by "+clean(e.Signer.String()))
	}
	if e.Log != nil {
		lines = append(lines, fmt.Sprintf("in the log %s at index %d", clean(e.Log.Origin), e.Log.Index))
	}
	return lines
}

func (r *Result) findings(out *bytes.Buffer, style Style) {
	if len(r.Denials)+len(r.Warnings) > 0 {
		out.WriteByte('\n')
	}
	for _, finding := range r.Denials {
		fmt.Fprintf(out, "  %s %s: %s\n", style.red("deny"), clean(finding.Rule), clean(finding.Message))
		if finding.Solution != "" {
			fmt.Fprintf(out, "       → %s\n", clean(finding.Solution))
		}
	}
	for _, finding := range r.Warnings {
		fmt.Fprintf(out, "  %s %s: %s\n", style.yellow("warn"), clean(finding.Rule), clean(finding.Message))
	}
}

func (r *Result) verdictLine(out *bytes.Buffer, style Style) {
	softened := ""
	if !r.Enforced {
		softened = " (the rule only warns)"
	}
	if r.Reason == nil {
		fmt.Fprintf(out, "\n  %s%s\n", style.verdict(strings.ToUpper(r.Verdict)), softened)
		return
	}
	fmt.Fprintf(out, "\n  %s%s: %s [%s]\n", style.verdict(strings.ToUpper(r.Verdict)), softened, clean(r.Reason.Message), r.Reason.Code)
	if next := NextStep(r.Reason.Code); next != "" {
		fmt.Fprintf(out, "  next: %s\n", next)
	}
}

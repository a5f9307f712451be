// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
	"github.com/chartsign/chartsign/keys"
	"github.com/chartsign/chartsign/report"
	"github.com/chartsign/chartsign/verify"

	"github.com/chartsign/chartsign"
)

func TestGoldenReports(t *testing.T) {
	lists := map[string][]gate.Judgement{"several": several(t), "nothing": nil}
	for name, judgement := range judgements(t) {
		lists[name] = []gate.Judgement{judgement}
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			document := report.New(list)
			golden(t, name+".json", jsonOf(t, document))
			golden(t, name+".yaml", yamlOf(t, document))
			golden(t, name+".txt", []byte(textOf(t, document, report.Style{})))
		})
	}
	golden(t, "several.color.txt", []byte(textOf(t, report.New(several(t)), report.Style{Color: true})))
}

// schema is docs/spec/report.schema.json.
func schema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile("../docs/spec/report.schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return compiled
}

func validate(tb testing.TB, data []byte) error {
	tb.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	return schema(tb).Validate(document)
}

// TestReportsFollowTheSchema, which knows every field: a new one must be described there.
func TestReportsFollowTheSchema(t *testing.T) {
	lists := [][]gate.Judgement{several(t), nil, {keyless(t)}}
	for _, judgement := range judgements(t) {
		lists = append(lists, []gate.Judgement{judgement})
	}
	for i, list := range lists {
		document := report.New(list)
		if err := validate(t, jsonOf(t, document)); err != nil {
			t.Errorf("report %d as JSON: %v", i, err)
		}
		converted, err := yaml.YAMLToJSON(yamlOf(t, document))
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, converted); err != nil {
			t.Errorf("report %d as YAML: %v", i, err)
		}
	}
}

// TestSchemaRefuses shows that the schema can fail.
func TestSchemaRefuses(t *testing.T) {
	text := string(jsonOf(t, report.New(several(t))))
	for name, edit := range map[string][2]string{
		"renamed field":   {`"enforced"`, `"enforce"`},
		"unknown verdict": {`"verdict": "allowed"`, `"verdict": "fine"`},
		"null list":       {`"denials": []`, `"denials": null`},
		"short digest":    {`"manifestDigest": "sha256:`, `"manifestDigest": "sha256:x`},
		"other kind":      {`"kind": "Report"`, `"kind": "Reports"`},
		"unknown source":  {`"source": "layer"`, `"source": "elsewhere"`},
		"time as text":    {`"signedAt": "20`, `"signedAt": "in 20`},
		"number as text":  {`"allowed": 1`, `"allowed": "1"`},
	} {
		changed := strings.Replace(text, edit[0], edit[1], 1)
		if changed == text {
			t.Errorf("%s: %q is not in the report", name, edit[0])
			continue
		}
		if validate(t, []byte(changed)) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}

// keyless is a judgement with everything that only bundles have.
func keyless(tb testing.TB) gate.Judgement {
	tb.Helper()
	virtual := testkit.NewVirtualSigstore(tb)
	root, err := keys.NewTrustRoot(keys.TrustMaterial{Sigstore: virtual.Root(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	verifier, err := verify.New(root, []verify.Signer{{Name: "keyless-bot", Keyless: []verify.KeylessIdentity{{Issuer: testkit.Issuer, Subject: testkit.Subject}}}}, verify.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	subject := inRegistry(tb)
	bundle := virtual.SignManifest(tb, subject.Manifest, testkit.BundleOptions{Extensions: map[int]string{12: "https://github.com/acme/charts"}})
	evidence := chartsign.NewEvidence(chartsign.KindBundle, chartsign.SourceReferrer, "sha256:9abc", bundle)
	return gate.Judgement{
		Subject: subject, Verdict: gate.Allowed, Enforced: true, Rule: "production", TrustDigest: root.Fingerprint(),
		Results: verifier.Verify(subject, evidence, testkit.Epoch()),
	}
}

// TestBundleInReport: what a log and an authority vouch for is there, under the names of the
// contract.
func TestBundleInReport(t *testing.T) {
	document := report.New([]gate.Judgement{keyless(t)})
	row := document.Results[0].Evidence[0]
	if row.Signer == nil || row.Signer.Name != "keyless-bot" || row.Signer.Subject != testkit.Subject || row.Log == nil || len(row.Timestamps) != 2 {
		t.Fatalf("evidence: got %+v", row)
	}
	var got struct {
		Results []struct{ Evidence []map[string]any }
	}
	if err := json.Unmarshal(jsonOf(t, document), &got); err != nil {
		t.Fatal(err)
	}
	fields := got.Results[0].Evidence[0]
	want := []string{"binds", "digest", "kind", "location", "log", "predicateType", "signedAt", "signer", "source", "timestamps", "verdict"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(fields))); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	signer, _ := fields["signer"].(map[string]any)
	if diff := cmp.Diff([]string{"extensions", "issuer", "kind", "name", "subject"}, slices.Sorted(maps.Keys(signer))); diff != "" {
		t.Errorf("fields of the signer (-want +got):\n%s", diff)
	}
	text := textOf(t, document, report.Style{})
	for _, want := range []string{"by " + testkit.Subject, "in the log", "manifest"} {
		if !strings.Contains(text, want) {
			t.Errorf("text: got %q, want it to say %q", text, want)
		}
	}
}

// TestFieldsOfTheContract: names and nesting, as scripts rely on them.
func TestFieldsOfTheContract(t *testing.T) {
	var got any
	if err := json.Unmarshal(jsonOf(t, report.New([]gate.Judgement{judgements(t)["denied"], judgements(t)["rejected"]})), &got); err != nil {
		t.Fatal(err)
	}
	paths := make(map[string]bool)
	collect("", got, paths)
	for _, want := range []string{
		".apiVersion", ".kind", ".results[].reference.given", ".results[].reference.resolved", ".results[].reference.manifestDigest",
		".results[].chart.name", ".results[].chart.version", ".results[].chart.appVersion", ".results[].chart.digest", ".results[].chart.size",
		".results[].verdict", ".results[].enforced", ".results[].rule", ".results[].evidence[].kind", ".results[].evidence[].source",
		".results[].evidence[].digest", ".results[].evidence[].binds", ".results[].evidence[].verdict", ".results[].evidence[].signer.name",
		".results[].evidence[].signer.fingerprint", ".results[].evidence[].signedAt", ".results[].evidence[].timestamps",
		".results[].evidence[].reason.code", ".results[].evidence[].reason.message", ".results[].denials[].rule", ".results[].denials[].message",
		".results[].denials[].solution", ".results[].warnings", ".results[].policy.digest", ".results[].policy.sources", ".results[].trust.digest",
		".results[].reason.code", ".results[].reason.message",
		".summary.allowed", ".summary.denied", ".summary.unsigned", ".summary.rejected", ".summary.inconclusive",
	} {
		if !paths[want] {
			t.Errorf("the report has no %s", want)
		}
	}
}

func collect(path string, value any, paths map[string]bool) {
	paths[path] = true
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			collect(path+"[]", item, paths)
		}
	case map[string]any:
		for key, item := range value {
			collect(path+"."+key, item, paths)
		}
	}
}

// TestNoNulls: a list without elements is an empty one, and what does not apply is absent.
func TestNoNulls(t *testing.T) {
	lists := [][]gate.Judgement{several(t), nil, {{}}, {{PolicyDigest: "sha256:x"}}, {judgements(t)["no-rule"]}}
	for i, list := range lists {
		if data := jsonOf(t, report.New(list)); bytes.Contains(data, []byte("null")) {
			t.Errorf("report %d: got a null in %s", i, data)
		}
		if data := yamlOf(t, report.New(list)); bytes.Contains(data, []byte("null")) {
			t.Errorf("report %d: got a null in %s", i, data)
		}
	}
}

// TestSummary counts every verdict once; what is unknown counts as inconclusive.
func TestSummary(t *testing.T) {
	got := report.New(append(several(t), gate.Judgement{}, gate.Judgement{Verdict: 99})).Summary
	want := report.Summary{Allowed: 1, Denied: 2, Unsigned: 1, Rejected: 1, Inconclusive: 4}
	if got != want {
		t.Errorf("summary: got %+v, want %+v", got, want)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("no space left on device")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// TestWriteErrors: a report that did not arrive is an error.
func TestWriteErrors(t *testing.T) {
	document := report.New(several(t))
	for name, err := range map[string]error{
		"text": document.WriteText(brokenWriter{}, report.Style{}), "json": document.WriteJSON(brokenWriter{}), "yaml": document.WriteYAML(brokenWriter{}),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want the writer's error", name, err)
		}
	}
}

// TestTimesAreUTC: the same report wherever it is made.
func TestTimesAreUTC(t *testing.T) {
	judgement := keyless(t)
	east := time.FixedZone("east", 7200)
	previous := time.Local
	t.Cleanup(func() { time.Local = previous })
	time.Local = east
	if text := string(jsonOf(t, report.New([]gate.Judgement{judgement}))); strings.Contains(text, "+02:00") {
		t.Errorf("got a local time in %s", text)
	}
}

// TestEnforcedMeansWhatItSays: a verdict that stops somebody reads 'enforced', whatever is
// in a judgement that no gate has made.
func TestEnforcedMeansWhatItSays(t *testing.T) {
	for _, verdict := range []gate.Verdict{gate.Inconclusive, gate.Rejected, 99} {
		if got := report.New([]gate.Judgement{{Verdict: verdict}}).Results[0]; !got.Enforced || got.Verdict == "allowed" {
			t.Errorf("verdict %d: got %+v", verdict, got)
		}
	}
	if report.New([]gate.Judgement{{Verdict: gate.Denied}}).Results[0].Enforced {
		t.Error("a denial that the rule only warns of reads 'enforced'")
	}
}

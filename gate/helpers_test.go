// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/testkit"
)

// fpr returns the fingerprint of a primary key of testdata/keys, subkey that of its subkey.
func fpr(name string) string    { return fingerprint(name, "pub") }
func subkey(name string) string { return fingerprint(name, "sub") }

func fingerprint(name, kind string) string {
	data, err := os.ReadFile(testdata("keys", "fingerprints.txt"))
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[0] == name && fields[1] == kind {
			return fields[3]
		}
	}
	panic("no test key is named " + name)
}

// source is a gate.Source in memory that remembers what it was asked.
type source struct {
	subject    chartsign.Subject
	resolveErr error
	listing    chartsign.Listing
	listingErr error
	archive    *chartsign.Chart
	archiveErr error
	panics     bool

	mu                           sync.Mutex
	resolves, listings, archives int
}

func (s *source) asked(counter *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*counter++
	if s.panics {
		panic("the source stumbled")
	}
}

func (s *source) Resolve(context.Context) (chartsign.Subject, error) {
	s.asked(&s.resolves)
	return s.subject, s.resolveErr
}

func (s *source) Evidence(context.Context) (chartsign.Listing, error) {
	s.asked(&s.listings)
	return s.listing, s.listingErr
}

func (s *source) Archive(context.Context) (*chartsign.Chart, error) {
	s.asked(&s.archives)
	return s.archive, s.archiveErr
}

func testdata(elements ...string) string {
	return filepath.Join(append([]string{"..", "testdata"}, elements...)...)
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func writeFile(tb testing.TB, path string, data []byte) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// guestbook is the chart that the .prov files of testdata are about.
var guestbook = sync.OnceValue(func() *chartsign.Chart { return mustChart("guestbook-1.4.2.tgz") })

// otherChart has the same name and another version.
var otherChart = sync.OnceValue(func() *chartsign.Chart { return mustChart("guestbook-1.5.0-rc.1+build.7.tgz") })

func mustChart(name string) *chartsign.Chart {
	data, err := os.ReadFile(testdata("charts", name))
	if err != nil {
		panic(err)
	}
	chart, err := chartsign.ReadChart(bytes.NewReader(data), chartsign.ReadOptions{})
	if err != nil {
		panic(err)
	}
	return chart
}

// configChart is what a registry says of the guestbook: its facts come from a config blob.
// Edits replace text of the blob.
func configChart(tb testing.TB, edits ...string) *chartsign.Chart {
	tb.Helper()
	config, err := guestbook().Metadata().JSON()
	if err != nil {
		tb.Fatal(err)
	}
	edited := strings.NewReplacer(edits...).Replace(string(config))
	if len(edits) > 0 && edited == string(config) {
		tb.Fatalf("config blob: %q changed nothing", edits)
	}
	chart, err := chartsign.ChartFromConfig([]byte(edited), guestbook().Digest(), guestbook().Size())
	if err != nil {
		tb.Fatal(err)
	}
	return chart
}

const inRegistry = "oci://registry.example/charts/guestbook:1.4.2"

func manifestDigest() chartsign.Digest { return chartsign.DigestOf([]byte("manifest")) }

func reference(tb testing.TB, text string) chartsign.Reference {
	tb.Helper()
	ref, err := chartsign.ParseReference(text)
	if err != nil {
		tb.Fatal(err)
	}
	return ref
}

// local is the guestbook as a file, with evidence.
func local(tb testing.TB, evidence ...chartsign.Evidence) *source {
	tb.Helper()
	return &source{
		subject: chartsign.Subject{Reference: reference(tb, "guestbook-1.4.2.tgz"), Chart: guestbook()},
		listing: chartsign.Listing{Evidence: evidence},
	}
}

// remote is the guestbook in a registry, with evidence.
func remote(tb testing.TB, evidence ...chartsign.Evidence) *source {
	tb.Helper()
	return &source{
		subject: chartsign.Subject{Reference: reference(tb, inRegistry), Chart: configChart(tb), Manifest: manifestDigest()},
		listing: chartsign.Listing{Evidence: evidence},
		archive: guestbook(),
	}
}

// prov is a .prov file of testdata/provenance.
func prov(tb testing.TB, name string) chartsign.Evidence {
	tb.Helper()
	return chartsign.NewEvidence(chartsign.KindProvenance, chartsign.SourceLayer, name, readFile(tb, testdata("provenance", name)))
}

func byRelease(tb testing.TB) chartsign.Evidence {
	tb.Helper()
	return prov(tb, "honest/helm4.prov")
}

func byMaintainer(tb testing.TB) chartsign.Evidence {
	tb.Helper()
	return prov(tb, "honest/helm4-ed25519.prov")
}

func bySplit(tb testing.TB) chartsign.Evidence {
	tb.Helper()
	return prov(tb, "honest/gpg-subkey.prov")
}

// The Sigstore that bundles are of, and its trusted root, whose bytes differ each time that
// they are made.
var (
	deployment  = sync.OnceValue(func() *testkit.VirtualSigstore { return testkit.NewVirtualSigstore(&testing.T{}) })
	trustedRoot = sync.OnceValue(func() []byte { return deployment().RootJSON(&testing.T{}) })
)

func bundle(data []byte) chartsign.Evidence {
	return chartsign.NewEvidence(chartsign.KindBundle, chartsign.SourceReferrer, "bundle", data)
}

// manifestSigned is a bundle about the manifest, layerSigned one about the archive.
func manifestSigned(tb testing.TB, opts testkit.BundleOptions) chartsign.Evidence {
	tb.Helper()
	return bundle(deployment().SignManifest(tb, manifestDigest(), opts))
}

func layerSigned(tb testing.TB, opts testkit.BundleOptions) chartsign.Evidence {
	tb.Helper()
	return bundle(deployment().SignArchive(tb, readFile(tb, testdata("charts", "guestbook-1.4.2.tgz")), opts))
}

// trustFolder has every public key of testdata and the trusted root beside a trust policy.
func trustFolder(tb testing.TB) string {
	tb.Helper()
	folder := tb.TempDir()
	for _, name := range []string{"release", "maintainer", "split", "mallory", "team", "expired"} {
		writeFile(tb, filepath.Join(folder, name+".asc"), readFile(tb, testdata("keys", name+".pub.asc")))
	}
	writeFile(tb, filepath.Join(folder, "trusted_root.json"), trustedRoot())
	return folder
}

const header = "apiVersion: chartsign.dev/v1\nkind: TrustPolicy\n"

// The signers that tests name.
const (
	signRelease    = `{name: release, pgp: {keyring: release.asc}}`
	signMaintainer = `{name: maintainer, pgp: {keyring: maintainer.asc}}`
	signSplit      = `{name: split, pgp: {keyring: split.asc}}`
	signBot        = `{name: bot, keyless: {issuer: "https://issuer.example.test", subject: release@example.test}}`
)

// compile compiles the text of a trust policy in folder.
func compile(tb testing.TB, folder, text string, opts gate.Options) (*gate.Trust, error) {
	tb.Helper()
	path := filepath.Join(folder, "trust.yaml")
	writeFile(tb, path, []byte(text))
	return gate.LoadTrust(tb.Context(), path, opts)
}

func mustCompile(tb testing.TB, folder, text string) *gate.Trust {
	tb.Helper()
	trust, err := compile(tb, folder, text, gate.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return trust
}

// rule is a trust policy of one rule, for files and registries, with signers and further
// lines.
func rule(signers []string, lines ...string) string {
	text := header + "trustedRoot: trusted_root.json\nrules:\n- name: only\n  match: [\"file:**\", \"oci://**\"]\n  signers: [" + strings.Join(signers, ", ") + "]\n"
	for _, line := range lines {
		text += "  " + line + "\n"
	}
	return text
}

func trusting(tb testing.TB, signers []string, lines ...string) *gate.Trust {
	tb.Helper()
	return mustCompile(tb, trustFolder(tb), rule(signers, lines...))
}

func request(s *source) gate.Request {
	return gate.Request{Reference: s.subject.Reference, Source: s, Time: now}
}

func judge(tb testing.TB, trust *gate.Trust, s *source) gate.Judgement {
	tb.Helper()
	return trust.Judge(tb.Context(), request(s))
}

// outcome is what tests compare of a judgement.
type outcome struct {
	Verdict string
	Code    chartsign.ReasonCode
}

func outcomeOf(judgement gate.Judgement) outcome {
	got := outcome{Verdict: judgement.Verdict.String()}
	if judgement.Reason != nil {
		got.Code = judgement.Reason.Code
	}
	return got
}

func wantOutcome(tb testing.TB, judgement gate.Judgement, want outcome) {
	tb.Helper()
	if got := outcomeOf(judgement); got != want {
		tb.Errorf("judgement: got %v (%v), want %v", got, judgement.Reason, want)
	}
}

func allowed() outcome                               { return outcome{Verdict: "allowed"} }
func rejected(code chartsign.ReasonCode) outcome     { return outcome{"rejected", code} }
func inconclusive(code chartsign.ReasonCode) outcome { return outcome{"inconclusive", code} }

var (
	unsigned = outcome{"unsigned", gate.ReasonNoEvidence}
	denied   = outcome{"denied", gate.ReasonPolicyDenied}
)

var noBundleOptions testkit.BundleOptions

// now is when tests judge: after everything in testdata was signed.
var now = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

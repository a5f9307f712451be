// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/gate"
	"github.com/chartsign/chartsign/internal/limits"
	"github.com/chartsign/chartsign/verify"
)

// judgeFile judges what is at path under the release key.
func judgeFile(t *testing.T, trust *gate.Trust, file *gate.File) gate.Judgement {
	t.Helper()
	t.Helper()
	return trust.Judge(t.Context(), gate.Request{Reference: reference(t, file.Path), Source: file, Time: now})
}

func TestFile(t *testing.T) {
	trust := trusting(t, []string{signRelease, signBot})
	chart := readFile(t, testdata("charts", "guestbook-1.4.2.tgz"))
	good, bad := byRelease(t).Bytes(), tampered(t).Bytes()
	for name, tc := range map[string]struct {
		edit func(file *gate.File)
		want outcome
	}{
		"alone":     {func(*gate.File) {}, unsigned},
		"with prov": {func(f *gate.File) { writeFile(t, f.Path+".prov", good) }, allowed()},
		"with a bundle": {func(f *gate.File) {
			writeFile(t, f.Path+".sigstore.json", layerSigned(t, noBundleOptions).Bytes())
		}, allowed()},
		"with a bad prov": {func(f *gate.File) { writeFile(t, f.Path+".prov", bad) }, rejected(verify.ReasonSignatureInvalid)},
		"with a bad prov and a good bundle": {func(f *gate.File) {
			writeFile(t, f.Path+".prov", bad)
			writeFile(t, f.Path+".sigstore.json", layerSigned(t, noBundleOptions).Bytes())
		}, allowed()},
		"prov by name": {func(f *gate.File) {
			f.Provenance = filepath.Join(filepath.Dir(f.Path), "p")
			writeFile(t, f.Provenance, good)
		}, allowed()},
		"prov by name, another beside it": {func(f *gate.File) {
			f.Provenance = filepath.Join(filepath.Dir(f.Path), "p")
			writeFile(t, f.Provenance, bad)
			writeFile(t, f.Path+".prov", good)
		}, rejected(verify.ReasonSignatureInvalid)},
		"prov by name that is missing": {func(f *gate.File) { f.Provenance = f.Path + ".none" }, inconclusive(verify.ReasonEvidenceUnavailable)},
		"bundle that is missing":       {func(f *gate.File) { f.Bundles = []string{f.Path + ".none"} }, inconclusive(verify.ReasonEvidenceUnavailable)},
		"prov is a folder": {func(f *gate.File) {
			if err := os.Mkdir(f.Path+".prov", 0o750); err != nil {
				t.Fatal(err)
			}
		}, inconclusive(verify.ReasonEvidenceUnavailable)},
		"prov is a link to nothing": {func(f *gate.File) {
			if err := os.Symlink("nothing", f.Path+".prov"); err != nil {
				t.Fatal(err)
			}
		}, inconclusive(verify.ReasonEvidenceUnavailable)},
		"prov is too large": {func(f *gate.File) {
			writeFile(t, f.Path+".prov", make([]byte, limits.Provenance+1))
		}, inconclusive(verify.ReasonEvidenceUnavailable)},
		"chart is missing":  {func(f *gate.File) { f.Path += ".none" }, inconclusive(chartsign.ReasonNotFound)},
		"chart is a folder": {func(f *gate.File) { f.Path = filepath.Dir(f.Path) }, inconclusive(chartsign.ReasonUnavailable)},
		"chart is none":     {func(f *gate.File) { writeFile(t, f.Path, good) }, rejected(chartsign.ReasonNotAChart)},
		"chart is another": {func(f *gate.File) {
			writeFile(t, f.Path, readFile(t, testdata("charts", "guestbook-1.5.0-rc.1+build.7.tgz")))
			writeFile(t, f.Path+".prov", good)
		}, rejected(verify.ReasonDigestMismatch)},
	} {
		t.Run(name, func(t *testing.T) {
			file := &gate.File{Path: filepath.Join(t.TempDir(), "guestbook-1.4.2.tgz")}
			writeFile(t, file.Path, chart)
			tc.edit(file)
			wantOutcome(t, judgeFile(t, trust, file), tc.want)
		})
	}
}

// TestFileArchive: a local chart's facts are those of its archive.
func TestFileArchive(t *testing.T) {
	file := &gate.File{Path: testdata("charts", "guestbook-1.4.2.tgz")}
	archive, err := file.Archive(t.Context())
	if err != nil || !archive.FromArchive() || archive.Digest() != guestbook().Digest() {
		t.Errorf("got %v, %v", archive, err)
	}
	file.Path += ".none"
	var reason *chartsign.Reason
	if archive, err := file.Archive(t.Context()); archive != nil || !errors.As(err, &reason) || reason.Code != chartsign.ReasonNotFound {
		t.Errorf("missing: got %v, %v", archive, err)
	}
}

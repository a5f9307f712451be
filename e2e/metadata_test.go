// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMetadata takes every Chart.yaml of testdata that helm reads, odd ones too, and packs
// it. What chartsign makes of it has to be what helm makes of it: the text that a .prov signs,
// as the verification shows, and the manifest in a registry, byte for byte. Two are refused
// because readers of YAML differ about what they say.
func TestMetadata(t *testing.T) {
	t.Parallel()
	refused := map[string]bool{"merge-override": true, "requirements-in-v2": true}
	data, err := filepath.Abs("../testdata")
	if err != nil {
		t.Fatal(err)
	}
	goldens, err := filepath.Glob(filepath.Join(data, "metadata", "*.golden.json"))
	if err != nil || len(goldens) == 0 {
		t.Fatalf("no metadata in %s: %v", data, err)
	}
	for _, golden := range goldens {
		source := strings.TrimSuffix(golden, ".golden.json")
		t.Run(filepath.Base(source), func(t *testing.T) {
			t.Parallel()
			archive := packChart(t, source, golden)
			registry := "oci://" + lab.env["SANDBOX_REGISTRY"] + "/metadata/" + filepath.Base(source)
			manifest := regexp.MustCompile(`(?m)^(?:Digest:|  manifest ) (sha256:[0-9a-f]{64})$`)

			signing := []string{"sign", archive, "--pgp-key", "release@", "--keyring", filepath.Join(data, "keys", "release.sec.asc")}
			if refused[filepath.Base(source)] {
				output(t, "helm", "push", archive, registry+"/helm", "--plain-http")
				if out, code := runs(t, "chartsign", signing...); code != 4 || !strings.Contains(out, "[not-a-chart]") {
					t.Errorf("sign: got exit code %d, want 4 and not-a-chart\n%s", code, out)
				}
				return
			}
			output(t, "chartsign", signing...)
			output(t, "helm", "verify", archive, "--keyring", filepath.Join(data, "keys", "release.pub.gpg"))
			output(t, "chartsign", "verify", archive, "--keyring", filepath.Join(data, "keys", "release.pub.asc"))
			want := manifest.FindStringSubmatch(output(t, "helm", "push", archive, registry+"/helm", "--plain-http"))
			got := manifest.FindStringSubmatch(output(t, "chartsign", "push", archive, registry+"/ours", "--plain-http"))
			if want == nil || got == nil || got[1] != want[1] {
				t.Errorf("manifest: got %v, want helm's %v", got, want)
			}
		})
	}
}

// output runs a program, which has to succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, code := runs(t, name, args...)
	if code != 0 {
		t.Fatalf("%s %s: got exit code %d, want 0\n%s", name, strings.Join(args, " "), code, out)
	}
	return out
}

// runs runs a program and returns all that it printed.
func runs(t *testing.T, name string, args ...string) (out string, code int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program(name), args...)
	command.Env = []string{"HOME=" + t.TempDir(), "PATH=" + lab.path, "HTTPS_PROXY=" + lab.outside.server.URL, "HTTP_PROXY=" + lab.outside.server.URL}
	text, err := command.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return string(text), command.ProcessState.ExitCode()
}

// program returns what the run was told to test in the place of chartsign.
func program(name string) string {
	if name == "chartsign" {
		return os.Getenv("CHARTSIGN_BIN")
	}
	return name
}

// packChart packs Chart.yaml, and requirements.yaml where there is one, as they are: helm
// package would write Chart.yaml anew.
func packChart(t *testing.T, source, golden string) string {
	t.Helper()
	var meta struct{ Name, Version string }
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &meta); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), meta.Name+"-"+meta.Version+".tgz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(file)
	bundle := tar.NewWriter(zip)
	for _, entry := range []struct{ from, to string }{{".yaml", "Chart.yaml"}, {".requirements.yaml", "requirements.yaml"}} {
		content, err := os.ReadFile(source + entry.from)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := bundle.WriteHeader(&tar.Header{Name: meta.Name + "/" + entry.to, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	for _, closer := range []func() error{bundle.Close, zip.Close, file.Close} {
		if err := closer(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

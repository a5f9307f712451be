// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// emptyDigest is the digest of nothing, for requests about something that is not there.
const emptyDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestUp(t *testing.T) {
	env, _ := startSandbox(t)
	t.Run("environment", func(t *testing.T) { testEnvironment(t, env) })
	t.Run("loopback", func(t *testing.T) { testLoopback(t, env) })
	t.Run("answers", func(t *testing.T) { testAnswers(t, env) })
	t.Run("registries", func(t *testing.T) { testRegistries(t, env) })
	t.Run("request log", func(t *testing.T) { testRequestLog(t, env) })
	t.Run("folder in use", func(t *testing.T) { testFolderInUse(t, env) })
	t.Run("sign", func(t *testing.T) { testSign(t, env) })
}

func testEnvironment(t *testing.T, env environ) {
	t.Helper()
	for _, name := range []string{
		"SANDBOX_STATE", "SANDBOX_PID", "SANDBOX_REGISTRY", "SANDBOX_REGISTRY_REFERRERS",
		"SANDBOX_OIDC_ISSUER", "SANDBOX_OIDC_ISSUER_GITHUB", "SANDBOX_FULCIO_URL", "SANDBOX_REKOR_URL",
		"SANDBOX_TSA_URL", "SANDBOX_CT_URL", "SANDBOX_TRUSTED_ROOT", "SANDBOX_SIGNING_CONFIG",
	} {
		if env[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	file, err := os.Open(filepath.Join(env["SANDBOX_STATE"], "env"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	written, err := readEnviron(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range env {
		if got := written[name]; got != want {
			t.Errorf("file env: %s: got %q, want %q", name, got, want)
		}
	}
}

// testLoopback: no server listens on anything but loopback, metrics included.
func testLoopback(t *testing.T, env environ) {
	t.Helper()
	pids := append(children(t, env.pid(t)), env.pid(t))
	var seen int
	for _, pid := range pids {
		for _, address := range listening(t, pid) {
			seen++
			if host, _, err := net.SplitHostPort(address); err != nil || !net.ParseIP(host).IsLoopback() {
				t.Errorf("process %d listens on %s (%v), want loopback only", pid, address, err)
			}
		}
	}
	if seen < 10 {
		t.Errorf("got %d open ports, want at least 10: is the test looking?", seen)
	}
}

func testAnswers(t *testing.T, env environ) {
	t.Helper()
	for _, tc := range []struct{ name, url, want string }{
		{"rekor checkpoint", env["SANDBOX_REKOR_URL"] + "/api/v2/checkpoint", "127.0.0.1\n"},
		{"ct tree head", env["SANDBOX_CT_URL"] + "/ct/v1/get-sth", "tree_head_signature"},
		{"tsa chain", env["SANDBOX_TSA_URL"] + "/certchain", "BEGIN CERTIFICATE"},
		{"fulcio chain", env["SANDBOX_FULCIO_URL"] + "/api/v2/trustBundle", "BEGIN CERTIFICATE"},
		{"fulcio issuers", env["SANDBOX_FULCIO_URL"] + "/api/v2/configuration", "/gh"},
		{"discovery", env["SANDBOX_OIDC_ISSUER_GITHUB"] + "/.well-known/openid-configuration", env["SANDBOX_OIDC_ISSUER_GITHUB"]},
	} {
		status, body := get(t, tc.url)
		if status != http.StatusOK || !strings.Contains(body, tc.want) {
			t.Errorf("%s: got %d %q, want 200 with %q", tc.name, status, body, tc.want)
		}
	}
	if status, _ := get(t, env["SANDBOX_REKOR_URL"]+"/api/v2/tile/"); status != http.StatusNotFound {
		t.Errorf("folder of tiles: got %d, want 404", status)
	}
}

// testRegistries: of two registries with the same content, one has the Referrers API.
func testRegistries(t *testing.T, env environ) {
	t.Helper()
	manifest := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"` + emptyDigest + `","size":0},"layers":[],` +
		`"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"` + emptyDigest + `","size":0}}`)
	for _, tc := range []struct {
		variable, subject string
		status            int
	}{
		{"SANDBOX_REGISTRY", "", http.StatusNotFound},
		{"SANDBOX_REGISTRY_REFERRERS", emptyDigest, http.StatusOK},
	} {
		base := "http://" + env[tc.variable] + "/v2/charts/app"
		code, header := put(t, base+"/manifests/1.0.0", manifest)
		if got := header.Get("OCI-Subject"); code != http.StatusCreated || got != tc.subject {
			t.Errorf("%s: push: got %d, subject %q, want 201, %q", tc.variable, code, got, tc.subject)
		}
		status, body := get(t, base+"/referrers/"+emptyDigest)
		if status != tc.status {
			t.Errorf("%s: referrers: got %d, want %d", tc.variable, status, tc.status)
		}
		if listed := strings.Contains(body, `"digest":"sha256:`); listed != (tc.status == http.StatusOK) {
			t.Errorf("%s: referrers: got %q", tc.variable, body)
		}
	}
}

func put(t *testing.T, url string, body []byte) (int, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// testRequestLog: whoever has an answer finds exactly one line for it.
func testRequestLog(t *testing.T, env environ) {
	t.Helper()
	const requests = 20
	for range requests {
		get(t, "http://"+env["SANDBOX_REGISTRY"]+"/v2/count/me/tags/list")
	}
	text, err := os.ReadFile(filepath.Join(env["SANDBOX_STATE"], "logs", "registry.log"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), " GET /v2/count/me/tags/list 404 "); got != requests {
		t.Errorf("got %d lines, want %d:\n%s", got, requests, text)
	}
}

func testFolderInUse(t *testing.T, env environ) {
	t.Helper()
	out, err := program(t, "up", "--state", env["SANDBOX_STATE"]).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another sandbox") {
		t.Errorf("second sandbox in the folder: got %v, %q", err, out)
	}
	if _, err := os.Stat(filepath.Join(env["SANDBOX_STATE"], "env")); err != nil {
		t.Errorf("first sandbox was disturbed: %v", err)
	}
}

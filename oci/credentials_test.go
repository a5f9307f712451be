// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package oci

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chartsign/chartsign"
	"github.com/chartsign/chartsign/internal/limits"
)

const basicAda = "Basic YWRhOmh1bnRlcjI=" // ada:hunter2

// basic demands the credentials of ada.
func basic(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == basicAda {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

func ada(host string) func(*Options) {
	return func(o *Options) { o.Username, o.Password, o.CredentialHost = "ada", "hunter2", host }
}

func writeConfig(t *testing.T, path, host string) {
	t.Helper()
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte("ada:hunter2")))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCredentialFiles(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	f.on(basic)
	dir := t.TempDir()
	file := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, test := range []struct {
		name, path string
		opts       Options
		env        map[string]string
	}{
		{"named", file("named.json"), Options{RegistryConfig: file("named.json")}, nil},
		{"HELM_REGISTRY_CONFIG", file("env.json"), Options{}, map[string]string{"HELM_REGISTRY_CONFIG": file("env.json")}},
		{"HELM_CONFIG_HOME", file("helm", "registry", "config.json"), Options{}, map[string]string{"HELM_CONFIG_HOME": file("helm")}},
		{"XDG_CONFIG_HOME", file("xdg", "helm", "registry", "config.json"), Options{}, map[string]string{"XDG_CONFIG_HOME": file("xdg")}},
		{"DOCKER_CONFIG", file("docker", "config.json"), Options{}, map[string]string{"DOCKER_CONFIG": file("docker")}},
		{"HOME of Docker", file("home", ".docker", "config.json"), Options{}, map[string]string{"HOME": file("home")}},
		{"Docker's after a named one", file("d2", "config.json"), Options{RegistryConfig: file("none.json")}, map[string]string{"DOCKER_CONFIG": file("d2")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			with := func(o *Options) {
				o.RegistryConfig = test.opts.RegistryConfig
				o.Getenv = func(name string) string { return test.env[name] }
			}
			_, err := f.chart("1.2.3", with).Resolve(t.Context())
			wantCode(t, err, chartsign.ReasonUnauthorized)
			writeConfig(t, test.path, f.host())
			if _, err := f.chart("1.2.3", with).Resolve(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHelmsFileComesBeforeDockers(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"HELM_REGISTRY_CONFIG": filepath.Join(dir, "helm.json"), "DOCKER_CONFIG": dir}
	got := credentialFiles(Options{Getenv: func(name string) string { return env[name] }})
	if want := filepath.Join(dir, "helm.json"); len(got) != 2 || got[0] != want {
		t.Errorf("got %q, want %s first", got, want)
	}
}

func TestDockerHub(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	writeConfig(t, path, "https://index.docker.io/v1/")
	credential, err := newCredential(Options{RegistryConfig: path})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"docker.io", "index.docker.io", "registry-1.docker.io"} {
		host := endpoint(chartsign.CanonicalRegistry(name))
		got, err := credential(t.Context(), host)
		if err != nil || got.Username != "ada" {
			t.Errorf("%s: got user %q and %v, want ada", name, got.Username, err)
		}
	}
}

// References come from files that strangers write; the password is for one registry.
func TestPasswordIsForOneRegistry(t *testing.T) {
	if _, err := NewClient(Options{Username: "ada", Password: "hunter2"}); err == nil {
		t.Error("got a client that sends the password to every registry")
	}
	mine, strange := newRegistry(t, true), newRegistry(t, true)
	mine.putChart("")
	strange.putChart("")
	mine.on(basic)
	strange.on(basic)
	client := mine.client(ada(mine.host()))
	if _, err := client.Chart(mine.ref(testRepo, "1.2.3")).Resolve(t.Context()); err != nil {
		t.Error(err)
	}
	_, err := client.Chart(strange.ref(testRepo, "1.2.3")).Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonUnauthorized)
	wantNoCredentials(t, strange)
}

func wantNoCredentials(t *testing.T, f *fakeRegistry) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, header := range f.headers {
		for name, values := range header {
			for _, value := range values {
				if name == "Authorization" || name == "Cookie" || strings.Contains(value, "hunter2") || strings.Contains(value, "t0ken") {
					t.Errorf("%s carried %s", f.asked[i], name)
				}
			}
		}
	}
}

// tokenService issues tokens and counts them; the registry wants one for every request.
func tokenService(t *testing.T, f *fakeRegistry) *atomic.Int64 {
	t.Helper()
	var issued atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "ada" || password != "hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		issued.Add(1)
		answer(w, 200, "application/json", `{"token":"t0ken"}`)
	}))
	t.Cleanup(service.Close)
	f.on(bearer(service.URL))
	return &issued
}

func bearer(realm string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Bearer t0ken" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`/token",service="x",scope="repository:charts/web:pull"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
}

func TestOneTokenForManyRequests(t *testing.T) {
	f := newRegistry(t, true)
	s := f.putChart("signed")
	f.putReferrer(s, chartsign.MediaTypeBundle, "bundle")
	issued := tokenService(t, f)
	chart := f.chart("1.2.3", ada(f.host()))
	if _, err := chart.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	listing, err := chart.Evidence(t.Context())
	if err != nil || listing.Problem != nil {
		t.Fatal(err, listing.Problem)
	}
	if got := issued.Load(); got != 1 {
		t.Errorf("got %d token exchanges, want 1", got)
	}
	if got := len(f.requests()); got != 8 {
		t.Errorf("got %d requests, want 7 and the first one without a token", got)
	}
}

func TestTokenServiceFailures(t *testing.T) {
	for _, test := range []struct {
		answer int
		body   string
		want   chartsign.ReasonCode
	}{
		{401, "", chartsign.ReasonUnauthorized},
		{403, "", chartsign.ReasonUnauthorized},
		{404, "", chartsign.ReasonUnauthorized},
		{429, "", chartsign.ReasonRateLimited},
		{503, "", chartsign.ReasonUnavailable},
		{200, "<html>", chartsign.ReasonInvalidResponse},
		{200, "{}", chartsign.ReasonUnauthorized},
	} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, test.answer, "application/json", test.body)
		}))
		f := newRegistry(t, true)
		f.on(bearer(service.URL))
		_, err := f.chart("1.2.3", ada(f.host())).Resolve(t.Context())
		wantCode(t, err, test.want)
		service.Close()
	}
}

// GHSA-vh4v-2xq2-g5cg: a redirect carries credentials away. Two ports of one host are two
// origins, and coming back does not make the first one trusted again.
func TestRedirectCarriesNoCredentials(t *testing.T) {
	f, rogue := newRegistry(t, true), newRegistry(t, true)
	s := f.putChart("")
	back := false
	rogue.on(func(w http.ResponseWriter, r *http.Request) bool {
		if back {
			http.Redirect(w, r, f.server.URL+"/returned", http.StatusTemporaryRedirect)
			return true
		}
		_, _ = w.Write(mustJSON(t, map[string]string{"apiVersion": "v2", "name": "web", "version": "1.2.3", "appVersion": "1.0"}))
		return true
	})
	for _, auth := range []func(http.ResponseWriter, *http.Request) bool{basic, nil} {
		if auth == nil {
			tokenService(t, f)
			auth = f.hook
		}
		f.on(func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/returned") {
				if r.Header.Get("Authorization") != "" {
					t.Error("a chain of redirects that came back carried credentials")
				}
				return status(403)(w, r)
			}
			if auth(w, r) {
				return true
			}
			if !strings.HasSuffix(r.URL.Path, s.config.Digest) {
				return false
			}
			http.Redirect(w, r, rogue.server.URL+"/blob", http.StatusTemporaryRedirect)
			return true
		})
		for _, back = range []bool{false, true} {
			_, err := f.chart("1.2.3", ada(f.host())).Resolve(t.Context())
			if err == nil {
				t.Error("got the content of another host, want a digest that does not match")
			}
			if asked := rogue.asked; len(asked) == 0 {
				t.Error("the redirect was not followed: the test tests nothing")
			}
			wantNoCredentials(t, rogue)
		}
	}
}

// The host that a redirect led to asks for credentials itself.
func TestChallengeAfterRedirect(t *testing.T) {
	f, rogue := newRegistry(t, true), newRegistry(t, true)
	s := f.putChart("")
	rogue.on(basic)
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if basic(w, r) {
			return true
		}
		if !strings.HasSuffix(r.URL.Path, s.config.Digest) {
			return false
		}
		http.Redirect(w, r, rogue.server.URL+"/blob", http.StatusTemporaryRedirect)
		return true
	})
	_, err := f.chart("1.2.3", ada(f.host())).Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonUnauthorized)
	wantNoCredentials(t, rogue)
}

// CVE-2026-48978: the realm is on an unrelated host, without encryption.
func TestRealmOnAnotherHost(t *testing.T) {
	f, rogue := newRegistry(t, true), newRegistry(t, true)
	rogue.on(func(w http.ResponseWriter, _ *http.Request) bool {
		return answer(w, 200, "application/json", `{"token":"t0ken"}`)
	})
	// Another name of the same machine is another host.
	realm := strings.Replace(rogue.server.URL, "127.0.0.1", "localhost", 1)
	f.on(bearer(realm))
	_, err := f.chart("1.2.3", ada(f.host())).Resolve(t.Context())
	wantCode(t, err, chartsign.ReasonUnauthorized)
	if asked := rogue.requests(); len(asked) != 0 {
		t.Errorf("the rogue realm was asked %q", asked)
	}
}

// The guard alone, whatever the layers above it do.
func TestGuard(t *testing.T) {
	redirected := &http.Response{}
	for _, test := range []struct {
		name, origin, url, authorization string
		response                         *http.Response
		want                             bool
	}{
		{"the registry", "https://r.example", "https://r.example/v2/", "Bearer x", nil, true},
		{"its default port", "https://r.example", "https://R.example:443/v2/", "Bearer x", nil, true},
		{"another port", "https://r.example", "https://r.example:8443/v2/", "Bearer x", nil, false},
		{"http of it", "https://r.example", "http://r.example/v2/", "Bearer x", nil, false},
		{"a token elsewhere", "https://r.example", "https://evil.example/", "bearer x", nil, false},
		{"token service", "https://r.example", "https://auth.example/token", "Basic x", nil, true},
		{"token service over http", "https://r.example", "http://auth.example/token", "Basic x", nil, false},
		{"token service over http, plain registry", "http://r.example", "http://auth.example/token", "Basic x", nil, false},
		{"token service on the host of a plain registry", "http://r.example", "http://r.example:5001/token", "Basic x", nil, true},
		{"redirect with a password", "https://r.example", "https://cdn.example/blob", "Basic x", redirected, false},
		{"redirect", "https://r.example", "https://cdn.example/blob", "", redirected, true},
	} {
		origin, err := http.NewRequest(http.MethodGet, test.origin, nil)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(withOrigin(t.Context(), origin.URL), http.MethodGet, test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Response = test.response
		if test.authorization != "" {
			req.Header.Set("Authorization", test.authorization)
		}
		sent := false
		_, err = (&guard{next: roundTrip(func() { sent = true })}).RoundTrip(req)
		if sent != test.want || (err == nil) != test.want {
			t.Errorf("%s: got sent %t and %v, want %t", test.name, sent, err, test.want)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://r.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&guard{next: roundTrip(func() {})}).RoundTrip(req); err == nil {
		t.Error("a request for no registry was sent")
	}
}

type roundTrip func()

func (f roundTrip) RoundTrip(*http.Request) (*http.Response, error) {
	f()
	return &http.Response{Body: http.NoBody}, nil
}

func TestRedirectPolicy(t *testing.T) {
	request := func(method, url string) *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Basic x")
		return req
	}
	for _, test := range []struct {
		name, method, from, to string
		want, keeps            bool
	}{
		{"same origin", "PUT", "https://r.example/a", "https://r.example/b", true, true},
		{"blob storage", "GET", "https://r.example/a", "https://cdn.example/b", true, false},
		{"downgrade", "GET", "https://r.example/a", "http://r.example/b", false, true},
		{"write elsewhere", "PUT", "https://r.example/a", "https://cdn.example/b", false, true},
		{"file", "GET", "https://r.example/a", "file:///etc/passwd", false, true},
	} {
		next := request(test.method, test.to)
		err := checkRedirect(next, []*http.Request{request(test.method, test.from)})
		if (err == nil) != test.want || (next.Header.Get("Authorization") != "") != test.keeps {
			t.Errorf("%s: got %v and credentials %q", test.name, err, next.Header.Get("Authorization"))
		}
	}
	var via []*http.Request
	for range limits.OCIRedirects + 1 {
		via = append(via, request("GET", "https://r.example/a"))
	}
	if err := checkRedirect(request("GET", "https://r.example/a"), via); err == nil {
		t.Error("redirects have no end")
	}
}

func TestTLSFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, opts := range []Options{{CAFile: missing}, {CAFile: empty}, {CertFile: empty}, {KeyFile: empty}, {CertFile: empty, KeyFile: empty}} {
		if _, err := NewClient(opts); err == nil {
			t.Errorf("%+v: got a client, want an error", opts)
		}
	}
}

func TestTLS(t *testing.T) {
	f := newRegistry(t, true)
	f.putChart("")
	secure := httptest.NewTLSServer(http.HandlerFunc(f.serve))
	defer secure.Close()
	ref, err := chartsign.ParseReference("oci://" + strings.TrimPrefix(secure.URL, "https://") + "/" + testRepo + ":1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pemOf(secure.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		opts Options
		want bool
	}{{Options{}, false}, {Options{CAFile: ca}, true}, {Options{InsecureSkipTLSVerify: true}, true}} {
		client, err := NewClient(test.opts)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Chart(ref).Resolve(t.Context())
		if test.want && err != nil {
			t.Error(err)
		}
		if !test.want {
			wantCode(t, err, chartsign.ReasonUnavailable)
		}
	}
}

func pemOf(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }

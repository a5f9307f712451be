// SPDX-FileCopyrightText: The chartsign authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/chartsign/chartsign/internal/testkit"
)

// storyRegistry is a real registry whose requests are remembered and which can be told to
// fail.
type storyRegistry struct {
	*httptest.Server
	mu     sync.Mutex
	log    []string
	status int
	prefix string
}

var registries sync.Map // host:port → *storyRegistry

// registry NAME [referrers] starts a registry and sets NAME to its host and port.
func startRegistry(ts *testscript.TestScript, _ bool, args []string) {
	options := []registry.Option{registry.Logger(log.New(io.Discard, "", 0))}
	if len(args) > 1 && args[1] == "referrers" {
		options = append(options, registry.WithReferrersSupport(true))
	}
	story := &storyRegistry{}
	inner := registry.New(options...)
	story.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if story.answered(w, r) {
			return
		}
		inner.ServeHTTP(w, r)
	}))
	ts.Defer(story.Close)
	host := strings.TrimPrefix(story.URL, "http://")
	registries.Store(host, story)
	ts.Setenv(args[0], host)
}

func (s *storyRegistry) answered(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, r.Method+" "+r.URL.Path)
	if s.status == 0 || !strings.Contains(r.URL.Path, s.prefix) {
		return false
	}
	if s.status == hangUp {
		panic(http.ErrAbortHandler)
	}
	if s.status == http.StatusOK {
		_, _ = io.WriteString(w, "<html>this is no registry</html>")
		return true
	}
	w.WriteHeader(s.status)
	return true
}

// hangUp is the status of a registry that answers nothing.
const hangUp = 444

func registryOf(ts *testscript.TestScript, host string) *storyRegistry {
	found, ok := registries.Load(host)
	story, isStory := found.(*storyRegistry)
	if !ok || !isStory {
		ts.Fatalf("no registry at %q", host)
	}
	return story
}

// fault HOST STATUS [PART] makes the registry answer STATUS to requests whose path contains
// PART; 200 is garbage, 444 is no answer at all, 0 is nothing wrong any more.
func injectFault(ts *testscript.TestScript, _ bool, args []string) {
	story := registryOf(ts, args[0])
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	story.mu.Lock()
	defer story.mu.Unlock()
	story.status, story.prefix = status, ""
	if len(args) > 2 {
		story.prefix = args[2]
	}
}

// requests HOST FILE writes the requests since the last call to FILE, one a line.
func countRequests(ts *testscript.TestScript, _ bool, args []string) {
	story := registryOf(ts, args[0])
	story.mu.Lock()
	defer story.mu.Unlock()
	lines := fmt.Sprintf("%d requests\n%s\n", len(story.log), strings.Join(story.log, "\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(lines), 0o600))
	story.log = nil
}

var (
	sigstores sync.Map // script → *testkit.VirtualSigstore
	services  sync.Map // script → *testkit.Services
)

// sigstore starts a Sigstore and writes trusted_root.json and signing_config.json.
func startSigstore(ts *testscript.TestScript, _ bool, _ []string) {
	tb := scriptTB{TB: nil, ts: ts}
	virtual := testkit.NewVirtualSigstore(tb)
	virtual.Clock.Set(time.Now())
	served := virtual.Serve(tb)
	sigstores.Store(ts.Getenv("WORK"), virtual)
	services.Store(ts.Getenv("WORK"), served)
	ts.Check(os.WriteFile(ts.MkAbs("trusted_root.json"), virtual.RootJSON(tb), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("signing_config.json"), served.SigningConfig(tb, 2), 0o600))
}

// token FILE EMAIL writes an identity token for EMAIL.
func mintToken(ts *testscript.TestScript, _ bool, args []string) {
	found, _ := sigstores.Load(ts.Getenv("WORK"))
	virtual, ok := found.(*testkit.VirtualSigstore)
	if !ok {
		ts.Fatalf("token: start sigstore first")
	}
	claims := map[string]any{"email": args[1]}
	if len(args) > 2 && args[2] == "expired" {
		claims["exp"] = time.Now().Add(-time.Hour).Unix()
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(virtual.Token(scriptTB{ts: ts}, claims)), 0o600))
}

// sigfault SERVICE STATUS makes a Sigstore service answer STATUS; 0 is nothing wrong any more.
func failService(ts *testscript.TestScript, _ bool, args []string) {
	found, _ := services.Load(ts.Getenv("WORK"))
	served, ok := found.(*testkit.Services)
	if !ok {
		ts.Fatalf("sigfault: start sigstore first")
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	if status == 0 {
		served.Fail(args[0], nil)
		return
	}
	served.Fail(args[0], func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// scriptTB lets a script use helpers that are made for tests.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

func (s scriptTB) Helper()                           {}
func (s scriptTB) Cleanup(f func())                  { s.ts.Defer(f) }
func (s scriptTB) Fatal(args ...any)                 { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s scriptTB) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s scriptTB) Errorf(format string, args ...any) { s.ts.Fatalf(format, args...) }
func (s scriptTB) Logf(format string, args ...any)   { s.ts.Logf(format, args...) }
